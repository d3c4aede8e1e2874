//! What a relaxation tells of every step while it runs, and the line ASE's log has for it: how it is written
//! and how it is read.

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

/// A step as a log has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoggedStep {
    /// Its number.
    pub step: usize,
    /// What is minimised, eV.
    pub energy: f64,
    /// The largest force, eV/Angstrom.
    pub fmax: f64,
}

impl LoggedStep {
    /// Reads a line of such a log, ours or one that ASE has written; none where it is no step.
    pub fn of(line: &str) -> Option<Self> {
        let (name, rest) = line.trim().split_once(':')?;
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            return None;
        }
        let rest = rest.trim_start();
        let (step, rest) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
        let rest = match rest.strip_prefix('[') {
            Some(trials) => trials.split_once(']')?.1,
            None => rest,
        };
        let mut words = rest.split_whitespace();
        let (time, energy, fmax) = (words.next()?, words.next()?, words.next()?);
        // The preconditioned ones of ASE have the stress after it.
        if time.matches(':').count() != 2 || words.count() > 1 {
            return None;
        }
        // ASE marks by `*` what is extrapolated to no smearing.
        let number = |word: &str| word.trim_end_matches('*').parse::<f64>().ok().filter(|number| number.is_finite());
        Some(LoggedStep { step: step.parse().ok()?, energy: number(energy)?, fmax: number(fmax)? })
    }

    /// The steps of the last relaxation in a log: another one begins where the numbers do not rise.
    pub fn all(log: &str) -> Vec<Self> {
        let mut steps: Vec<Self> = Vec::new();
        for step in log.split(['\n', '\r']).filter_map(Self::of) {
            if steps.last().is_some_and(|last| last.step >= step.step) {
                steps.clear();
            }
            steps.push(step);
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ases_lines_are_read() {
        let read = |line| LoggedStep::of(line).map(|one| (one.step, one.energy, one.fmax));
        for (line, expected) in [
            ("BFGS:    0 14:02:11       11.563925        1.016104\n", (0, 11.563925, 1.016104)),
            ("FIRE:  1234 14:02:11      -11.563925*       1.0161\r\n", (1234, -11.563925, 1.0161)),
            ("BFGSLineSearch:    2[  4] 14:02:11       -0.5       0.0100", (2, -0.5, 0.01)),
            ("PreconLBFGS:   3  14:02:11      -1.000000        0.2000       0.0010", (3, -1.0, 0.2)),
        ] {
            assert_eq!(read(line), Some(expected), "{line}");
        }
        for line in [
            "",
            "      Step     Time          Energy          fmax",
            "BFGS:    0 14:02:11       nan        1.016104",
            "BFGS:    0 14:02:11       11.5",
            "WARNING: 3 of 4 1:2",
            "time: 12:00:01",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn the_last_relaxation_counts() {
        let log = "BFGS: 0 1:0:0 -1 2\nBFGS: 1 1:0:0 -2 1\nnoise\nBFGS: 0 1:0:1 -5 9\r\nBFGS: 1 1:0:2 -6 8\nBFGS: 2 1:";
        let energies: Vec<f64> = LoggedStep::all(log).iter().map(|one| one.energy).collect();
        assert_eq!(energies, [-5.0, -6.0]);
    }
}
