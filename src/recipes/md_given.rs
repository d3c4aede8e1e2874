//! What an ensemble is made of, and how its `dynamics_kwargs` are read.

use super::error::Result;
use crate::science;
use crate::science::fields::Fields;

/// What an ensemble is made of.
pub struct Given<'a> {
    pub(super) name: &'static str,
    pub(super) kwargs: Fields<'a>,
    /// ASE's unit.
    pub(super) timestep: f64,
    /// K.
    pub(super) temperature: Option<f64>,
    /// eV/Angstrom^3, unless `kwargs` have their own.
    pub(super) pressure: f64,
}

impl Given<'_> {
    /// K, 0 or more.
    pub(super) fn temperature(&self) -> Result<f64> {
        let missing = || science::Error::bad("temperature_K", format!("is missing: {} needs one", self.name));
        Ok(self.temperature.ok_or_else(missing)?)
    }

    /// K, above 0.
    pub(super) fn warm(&self) -> Result<f64> {
        let temperature = self.temperature()?;
        if temperature > 0.0 {
            return Ok(temperature);
        }
        Err(science::Error::bad("temperature_K", format!("must be above 0 for {}", self.name)).into())
    }

    /// ASE's unit; by default so many time steps.
    pub(super) fn time(&self, key: &str, steps: f64) -> Result<f64> {
        Ok(self.kwargs.positive(key)?.unwrap_or(steps * self.timestep))
    }

    /// A whole number above 0.
    pub(super) fn links(&self, key: &str, default: usize) -> Result<usize> {
        match self.kwargs.count(key)? {
            Some(0) => Err(science::Error::bad(format!("{key} of dynamics_kwargs"), "must be 1 or more").into()),
            given => Ok(given.unwrap_or(default)),
        }
    }

    /// Between 0 and 1.
    pub(super) fn probability(&self, key: &str, default: f64) -> Result<f64> {
        let probability = self.kwargs.number(key)?.unwrap_or(default);
        if (0.0..=1.0).contains(&probability) {
            return Ok(probability);
        }
        let reason = format!("must be between 0 and 1, not {probability}");
        Err(science::Error::bad(format!("{key} of dynamics_kwargs"), reason).into())
    }

    /// Whether the centre of mass is held.
    pub(super) fn fixes_com(&self) -> Result<bool> {
        Ok(self.kwargs.flag("fixcm")?.unwrap_or(true))
    }
}
