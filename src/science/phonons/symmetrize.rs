//! Force constants made to obey the laws that noise, or atoms that were held in place, have broken: as phonopy's
//! `symmetrize_force_constants` followed by `symmetrize_force_constants_by_space_group`.

use super::crystal::Crystal;
use super::force_constants::{Block, ForceConstants, turned};
use super::group::Group;
use super::integers::{Int3, sub};
use crate::science::linear::transposed;

impl ForceConstants {
    /// Moving all atoms together costs nothing, the order of derivatives does not matter, and the space group holds.
    pub fn symmetrized(mut self, crystal: &Crystal, group: &Group) -> Self {
        self.transpose(crystal);
        self.subtract_drift();
        self.transpose(crystal);
        self.subtract_drift();
        self.average_with_transposed(crystal);
        self.balance(crystal);
        self.average_over(crystal, group);
        self
    }

    /// The rows of the transposed matrix: atom `j` on `i` instead of `i` on `j`.
    fn transpose(&mut self, crystal: &Crystal) {
        let mirrored = |basis: usize, (other, shift): (usize, Int3)| {
            transposed(&self.rows[other][crystal.atom(basis, sub([0; 3], shift))])
        };
        let row = |basis| crystal.sites.iter().map(|site| mirrored(basis, *site)).collect();
        self.rows = (0..crystal.basis()).map(row).collect();
    }

    /// Takes the mean off each row.
    fn subtract_drift(&mut self) {
        for row in &mut self.rows {
            let (sum, count) = (sum(row), row.len() as f64);
            for block in row {
                *block = std::array::from_fn(|a| std::array::from_fn(|b| block[a][b] - sum[a][b] / count));
            }
        }
    }

    fn average_with_transposed(&mut self, crystal: &Crystal) {
        let before = self.rows.clone();
        self.transpose(crystal);
        for (block, old) in self.rows.iter_mut().flatten().zip(before.iter().flatten()) {
            *block = std::array::from_fn(|a| std::array::from_fn(|b| (block[a][b] + old[a][b]) / 2.0));
        }
    }

    /// Has the force of each atom on itself balance the others.
    fn balance(&mut self, crystal: &Crystal) {
        for (row, own) in self.rows.iter_mut().zip(&crystal.firsts) {
            row[*own] = [[0.0; 3]; 3];
            let sum = sum(row);
            row[*own] = std::array::from_fn(|a| std::array::from_fn(|b| -(sum[a][b] + sum[b][a]) / 2.0));
        }
    }

    /// The mean of what all operations make of them.
    fn average_over(&mut self, crystal: &Crystal, group: &Group) {
        let mut mean = vec![vec![[[0.0; 3]; 3]; crystal.sites.len()]; crystal.basis()];
        let share = 1.0 / group.operations.len() as f64;
        for operation in &group.operations {
            for (basis, row) in self.rows.iter().enumerate() {
                let (image, back) = operation.images[basis];
                for (block, site) in row.iter().zip(&crystal.sites) {
                    let (other, shift) = operation.image(*site, back);
                    let block = turned(block, &operation.cartesian);
                    let entry = &mut mean[image][crystal.atom(other, shift)];
                    *entry = std::array::from_fn(|a| std::array::from_fn(|b| entry[a][b] + share * block[a][b]));
                }
            }
        }
        self.rows = mean;
    }
}

fn sum(row: &[Block]) -> Block {
    row.iter()
        .fold([[0.0; 3]; 3], |sum, block| std::array::from_fn(|a| std::array::from_fn(|b| sum[a][b] + block[a][b])))
}
