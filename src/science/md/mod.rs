//! Molecular dynamics: a [`System`] is what moves, a [`Dynamics`] knows how to move it by one time step, with
//! the formulas, the order of operations and the units of `ase.md`: eV, Angstrom, u, times in
//! Angstrom sqrt(u/eV) (see [`units::FS`](super::units::FS)), pressures eV/Angstrom^3.

mod andersen;
mod bussi;
mod langevin;
mod mass;
mod melchionna;
mod mtk;
mod nose_hoover_chain;
mod npt_berendsen;
mod nvt_berendsen;
mod random;
mod start;
mod system;
mod triangular;
mod vacuum;
mod velocity_verlet;

pub use andersen::Andersen;
pub use bussi::Bussi;
pub use langevin::Langevin;
pub use mass::mass;
pub use melchionna::{Melchionna, MelchionnaSettings};
pub use mtk::{Damping, Mtk};
pub use nose_hoover_chain::{NoseHooverChain, NoseHooverChainNvt};
pub use npt_berendsen::{NptBerendsen, Shape};
pub use nvt_berendsen::NvtBerendsen;
pub use random::Random;
pub use start::{maxwell_boltzmann, set_stationary, set_temperature, stop_rotation};
pub use system::{System, check_motion, momenta_of, with_momenta};
pub use triangular::upper_triangular;
pub use vacuum::widest_gap;
pub use velocity_verlet::VelocityVerlet;

use serde_json::{Map, Value};

use super::atoms::Atoms;
use super::error::{Error, Result};

/// A way through time.
pub trait Dynamics: std::fmt::Debug {
    /// Whether atoms can move so, as far as that can be told without computing.
    fn check(&self, _atoms: &Atoms) -> Result<()> {
        Ok(())
    }

    /// The atoms as it wants them at the start of a run, with their momenta as a column if they have any.
    fn adapt(&self, atoms: Atoms) -> Result<Atoms> {
        Ok(atoms)
    }

    /// Gets ready for the first step of a run. A run that goes on is [restored](Self::restore) in its place.
    fn begin(&mut self, _system: &mut System) -> Result<()> {
        Ok(())
    }

    /// One time step. What is random comes from `random` alone, so that a run can be repeated.
    fn step(&mut self, system: &mut System, random: &mut Random) -> Result<()>;

    /// What it has to remember beside the system, so that a run can be continued: null if nothing.
    fn kept(&self) -> Value {
        Value::Null
    }

    /// Takes up what another one has [kept](Self::kept).
    fn restore(&mut self, _kept: &Value) -> Result<()> {
        Ok(())
    }

    /// Parameters that ASE's `todict` tells of, beside the time step.
    fn parameters(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Whether its steps need random numbers.
    fn is_random(&self) -> bool {
        false
    }
}

/// What has been [kept](Dynamics::kept), as numbers by name.
fn numbers(kept: &Value, name: &str) -> Result<Vec<f64>> {
    let found = kept[name].as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
    found.ok_or_else(|| Error::bad(format!("{name} of the state that was kept"), "must be numbers"))
}

/// Whether atoms have a cell with a volume, without which there is no pressure.
fn check_volume(atoms: &Atoms) -> Result<()> {
    if atoms.volume() > 0.0 { Ok(()) } else { Err(no_volume()) }
}

fn no_volume() -> Error {
    Error::bad("cell", "has no volume, so there is no pressure to hold: give it three independent vectors")
}
