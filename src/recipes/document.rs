//! The parts of a result document that recipes share, in quacc's schema: monty's form of atoms,
//! `results` in eV and Angstrom, keys sorted, nothing that is null.

use serde_json::{Map, Value, json};

use super::md5;
use crate::science::io::mson::{atoms_json, to_mson, with_info};
use crate::science::{Atoms, Properties};

/// The version of quacc whose schema the documents follow.
const QUACC_VERSION: &str = "1.8.2";

/// Per-atom data that ASE's trajectory files keep; quacc reads frames back from such a file.
const IN_TRAJECTORY: [&str; 5] = ["tags", "momenta", "masses", "initial_magmoms", "initial_charges"];

/// `results`, also of a trajectory frame.
pub(super) fn results(found: &Properties) -> Value {
    let mut results = json!({
        "energies": found.energies,
        "energy": found.energy,
        "forces": found.forces,
        "free_energy": found.energy,
    });
    if let Some(stress) = found.stress {
        results["stress"] = json!(stress);
    }
    results
}

/// quacc's `_id` of a structure: a hash of all but its notes.
///
/// ```
/// use volley::science::build::bulk;
/// let copper = bulk("Cu", &Default::default())?;
/// assert_eq!(volley::recipes::structure_id(&copper), "d4859270a1a67083343bec0ab783f774");
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn structure_id(atoms: &Atoms) -> String {
    id_of(&atoms_json(atoms))
}

fn id_of(json: &str) -> String {
    // quacc hashes a text without the widths of number types.
    let text =
        json.replace("int64", "int").replace("int32", "int").replace("float64", "float").replace("float32", "float");
    md5::hex(text.as_bytes())
}

/// The final atoms: in their notes their `_id`, and the ids they had before.
pub(super) fn final_atoms(atoms: &Atoms) -> Value {
    let json = atoms_json(atoms);
    let mut info = atoms.info().clone();
    if let Some(old) = info.insert("_id".into(), id_of(&json).into()) {
        match info.get_mut("_old_ids").and_then(Value::as_array_mut) {
            Some(ids) => ids.push(old),
            None => {
                info.insert("_old_ids".into(), json!([old]));
            }
        }
    }
    with_info(json, &info)
}

/// Atoms as a frame of a trajectory has them.
pub(super) fn frame(atoms: &Atoms) -> Value {
    let mut atoms = atoms.clone();
    atoms.retain_columns(|name| IN_TRAJECTORY.contains(&name));
    to_mson(&atoms)
}

/// An object of these members, moved and not copied as `json!` does: a trajectory is large.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The document: `own` keys of the recipe, what all recipes say, and additional fields, which win.
pub(super) fn document(own: Map<String, Value>, dir_name: &str, additional: &Map<String, Value>) -> Value {
    let mut map = own;
    map.insert("dir_name".into(), json!(dir_name));
    map.insert("nid".into(), json!(gethostname::gethostname().to_string_lossy()));
    map.insert("quacc_version".into(), json!(QUACC_VERSION));
    map.extend(additional.clone());
    tidy(Value::Object(map))
}

/// Sorted keys, no nulls.
fn tidy(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let mut members: Vec<(String, Value)> = map.into_iter().filter(|(_, value)| !value.is_null()).collect();
    members.sort_by(|(left, _), (right, _)| left.cmp(right));
    members.into_iter().map(|(key, value)| (key, tidy(value))).collect()
}
