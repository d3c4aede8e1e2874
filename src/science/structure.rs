//! What a workflow file may write for a structure, and the plain form structures are stored in.
//!
//! One of `{bulk: Cu}`, `{bulk: {name: Cu, cubic: true, supercell: [2, 2, 2]}}`, `{molecule: N2}`,
//! `{surface: {name: fcc111, symbol: Cu, size: [1, 1, 3], vacuum: 10}}`, which may have
//! `adsorbate: {molecule: CO, mol_index: 1, height: 1.8, position: ontop}`, `{file: POSCAR}`, plain
//! `{numbers | symbols, positions, cell, pbc, fixed, columns, info}`, or the dictionaries of ASE,
//! monty and pymatgen, or a result document with one of them as its `atoms`. `{file: ...}` is for whoever reads the workflow file: [`file()`] recognises it,
//! [`read_file`] reads it, [`plain`] is what to store instead.

mod files;
mod short;
mod surface;

pub use files::{check_name, read_file, read_frames, write_file};
pub use short::parse_short;

use serde_json::{Map, Value, json};

use super::atoms::Atoms;
use super::build::{BulkOptions, Supercell, bulk, molecule, supercell};
use super::column::{Column, Values};
use super::elements;
use super::error::{Error, Result};
use super::fields::{Fields, brief};
use super::io::{database, mson, pymatgen};
use super::linear::{Mat3, Vec3};

const PLACE: &str = "structure";
const FORMS: [&str; 13] = [
    "bulk",
    "molecule",
    "surface",
    "file",
    "numbers",
    "symbols",
    "positions",
    "cell",
    "pbc",
    "fixed",
    "tags",
    "columns",
    "info",
];
const BULK: [&str; 11] =
    ["name", "crystalstructure", "a", "b", "c", "covera", "alpha", "u", "cubic", "orthorhombic", "supercell"];

/// The atoms that a specification describes.
///
/// ```
/// use serde_json::json;
/// use volley::science::structure::build;
/// assert_eq!(build(&json!({"bulk": {"name": "Cu", "cubic": true}}))?.len(), 4);
/// let message = build(&json!({"bulk": {"name": "Cu", "cubik": true}})).unwrap_err().to_string();
/// assert_eq!(message, "unknown key \"cubik\" in bulk (did you mean \"cubic\"?)");
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn build(spec: &Value) -> Result<Atoms> {
    let atoms = if mson::is_mson(spec) {
        mson::from_mson(spec)?
    } else if database::is_database(spec) {
        database::read(spec)?.pop().ok_or(Error::NoAtoms)?
    } else if pymatgen::is_pymatgen(spec) {
        pymatgen::from_pymatgen(spec)?
    } else if let Some(last) = spec.get("atoms").filter(|atoms| mson::is_mson(atoms)) {
        // A result, as recipes write it: the structure they ended with.
        mson::from_mson(last)?
    } else if let Some(given) = spec.get("bulk") {
        alone(spec, "bulk")?;
        build_bulk(given)?
    } else if let Some(given) = spec.get("surface") {
        alone(spec, "surface")?;
        surface::build_surface(given)?
    } else if spec.get("molecule").is_some() {
        alone(spec, "molecule")?;
        molecule(Fields::of(spec, PLACE, &FORMS)?.text("molecule")?.unwrap_or_default())?
    } else if let Some(path) = file(spec) {
        return Err(Error::bad("file", format!("{path} has to be read when the workflow is added")));
    } else {
        from_plain(&Fields::of(spec, PLACE, &FORMS)?)?
    };
    if atoms.is_empty() { Err(Error::NoAtoms) } else { Ok(atoms) }
}

/// The path of a specification that is a file.
pub fn file(spec: &Value) -> Option<&str> {
    spec.get("file").and_then(Value::as_str)
}

/// The plain form of a structure; [`build`] makes the same atoms of it.
pub fn plain(atoms: &Atoms) -> Value {
    let mut map = Map::new();
    map.insert("symbols".into(), atoms.symbols().collect());
    map.insert("positions".into(), json!(atoms.positions()));
    map.insert("cell".into(), json!(atoms.cell()));
    map.insert("pbc".into(), json!(atoms.pbc()));
    if !atoms.fixed().is_empty() {
        map.insert("fixed".into(), json!(atoms.fixed()));
    }
    let columns: Map<String, Value> = atoms.columns().map(|(name, column)| (name.to_owned(), list(column))).collect();
    if !columns.is_empty() {
        map.insert("columns".into(), columns.into());
    }
    if !atoms.info().is_empty() {
        map.insert("info".into(), atoms.info().clone().into());
    }
    map.into()
}

fn list(column: &Column) -> Value {
    let flat: Vec<Value> = match &column.values {
        Values::Int(values) => values.iter().map(|value| json!(value)).collect(),
        Values::Real(values) => values.iter().map(|value| json!(value)).collect(),
        Values::Bool(values) => values.iter().map(|value| json!(value)).collect(),
        Values::Text(values) => values.iter().map(|value| json!(value)).collect(),
    };
    match column.width {
        None => flat.into(),
        Some(width) => flat.chunks(width.max(1)).map(|row| Value::from(row.to_vec())).collect(),
    }
}

/// A builder's key stands by itself.
fn alone(spec: &Value, key: &str) -> Result<()> {
    match spec.as_object().into_iter().flatten().find(|(other, _)| *other != key) {
        None => Ok(()),
        Some((other, _)) if key == "bulk" && BULK.contains(&other.as_str()) => {
            let reason = format!("write {{bulk: {{name: ..., {other}: ...}}}} to give {other}");
            Err(Error::bad("structure", reason))
        }
        Some((other, _)) => Err(Error::bad("structure", format!("{other} cannot stand beside {key}"))),
    }
}

fn build_bulk(given: &Value) -> Result<Atoms> {
    if let Some(name) = given.as_str() {
        return bulk(name, &BulkOptions::default());
    }
    if !given.is_object() {
        let reason = format!("must be a name or an object, not {} (YAML: quote names like No)", brief(given));
        return Err(Error::bad("bulk", reason));
    }
    let fields = Fields::of(given, "bulk", &BULK)?;
    let name = fields.text("name")?.ok_or_else(|| Error::bad("bulk", "name is missing"))?;
    let options = BulkOptions {
        crystalstructure: fields.text("crystalstructure")?.map(str::to_owned),
        a: fields.positive("a")?,
        b: fields.positive("b")?,
        c: fields.positive("c")?,
        covera: fields.positive("covera")?,
        alpha: fields.positive("alpha")?,
        u: fields.positive("u")?,
        cubic: fields.flag("cubic")?.unwrap_or(false),
        orthorhombic: fields.flag("orthorhombic")?.unwrap_or(false),
    };
    repeated(bulk(name, &options)?, &fields)
}

/// The supercell that the key `supercell` asks for: three numbers of repetitions, or a matrix.
fn repeated(atoms: Atoms, fields: &Fields) -> Result<Atoms> {
    let Some(given) = fields.get("supercell") else { return Ok(atoms) };
    let rows = items("supercell", given)?;
    if rows.iter().any(Value::is_array) {
        let rows: Vec<[i64; 3]> = rows.iter().map(|row| triple("supercell", row)).collect::<Result<_>>()?;
        let found = rows.len();
        let wrong = |_| Error::Shape { what: "supercell".into(), found, expected: 3 };
        return supercell(&atoms, Supercell::Matrix(rows.try_into().map_err(wrong)?));
    }
    supercell(&atoms, Supercell::Repeat(counts("supercell", given)?))
}

/// Three whole numbers above 0.
fn counts(what: &str, given: &Value) -> Result<[usize; 3]> {
    let numbers = triple(what, given)?;
    let count = |n: i64| usize::try_from(n).ok().filter(|n| *n > 0);
    match numbers.map(count) {
        [Some(a), Some(b), Some(c)] => Ok([a, b, c]),
        _ => Err(Error::bad(what, format!("must hold whole numbers above 0, not {}", brief(given)))),
    }
}

fn triple(what: &str, given: &Value) -> Result<[i64; 3]> {
    let numbers = integers(what, given)?;
    let found = numbers.len();
    numbers.try_into().map_err(|_| Error::Shape { what: what.into(), found, expected: 3 })
}

fn from_plain(fields: &Fields) -> Result<Atoms> {
    let numbers = match (fields.get("numbers"), fields.get("symbols")) {
        (Some(_), Some(_)) => return Err(Error::bad(PLACE, "give numbers or symbols, not both")),
        (Some(given), None) => {
            integers("numbers", given)?.into_iter().map(elements::checked_number).collect::<Result<Vec<u8>>>()?
        }
        (None, Some(Value::String(formula))) => elements::split_symbols(formula)?,
        (None, Some(given)) => {
            let symbol = |value: &Value| match value.as_str() {
                Some(symbol) => elements::number(symbol),
                None => Err(Error::bad("symbols", format!("{} is not a symbol (YAML: quote No)", brief(value)))),
            };
            items("symbols", given)?.iter().map(symbol).collect::<Result<Vec<u8>>>()?
        }
        (None, None) => {
            let forms = "bulk, molecule, surface, file, or symbols (or numbers) and positions";
            return Err(Error::bad(PLACE, format!("needs {forms}")));
        }
    };
    let positions = fields.get("positions").ok_or_else(|| Error::bad(PLACE, "positions are missing"))?;
    let mut atoms = Atoms::new(numbers, vectors("positions", positions)?)?;
    let cell = fields.get("cell").map(cell).transpose()?;
    let pbc = match fields.get("pbc") {
        // As in extended XYZ: a cell that is given is meant.
        None => [cell.is_some(); 3],
        Some(Value::Bool(all)) => [*all; 3],
        Some(given) => {
            let flags: Option<Vec<bool>> = items("pbc", given)?.iter().map(Value::as_bool).collect();
            flags
                .and_then(|flags| <[bool; 3]>::try_from(flags).ok())
                .ok_or_else(|| Error::bad("pbc", "must be true, false or three of them"))?
        }
    };
    atoms = atoms.with_cell(cell.unwrap_or_default(), pbc)?;
    if let Some(tags) = fields.get("tags") {
        atoms = atoms.with_column("tags", Column::flat(Values::Int(integers("tags", tags)?)))?;
    }
    for (name, given) in fields.object("columns")?.into_iter().flatten() {
        atoms = atoms.with_column(name, mson::column_from_list(name, given)?)?;
    }
    if let Some(info) = fields.object("info")? {
        atoms = atoms.with_info(info.clone());
    }
    let count = atoms.len();
    let fixed = fields.get("fixed").map(|given| integers("fixed", given)).transpose()?.unwrap_or_default();
    let fixed = fixed
        .into_iter()
        .map(|index| usize::try_from(index).map_err(|_| Error::NoSuchAtom { what: "fixed".into(), index, count }));
    atoms.with_fixed(fixed.collect::<Result<Vec<usize>>>()?)
}

/// Three vectors, or three lengths of an orthogonal cell.
fn cell(given: &Value) -> Result<Mat3> {
    let rows = items("cell", given)?;
    if rows.len() != 3 {
        return Err(Error::Shape { what: "cell".into(), found: rows.len(), expected: 3 });
    }
    if rows.iter().any(Value::is_array) {
        let rows = vectors("cell", given)?;
        return Ok([rows[0], rows[1], rows[2]]);
    }
    let mut cell = [[0.0; 3]; 3];
    for (k, length) in rows.iter().enumerate() {
        cell[k][k] = finite(&format!("length {k} of cell"), length)?;
    }
    Ok(cell)
}

fn vectors(what: &str, given: &Value) -> Result<Vec<Vec3>> {
    let vector = |(index, row): (usize, &Value)| {
        let place = format!("row {index} of {what}");
        let row = items(&place, row)?;
        let [x, y, z] = row.as_slice() else {
            return Err(Error::Shape { what: place, found: row.len(), expected: 3 });
        };
        Ok([finite(&place, x)?, finite(&place, y)?, finite(&place, z)?])
    };
    items(what, given)?.iter().enumerate().map(vector).collect()
}

/// NaN and infinity arrive as null, which is all that JSON has for them.
fn finite(what: &str, value: &Value) -> Result<f64> {
    match value.as_f64() {
        Some(number) if number.is_finite() => Ok(number),
        _ => Err(Error::bad(what, format!("must hold finite numbers, not {}", brief(value)))),
    }
}

fn integers(what: &str, given: &Value) -> Result<Vec<i64>> {
    let integer = |value: &Value| {
        value.as_i64().ok_or_else(|| Error::bad(what, format!("must hold whole numbers, not {}", brief(value))))
    };
    items(what, given)?.iter().map(integer).collect()
}

fn items<'a>(what: &str, given: &'a Value) -> Result<&'a Vec<Value>> {
    given.as_array().ok_or_else(|| Error::bad(what, format!("must be a list, not {}", brief(given))))
}
