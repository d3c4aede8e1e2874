//! A step of molecular dynamics, as it is told, logged as ASE does it, and kept in a file.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::md_frames::notes;
use crate::science::io::Frame;
use crate::science::linear::Vec3;
use crate::science::md::{Dynamics, with_momenta};
use crate::science::units::FS;
use crate::science::{Atoms, Properties, Result};

/// Where molecular dynamics is.
#[derive(Clone, Copy, Debug)]
pub struct MdStep<'a> {
    /// Steps made so far; 0 at the start.
    pub step: usize,
    /// Steps to make.
    pub steps: usize,
    /// Whether it belongs to the log and the file of frames.
    pub is_logged: bool,
    /// Angstrom sqrt(u/eV).
    pub timestep: f64,
    /// The atoms where they are.
    pub atoms: &'a Atoms,
    /// Their momenta in sqrt(u eV).
    pub momenta: &'a [Vec3],
    /// Their energy, forces and stress.
    pub properties: &'a Properties,
    /// eV.
    pub kinetic_energy: f64,
    /// K.
    pub temperature: f64,
    /// How long the rest takes, if it goes on like this.
    pub left: Option<Duration>,
    /// What random numbers depend on.
    pub seed: u64,
    /// How the atoms move.
    pub dynamics: &'a dyn Dynamics,
}

impl MdStep<'_> {
    /// The first line of ASE's `MDLogger`.
    pub const LOG_HEAD: &'static str = "Time[ps]      Etot[eV]     Epot[eV]     Ekin[eV]    T[K]\n";

    /// Its line for this step.
    pub fn log_line(&self) -> String {
        let potential = self.properties.energy;
        // Total energies of large systems have more digits before the point.
        let digits = match self.atoms.len() {
            ..=100 => 4,
            101..=1000 => 3,
            1001..=10_000 => 2,
            _ => 1,
        };
        let time = picoseconds(self.step, self.timestep);
        let (total, kinetic) = (potential + self.kinetic_energy, self.kinetic_energy);
        let temperature = self.temperature;
        format!("{time:<10.4} {total:12.digits$} {potential:12.digits$} {kinetic:12.digits$}  {temperature:6.1}\n")
    }

    /// The frame of a file: with momenta, results, and in its notes the number of the step and its time.
    pub fn frame(&self) -> Result<Frame> {
        let mut frame = Frame::from((self.snapshot()?, self.properties));
        frame.atoms.info_mut().extend(notes(self.step, self.timestep, self.kinetic_energy, self.temperature));
        Ok(frame)
    }

    /// The atoms with their momenta.
    pub fn snapshot(&self) -> Result<Atoms> {
        with_momenta(self.atoms.clone(), self.momenta)
    }

    /// What the dynamics has to remember.
    pub fn state(&self) -> Value {
        self.dynamics.kept()
    }
}

impl fmt::Display for MdStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} of {}, {:.0} K", self.step, self.steps, self.temperature)?;
        match self.left {
            Some(left) => write!(f, ", {}", time_left(left)),
            None => Ok(()),
        }
    }
}

/// The time of a step in ps, with `timestep` in ASE's unit.
pub(super) fn picoseconds(step: usize, timestep: f64) -> f64 {
    step as f64 * timestep / (1000.0 * FS)
}

/// "about 3 min left".
pub fn time_left(left: Duration) -> String {
    let seconds = left.as_secs_f64();
    let (count, unit) = match seconds {
        ..90.0 => (seconds, "s"),
        ..5400.0 => (seconds / 60.0, "min"),
        ..172_800.0 => (seconds / 3600.0, "h"),
        _ => (seconds / 86_400.0, "d"),
    };
    format!("about {count:.0} {unit} left")
}
