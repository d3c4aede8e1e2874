//! Which atoms are at the top of a slab, the side that the normal of its plane points to.

use super::crystal::nearest_image;
use crate::science::atoms::Atoms;
use crate::science::linear::{cross, dot, inverse, norm, row_times, scale};

/// Atoms this much deeper than asked for still count, Angstrom: layers have a depth to rounding only.
const ROUNDING: f64 = 1e-6;

/// Fractions that differ by less are the same to quacc.
const SAME: f64 = 1e-8;

/// The atoms within `depth` (Angstrom, along the normal) below the top one, ascending.
pub(super) fn top(slab: &Atoms, depth: f64) -> Vec<usize> {
    within(slab, depth + ROUNDING)
}

/// What quacc takes for that: of the atoms in depth, those that no later one is equal to. Meant to be
/// compared in the plane, positions are compared after their height was taken from all three
/// components, so that in some slabs (B2 (100), layers a/2 apart) atoms of different layers are equal.
pub(super) fn top_as_quacc(slab: &Atoms, depth: f64) -> Vec<usize> {
    let normal = normal(slab);
    let Some(to_fractions) = inverse(slab.cell()) else { return Vec::new() };
    let mut kept: Vec<(usize, [f64; 3])> = Vec::new();
    for index in within(slab, depth).into_iter().rev() {
        let position = slab.positions()[index];
        let height = dot(position, normal);
        let place = row_times(position.map(|x| x - height), &to_fractions);
        let equal = |(_, other): &(usize, [f64; 3])| (0..3).all(|k| nearest_image(place[k] - other[k]).abs() < SAME);
        if !kept.iter().any(equal) {
            kept.push((index, place));
        }
    }
    kept.into_iter().rev().map(|(index, _)| index).collect()
}

fn within(slab: &Atoms, depth: f64) -> Vec<usize> {
    let normal = normal(slab);
    let heights: Vec<f64> = slab.positions().iter().map(|position| dot(*position, normal)).collect();
    let highest = heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (0..heights.len()).filter(|index| heights[*index] - highest >= -depth).collect()
}

fn normal(slab: &Atoms) -> [f64; 3] {
    let [a, b, _] = *slab.cell();
    let upward = cross(a, b);
    scale(upward, 1.0 / norm(upward))
}
