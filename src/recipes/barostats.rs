//! The ensembles that hold a pressure: their `dynamics_kwargs`, with quacc's defaults.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::Result;
use super::md_given::Given;
use crate::science::Error;
use crate::science::fields::brief;
use crate::science::md::{Damping, Melchionna, MelchionnaSettings, Mtk, NptBerendsen, NvtBerendsen, Shape};
use crate::science::units::FS;

/// Of time steps, for a barostat.
const SLOW: f64 = 1000.0;
/// Of time steps, for a thermostat.
const QUICK: f64 = 100.0;

/// What quacc has for `npt`: 25 fs, and 75^2 fs (sic: eV/Angstrom^3 times a time squared is what it stands for).
const TTIME: f64 = 25.0 * FS;
const PFACTOR: f64 = 75.0 * 75.0 * FS;

/// `npt_berendsen` and `npt_inhomogeneous`.
pub(super) fn berendsen(given: &Given, shape: Shape) -> Result<NptBerendsen> {
    let missing = || {
        let reason = "is missing: give that of the material in Angstrom^3/eV, which is 1 over its bulk modulus";
        Error::bad("compressibility_au of dynamics_kwargs", format!("{reason} ({} needs it)", given.name))
    };
    let atoms = NvtBerendsen {
        timestep: given.timestep,
        temperature: given.temperature()?,
        taut: given.time("taut", QUICK)?,
        fix_com: given.fixes_com()?,
    };
    Ok(NptBerendsen {
        atoms,
        pressure: pressure(given)?,
        taup: given.time("taup", SLOW)?,
        compressibility: given.kwargs.positive("compressibility_au")?.ok_or_else(missing)?,
        shape,
    })
}

/// `mask` for `npt_inhomogeneous`: which vectors may change.
pub(super) fn sides(given: &Given) -> Result<[bool; 3]> {
    let Some(value) = given.kwargs.get("mask") else { return Ok([true; 3]) };
    Ok(read::<[Switch; 3]>(value).ok_or_else(|| wrong("mask", "three of 0 and 1", value))?.map(Switch::to_flag))
}

/// `npt_mtk` and `npt_isotropic_mtk`.
pub(super) fn mtk(given: &Given, isotropic: bool) -> Result<Mtk> {
    let damping = |time: &str, steps: f64, links: &str, loops: &str| -> Result<Damping> {
        Ok(Damping { time: given.time(time, steps)?, links: given.links(links, 3)?, loops: given.links(loops, 1)? })
    };
    let thermostat = damping("tdamp", QUICK, "tchain", "tloop")?;
    let barostat = damping("pdamp", SLOW, "pchain", "ploop")?;
    Ok(Mtk::new(given.timestep, given.warm()?, pressure(given)?, [thermostat, barostat], isotropic))
}

/// `npt`; null turns off its thermostat or barostat.
pub(super) fn melchionna(given: &Given) -> Result<Melchionna> {
    let optional = |key: &str, default: f64| -> Result<Option<f64>> {
        let value = given.kwargs.positive(key)?;
        Ok(if given.kwargs.is_null(key) { None } else { value.or(Some(default)) })
    };
    Ok(Melchionna::new(MelchionnaSettings {
        timestep: given.timestep,
        temperature: given.warm()?,
        stress: stress(given)?,
        ttime: optional("ttime", TTIME)?,
        pfactor: optional("pfactor", PFACTOR)?,
        mask: mask(given)?,
    }))
}

/// eV/Angstrom^3.
fn pressure(given: &Given) -> Result<f64> {
    Ok(given.kwargs.number("pressure_au")?.unwrap_or(given.pressure))
}

/// `externalstress`: a pressure, or a stress as six numbers or a symmetric matrix.
fn stress(given: &Given) -> Result<[f64; 6]> {
    let hydrostatic = |pressure: f64| [-pressure, -pressure, -pressure, 0.0, 0.0, 0.0];
    let Some(value) = given.kwargs.get("externalstress") else { return Ok(hydrostatic(given.pressure)) };
    let matrix = |m: [[f64; 3]; 3]| {
        let symmetric = m[0][1] == m[1][0] && m[0][2] == m[2][0] && m[1][2] == m[2][1];
        symmetric.then_some([m[0][0], m[1][1], m[2][2], m[1][2], m[0][2], m[0][1]])
    };
    let found = read(value).map(hydrostatic).or_else(|| read(value)).or_else(|| matrix(read(value)?));
    let kind = "a pressure, six numbers (xx, yy, zz, yz, xz, xy) or a symmetric matrix";
    Ok(found.ok_or_else(|| wrong("externalstress", kind, value))?)
}

/// `mask` for `npt`: which Cartesian axes, or which entries of the strain, may change.
fn mask(given: &Given) -> Result<[[bool; 3]; 3]> {
    let Some(value) = given.kwargs.get("mask") else { return Ok([[true; 3]; 3]) };
    let axes = |on: [Switch; 3]| {
        let on = on.map(Switch::to_flag);
        on.map(|row| on.map(|column| row && column))
    };
    let found =
        read(value).map(axes).or_else(|| Some(read::<[[Switch; 3]; 3]>(value)?.map(|row| row.map(Switch::to_flag))));
    Ok(found.ok_or_else(|| wrong("mask", "three of 0 and 1, or a matrix of them", value))?)
}

/// 0 and 1 for false and true, which ASE takes for both.
#[derive(Clone, Copy, serde::Deserialize)]
#[serde(untagged)]
enum Switch {
    Flag(bool),
    Number(f64),
}

impl Switch {
    fn to_flag(self) -> bool {
        match self {
            Self::Flag(on) => on,
            Self::Number(number) => number != 0.0,
        }
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn wrong(key: &str, kind: &str, value: &Value) -> Error {
    Error::bad(format!("{key} of dynamics_kwargs"), format!("must be {kind}, not {}", brief(value)))
}
