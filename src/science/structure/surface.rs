//! `{surface: ...}`: a surface by name, and what is adsorbed on it.

use serde_json::Value;

use super::{counts, finite, items, repeated};
use crate::science::atoms::Atoms;
use crate::science::build::{AdsorbateOptions, Place, SurfaceOptions, add_adsorbate, molecule, surface};
use crate::science::elements;
use crate::science::error::{Error, Result};
use crate::science::fields::{Fields, brief};

const KEYS: [&str; 10] =
    ["name", "symbol", "size", "a", "c", "vacuum", "orthogonal", "periodic", "adsorbate", "supercell"];

/// The surface with its adsorbates; a `supercell` repeats both.
pub(super) fn build_surface(given: &Value) -> Result<Atoms> {
    let fields = &Fields::of(given, "surface", &KEYS)?;
    let needed = |key: &str| Error::bad("surface", format!("{key} is missing"));
    let name = fields.text("name")?.ok_or_else(|| needed("name"))?;
    let symbol = fields.text("symbol")?.ok_or_else(|| needed("symbol"))?;
    let options = SurfaceOptions {
        size: counts("size", fields.get("size").ok_or_else(|| needed("size"))?)?,
        a: fields.positive("a")?,
        c: fields.positive("c")?,
        vacuum: fields.positive("vacuum")?,
        orthogonal: fields.flag("orthogonal")?,
        periodic: fields.flag("periodic")?.unwrap_or(false),
    };
    let mut slab = surface(name, symbol, &options)?;
    let adsorbates = match fields.get("adsorbate") {
        None => &[],
        Some(Value::Array(several)) => several.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    for adsorbate in adsorbates {
        slab = adsorb(&slab, adsorbate)?;
    }
    repeated(slab, fields)
}

fn adsorb(slab: &Atoms, given: &Value) -> Result<Atoms> {
    let wrong = |reason: &str| Error::bad("adsorbate", reason);
    let keys = ["molecule", "symbol", "height", "position", "offset", "mol_index"];
    let fields = Fields::of(given, "adsorbate", &keys)?;
    let adsorbate = match (fields.text("molecule")?, fields.text("symbol")?) {
        (Some(name), None) => molecule(name)?,
        (None, Some(symbol)) => Atoms::new(vec![elements::number(symbol)?], vec![[0.0; 3]])?,
        _ => return Err(wrong("needs a molecule or the symbol of an atom")),
    };
    let options = AdsorbateOptions {
        height: fields.number("height")?.ok_or_else(|| wrong("height is missing"))?,
        position: match fields.get("position") {
            None => Place::Point([0.0; 2]),
            Some(Value::String(site)) => Place::Site(site.clone()),
            Some(given @ Value::Array(_)) => Place::Point(two("position", given)?),
            Some(other) => {
                let reason = format!("must be the name of a site, or x and y (Angstrom), not {}", brief(other));
                return Err(Error::bad("position of adsorbate", reason));
            }
        },
        offset: fields.get("offset").map(|given| two("offset", given)).transpose()?.unwrap_or_default(),
        mol_index: fields.count("mol_index")?.unwrap_or(0),
    };
    add_adsorbate(slab, &adsorbate, &options)
}

/// Two numbers.
fn two(key: &str, given: &Value) -> Result<[f64; 2]> {
    let what = format!("{key} of adsorbate");
    let numbers = items(&what, given)?.iter().map(|number| finite(&what, number)).collect::<Result<Vec<f64>>>()?;
    let found = numbers.len();
    numbers.try_into().map_err(|_| Error::Shape { what, found, expected: 2 })
}
