//! Space groups of crystals, found by the library moyo. Only this folder and `space_groups` speak to it.
//! Periodicity flags are not looked at: the cell is what repeats.

mod lattice_group;
mod tolerance;

use moyo::MoyoDataset;
use moyo::base::{AngleTolerance, Cell, Lattice};
use moyo::data::{CrystalSystem, GeometricCrystalClass, Setting, arithmetic_crystal_class_entry, hall_symbol_entry};
use nalgebra::{Matrix3, Vector3};

use super::atoms::Atoms;
use super::linear::{Mat3, Vec3, inverse, row_times};
use tolerance::safe_tolerance;

/// Who finds the space groups.
pub const VERSION: &str = "moyo 0.22.0";

/// Where nobody asked for it, symmetry is not looked for among more atoms than this.
pub const MOST_ATOMS: usize = 1000;

/// The symmetry of a crystal within a tolerance.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceGroup {
    /// The number in International Tables, 1 to 230.
    pub number: i32,
    /// The short Hermann-Mauguin symbol without blanks, as "Fm-3m".
    pub symbol: String,
    /// The Hall symbol, as "-F 4 2 3".
    pub hall: String,
    /// The crystal class by its Hermann-Mauguin symbol, as "m-3m".
    pub point_group: String,
    /// "Cubic", "Hexagonal", "Trigonal", "Tetragonal", "Orthorhombic", "Monoclinic" or "Triclinic".
    pub crystal_system: String,
    /// Rotations in the basis of the input cell, acting on columns of fractional coordinates, each with
    /// its translation.
    pub operations: Vec<([[i32; 3]; 3], Vec3)>,
}

/// Beside the space group, what it says about each atom.
#[derive(Clone, Debug, PartialEq)]
pub struct Symmetry {
    /// The space group.
    pub group: SpaceGroup,
    /// The Wyckoff letter of each atom.
    pub wyckoffs: Vec<char>,
    /// For each atom the first atom that an operation maps onto it.
    pub orbits: Vec<usize>,
}

/// The symmetry of `atoms` in their cell, positions agreeing within `symprec` (Angstrom). `None`
/// where there is no cell or none can be found.
///
/// ```
/// use volley::science::{build::bulk, symmetry};
/// let copper = bulk("Cu", &Default::default())?;
/// let found = symmetry::find(&copper, 0.1).expect("a crystal");
/// assert_eq!((found.group.number, found.group.symbol.as_str()), (225, "Fm-3m"));
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn find(atoms: &Atoms, symprec: f64) -> Option<Symmetry> {
    if atoms.is_empty() || atoms.volume() == 0.0 {
        return None;
    }
    let to_fractional = inverse(atoms.cell())?;
    let fractions = atoms.positions().iter().map(|p| Vector3::from(row_times(*p, &to_fractional))).collect();
    let numbers = atoms.numbers().iter().map(|number| i32::from(*number)).collect();
    let cell = Cell::new(Lattice::new(matrix(atoms.cell())), fractions, numbers);
    let symprec = safe_tolerance(&cell, symprec)?;
    // An angle tolerance in radians lets moyo's search grow without bound on thin slabs.
    let found = MoyoDataset::new(&cell, symprec, AngleTolerance::Default, Setting::Spglib, false).ok()?;
    let entry = hall_symbol_entry(found.hall_number)?;
    let class = arithmetic_crystal_class_entry(entry.arithmetic_number)?.geometric_crystal_class;
    let group = SpaceGroup {
        number: found.number,
        symbol: entry.hm_short.replace(' ', ""),
        // moyo writes the axes of Hall's symbols "=" where everybody else has a double prime.
        hall: entry.hall_symbol.replace('=', "\""),
        point_group: GeometricCrystalClass::to_string(&class),
        crystal_system: CrystalSystem::from_geometric_crystal_class(class).to_string(),
        operations: found.operations.iter().map(|op| (op.rotation_as_array(), op.translation_as_array())).collect(),
    };
    Some(Symmetry { group, wyckoffs: found.wyckoffs, orbits: found.orbits })
}

/// The Niggli cell of a lattice, right-handed, and the integer matrix that makes it: reduced = matrix *
/// cell, vectors being rows. `None` for vectors that span no volume.
pub fn reduced_cell(cell: &Mat3) -> Option<(Mat3, Mat3)> {
    inverse(cell)?;
    // Unchecked: the check wants to the last digit what skewed cells only reach to rounding.
    let (reduced, change) = Lattice::new(matrix(cell)).unchecked_niggli_reduce();
    // moyo keeps vectors as columns.
    let change = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(change[(j, i)])));
    Some((reduced.basis_as_array(), change))
}

fn matrix(rows: &Mat3) -> Matrix3<f64> {
    Matrix3::from_fn(|i, j| rows[i][j])
}
