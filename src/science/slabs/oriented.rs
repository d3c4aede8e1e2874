//! The oriented unit cell: the bulk in a cell whose first two vectors lie in the lattice plane, and
//! where it can be cut. W. Sun and G. Ceder, Surf. Sci. 617, 53 (2013), doi:10.1016/j.susc.2013.05.016.

use std::f64::consts::TAU;

use super::crystal::{Crystal, wrapped};
use super::miller::divisor;
use super::rounding::{dot, inverse, norm, plane_normal, row_times};
use crate::science::error::{Error, Result};
use crate::science::linear::{self, Mat3, Vec3, determinant};

/// The bulk, turned.
#[derive(Clone, Debug)]
pub(super) struct Oriented {
    /// The crystal; a and b lie in the plane.
    pub crystal: Crystal,
    /// The height of the cell along the normal of the plane, Angstrom.
    pub height: f64,
    /// The distance of neighbouring lattice planes, Angstrom.
    pub spacing: f64,
}

impl Oriented {
    /// The bulk in a cell along the plane `miller`. With `normal_search` the third vector is that
    /// closest to the normal among those with coefficients up to it.
    pub fn new(bulk: &Crystal, miller: [i32; 3], normal_search: Option<i32>) -> Result<Self> {
        let singular = || Error::SingularCell { vectors: "a, b, c".into() };
        let rows = inverse(&bulk.cell).ok_or_else(singular)?;
        let normal = plane_normal(miller, &rows);
        let spacing = 1.0 / norm(rows.map(|row| dot(row, miller.map(f64::from))));
        let crystal = bulk.repeated(&basis(&bulk.cell, miller, normal, normal_search));
        let height = dot(normal, crystal.cell[2]).abs();
        Ok(Self { crystal, height, spacing })
    }

    /// Where the cell can be cut, as fractions of its height, ascending: midway between layers.
    /// Atoms closer than `ftol` (Angstrom) along the normal, also by way of others, are one layer.
    pub fn terminations(&self, ftol: f64) -> Vec<f64> {
        let mut heights: Vec<f64> = self.crystal.sites.iter().map(|site| site.place[2]).collect();
        if let [only] = heights[..] {
            return vec![wrapped(only + 0.5)];
        }
        heights.sort_by(f64::total_cmp);
        let mut layers = layers(&heights, ftol / self.height);
        layers.sort_by(f64::total_cmp);
        let Some((first, last)) = layers.first().zip(layers.last()) else { return Vec::new() };
        let around = wrapped(0.5 * (first + 1.0 + last));
        let mut cuts: Vec<f64> = layers.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        cuts.push(around);
        cuts.sort_by(f64::total_cmp);
        cuts
    }
}

/// The mean heights of groups of `heights` (ascending fractions of a period) with gaps up to `gap`.
fn layers(heights: &[f64], gap: f64) -> Vec<f64> {
    let mut groups: Vec<Vec<f64>> = Vec::new();
    for height in heights {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| height - last <= gap) => group.push(*height),
            _ => groups.push(vec![*height]),
        }
    }
    let joins_around = heights.first().zip(heights.last()).is_some_and(|(low, high)| low + 1.0 - high <= gap);
    if joins_around && groups.len() > 1 {
        let top = groups.pop().unwrap_or_default();
        groups[0].extend(top);
    }
    groups.iter().map(|group| circular_mean(group)).collect()
}

/// The mean of fractions of a period.
fn circular_mean(fractions: &[f64]) -> f64 {
    let sum = |of: fn(f64) -> f64| fractions.iter().map(|fraction| of(TAU * fraction)).sum::<f64>();
    wrapped(sum(f64::sin).atan2(sum(f64::cos)) / TAU)
}

/// The vectors of the oriented cell in terms of the bulk's: two in the plane, and the one of the
/// bulk's vectors that is steepest to it (or the one that `normal_search` finds).
fn basis(cell: &Mat3, miller: [i32; 3], normal: Vec3, normal_search: Option<i32>) -> [[i64; 3]; 3] {
    let mut rows: Vec<[i32; 3]> = Vec::with_capacity(3);
    let unit = |axis: usize| std::array::from_fn(|k| i32::from(k == axis));
    rows.extend((0..3).filter(|axis| miller[*axis] == 0).map(unit));
    let crossing: Vec<usize> = (0..3).filter(|axis| miller[*axis] != 0).collect();
    let multiple = crossing.iter().fold(1, |lcm, axis| lcm / divisor([lcm, miller[*axis], 0]) * miller[*axis].abs());
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        if let (Some(i), Some(j), true) = (crossing.get(i), crossing.get(j), rows.len() < 2) {
            let mut row = [0; 3];
            row[*i] = -multiple / miller[*i];
            row[*j] = multiple / miller[*j];
            rows.push(row);
        }
    }
    let steepness = |axis: usize| dot(normal, cell[axis]).abs() / linear::norm(cell[axis]);
    // The first of equals.
    let steepest = crossing.iter().copied().reduce(|a, b| if steepness(b) > steepness(a) { b } else { a });
    rows.push(match normal_search {
        Some(reach) => most_normal(cell, normal, [rows[0], rows[1]], reach),
        None => unit(steepest.unwrap_or(2)),
    });
    let real: Vec<Vec3> = rows.iter().map(|row| row.map(f64::from)).collect();
    let sign = if determinant(&[real[0], real[1], real[2]]) < 0.0 { -1 } else { 1 };
    std::array::from_fn(|i| {
        let divisor = divisor(rows[i]);
        rows[i].map(|entry| i64::from(sign * entry / divisor))
    })
}

/// The lattice vector outside the plane that is closest to its normal, the shortest of equals.
fn most_normal(cell: &Mat3, normal: Vec3, plane: [[i32; 3]; 2], reach: i32) -> [i32; 3] {
    let mut range: Vec<i32> = (-reach..=reach).collect();
    range.sort_by_key(|entry| -entry.abs());
    let mut best: Option<([i32; 3], f64, f64)> = None;
    for a in &range {
        for b in &range {
            for c in &range {
                let vector = [*a, *b, *c];
                let basis = [plane[0], plane[1], vector].map(|row| row.map(f64::from));
                if determinant(&basis).abs() < 1e-8 {
                    continue;
                }
                let along = row_times(basis[2], cell);
                let length = norm(along);
                let cosine = (dot(along, normal) / length).abs();
                if best.is_none_or(|(_, most, least)| cosine > most || (cosine == most && length < least)) {
                    best = Some((vector, cosine, length));
                }
                if 1.0 - cosine < 1e-8 {
                    return vector;
                }
            }
        }
    }
    best.map_or([0, 0, 1], |(vector, ..)| vector)
}
