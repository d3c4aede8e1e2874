//! The parameters of recipes, by quacc's names and with its defaults. An unknown key is an error
//! that names the nearest known one.

use serde_json::{Map, Value};

use super::error::{Error, Result};
use crate::science::fields::Fields;
use crate::science::nearest::nearest;
use crate::science::optimize::{BfgsOptions, Limits};

/// The optimisers quacc users know; only the first is built.
const OPTIMIZERS: [&str; 9] =
    ["BFGS", "LBFGS", "FIRE", "FIRE2", "MDMin", "BFGSLineSearch", "LBFGSLineSearch", "QuasiNewton", "GPMin"];

/// `calc_params`: what EMT can be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CalcParams {
    /// A cutoff fitted to the elements present.
    pub asap_cutoff: bool,
}

impl CalcParams {
    pub(super) fn of(value: Option<&Value>) -> Result<Self> {
        let Some(value) = value else { return Ok(Self::default()) };
        let fields = Fields::of(value, "calc_params", &["asap_cutoff"])?;
        Ok(Self { asap_cutoff: fields.flag("asap_cutoff")?.unwrap_or(false) })
    }
}

/// `opt_params`: how to relax.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptParams {
    /// Converged when all forces are below this, eV/Angstrom.
    pub fmax: f64,
    /// The most steps to make.
    pub max_steps: usize,
    /// `optimizer_kwargs` of BFGS.
    pub bfgs: BfgsOptions,
}

impl Default for OptParams {
    fn default() -> Self {
        Self { fmax: 0.01, max_steps: 1000, bfgs: BfgsOptions::default() }
    }
}

impl OptParams {
    pub(super) fn of(value: Option<&Value>) -> Result<Self> {
        let default = Self::default();
        let Some(value) = value else { return Ok(default) };
        let known = ["optimizer", "fmax", "max_steps", "optimizer_kwargs"];
        let fields = Fields::of(value, "opt_params", &known)?;
        optimizer(fields.text("optimizer")?.unwrap_or(OPTIMIZERS[0]))?;
        let bfgs = match fields.get("optimizer_kwargs") {
            None => default.bfgs,
            Some(kwargs) => {
                let kwargs = Fields::of(kwargs, "optimizer_kwargs", &["maxstep", "alpha"])?;
                BfgsOptions {
                    maxstep: kwargs.positive("maxstep")?.unwrap_or(default.bfgs.maxstep),
                    alpha: kwargs.positive("alpha")?.unwrap_or(default.bfgs.alpha),
                }
            }
        };
        Ok(Self {
            fmax: fields.positive("fmax")?.unwrap_or(default.fmax),
            max_steps: fields.count("max_steps")?.unwrap_or(default.max_steps),
            bfgs,
        })
    }

    /// When the optimiser stops by itself.
    pub(super) fn limits(&self) -> Limits {
        Limits { fmax: self.fmax, max_steps: self.max_steps }
    }
}

/// BFGS, or why not.
fn optimizer(name: &str) -> Result<()> {
    if name == OPTIMIZERS[0] {
        return Ok(());
    }
    if OPTIMIZERS.contains(&name) {
        return Err(Error::NotSupported { what: format!("optimizer {name}") });
    }
    let hint = match nearest(name, OPTIMIZERS) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known are {}", OPTIMIZERS.join(", ")),
    };
    Err(crate::science::Error::bad("optimizer", format!("unknown optimizer {name:?} ({hint})")).into())
}

/// `additional_fields`: merged into the document last.
pub(super) fn additional_fields(fields: &Fields) -> Result<Map<String, Value>> {
    Ok(fields.object("additional_fields")?.cloned().unwrap_or_default())
}
