//! The lines of ASE's logs of relaxations and of molecular dynamics, as they are read.

/// A step as a log has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoggedStep {
    /// The number of the step; of molecular dynamics the time, ps.
    pub at: f64,
    /// What is minimised, or conserved in a closed system, eV.
    pub energy: f64,
    /// What goes with it.
    pub measure: Measure,
}

/// What a log tells beside the energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// The largest force of a relaxation, eV/Angstrom.
    MaxForce(f64),
    /// Of molecular dynamics, K.
    Temperature(f64),
}

impl LoggedStep {
    /// Reads a line of such a log, ours or one that ASE has written; none where it is no step.
    pub fn of(line: &str) -> Option<Self> {
        Self::relaxation(line).or_else(|| Self::dynamics(line))
    }

    /// Time, total, potential and kinetic energy, temperature. Other numbers do not add up like that.
    fn dynamics(line: &str) -> Option<Self> {
        let numbers: Option<Vec<f64>> = line.split_whitespace().map(finite).collect();
        let [at, energy, potential, kinetic, kelvin] = <[f64; 5]>::try_from(numbers?).ok()?;
        let digits = line.split_whitespace().nth(1)?.split_once('.')?.1.len();
        // Each of the three has been rounded.
        let is_sum = (energy - potential - kinetic).abs() < 1.6 * 0.1f64.powi(i32::try_from(digits).ok()?);
        let measure = Measure::Temperature(kelvin);
        (is_sum && at >= 0.0 && kinetic >= 0.0 && kelvin >= 0.0).then_some(Self { at, energy, measure })
    }

    fn relaxation(line: &str) -> Option<Self> {
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
        let energy = finite(energy.trim_end_matches('*'))?;
        let measure = Measure::MaxForce(finite(fmax.trim_end_matches('*'))?);
        Some(Self { at: f64::from(step.parse::<u32>().ok()?), energy, measure })
    }

    /// The steps of the last run in a log: another one begins where the numbers do not rise.
    pub fn all(log: &str) -> Vec<Self> {
        let mut steps: Vec<Self> = Vec::new();
        for step in log.split(['\n', '\r']).filter_map(Self::of) {
            if steps.last().is_some_and(|last| last.at >= step.at) {
                steps.clear();
            }
            steps.push(step);
        }
        steps
    }
}

fn finite(word: &str) -> Option<f64> {
    word.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ases_lines_are_read() {
        let read = |line| LoggedStep::of(line).map(|one| (one.at, one.energy, one.measure));
        for (line, expected) in [
            ("BFGS:    0 14:02:11       11.563925        1.016104\n", (0.0, 11.563925, Measure::MaxForce(1.016104))),
            ("FIRE:  1234 14:02:11      -11.563925*       1.0161\r\n", (1234.0, -11.563925, Measure::MaxForce(1.0161))),
            ("BFGSLineSearch:    2[  4] 14:02:11       -0.5       0.0100", (2.0, -0.5, Measure::MaxForce(0.01))),
            (
                "PreconLBFGS:   3  14:02:11      -1.000000        0.2000       0.0010",
                (3.0, -1.0, Measure::MaxForce(0.2)),
            ),
            ("0.0240           1.2345       0.2355       0.9991   302.4", (0.024, 1.2345, Measure::Temperature(302.4))),
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
            "Time[ps]      Etot[eV]     Epot[eV]     Ekin[eV]    T[K]",
            "0.0240           1.2345       0.2355       0.8991   302.4",
            "1 2 3 4 5",
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
