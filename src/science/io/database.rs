//! Databases of ASE (ase.db) as JSON, which is what ASE writes to a file named *.json: rows by number,
//! `ids` in order. Notes and columns that ASE's rows have no member for are left out, as ASE does.

use serde_json::{Map, Value, json};

use super::frame::Frame;
use super::mson::{self, ndarray};
use super::python::dumps;
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};

/// The per-atom arrays that a row can have.
const COLUMNS: [&str; 5] = ["tags", "momenta", "masses", "initial_magmoms", "initial_charges"];

/// What else makes up the structure of a row; the rest is its history and its results.
const STRUCTURE: [&str; 5] = ["numbers", "positions", "cell", "pbc", "constraints"];

/// Whether a value is a database.
pub fn is_database(value: &Value) -> bool {
    value["ids"].is_array() || value["1"]["numbers"].is_object()
}

/// The structures of a database, in the order of its ids.
pub fn read(value: &Value) -> Result<Vec<Atoms>> {
    let ids = match &value["ids"] {
        // ASE takes a single row without them.
        Value::Null => &json!([1]),
        ids => ids,
    };
    let row = |id: &Value| {
        let missing = || Error::bad("ids", format!("there is no row {id}"));
        let row = id.as_u64().and_then(|id| value[id.to_string()].as_object()).ok_or_else(missing)?;
        let kept = |key: &str| STRUCTURE.contains(&key) || COLUMNS.contains(&key);
        let members = row.iter().filter(|(key, _)| kept(key)).map(|(key, value)| (key.clone(), value.clone()));
        mson::from_mson(&members.collect()).map_err(|error| Error::bad(format!("row {id}"), error.to_string()))
    };
    ids.as_array().into_iter().flatten().map(row).collect()
}

/// The text of a database, with the results that are known.
pub fn write(frames: &[Frame]) -> String {
    let mut text = String::from("{");
    for (id, frame) in (1..).zip(frames) {
        let members = row(frame).into_iter().map(|(key, value)| format!("\"{key}\": {}", dumps(&value)));
        text.push_str(&format!("\"{id}\": {{\n {}}},\n", members.collect::<Vec<_>>().join(",\n ")));
    }
    let ids: Vec<usize> = (1..=frames.len()).collect();
    text.push_str(&format!("\"ids\": {ids:?},\n\"nextid\": {}}}\n", frames.len() + 1));
    text
}

fn row(frame: &Frame) -> Map<String, Value> {
    let Frame { atoms, results } = frame;
    let count = atoms.len();
    // Science reads no clock: the row is as old as ASE's calendar.
    let mut map = Map::from_iter([("ctime".to_owned(), json!(0.0)), ("mtime".to_owned(), json!(0.0))]);
    let mut insert = |key: &str, value: Value| map.insert(key.to_owned(), value);
    insert("numbers", ndarray(json!([count]), "int64", json!(atoms.numbers())));
    insert("positions", ndarray(json!([count, 3]), "float64", json!(atoms.positions().as_flattened())));
    let cell = ndarray(json!([3, 3]), "float64", json!(atoms.cell().as_flattened()));
    insert("cell", json!({"array": cell, "__ase_objtype__": "cell"}));
    insert("pbc", ndarray(json!([3]), "bool", json!(atoms.pbc())));
    for (name, column) in atoms.columns().filter(|(name, _)| COLUMNS.contains(name)) {
        insert(name, mson::column_json(count, column));
    }
    if !atoms.fixed().is_empty() {
        insert("constraints", mson::constraints_json(atoms));
    }
    if let Some(energy) = results.energy {
        insert("energy", json!(energy));
        insert("free_energy", json!(energy));
    }
    if let Some(energies) = &results.energies {
        insert("energies", ndarray(json!([count]), "float64", json!(energies)));
    }
    if let Some(forces) = &results.forces {
        insert("forces", ndarray(json!([count, 3]), "float64", json!(forces.as_flattened())));
    }
    if let Some(stress) = &results.stress {
        insert("stress", ndarray(json!([6]), "float64", json!(stress)));
    }
    map
}
