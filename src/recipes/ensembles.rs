//! `dynamics`: ways through time, by quacc's names of ensembles or ASE's of classes, with their defaults.
//! `dynamics_kwargs` are in ASE's units: times in Angstrom sqrt(u/eV), pressures in eV/Angstrom^3.

use serde_json::Value;

use super::barostats;
use super::error::Result;
use super::md_given::Given;
use crate::science;
use crate::science::fields::Fields;
use crate::science::md::{
    Andersen, Bussi, Dynamics, Langevin, NoseHooverChainNvt, NvtBerendsen, Shape, VelocityVerlet,
};
use crate::science::nearest::nearest;

/// Arguments of all of ASE's classes.
const COMMON: [&str; 3] = ["timestep", "loginterval", "temperature_K"];

/// Arguments of ASE's classes that have no place in a recipe, and why.
const REFUSED: [(&str, &str); 6] = [
    ("trajectory", "the recipe has a trajectory of its own"),
    ("logfile", "the log is md.log"),
    ("append_trajectory", "the recipe has a trajectory of its own"),
    ("temperature", "give temperature_K"),
    ("rng", "give the task a seed, a whole number"),
    ("communicator", "this program has none"),
];

/// A way through time by name.
#[derive(Debug)]
pub struct Ensemble {
    /// quacc's name.
    pub name: &'static str,
    /// ASE's name of the class.
    pub class: &'static str,
    /// Whether it holds a temperature; else `temperature_K` is about the start only.
    thermostat: bool,
    /// By which name ASE's class knows the pressure that it holds, if it does.
    pressure: Option<&'static str>,
    /// Its own `dynamics_kwargs`, beside those about temperature and pressure.
    keys: &'static [&'static str],
    make: fn(&Given) -> Result<Box<dyn Dynamics>>,
}

/// All of them. quacc's defaults are in multiples of the time step: 100 for a thermostat, 1000 for a barostat.
static ENSEMBLES: [Ensemble; 11] = [
    Ensemble {
        name: "nve",
        class: "VelocityVerlet",
        thermostat: false,
        pressure: None,
        keys: &[],
        make: |given| Ok(Box::new(VelocityVerlet { timestep: given.timestep })),
    },
    Ensemble {
        name: "nvt",
        class: "NoseHooverChainNVT",
        thermostat: true,
        pressure: None,
        keys: &["tdamp", "tchain", "tloop"],
        make: |given| {
            Ok(Box::new(NoseHooverChainNvt::new(
                given.timestep,
                given.warm()?,
                given.time("tdamp", 100.0)?,
                given.links("tchain", 3)?,
                given.links("tloop", 1)?,
            )))
        },
    },
    Ensemble {
        name: "nvt_berendsen",
        class: "NVTBerendsen",
        thermostat: true,
        pressure: None,
        keys: &["taut", "fixcm"],
        make: |given| {
            Ok(Box::new(NvtBerendsen {
                timestep: given.timestep,
                temperature: given.temperature()?,
                taut: given.time("taut", 100.0)?,
                fix_com: given.fixes_com()?,
            }))
        },
    },
    Ensemble {
        name: "nvt_langevin",
        class: "Langevin",
        thermostat: true,
        pressure: None,
        keys: &["friction", "fixcm"],
        make: |given| {
            Ok(Box::new(Langevin {
                timestep: given.timestep,
                temperature: given.temperature()?,
                friction: given.kwargs.positive("friction")?.unwrap_or(1e-3),
                fix_com: given.fixes_com()?,
            }))
        },
    },
    Ensemble {
        name: "nvt_andersen",
        class: "Andersen",
        thermostat: true,
        pressure: None,
        keys: &["andersen_prob", "fixcm"],
        make: |given| {
            Ok(Box::new(Andersen {
                timestep: given.timestep,
                temperature: given.temperature()?,
                probability: given.probability("andersen_prob", 1e-2)?,
                fix_com: given.fixes_com()?,
            }))
        },
    },
    Ensemble {
        name: "nvt_bussi",
        class: "Bussi",
        thermostat: true,
        pressure: None,
        keys: &["taut"],
        make: |given| {
            let (temperature, taut) = (given.warm()?, given.time("taut", 100.0)?);
            Ok(Box::new(Bussi { timestep: given.timestep, temperature, taut }))
        },
    },
    Ensemble {
        name: "npt",
        class: "NPT",
        thermostat: true,
        pressure: Some("externalstress"),
        keys: &["ttime", "pfactor", "mask"],
        make: |given| Ok(Box::new(barostats::melchionna(given)?)),
    },
    Ensemble {
        name: "npt_berendsen",
        class: "NPTBerendsen",
        thermostat: true,
        pressure: Some("pressure_au"),
        keys: &["taut", "taup", "compressibility_au", "fixcm"],
        make: |given| Ok(Box::new(barostats::berendsen(given, Shape::Kept)?)),
    },
    Ensemble {
        name: "npt_inhomogeneous",
        class: "Inhomogeneous_NPTBerendsen",
        thermostat: true,
        pressure: Some("pressure_au"),
        keys: &["taut", "taup", "compressibility_au", "fixcm", "mask"],
        make: |given| Ok(Box::new(barostats::berendsen(given, Shape::Sides(barostats::sides(given)?))?)),
    },
    Ensemble {
        name: "npt_mtk",
        class: "MTKNPT",
        thermostat: true,
        pressure: Some("pressure_au"),
        keys: &MTK,
        make: |given| Ok(Box::new(barostats::mtk(given, false)?)),
    },
    Ensemble {
        name: "npt_isotropic_mtk",
        class: "IsotropicMTKNPT",
        thermostat: true,
        pressure: Some("pressure_au"),
        keys: &MTK,
        make: |given| Ok(Box::new(barostats::mtk(given, true)?)),
    },
];

/// Arguments of the two classes of Martyna, Tobias and Klein.
const MTK: [&str; 6] = ["tdamp", "pdamp", "tchain", "pchain", "tloop", "ploop"];

impl Ensemble {
    /// By quacc's name, whatever its case, or ASE's.
    pub fn of(name: &str) -> Result<&'static Self> {
        let found = ENSEMBLES.iter().find(|one| one.name.eq_ignore_ascii_case(name) || one.class == name);
        found.ok_or_else(|| {
            let names = || ENSEMBLES.iter().flat_map(|one| [one.name, one.class]);
            let hint = match nearest(name, names()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known are {}", ENSEMBLES.iter().map(|one| one.name).collect::<Vec<_>>().join(", ")),
            };
            science::Error::bad("dynamics", format!("unknown ensemble {name:?} ({hint})")).into()
        })
    }

    /// Its `dynamics_kwargs`, checked.
    pub fn fields<'a>(&self, kwargs: &'a Value) -> Result<Fields<'a>> {
        for (key, why) in REFUSED {
            if kwargs.get(key).is_some_and(|given| !given.is_null()) {
                return Err(science::Error::bad(format!("{key} in dynamics_kwargs"), why).into());
            }
        }
        let known: Vec<&str> = COMMON.iter().chain(self.keys).copied().chain(self.pressure).collect();
        Ok(Fields::of(kwargs, "dynamics_kwargs", &known)?)
    }

    /// Whether a pressure has a meaning.
    pub fn holds_pressure(&self) -> bool {
        self.pressure.is_some()
    }

    /// The way itself: the time step in ASE's unit, K, and eV/Angstrom^3, unless `kwargs` say otherwise.
    pub fn dynamics(
        &self,
        kwargs: &Value,
        timestep: f64,
        temperature: Option<f64>,
        pressure: f64,
    ) -> Result<Box<dyn Dynamics>> {
        let kwargs = self.fields(kwargs)?;
        let temperature = match kwargs.number("temperature_K")? {
            Some(_) if !self.thermostat => {
                let reason = format!("{} holds no temperature", self.name);
                return Err(science::Error::bad("temperature_K in dynamics_kwargs", reason).into());
            }
            own => own.or(temperature),
        };
        if temperature.is_some_and(|kelvin| kelvin < 0.0) {
            return Err(science::Error::bad("temperature_K", "must be 0 or more").into());
        }
        (self.make)(&Given { name: self.name, kwargs, timestep, temperature, pressure })
    }
}
