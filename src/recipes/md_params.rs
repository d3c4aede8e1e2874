//! `md_params`: quacc's keys of `run_md`, which say how a run of molecular dynamics starts and ends.

use std::time::Duration;

use serde_json::{Value, json};

use super::error::{Error, Result};
use crate::science;
use crate::science::fields::Fields;
use crate::science::md::{Random, System, maxwell_boltzmann, set_stationary, set_temperature, stop_rotation};

/// The keys it may have.
const KEYS: [&str; 7] = [
    "dynamics_kwargs",
    "steps",
    MAXWELL_BOLTZMANN,
    "set_com_stationary",
    "set_zero_rotation",
    "max_runtime",
    "stop_reason",
];

const MAXWELL_BOLTZMANN: &str = "maxwell_boltzmann_kwargs";

/// What quacc can do beside, in Python.
const UNSUPPORTED: &str = "stop_condition";

/// How a run starts and ends.
#[derive(Clone, Debug, PartialEq)]
pub struct MdParams {
    /// Arguments of ASE's class, as given.
    pub dynamics_kwargs: Value,
    /// Steps, if they are given here.
    pub steps: Option<usize>,
    /// Momenta at the start.
    pub start: Start,
    /// Whether the centre of mass is brought to rest then.
    pub set_com_stationary: bool,
    /// Whether rotation as a whole is stopped then.
    pub set_zero_rotation: bool,
    /// After how long it ends, at the next step.
    pub max_runtime: Option<Duration>,
    /// What is said of that.
    pub stop_reason: String,
}

/// Which momenta atoms start with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// Their own; if they are at rest and there is a temperature, those of that.
    Usual,
    /// Their own.
    Given,
    /// Those of a temperature.
    Thermal {
        /// K, if it is not that of the run.
        temperature: Option<f64>,
        /// Whether it is met exactly.
        exact: bool,
    },
}

impl MdParams {
    pub(super) fn of(value: Option<&Value>) -> Result<Self> {
        let none = json!({});
        let value = value.unwrap_or(&none);
        if value.get(UNSUPPORTED).is_some_and(|given| !given.is_null()) {
            return Err(Error::NotSupported { what: format!("{UNSUPPORTED} in md_params") });
        }
        let fields = Fields::of(value, "md_params", &[KEYS.as_slice(), &[UNSUPPORTED]].concat())?;
        Ok(Self {
            dynamics_kwargs: fields.get("dynamics_kwargs").cloned().unwrap_or_else(|| json!({})),
            steps: fields.count("steps")?,
            start: start(value.get(MAXWELL_BOLTZMANN))?,
            set_com_stationary: fields.flag("set_com_stationary")?.unwrap_or(false),
            set_zero_rotation: fields.flag("set_zero_rotation")?.unwrap_or(false),
            max_runtime: fields.number("max_runtime")?.map(seconds).transpose()?,
            stop_reason: fields.text("stop_reason")?.unwrap_or("walltime").to_owned(),
        })
    }

    /// Gives the atoms the momenta they start with, at `temperature` in K if there is one. Says whether these
    /// are random.
    pub(super) fn begin(&self, system: &mut System, temperature: Option<f64>, random: &mut Random) -> bool {
        let at_rest = system.momenta().as_flattened().iter().all(|momentum| *momentum == 0.0);
        let thermal = match self.start {
            Start::Usual if at_rest => temperature.map(|kelvin| (kelvin, false)),
            Start::Usual | Start::Given => None,
            Start::Thermal { temperature: own, exact } => own.or(temperature).map(|kelvin| (kelvin, exact)),
        };
        if let Some((kelvin, exact)) = thermal {
            maxwell_boltzmann(system, kelvin, random);
            if exact {
                set_temperature(system, kelvin);
            }
        }
        if self.set_com_stationary {
            set_stationary(system);
        }
        if self.set_zero_rotation {
            stop_rotation(system);
        }
        thermal.is_some()
    }
}

/// `maxwell_boltzmann_kwargs`; null is a choice of its own.
fn start(given: Option<&Value>) -> Result<Start> {
    let Some(value) = given else { return Ok(Start::Usual) };
    if value.is_null() {
        return Ok(Start::Given);
    }
    if value.get("rng").is_some_and(|given| !given.is_null()) {
        let reason = "give the task a seed, a whole number";
        return Err(science::Error::bad(format!("rng in {MAXWELL_BOLTZMANN}"), reason).into());
    }
    let fields = Fields::of(value, MAXWELL_BOLTZMANN, &["temperature_K", "force_temp", "rng"])?;
    let temperature = fields.number("temperature_K")?;
    if temperature.is_some_and(|kelvin| kelvin < 0.0) {
        return Err(science::Error::bad(format!("temperature_K of {MAXWELL_BOLTZMANN}"), "must be 0 or more").into());
    }
    let exact = fields.flag("force_temp")?.unwrap_or(false);
    // Python takes an empty dictionary for none.
    match value.as_object().is_some_and(serde_json::Map::is_empty) {
        true => Ok(Start::Usual),
        false => Ok(Start::Thermal { temperature, exact }),
    }
}

fn seconds(number: f64) -> Result<Duration> {
    let wrong = || science::Error::bad("max_runtime of md_params", "must be seconds, 0 or more");
    Ok(Duration::try_from_secs_f64(number).map_err(|_| wrong())?)
}
