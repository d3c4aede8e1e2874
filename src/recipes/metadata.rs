//! What a document says about a structure beside its energy: formulas, density and space group of
//! what is periodic, formulas and point group of what is not. As emmet 0.87 and pymatgen make them
//! for quacc. What cannot be computed is null, and never an error.

use serde_json::{Map, Value, json};

use crate::science::composition::Composition;
use crate::science::point_group::{self, PointGroup};
use crate::science::{Atoms, symmetry};

/// One unified atomic mass unit per Angstrom^3 in g/cm^3 (CODATA 2022).
const DENSITY: f64 = 1.66053906892;

/// Space groups are looked for with these tolerances until one is found: Angstrom, and the angle in
/// degrees that emmet gives spglib. Moyo derives its own angle from the length; the key is there for
/// who reads quacc's documents.
const TOLERANCES: [(f64, f64); 2] = [(0.1, 5.0), (1e-3, 1.0)];

/// Tolerance of pymatgen's full list of symmetry operations, which nobody asks for here.
const MATRIX_TOLERANCE: f64 = 0.1;

/// The key under which a document has the metadata of `atoms`, and the metadata: lengths in Angstrom, density
/// in g/cm^3, `density_atomic` (quacc's word) in Angstrom^3 per atom. Without symmetry above [`symmetry::MOST_ATOMS`]
/// periodic or [`point_group::MOST_ATOMS`] other atoms.
///
/// ```
/// use volley::{recipes::metadata, science::build::bulk};
/// let (key, found) = metadata(&bulk("Cu", &Default::default())?);
/// assert_eq!((key, &found["symmetry"]["symbol"]), ("structure_metadata", &"Fm-3m".into()));
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn metadata(atoms: &Atoms) -> (&'static str, Value) {
    if atoms.is_periodic() { ("structure_metadata", structure(atoms)) } else { ("molecule_metadata", molecule(atoms)) }
}

fn structure(atoms: &Atoms) -> Value {
    let composition = Composition::of(atoms.numbers());
    let mut map = formulas(&composition);
    map.insert("nsites".into(), json!(atoms.len()));
    // Periodic in one or two directions only, a cell may lack a volume.
    if atoms.volume() > 0.0 {
        map.insert("volume".into(), json!(atoms.volume()));
        map.insert("density".into(), json!(composition.weight() * DENSITY / atoms.volume()));
        map.insert("density_atomic".into(), json!(atoms.volume() / atoms.len() as f64));
        map.insert("symmetry".into(), space_group(atoms));
    }
    map.into()
}

fn space_group(atoms: &Atoms) -> Value {
    if atoms.len() > symmetry::MOST_ATOMS {
        return Value::Null;
    }
    let found = TOLERANCES.iter().find_map(|(symprec, angle)| Some((symmetry::find(atoms, *symprec)?, symprec, angle)));
    let Some((found, symprec, angle)) = found else { return Value::Null };
    json!({
        "angle_tolerance": angle,
        "crystal_system": found.group.crystal_system,
        "hall": found.group.hall,
        "number": found.group.number,
        "point_group": found.group.point_group,
        "symbol": found.group.symbol,
        "symprec": symprec,
        "version": symmetry::VERSION,
    })
}

fn molecule(atoms: &Atoms) -> Value {
    let composition = Composition::of(atoms.numbers());
    let mut map = formulas(&composition);
    map.insert("natoms".into(), json!(atoms.len()));
    map.insert("formula_alphabetical".into(), json!(composition.alphabetical()));
    if let Some(group) = point_group::find(atoms) {
        let symmetry = json!({
            "eigen_tolerance": point_group::EIGEN_TOLERANCE,
            "linear": group.is_linear(),
            "matrix_tolerance": MATRIX_TOLERANCE,
            "point_group": group.to_string(),
            "rotation_number": rotation_number(group),
            "tolerance": point_group::TOLERANCE,
        });
        map.insert("symmetry".into(), symmetry);
    }
    map.into()
}

/// What emmet's table has for the number of rotations in a point group. The table is not complete,
/// and wrong for D4d, D4h (8) and Ih (60); it is what quacc's documents have.
fn rotation_number(group: PointGroup) -> Option<usize> {
    use PointGroup::*;
    Some(match group {
        C1 | Cs | Ci | CInfV => 1,
        C(2) | CH(2) | CV(2) | S(4) | DInfH => 2,
        C(3) | CH(3) | CV(3) | S(6) => 3,
        CV(4) | DH(4) | DD(4) | D(2) | DH(2) | DD(2) => 4,
        CV(5) | Ih => 5,
        D(3) | DH(3) | DD(3) => 6,
        DH(5) | DD(5) => 10,
        T | Td | Th | DH(6) => 12,
        DH(7) => 14,
        DH(8) => 16,
        Oh => 24,
        _ => return None,
    })
}

/// What structures and molecules have in common.
fn formulas(composition: &Composition) -> Map<String, Value> {
    let elements: Vec<&str> = composition.elements().collect();
    let counts = |amounts: &mut dyn Iterator<Item = (&'static str, f64)>| {
        amounts.map(|(symbol, amount)| (symbol.to_owned(), json!(amount))).collect::<Map<String, Value>>()
    };
    let members = [
        ("nelements", json!(elements.len())),
        ("elements", json!(elements)),
        ("chemsys", json!(composition.chemsys())),
        ("composition", json!(counts(&mut composition.amounts()))),
        ("composition_reduced", json!(counts(&mut composition.reduced()))),
        ("formula_pretty", json!(composition.pretty())),
        ("formula_anonymous", json!(composition.anonymous())),
    ];
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
