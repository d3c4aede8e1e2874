//! Space groups of crystals, found by the library moyo. Only this folder and `space_groups` speak to it.
//! Periodicity flags are not looked at: the cell is what repeats.

mod lattice_group;
mod tolerance;

use moyo::MoyoDataset;
use moyo::base::{AngleTolerance, Cell, Lattice};
use moyo::data::{
    CrystalSystem, GeometricCrystalClass, HallSymbol, Setting, arithmetic_crystal_class_entry, hall_symbol_entry,
};
use nalgebra::{Matrix3, Vector3};

use super::atoms::Atoms;
use super::linear::{Mat3, Vec3, inverse, norm, row_times, sub};
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
    /// The vectors of the standardized conventional cell, a row each, in units of those of the input cell.
    pub conventional: Mat3,
    /// The rotations of the crystal in the basis of that cell, acting on columns, each once. Those of the space
    /// group are fewer where the input cell is a supercell that is less symmetric than the crystal.
    pub rotations: Vec<[[i32; 3]; 3]>,
}

impl Symmetry {
    /// For each atom the first that an operation of this cell takes to it, within `symprec` (Angstrom).
    pub fn equivalent(&self, atoms: &Atoms, symprec: f64) -> Vec<usize> {
        let Some(to_fractions) = inverse(atoms.cell()) else { return Vec::new() };
        let places: Vec<Vec3> = atoms.positions().iter().map(|position| row_times(*position, &to_fractions)).collect();
        let meets = |from: usize, to: usize| {
            atoms.numbers()[from] == atoms.numbers()[to]
                && self.group.operations.iter().any(|(rotation, translation)| {
                    let turned = rotation.map(|row| (0..3).map(|k| f64::from(row[k]) * places[from][k]).sum::<f64>());
                    let off = sub(sub(turned, places[to]), translation.map(|x| -x));
                    norm(row_times(off.map(|x| x - x.round()), atoms.cell())) <= symprec
                })
        };
        (0..atoms.len()).map(|to| (0..to).find(|from| meets(*from, to)).unwrap_or(to)).collect()
    }

    /// The vectors of a primitive cell, a row each, in units of those of the input cell: as spglib and phonopy
    /// derive them from the conventional cell by the centring of its lattice.
    pub fn primitive(&self) -> Mat3 {
        let (half, third) = (0.5, 1.0 / 3.0);
        let rows: Mat3 = match self.group.symbol.chars().next() {
            Some('F') => [[0.0, half, half], [half, 0.0, half], [half, half, 0.0]],
            Some('I') => [[-half, half, half], [half, -half, half], [half, half, -half]],
            Some('A') => [[1.0, 0.0, 0.0], [0.0, half, half], [0.0, -half, half]],
            Some('C') => [[half, -half, 0.0], [half, half, 0.0], [0.0, 0.0, 1.0]],
            Some('R') => [[2.0 * third, third, third], [-third, third, third], [-third, -2.0 * third, third]],
            _ => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        };
        rows.map(|row| row_times(row, &self.conventional))
    }
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
    let conventional = std::array::from_fn(|k| std::array::from_fn(|i| found.std_linear[(i, k)]));
    let mut rotations: Vec<[[i32; 3]; 3]> = Vec::new();
    for operation in HallSymbol::from_hall_number(found.hall_number)?.traverse() {
        let rotation = operation.rotation_as_array();
        if !rotations.contains(&rotation) {
            rotations.push(rotation);
        }
    }
    Some(Symmetry { group, wyckoffs: found.wyckoffs, orbits: found.orbits, conventional, rotations })
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
