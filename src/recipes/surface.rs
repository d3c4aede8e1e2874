//! The energy of a slab's surface, wherever a result is about a slab that remembers its bulk.

use serde_json::{Value, json};

use super::schema::CalcParams;
use crate::science::emt::Emt;
use crate::science::io::mson::from_mson;
pub use crate::science::slabs::JOULE_PER_SQUARE_METRE;
use crate::science::slabs::surface_energy;
use crate::science::{Atoms, Calculator};

/// In which units documents have it.
const NATIVE: &str = "eV/A^2";

/// The energy that it takes to cut the bulk, per area of both faces, for a slab of `energy` (eV) that
/// still has its bulk in its notes. The bulk, as it was cut, is computed with the same parameters.
/// Null for what is no slab, and for a slab whose composition is not a multiple of the bulk's.
pub(super) fn surface_energies(slab: &Atoms, energy: f64, calc: CalcParams) -> Value {
    let found = || {
        let bulk = from_mson(slab.info().get("slab_stats")?.get("bulk")?).ok()?;
        let bulk_energy = Emt::new(calc.asap_cutoff).calculate(&bulk).ok()?.energy;
        let per_area = surface_energy(energy, slab, bulk_energy, &bulk)?;
        Some(json!({NATIVE: per_area, "J/m^2": per_area * JOULE_PER_SQUARE_METRE}))
    };
    found().unwrap_or(Value::Null)
}

/// The surface energy in a document, eV/Angstrom^2.
pub(super) fn surface_energy_of(document: &Value) -> Option<f64> {
    document.get("surface_energy")?.get(NATIVE)?.as_f64()
}
