//! The points of reciprocal space at which phonons are computed: a regular grid around the Gamma point, of which
//! symmetry leaves one of each star, in phonopy's order and with its choice of equivalent points. Where the grid of
//! the primitive cell has not the symmetry of the crystal, that of the conventional cell is taken: a generalized
//! regular grid, A. Togo et al., J. Phys.: Condens. Matter 35, 353001 (2023), doi:10.1088/1361-648X/acd831.

use super::group::Group;
use super::integers::{Int3, IntMat, product as product_integers, times_column, transposed as transposed_integers};
use super::smith::Smith;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, dot, inverse, norm, row_times, transposed};
use crate::science::symmetry::reduced_cell;

/// Grids with more points than this are refused.
const MOST: i64 = 20_000_000;

/// A grid of points in reciprocal space.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Points along each axis of the grid.
    pub(super) counts: [i64; 3],
    /// Takes an address on the grid, over the counts, to units of the reciprocal vectors.
    right: IntMat,
    /// Takes a step in units of the grid's own cell to a difference of addresses.
    pub(super) left: IntMat,
    /// Vectors of the reciprocal lattice without 2 pi, a row each, 1/Angstrom.
    reciprocal: Mat3,
    /// For each point of the grid which one of the irreducible points is equivalent to it.
    pub(super) irreducible: Vec<u32>,
    /// Addresses of the irreducible points.
    pub(super) addresses: Vec<Int3>,
    /// How many points each of them stands for.
    pub weights: Vec<u32>,
    /// The irreducible points in units of the reciprocal vectors: of equivalent ones the nearest to Gamma.
    pub points: Vec<Vec3>,
}

impl Grid {
    /// The grid with at least one point for each 2 pi / `length` along each direction (`length` in Angstrom), for
    /// the primitive cell `cell` with these symmetries.
    pub fn new(length: f64, cell: &Mat3, group: &Group) -> Result<Self> {
        let reciprocal = transposed(&inverse(cell).ok_or(Error::NotFinite { what: "the reciprocal cell".into() })?);
        let counts = regular(length, &reciprocal, &group.rotations);
        let diagonal: IntMat = std::array::from_fn(|i| std::array::from_fn(|j| if i == j { counts[i] } else { 0 }));
        let rotations = in_reciprocal_space(&group.rotations);
        Self::spanned(&diagonal, reciprocal, &rotations)
            .or_else(|| {
                // The conventional vectors in units of the primitive ones, each so many times.
                let conventional = group.symmetry.conventional;
                let real = conventional.map(|row| row_times(row, cell));
                let counts = regular(length, &transposed(&inverse(&real)?), &[]);
                let rows: IntMat = std::array::from_fn(|i| conventional[i].map(|x| x.round() as i64 * counts[i]));
                Self::spanned(&rows, reciprocal, &rotations)
            })
            .or_else(|| Self::spanned(&diagonal, reciprocal, &in_reciprocal_space(&[])))
            .ok_or_else(|| Error::bad("structure", "its cell is too small for a grid of reciprocal space"))
    }

    /// The grid of the points q whose product with each of the rows (vectors of the lattice) is a whole number;
    /// `None` where it has not the symmetry of the rotations.
    fn spanned(rows: &IntMat, reciprocal: Mat3, rotations: &[IntMat]) -> Option<Self> {
        let Smith { diagonal: counts, left, right } = Smith::of(rows)?;
        if counts.iter().try_fold(1, |all: i64, count| all.checked_mul(*count)).is_none_or(|all| all > MOST) {
            return None;
        }
        let rotations = on_grid(counts, &right, rotations)?;
        let mut grid = Self {
            counts,
            right,
            left,
            reciprocal,
            irreducible: Vec::new(),
            addresses: Vec::new(),
            weights: Vec::new(),
            points: Vec::new(),
        };
        grid.find_irreducible(&rotations);
        grid.points = grid.nearest_to_gamma()?;
        Some(grid)
    }

    /// The number of an address; the first axis changes first.
    pub(super) fn index(&self, address: Int3) -> usize {
        let [i, j, k]: Int3 = std::array::from_fn(|axis| address[axis].rem_euclid(self.counts[axis]));
        (i + self.counts[0] * (j + self.counts[1] * k)) as usize
    }

    /// The number of points in the whole grid.
    pub fn size(&self) -> usize {
        self.irreducible.len()
    }

    fn find_irreducible(&mut self, rotations: &[IntMat]) {
        const NONE: u32 = u32::MAX;
        let [a, b, c] = self.counts;
        self.irreducible = vec![NONE; (a * b * c) as usize];
        for k in 0..c {
            for j in 0..b {
                for i in 0..a {
                    if self.irreducible[self.index([i, j, k])] != NONE {
                        continue;
                    }
                    let number = self.addresses.len() as u32;
                    let mut weight = 0;
                    for rotation in rotations {
                        let image = self.index(times_column(rotation, [i, j, k]));
                        weight += u32::from(std::mem::replace(&mut self.irreducible[image], number) == NONE);
                    }
                    self.addresses.push([i, j, k]);
                    self.weights.push(weight);
                }
            }
        }
    }

    /// A point in units of the reciprocal vectors.
    fn point(&self, address: Int3) -> Vec3 {
        let fractions: Vec3 = std::array::from_fn(|k| address[k] as f64 / self.counts[k] as f64);
        self.right.map(|row| dot(row.map(|n| n as f64), fractions))
    }

    /// Of the points that differ from an irreducible one by reciprocal lattice vectors the nearest to Gamma; among
    /// equally near ones that which is met first in the reduced lattice, counted 0, 1, 2, -2, -1 along each axis.
    fn nearest_to_gamma(&self) -> Option<Vec<Vec3>> {
        const STEPS: [f64; 5] = [0.0, 1.0, 2.0, -2.0, -1.0];
        let (reduced, change) = reduced_cell(&self.reciprocal)?;
        let to_reduced = inverse(&change)?;
        let steps: Vec<f64> = (0..3).map(|k| (norm(reduced[k]) / self.counts[k] as f64).powi(2)).collect();
        let tolerance = 0.01 * steps.iter().copied().fold(0.0, f64::max);
        let nearest = |address: &Int3| {
            let point = self.point(*address);
            let fractions = row_times(point, &to_reduced);
            let fractions = fractions.map(|x| x - x.round());
            let images =
                STEPS.iter().flat_map(|i| STEPS.iter().flat_map(move |j| STEPS.iter().map(move |k| [*i, *j, *k])));
            let images = images.map(|step| -> (f64, Vec3) {
                let moved = std::array::from_fn(|axis| fractions[axis] + step[axis]);
                let place = row_times(moved, &reduced);
                (dot(place, place), moved)
            });
            let images: Vec<(f64, Vec3)> = images.collect();
            let shortest = images
                .iter()
                .fold(f64::INFINITY, |best, (length, _)| if *length < best - tolerance { *length } else { best });
            let first =
                images.iter().find(|(length, _)| *length < shortest + tolerance).map_or(fractions, |(_, moved)| *moved);
            let vector = row_times(first, &change);
            // As close to the address as the lattice allows: what rounding has changed is taken back.
            std::array::from_fn(|axis| point[axis] + (vector[axis] - point[axis]).round())
        };
        Some(self.addresses.iter().map(nearest).collect())
    }

    /// The cell between neighbouring points, a row each vector, 1/Angstrom.
    pub(super) fn cell(&self) -> Mat3 {
        let columns: [Vec3; 3] = std::array::from_fn(|k| self.point(std::array::from_fn(|axis| self.left[axis][k])));
        columns.map(|column| row_times(column, &self.reciprocal))
    }
}

/// Points along each reciprocal vector: the length of that times `length`, rounded to even, equal where rotations
/// make vectors equal.
fn regular(length: f64, reciprocal: &Mat3, rotations: &[IntMat]) -> [i64; 3] {
    let mut counts = reciprocal.map(|vector| (norm(vector) * length).round_ties_even() as i64);
    let before = counts;
    for (i, j) in [(1, 2), (2, 0), (0, 1)] {
        let equal = rotations.iter().any(|rotation| {
            // The rotations of reciprocal space are transposed.
            let onto = |from: usize, to: usize| (0..3).all(|k| rotation[from][k].abs() == i64::from(k == to));
            onto(i, j) || onto(j, i)
        });
        if equal && before[i] != before[j] {
            let most = counts[i].max(counts[j]);
            (counts[i], counts[j]) = (most, most);
        }
    }
    counts.map(|count| count.max(1))
}

/// Rotations of the reciprocal lattice, for columns in units of its vectors, with the inversion that time reversal is.
fn in_reciprocal_space(rotations: &[IntMat]) -> Vec<IntMat> {
    let mut all: Vec<IntMat> = vec![[[1, 0, 0], [0, 1, 0], [0, 0, 1]]];
    all.extend(rotations.iter().map(transposed_integers));
    all.extend(all.clone().iter().map(|rotation| rotation.map(|row| row.map(|n| -n))));
    all.sort_unstable();
    all.dedup();
    all
}

/// The same for columns of addresses; `None` where one leads off the grid.
fn on_grid(counts: [i64; 3], right: &IntMat, rotations: &[IntMat]) -> Option<Vec<IntMat>> {
    let real = right.map(|row| row.map(|n| n as f64));
    let back = inverse(&real)?.map(|row| row.map(|x| x.round() as i64));
    let each = |rotation: &IntMat| {
        let turned = product_integers(&back, &product_integers(rotation, right));
        let mut found = [[0; 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                let (up, down) = (turned[i][j] * counts[i], counts[j]);
                if up % down != 0 {
                    return None;
                }
                found[i][j] = up / down;
            }
        }
        Some(found)
    };
    rotations.iter().map(each).collect()
}
