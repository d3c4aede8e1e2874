//! Force constants: how the force on an atom follows the displacement of another one. They are kept for the atoms of
//! the primitive cell; lattice translations give all others.

use super::crystal::Crystal;
use super::displacements::Displacement;
use super::group::{Group, Operation};
use super::integers::{Int3, sub};
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, inverse, product, row_times, transposed};

/// The force constants of one pair of atoms.
pub type Block = Mat3;

/// Second derivatives of the energy, eV/Angstrom^2.
#[derive(Clone, Debug, PartialEq)]
pub struct ForceConstants {
    /// For each atom of the primitive cell one for each of the supercell: minus the force on that one in direction
    /// `b` by a displacement of the first in direction `a` is `[a][b]` times its length.
    pub(super) rows: Vec<Vec<Block>>,
}

impl ForceConstants {
    /// From the forces (eV/Angstrom) on all atoms of the supercell in each of the displacements: the least squares
    /// solution for all images of these under symmetry.
    pub fn new(crystal: &Crystal, group: &Group, moved: &[Displacement], forces: &[Vec<Vec3>]) -> Result<Self> {
        let firsts = group.firsts(crystal.basis());
        let mut rows: Vec<Vec<Block>> = Vec::with_capacity(crystal.basis());
        for (basis, image) in firsts.iter().enumerate() {
            let row = match image {
                None => {
                    let own = moved.iter().zip(forces).filter(|(displacement, _)| displacement.basis == basis);
                    solve(crystal, group, basis, &own.collect::<Vec<_>>())?
                }
                // The first comes before its images.
                Some(operation) => carried_back(crystal, operation, basis, &rows),
            };
            rows.push(row);
        }
        Ok(Self { rows })
    }

    /// Rows for the atoms of the primitive cell only, as phonopy's compact form.
    pub fn compact(&self) -> &[Vec<Block>] {
        &self.rows
    }

    /// One row for each atom of the supercell.
    pub fn full(&self, crystal: &Crystal) -> Vec<Vec<Block>> {
        let row = |(basis, shift): (usize, Int3)| -> Vec<Block> {
            let from_there = crystal.sites.iter().map(|(other, far)| crystal.atom(*other, sub(*far, shift)));
            from_there.map(|atom| self.rows[basis][atom]).collect()
        };
        crystal.sites.iter().map(|site| row(*site)).collect()
    }
}

/// The row of an atom that was displaced.
fn solve(crystal: &Crystal, group: &Group, basis: usize, own: &[(&Displacement, &Vec<Vec3>)]) -> Result<Vec<Block>> {
    let mut normal = [[0.0; 3]; 3];
    let mut row = vec![[[0.0; 3]; 3]; crystal.sites.len()];
    for operation in group.site(basis) {
        let turn = transposed(&operation.cartesian);
        let back = operation.images[basis].1;
        let images: Vec<usize> = crystal
            .sites
            .iter()
            .map(|site| {
                let (other, shift) = operation.image(*site, back);
                crystal.atom(other, shift)
            })
            .collect();
        for (displacement, forces) in own {
            let vector = row_times(displacement.vector, &turn);
            add_outer(&mut normal, vector, vector);
            for (force, image) in forces.iter().zip(&images) {
                add_outer(&mut row[*image], vector, row_times(*force, &turn));
            }
        }
    }
    let incomplete = || Error::bad("displacement", "the displacements do not span all directions");
    let solution = inverse(&normal).ok_or_else(incomplete)?.map(|row| row.map(|x| -x));
    Ok(row.iter().map(|sum| product(&solution, sum)).collect())
}

fn add_outer(sum: &mut Mat3, a: Vec3, b: Vec3) {
    for (row, x) in sum.iter_mut().zip(a) {
        for (entry, y) in row.iter_mut().zip(b) {
            *entry += x * y;
        }
    }
}

/// The row of an atom that `operation` maps onto another one, whose row is known.
fn carried_back(crystal: &Crystal, operation: &Operation, basis: usize, rows: &[Vec<Block>]) -> Vec<Block> {
    let (first, back) = operation.images[basis];
    let turn = transposed(&operation.cartesian);
    let block = |site: (usize, Int3)| {
        let (other, shift) = operation.image(site, back);
        turned(&rows[first][crystal.atom(other, shift)], &turn)
    };
    crystal.sites.iter().map(|site| block(*site)).collect()
}

/// `turn` * block * transposed `turn`.
pub(super) fn turned(block: &Block, turn: &Mat3) -> Block {
    product(turn, &product(block, &transposed(turn)))
}
