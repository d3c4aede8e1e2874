//! Dynamical matrices and what vibrates with them: frequencies and eigenvectors at points of reciprocal space.
//! A. Togo, L. Chaput, T. Tadano, I. Tanaka, J. Phys.: Condens. Matter 35, 353001 (2023), section 2.

use std::f64::consts::TAU;

use nalgebra::{Complex, DMatrix, Matrix3, SymmetricEigen};

use super::constants::root_to_thz;
use super::crystal::Crystal;
use super::force_constants::ForceConstants;
use super::integers::{Int3, row_times as row_times_integers};
use crate::science::element_data::weight;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, dot, inverse, norm, row_times, scale, sub};
use crate::science::symmetry::reduced_cell;

type C64 = Complex<f64>;

/// Frequencies in THz, ascending, the imaginary ones below zero; and, for each of them, the amplitudes of atoms and
/// directions, that of atom `i` along `a` at `3 i + a`.
pub type Modes = (Vec<f64>, Vec<Vec<C64>>);

/// All that dynamical matrices are summed from.
#[derive(Clone, Debug)]
pub struct Dynamics {
    /// For each pair of atoms of the primitive cell.
    pairs: Vec<Pair>,
    basis: usize,
    /// The largest modulus of a component of a lattice vector.
    reach: i64,
    factor: f64,
}

/// The second atom's images in the supercell, as the first sees them.
#[derive(Clone, Debug, Default)]
struct Pair {
    /// From the first atom to the second, in units of the primitive vectors.
    apart: Vec3,
    images: Vec<Image>,
    /// Where it is as near in several directions: lattice vectors.
    shifts: Vec<Int3>,
}

#[derive(Clone, Copy, Debug)]
struct Image {
    /// Force constants over the root of both masses.
    block: Mat3,
    /// Which of the shifts are its own.
    shifts: (usize, usize),
}

impl Dynamics {
    /// With the standard atomic weights.
    pub fn new(crystal: &Crystal, constants: &ForceConstants) -> Result<Self> {
        let basis = crystal.basis();
        let images = NearestImages::of(crystal)?;
        let masses: Vec<f64> = crystal.primitive.numbers().iter().map(|number| weight(*number)).collect();
        let mut pairs = vec![Pair::default(); basis * basis];
        for first in 0..basis {
            for (atom, (second, _)) in crystal.sites.iter().enumerate() {
                let pair = &mut pairs[first * basis + second];
                pair.apart = sub(crystal.fractions[*second], crystal.fractions[first]);
                let start = pair.shifts.len();
                pair.shifts.extend(images.shifts(crystal, first, atom));
                let many = (pair.shifts.len() - start) as f64;
                let share = 1.0 / (masses[first] * masses[*second]).sqrt() / many;
                let block = constants.rows[first][atom].map(|row| scale(row, share));
                pair.images.push(Image { block, shifts: (start, pair.shifts.len()) });
            }
        }
        let reach = pairs.iter().flat_map(|pair| pair.shifts.as_flattened()).map(|n| n.abs()).max().unwrap_or(0);
        Ok(Self { pairs, basis, reach, factor: root_to_thz() })
    }

    /// The frequencies at `point`, in units of the reciprocal vectors of the primitive cell, with eigenvectors where
    /// they are `wanted`.
    pub fn modes(&self, point: Vec3, wanted: bool) -> Modes {
        // Powers of the phase along each axis, from -reach on.
        let powers = point.map(|q| -> Vec<C64> {
            (-self.reach..=self.reach).map(|n| C64::from_polar(1.0, TAU * q * n as f64)).collect()
        });
        let phase = |shift: &Int3| {
            let along = |axis: usize| powers[axis][(shift[axis] + self.reach) as usize];
            along(0) * along(1) * along(2)
        };
        let block = |pair: &Pair| {
            let mut sum = [[C64::ZERO; 3]; 3];
            for image in &pair.images {
                let phases: C64 = pair.shifts[image.shifts.0..image.shifts.1].iter().map(phase).sum();
                for (sum, block) in sum.as_flattened_mut().iter_mut().zip(image.block.as_flattened()) {
                    *sum += phases * *block;
                }
            }
            let apart = C64::from_polar(1.0, TAU * dot(point, pair.apart));
            sum.map(|row| row.map(|x| x * apart))
        };
        let blocks: Vec<[[C64; 3]; 3]> = self.pairs.iter().map(block).collect();
        let entry = |i: usize, j: usize| {
            let of = |i: usize, j: usize| blocks[i / 3 * self.basis + j / 3][i % 3][j % 3];
            (of(i, j) + of(j, i).conj()) * 0.5
        };
        if self.basis == 1 {
            self.sorted(Matrix3::from_fn(entry).symmetric_eigen(), wanted)
        } else {
            let size = 3 * self.basis;
            let matrix = DMatrix::from_fn(size, size, entry);
            if wanted {
                return self.sorted(matrix.symmetric_eigen(), true);
            }
            let mut values: Vec<f64> = matrix.symmetric_eigenvalues().iter().map(|x| self.frequency(*x)).collect();
            values.sort_unstable_by(f64::total_cmp);
            (values, Vec::new())
        }
    }

    fn sorted<D>(&self, found: SymmetricEigen<C64, D>, wanted: bool) -> Modes
    where
        D: nalgebra::Dim,
        nalgebra::DefaultAllocator: nalgebra::allocator::Allocator<D, D> + nalgebra::allocator::Allocator<D>,
    {
        let mut order: Vec<usize> = (0..found.eigenvalues.len()).collect();
        order.sort_by(|a, b| found.eigenvalues[*a].total_cmp(&found.eigenvalues[*b]));
        let values = order.iter().map(|k| self.frequency(found.eigenvalues[*k])).collect();
        let vectors = if wanted {
            order.iter().map(|k| found.eigenvectors.column(*k).iter().copied().collect()).collect()
        } else {
            Vec::new()
        };
        (values, vectors)
    }

    fn frequency(&self, eigenvalue: f64) -> f64 {
        eigenvalue.abs().sqrt().copysign(eigenvalue) * self.factor
    }

    /// Branches at each point.
    pub fn branches(&self) -> usize {
        3 * self.basis
    }
}

/// Which images of an atom of the supercell are nearest to one of the primitive cell.
struct NearestImages {
    reduced: Mat3,
    to_reduced: Mat3,
    /// The reduced vectors of the supercell in units of the primitive ones.
    vectors: [Int3; 3],
    /// Where images are looked for, in units of the reduced vectors.
    steps: Vec<Int3>,
}

impl NearestImages {
    fn of(crystal: &Crystal) -> Result<Self> {
        let singular = || Error::NotFinite { what: "the reduced supercell".into() };
        let (reduced, change) = reduced_cell(crystal.supercell.cell()).ok_or_else(singular)?;
        let to_reduced = inverse(&reduced).ok_or_else(singular)?;
        let vectors = change.map(|row| row_times_integers(row.map(|x| x.round() as i64), &crystal.vectors));
        let mut steps: Vec<Int3> = Vec::new();
        for i in -1..=1 {
            for j in -1..=1 {
                for k in -1..=1 {
                    // Also along the fourth vector of Selling, minus the sum of the others.
                    steps.extend((-1..=1).map(|l: i64| [i - l, j - l, k - l]));
                }
            }
        }
        steps.sort_unstable();
        steps.dedup();
        Ok(Self { reduced, to_reduced, vectors, steps })
    }

    /// The lattice vectors from the first atom's cell to those of the nearest images of `atom`.
    fn shifts(&self, crystal: &Crystal, first: usize, atom: usize) -> Vec<Int3> {
        let places = crystal.supercell.positions();
        let difference = row_times(sub(places[atom], places[crystal.firsts[first]]), &self.to_reduced);
        let whole = difference.map(f64::round);
        let rest = sub(difference, whole);
        let length = |step: &Int3| norm(row_times(std::array::from_fn(|k| rest[k] + step[k] as f64), &self.reduced));
        let lengths: Vec<f64> = self.steps.iter().map(length).collect();
        let shortest = lengths.iter().copied().fold(f64::INFINITY, f64::min);
        let near = self.steps.iter().zip(&lengths).filter(|(_, length)| **length < shortest + crystal.symprec);
        let shift = crystal.sites[atom].1;
        near.map(|(step, _)| {
            let moved = std::array::from_fn(|k| step[k] - whole[k] as i64);
            let vector = row_times_integers(moved, &self.vectors);
            std::array::from_fn(|k| shift[k] + vector[k])
        })
        .collect()
    }
}
