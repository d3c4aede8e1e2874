//! The dictionaries that ASE, monty and quacc make of atoms: `{"@module": "pymatgen.io.ase",
//! "@class": "MSONAtoms", "atoms_json": "...", "atoms_info": {...}}`, where `atoms_json` is a
//! string of ASE's own JSON. Reads both, and ASE's alone; writes to the character what they write.

use serde_json::{Map, Value, json};

use super::python::dumps;
use crate::science::atoms::Atoms;
use crate::science::column::{Column, Values};
use crate::science::elements::checked_number;
use crate::science::error::{Error, Result};
use crate::science::linear::Vec3;

/// Members of ASE's JSON that are not per-atom arrays.
const NOT_ARRAYS: [&str; 9] =
    ["numbers", "positions", "cell", "pbc", "celldisp", "constraints", "info", "calculator", "__ase_objtype__"];

/// Whether a value has one of the two forms.
pub fn is_mson(value: &Value) -> bool {
    value["@class"] == "MSONAtoms" || value["__ase_objtype__"] == "atoms"
}

/// The MSON form.
pub fn to_mson(atoms: &Atoms) -> Value {
    with_info(atoms_json(atoms), atoms.info())
}

/// The same of what [`atoms_json`] wrote, with these notes.
pub fn with_info(atoms_json: String, info: &Map<String, Value>) -> Value {
    json!({
        "@module": "pymatgen.io.ase",
        "@class": "MSONAtoms",
        "atoms_json": atoms_json,
        "atoms_info": info,
    })
}

/// ASE's JSON of the atoms, without `info`.
pub fn atoms_json(atoms: &Atoms) -> String {
    let count = atoms.len();
    let mut map = Map::new();
    map.insert("numbers".into(), ndarray(json!([count]), "int64", json!(atoms.numbers())));
    let positions = json!(atoms.positions().as_flattened());
    map.insert("positions".into(), ndarray(json!([count, 3]), "float64", positions));
    for (name, column) in atoms.columns() {
        map.insert(name.to_owned(), column_json(count, column));
    }
    map.insert("cell".into(), ndarray(json!([3, 3]), "float64", json!(atoms.cell().as_flattened())));
    map.insert("pbc".into(), ndarray(json!([3]), "bool", json!(atoms.pbc())));
    if !atoms.fixed().is_empty() {
        map.insert("constraints".into(), constraints_json(atoms));
    }
    map.insert("__ase_objtype__".into(), json!("atoms"));
    dumps(&Value::Object(map))
}

pub(super) fn constraints_json(atoms: &Atoms) -> Value {
    json!([{"name": "FixAtoms", "kwargs": {"indices": atoms.fixed()}}])
}

pub(super) fn ndarray(shape: Value, dtype: &str, flat: Value) -> Value {
    json!({"__ndarray__": [shape, dtype, flat]})
}

pub(super) fn column_json(count: usize, column: &Column) -> Value {
    let shape = column.width.map_or(json!([count]), |width| json!([count, width]));
    match &column.values {
        Values::Int(values) => ndarray(shape, "int64", json!(values)),
        Values::Real(values) => ndarray(shape, "float64", json!(values)),
        Values::Bool(values) => ndarray(shape, "bool", json!(values)),
        Values::Text(values) => {
            // NumPy's strings have the width of the longest.
            let width = values.iter().map(|text| text.chars().count()).max().unwrap_or(1).max(1);
            ndarray(shape, &format!("<U{width}"), json!(values))
        }
    }
}

/// Atoms from either form.
pub fn from_mson(value: &Value) -> Result<Atoms> {
    let parsed: Value;
    let inner = match &value["atoms_json"] {
        Value::String(text) => {
            parsed = serde_json::from_str(text).map_err(|error| Error::bad("atoms_json", error.to_string()))?;
            &parsed
        }
        Value::Null => value,
        other => other,
    };
    let Some(map) = inner.as_object() else {
        return Err(Error::bad("atoms_json", "must be an object"));
    };
    let numbers = Array::of(map, "numbers")?.integers("numbers")?;
    let numbers = numbers.into_iter().map(checked_number).collect::<Result<Vec<u8>>>()?;
    let positions = Array::of(map, "positions")?.vectors("positions")?;
    let mut atoms = Atoms::new(numbers, positions)?;
    for (name, value) in map.iter().filter(|(name, _)| !NOT_ARRAYS.contains(&name.as_str())) {
        atoms = atoms.with_column(name, Array::from_value(name, value)?.column(name)?)?;
    }
    if let Some(cell) = map.get("cell") {
        // ase.db wraps the cell once more.
        let cell = cell.get("array").unwrap_or(cell);
        let rows = Array::from_value("cell", cell)?.vectors("cell")?;
        let rows = <[Vec3; 3]>::try_from(rows).map_err(|rows| Error::Shape {
            what: "cell".into(),
            found: rows.len(),
            expected: 3,
        })?;
        let pbc = match map.get("pbc") {
            None => [false; 3],
            Some(value) => {
                let flags: Option<Vec<bool>> =
                    Array::from_value("pbc", value)?.flat.iter().map(Value::as_bool).collect();
                let flags = flags.and_then(|flags| <[bool; 3]>::try_from(flags).ok());
                flags.ok_or_else(|| Error::bad("pbc", "must be three of true or false"))?
            }
        };
        atoms = atoms.with_cell(rows, pbc)?;
    }
    let mut info = map.get("info").and_then(Value::as_object).cloned().unwrap_or_default();
    info.extend(value["atoms_info"].as_object().cloned().unwrap_or_default());
    atoms.with_info(info).with_fixed(fixed(map.get("constraints"))?)
}

/// The atoms that `constraints` hold in place.
fn fixed(constraints: Option<&Value>) -> Result<Vec<usize>> {
    let mut fixed = Vec::new();
    for constraint in constraints.and_then(Value::as_array).into_iter().flatten() {
        let name = constraint["name"].as_str().unwrap_or("without a name");
        if name != "FixAtoms" {
            return Err(Error::bad("constraints", format!("{name} is not supported, only FixAtoms is")));
        }
        let indices = Array::from_value("indices", &constraint["kwargs"]["indices"])?;
        for index in indices.integers("indices of FixAtoms")? {
            let index = usize::try_from(index)
                .map_err(|_| Error::bad("indices of FixAtoms", format!("{index} is negative")))?;
            fixed.push(index);
        }
    }
    Ok(fixed)
}

/// The numbers of the array `name`, row after row, however Python wrote it.
pub(in crate::science) fn numbers(name: &str, value: &Value) -> Result<Vec<f64>> {
    Array::from_value(name, value)?.reals(name)
}

/// An array with its shape, from ASE's `__ndarray__`, monty's numpy form or nested lists.
struct Array {
    shape: Vec<usize>,
    dtype: Option<String>,
    flat: Vec<Value>,
}

impl Array {
    fn of(map: &Map<String, Value>, name: &str) -> Result<Self> {
        map.get(name).ok_or_else(|| Error::bad(name, "is missing")).and_then(|value| Self::from_value(name, value))
    }

    fn from_value(name: &str, value: &Value) -> Result<Self> {
        if let Some([shape, dtype, flat]) = value["__ndarray__"].as_array().map(Vec::as_slice) {
            let shape: Option<Vec<usize>> =
                shape.as_array().and_then(|shape| shape.iter().map(|n| Some(n.as_u64()? as usize)).collect());
            let (Some(shape), Some(flat)) = (shape, flat.as_array()) else {
                return Err(Error::bad(name, "has a malformed __ndarray__"));
            };
            let expected = shape.iter().fold(1usize, |product, n| product.saturating_mul(*n));
            if flat.len() != expected {
                return Err(Error::Shape { what: name.into(), found: flat.len(), expected });
            }
            return Ok(Self { shape, dtype: dtype.as_str().map(str::to_owned), flat: flat.clone() });
        }
        let list = value.get("data").unwrap_or(value);
        let dtype = value["dtype"].as_str().map(str::to_owned);
        let Some(rows) = list.as_array() else {
            return Err(Error::bad(name, "must be an array"));
        };
        if !rows.iter().any(Value::is_array) {
            return Ok(Self { shape: vec![rows.len()], dtype, flat: rows.clone() });
        }
        let width = rows[0].as_array().map_or(0, Vec::len);
        let mut flat = Vec::new();
        for row in rows {
            let row = row.as_array().ok_or_else(|| Error::bad(name, "mixes rows and values"))?;
            if row.len() != width {
                return Err(Error::Shape { what: format!("a row of {name}"), found: row.len(), expected: width });
            }
            flat.extend_from_slice(row);
        }
        Ok(Self { shape: vec![rows.len(), width], dtype, flat })
    }

    fn integers(&self, name: &str) -> Result<Vec<i64>> {
        let numbers: Option<Vec<i64>> = self.flat.iter().map(Value::as_i64).collect();
        numbers.ok_or_else(|| Error::bad(name, "must hold whole numbers"))
    }

    fn reals(&self, name: &str) -> Result<Vec<f64>> {
        // JSON has no NaN: Python's json writes the bare word, others write null.
        let numbers: Option<Vec<f64>> = self.flat.iter().map(Value::as_f64).collect();
        numbers.ok_or_else(|| Error::bad(name, "must hold finite numbers"))
    }

    fn vectors(&self, name: &str) -> Result<Vec<Vec3>> {
        let empty = self.flat.is_empty();
        if !empty && self.shape.get(1) != Some(&3) {
            return Err(Error::bad(name, "must have rows of three"));
        }
        Ok(self.reals(name)?.as_chunks::<3>().0.to_vec())
    }

    fn column(&self, name: &str) -> Result<Column> {
        let width = match self.shape.as_slice() {
            [_] => None,
            [_, width] => Some(*width),
            _ => return Err(Error::bad(name, "must have one or two dimensions")),
        };
        let dtype = self.dtype.as_deref().unwrap_or_default();
        let text: Option<Vec<String>> = self.flat.iter().map(|v| v.as_str().map(str::to_owned)).collect();
        let flags: Option<Vec<bool>> = self.flat.iter().map(Value::as_bool).collect();
        let values = if let Some(text) = text {
            Values::Text(text)
        } else if let Some(flags) = flags {
            Values::Bool(flags)
        } else if dtype.starts_with("float") || !self.flat.iter().all(Value::is_i64) {
            Values::Real(self.reals(name)?)
        } else {
            Values::Int(self.integers(name)?)
        };
        Ok(Column { width, values })
    }
}

/// A column from a flat or nested list.
pub(crate) fn column_from_list(name: &str, value: &Value) -> Result<Column> {
    Array::from_value(name, value)?.column(name)
}
