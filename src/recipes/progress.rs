//! What a relaxation tells of every step while it runs, and the line ASE's log has for it.

use crate::science::{Atoms, Properties};

/// Where a relaxation is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
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

impl Progress<'_> {
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
