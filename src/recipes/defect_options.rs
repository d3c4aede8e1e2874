//! `make_defects_kwargs` and what stands beside it, by quacc's names and with its defaults.

use serde::Deserialize;
use serde_json::Value;

use super::error::{Error, Result};
use super::slab_options::symbols;
use crate::science::defects::DefectOptions;
use crate::science::fields::{Fields, brief};
use crate::science::nearest::nearest;

const PLACE: &str = "make_defects_kwargs";

const KNOWN: [&str; 6] = ["sc_mat", "min_atoms", "max_atoms", "min_length", "force_diagonal", "rm_species"];

/// What quacc has in the same object, and its flow takes from beside it.
const BESIDE: [&str; 2] = ["defect_gen", "defect_charge"];

/// The one generator there is, and what else pymatgen-analysis-defects has.
const VACANCIES: &str = "VacancyGenerator";
const UNSUPPORTED: [&str; 5] = [
    "SubstitutionGenerator",
    "AntiSiteGenerator",
    "InterstitialGenerator",
    "VoronoiInterstitialGenerator",
    "ChargeInterstitialGenerator",
];

/// From the parameters of the flow.
pub(super) fn defect_options(flow: &Fields) -> Result<DefectOptions> {
    check_generator(flow)?;
    let none = serde_json::json!({});
    let value = flow.get(PLACE).unwrap_or(&none);
    if let Some(key) = BESIDE.into_iter().find(|key| value.get(key).is_some()) {
        let reason = format!("stands beside {PLACE}, not in it");
        return Err(crate::science::Error::bad(key, reason).into());
    }
    let (fields, default) = (Fields::of(value, PLACE, &KNOWN)?, DefectOptions::default());
    let options = DefectOptions {
        matrix: fields.get("sc_mat").map(matrix).transpose()?,
        min_atoms: fields.count("min_atoms")?.unwrap_or(default.min_atoms),
        max_atoms: fields.count("max_atoms")?.unwrap_or(default.max_atoms),
        min_length: fields.positive("min_length")?.unwrap_or(default.min_length),
        force_diagonal: fields.flag("force_diagonal")?.unwrap_or(default.force_diagonal),
        remove: fields.get("rm_species").map(|given| symbols("rm_species", given)).transpose()?,
        charge: flow.get("defect_charge").map(charge).transpose()?.unwrap_or(default.charge),
        distortions: flow.flag("distortions")?.unwrap_or(default.distortions),
    };
    options.check()?;
    Ok(options)
}

fn check_generator(flow: &Fields) -> Result<()> {
    let Some(given) = flow.text("defect_gen")? else { return Ok(()) };
    // Also with the module it comes from.
    let name = given.rsplit('.').next().unwrap_or(given);
    if name == VACANCIES {
        return Ok(());
    }
    if UNSUPPORTED.contains(&name) {
        return Err(Error::NotSupported { what: format!("defect_gen: {name}") });
    }
    let known = UNSUPPORTED.into_iter().chain([VACANCIES]);
    let hint = nearest(name, known).map_or_else(String::new, |near| format!(" (did you mean {near:?}?)"));
    let reason = format!("there is no generator {name:?}{hint}; {VACANCIES} is supported");
    Err(crate::science::Error::bad("defect_gen", reason).into())
}

fn matrix(given: &Value) -> Result<[[i64; 3]; 3]> {
    let wrong = || {
        let reason = format!("must be three rows of three whole numbers, not {}", brief(given));
        crate::science::Error::bad(format!("sc_mat of {PLACE}"), reason).into()
    };
    Deserialize::deserialize(given).map_err(|_| wrong())
}

/// No nucleus has more.
fn charge(given: &Value) -> Result<i64> {
    let wrong = || {
        let reason = format!("must be a whole number from -118 to 118, not {}", brief(given));
        crate::science::Error::bad("defect_charge", reason).into()
    };
    given.as_i64().filter(|charge| charge.abs() <= 118).ok_or_else(wrong)
}
