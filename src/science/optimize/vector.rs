//! Arithmetic on coordinate vectors of any length.

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// a - b.
pub(super) fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// a + factor b.
pub(super) fn along(a: &[f64], factor: f64, b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + factor * b).collect()
}

/// factor a.
pub(super) fn scaled(factor: f64, a: &[f64]) -> Vec<f64> {
    a.iter().map(|a| factor * a).collect()
}

/// `step` shortened as a whole until its longest row of three is no longer than `maxstep`.
pub(super) fn within(step: Vec<f64>, maxstep: f64) -> Vec<f64> {
    let longest = super::longest_row(&step);
    if longest >= maxstep { scaled(maxstep / longest, &step) } else { step }
}

/// `step` shortened as a whole until all of it together is no longer than `maxstep`.
pub(super) fn within_together(step: Vec<f64>, maxstep: f64) -> Vec<f64> {
    let length = norm(&step);
    if length > maxstep { scaled(maxstep / length, &step) } else { step }
}
