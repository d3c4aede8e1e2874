//! What a recipe tells while it runs, and the line ASE's log has for a step of a relaxation.

use std::fmt;

use super::md_progress::MdStep;
use crate::science::{Atoms, Properties};

/// How far a recipe is.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A step of a relaxation.
    Relaxation(RelaxStep<'a>),
    /// A step of molecular dynamics.
    Dynamics(MdStep<'a>),
    /// Pieces that are done, of how many.
    Part {
        /// What a piece is, as "displacement".
        what: &'static str,
        /// So many are done.
        done: usize,
        /// So many there are.
        of: usize,
    },
}

impl<'a> Progress<'a> {
    /// The step of a relaxation, if that is what runs.
    pub fn relaxation(&self) -> Option<&RelaxStep<'a>> {
        match self {
            Self::Relaxation(step) => Some(step),
            _ => None,
        }
    }

    /// The step of molecular dynamics, if that is what runs.
    pub fn dynamics(&self) -> Option<&MdStep<'a>> {
        match self {
            Self::Dynamics(step) => Some(step),
            _ => None,
        }
    }
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relaxation(RelaxStep { atoms, step, fmax, .. }) => {
                write!(f, "{}, step {step}, fmax {fmax:.4} eV/Å", atoms.formula())
            }
            Self::Dynamics(step) => write!(f, "{}, {step}", step.atoms.formula()),
            Self::Part { what, done, of } => write!(f, "{what} {done} of {of}"),
        }
    }
}

/// Where a relaxation is.
#[derive(Clone, Copy, Debug)]
pub struct RelaxStep<'a> {
    /// The optimiser, by ASE's name.
    pub optimizer: &'static str,
    /// Steps made so far; 0 at the start.
    pub step: usize,
    /// Points looked at in line searches, where ASE's log counts them.
    pub trials: Option<usize>,
    /// What is minimised: the energy, or the enthalpy under pressure, eV.
    pub energy: f64,
    /// The largest force, eV/Angstrom; where the cell relaxes its rows count, too.
    pub fmax: f64,
    /// The atoms as they are now.
    pub atoms: &'a Atoms,
    /// Their energy, forces and stress.
    pub properties: &'a Properties,
}

impl RelaxStep<'_> {
    /// The line of ASE's `opt.log`, at `time` of day (HH:MM:SS); a head before the first.
    pub fn log_line(&self, time: &str) -> String {
        let Self { optimizer: name, step, energy, fmax, .. } = self;
        let blank = " ".repeat(name.len());
        let (head, line) = match self.trials {
            None => (
                format!("{blank}  {:>4} {:>8} {:>15}  {:>12}\n", "Step", "Time", "Energy", "fmax"),
                format!("{name}:  {step:3} {time:8} {energy:15.6} {fmax:15.6}\n"),
            ),
            Some(trials) => (
                format!("{blank}  {:>4}[{:>3}] {:>8} {:>15}  {:>12}\n", "Step", "FC", "Time", "Energy", "fmax"),
                format!("{name}:  {step:3}[{trials:3}] {time:8} {energy:15.6} {fmax:12.4}\n"),
            ),
        };
        if *step == 0 { head + &line } else { line }
    }
}
