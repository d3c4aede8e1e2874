//! When the stress that is left in a cell is worth a warning.

use crate::science::units::GPA;

/// A cell that was relaxed with the usual `fmax` is under less stress, GPa. In a metal with a bulk modulus of
/// 100 GPa as much shifts frequencies of phonons by about a percent.
const MOST: f64 = 0.5;

/// The largest component of a stress (eV/Angstrom^3) in GPa, if it is worth a warning.
pub(super) fn noticeable(stress: [f64; 6]) -> Option<f64> {
    let largest = stress.iter().map(|component| (component / GPA).abs()).fold(0.0, f64::max);
    (largest > MOST).then_some(largest)
}
