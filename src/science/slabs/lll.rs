//! Reduction of a cell by the algorithm of A. K. Lenstra, H. W. Lenstra and L. Lovasz, Math. Ann. 261,
//! 515 (1982), doi:10.1007/BF01457454, with the parameter 3/4. Projections are often one half but for
//! rounding, so they are summed and updated in the order of pymatgen's implementation.

use super::rounding::dot;
use crate::science::linear::{Mat3, Vec3, scale, sub};

const DELTA: f64 = 0.75;

/// A cell of the same lattice with short, nearly orthogonal vectors.
pub(in crate::science) fn reduced(cell: &Mat3) -> Mat3 {
    let mut state = Reduction { basis: *cell, orthogonal: *cell, projections: [[0.0; 3]; 3], lengths: [0.0; 3] };
    (0..3).for_each(|row| state.orthogonalise(row));
    let mut k = 1;
    while k < 3 {
        (0..k).rev().for_each(|j| state.subtract(k, j));
        let projection = state.projections[k][k - 1].abs();
        if state.lengths[k] >= (DELTA - projection * projection) * state.lengths[k - 1] {
            k += 1;
            continue;
        }
        state.basis.swap(k, k - 1);
        state.orthogonalise(k - 1);
        state.orthogonalise(k);
        if k == 1 {
            state.project(2);
        }
        k = (k - 1).max(1);
    }
    state.basis
}

/// A basis, its Gram-Schmidt vectors with their squared lengths, and the coefficients of each vector in
/// the Gram-Schmidt vectors before it.
struct Reduction {
    basis: Mat3,
    orthogonal: Mat3,
    projections: Mat3,
    lengths: [f64; 3],
}

impl Reduction {
    fn project(&mut self, row: usize) {
        for j in 0..row.min(2) {
            self.projections[row][j] = dot(self.basis[row], self.orthogonal[j]) / self.lengths[j];
        }
    }

    fn orthogonalise(&mut self, row: usize) {
        self.project(row);
        let [first, second] = [self.projections[row][0], self.projections[row][1]];
        let [a, b, _] = self.orthogonal;
        let along: Vec3 = match row {
            0 => [0.0; 3],
            1 => scale(a, first),
            _ => std::array::from_fn(|k| b[k].mul_add(second, a[k] * first)),
        };
        self.orthogonal[row] = sub(self.basis[row], along);
        self.lengths[row] = dot(self.orthogonal[row], self.orthogonal[row]);
    }

    /// Takes as much of an earlier vector from `row` as makes its projection least; one half stays.
    fn subtract(&mut self, row: usize, earlier: usize) {
        let whole = self.projections[row][earlier].round_ties_even();
        self.basis[row] = sub(self.basis[row], scale(self.basis[earlier], whole));
        for j in 0..earlier {
            self.projections[row][j] -= whole * self.projections[earlier][j];
        }
        self.projections[row][earlier] -= whole;
    }
}
