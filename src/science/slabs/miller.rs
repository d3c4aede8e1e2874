//! Which lattice planes there are: one Miller index of every family that the symmetry of the lattice
//! makes alike. The crystal may be less symmetric than its lattice; as in pymatgen that is not looked at.

use super::isometries::{self, Rotation};
use crate::science::linear::{Mat3, determinant, inverse, scale};

/// How far lengths in the reciprocal lattice, scaled to volume 1, may differ and count as equal.
const LENGTH: f64 = 0.01;

/// Distinct Miller indices up to `max_index` in the basis of `cell`, low ones first.
pub(super) fn distinct_planes(cell: &Mat3, max_index: i32) -> Vec<[i32; 3]> {
    let rotations = reciprocal_rotations(cell);
    let mut distinct: Vec<[i32; 3]> = Vec::new();
    for plane in planes(max_index) {
        let images = rotations.iter().map(|rotation| rotation.map(|row| (0..3).map(|k| row[k] * plane[k]).sum()));
        if !images.into_iter().any(|image: [i32; 3]| distinct.contains(&image)) {
            distinct.push(plane);
        }
    }
    distinct
}

/// All planes, of a plane and its negative only one, in the order in which representatives are chosen.
fn planes(max_index: i32) -> Vec<[i32; 3]> {
    let range = -max_index..=max_index;
    let pairs = range.clone().flat_map(|h| range.clone().map(move |k| (h, k)));
    let all = pairs.flat_map(|(h, k)| range.clone().map(move |l| [h, k, l]));
    let first_is_positive = |plane: &[i32; 3]| plane.iter().find(|h| **h != 0).is_some_and(|h| *h > 0);
    let mut planes: Vec<_> = all.filter(|plane| first_is_positive(plane) && divisor(*plane) == 1).collect();
    planes.sort_by_key(|plane| {
        let sizes = plane.map(i32::abs);
        (sizes.into_iter().max(), sizes.into_iter().sum::<i32>(), plane.map(|h| -h))
    });
    planes
}

/// The greatest common divisor.
pub(super) fn divisor(numbers: [i32; 3]) -> i32 {
    let pair = |mut a: i32, mut b: i32| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a.abs()
    };
    numbers.into_iter().fold(0, pair)
}

/// The rotations that map the reciprocal lattice onto itself, acting on columns of Miller indices.
fn reciprocal_rotations(cell: &Mat3) -> Vec<Rotation> {
    let Some(rows) = inverse(cell) else { return Vec::new() };
    let reciprocal: Mat3 = std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i]));
    let unit = determinant(&reciprocal).abs().cbrt();
    isometries::of_lattice(&reciprocal.map(|row| scale(row, 1.0 / unit)), LENGTH)
}
