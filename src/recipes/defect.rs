//! What a vacancy costs, wherever a result is about a structure that remembers the bulk it is missing from.

use serde_json::{Value, json};

use super::schema::CalcParams;
use crate::science::defects::vacancy_formation_energy;
use crate::science::emt::Emt;
use crate::science::io::mson::from_mson;
use crate::science::{Atoms, Calculator};

/// The formation energy of the vacancy in `defect`, of `energy`, eV. The bulk, as it was given, is computed
/// with the same parameters. Null for what is no defect, and for a compound.
pub(super) fn formation_energy(defect: &Atoms, energy: f64, calc: CalcParams) -> Value {
    let found = || {
        let bulk = from_mson(defect.info().get("defect_stats")?.get("bulk")?).ok()?;
        let bulk_energy = Emt::new(calc.asap_cutoff).calculate(&bulk).ok()?.energy;
        vacancy_formation_energy(energy, defect, bulk_energy, &bulk)
    };
    json!(found())
}
