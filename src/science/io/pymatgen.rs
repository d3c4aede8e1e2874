//! pymatgen's Structure and Molecule JSON, Structures also written: one element per site, `selective_dynamics`
//! all true (free) or all false (fixed).

use serde_json::{Value, json};

use crate::science::atoms::Atoms;
use crate::science::elements;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, cell_parameters, inverse, row_times};

/// Whether a value is a pymatgen Structure or Molecule.
pub fn is_pymatgen(value: &Value) -> bool {
    value["sites"].is_array() && matches!(value["@class"].as_str(), Some("Structure" | "Molecule" | "Slab"))
}

/// Atoms from a Structure (periodic as its lattice says) or Molecule.
pub fn from_pymatgen(value: &Value) -> Result<Atoms> {
    let lattice = &value["lattice"];
    let cell: Option<Mat3> = if lattice.is_null() { None } else { Some(typed("matrix", &lattice["matrix"])?) };
    let pbc: [bool; 3] = match &lattice["pbc"] {
        Value::Null => [cell.is_some(); 3],
        given => typed("pbc", given)?,
    };
    let (mut numbers, mut positions, mut fixed) = (Vec::new(), Vec::new(), Vec::new());
    for (index, site) in value["sites"].as_array().into_iter().flatten().enumerate() {
        let place = format!("site {index}");
        let species = site["species"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [only] = species else {
            return Err(Error::bad(place, "must have exactly one species"));
        };
        if only["occu"].as_f64().is_some_and(|occupancy| occupancy != 1.0) {
            return Err(Error::bad(place, "is partially occupied, which is not supported"));
        }
        let number = elements::number(only["element"].as_str().unwrap_or_default());
        numbers.push(number.map_err(|error| Error::bad(place.as_str(), error.to_string()))?);
        positions.push(match (&site["xyz"], &cell) {
            (Value::Null, Some(cell)) => row_times(typed::<Vec3>(&place, &site["abc"])?, cell),
            (xyz, _) => typed(&place, xyz)?,
        });
        match site["properties"]["selective_dynamics"].as_array().map(Vec::as_slice) {
            None => {}
            Some(flags) if flags.iter().all(|flag| flag == &Value::Bool(true)) => {}
            Some(flags) if flags.iter().all(|flag| flag == &Value::Bool(false)) => fixed.push(index),
            Some(_) => return Err(Error::bad(place, "is fixed in part, which is not supported")),
        }
    }
    let atoms = Atoms::new(numbers, positions)?;
    match cell {
        Some(cell) => atoms.with_cell(cell, pbc),
        None => Ok(atoms),
    }?
    .with_fixed(fixed)
}

/// The Structure of atoms in a cell; without notes and columns, and `abc` null where the cell has no volume.
pub fn to_pymatgen(atoms: &Atoms) -> Value {
    let (lengths, angles) = cell_parameters(atoms.cell());
    let [alpha, beta, gamma] = angles.map(f64::to_degrees);
    let to_fractional = inverse(atoms.cell());
    let site = |(index, (symbol, place)): (usize, (&str, &Vec3))| {
        let free = [!atoms.fixed().contains(&index); 3];
        let properties = if atoms.fixed().is_empty() { json!({}) } else { json!({"selective_dynamics": free}) };
        json!({
            "abc": to_fractional.as_ref().map(|matrix| row_times(*place, matrix)),
            "label": symbol,
            "properties": properties,
            "species": [{"element": symbol, "occu": 1.0}],
            "xyz": place,
        })
    };
    json!({
        "@class": "Structure",
        "@module": "pymatgen.core.structure",
        "charge": 0.0,
        "lattice": {
            "a": lengths[0],
            "alpha": alpha,
            "b": lengths[1],
            "beta": beta,
            "c": lengths[2],
            "gamma": gamma,
            "matrix": atoms.cell(),
            "pbc": atoms.pbc(),
            "volume": atoms.volume(),
        },
        "properties": {},
        "sites": atoms.symbols().zip(atoms.positions()).enumerate().map(site).collect::<Vec<_>>(),
    })
}

fn typed<T: serde::de::DeserializeOwned>(what: &str, value: &Value) -> Result<T> {
    serde_json::from_value(value.clone()).map_err(|error| Error::bad(what, error.to_string()))
}
