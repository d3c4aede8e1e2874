//! `make_slabs_kwargs`, by quacc's and pymatgen's names and with their defaults.

use serde_json::Value;

use super::error::{Error, Result};
use crate::science::elements;
use crate::science::fields::{Fields, brief};
use crate::science::slabs::SlabOptions;

const PLACE: &str = "make_slabs_kwargs";
const SURFACE: &str = "allowed_surface_symbols";

const KNOWN: [&str; 15] = [
    "max_index",
    "min_slab_size",
    "min_length_width",
    "min_vacuum_size",
    "z_fix",
    "flip_asymmetric",
    SURFACE,
    "ftol",
    "tol",
    "symmetrize",
    "primitive",
    "center_slab",
    "in_unit_planes",
    "lll_reduce",
    "max_normal_search",
];

/// What pymatgen can do beside.
const UNSUPPORTED: [&str; 6] =
    ["bonds", "max_broken_bonds", "repair", "include_reconstructions", "allow_smaller_than_ouc", "cell"];

pub(super) fn slab_options(value: Option<&Value>) -> Result<SlabOptions> {
    let default = SlabOptions::default();
    let Some(value) = value else { return Ok(default) };
    if let Some(key) = UNSUPPORTED.into_iter().find(|key| value.get(key).is_some()) {
        return Err(Error::NotSupported { what: format!("{key} in {PLACE}") });
    }
    let fields = Fields::of(value, PLACE, &KNOWN)?;
    // Here, other than elsewhere, null is not the default: it fixes nothing.
    let z_fix = match value.get("z_fix") {
        None => default.z_fix,
        Some(_) => fields.number("z_fix")?,
    };
    let options = SlabOptions {
        max_index: fields.count("max_index")?.unwrap_or(default.max_index),
        min_slab_size: fields.number("min_slab_size")?.unwrap_or(default.min_slab_size),
        min_length_width: fields.number("min_length_width")?.unwrap_or(default.min_length_width),
        min_vacuum_size: fields.number("min_vacuum_size")?.unwrap_or(default.min_vacuum_size),
        z_fix,
        flip_asymmetric: fields.flag("flip_asymmetric")?.unwrap_or(default.flip_asymmetric),
        allowed_surface_symbols: fields.get(SURFACE).map(|given| symbols(SURFACE, given)).transpose()?,
        ftol: fields.number("ftol")?.unwrap_or(default.ftol),
        symmetrize: fields.flag("symmetrize")?.unwrap_or(default.symmetrize),
        primitive: fields.flag("primitive")?.unwrap_or(default.primitive),
        center_slab: fields.flag("center_slab")?.unwrap_or(default.center_slab),
        tol: fields.number("tol")?.unwrap_or(default.tol),
        in_unit_planes: fields.flag("in_unit_planes")?.unwrap_or(default.in_unit_planes),
        lll_reduce: fields.flag("lll_reduce")?.unwrap_or(default.lll_reduce),
        max_normal_search: fields.count("max_normal_search")?,
        compat_quacc: default.compat_quacc,
    };
    options.check()?;
    Ok(options)
}

/// One symbol, or a list of them, given as `key`.
pub(super) fn symbols(key: &str, given: &Value) -> Result<Vec<u8>> {
    let single = std::slice::from_ref(given);
    let listed = given.as_array().map_or(single, Vec::as_slice);
    let number = |value: &Value| match value.as_str() {
        Some(symbol) => Ok(elements::number(symbol)?),
        None => {
            let reason = format!("must hold chemical symbols, not {} (YAML: quote No)", brief(value));
            Err(crate::science::Error::bad(key, reason).into())
        }
    };
    listed.iter().map(number).collect()
}
