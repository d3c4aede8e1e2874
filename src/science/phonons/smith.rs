//! Smith's normal form of a 3x3 matrix of whole numbers: D = P A Q, D diagonal, P and Q invertible in whole numbers.

use super::integers::{IntMat, transposed};
use crate::science::linear::whole_determinant;

const ONE: IntMat = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

/// D, P and Q.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Smith {
    /// The diagonal of D, all numbers positive.
    pub diagonal: [i64; 3],
    /// Acts on rows.
    pub left: IntMat,
    /// Acts on columns.
    pub right: IntMat,
}

impl Smith {
    /// Of a matrix with a determinant other than 0. A diagonal one stays as it is.
    pub fn of(matrix: &IntMat) -> Option<Self> {
        if whole_determinant(matrix) == Some(0) {
            return None;
        }
        let (mut d, mut left, mut right) = (*matrix, ONE, transposed(&ONE));
        // `right` is kept transposed, so that columns are rows there.
        while !is_diagonal(&d) {
            clear(&mut d, &mut left);
            d = transposed(&d);
            clear(&mut d, &mut right);
            d = transposed(&d);
        }
        for k in 0..3 {
            if d[k][k] < 0 {
                d[k][k] = -d[k][k];
                left[k] = left[k].map(|n| -n);
            }
        }
        Some(Self { diagonal: std::array::from_fn(|k| d[k][k]), left, right: transposed(&right) })
    }
}

fn is_diagonal(m: &IntMat) -> bool {
    (0..3).all(|i| (0..3).all(|j| i == j || m[i][j] == 0))
}

/// Makes the matrix upper triangular by operations on rows, which `record` takes part in.
fn clear(m: &mut IntMat, record: &mut IntMat) {
    for k in 0..2 {
        while let Some(other) = (k + 1..3).find(|row| m[*row][k] != 0) {
            if m[k][k] == 0 || m[k][k].abs() > m[other][k].abs() {
                m.swap(k, other);
                record.swap(k, other);
                continue;
            }
            let times = m[other][k].div_euclid(m[k][k]);
            for matrix in [&mut *m, &mut *record] {
                matrix[other] = std::array::from_fn(|j| matrix[other][j] - times * matrix[k][j]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::integers::product;
    use super::*;

    #[test]
    fn the_form_is_diagonal() {
        for matrix in [
            ONE,
            [[0, 27, 27], [27, 0, 27], [20, 20, 0]],
            [[2, 3, 5], [-7, 11, 13], [17, 19, -23]],
            [[0, 0, 3], [5, 0, 0], [0, -4, 0]],
        ] {
            let Smith { diagonal: [a, b, c], left, right } = Smith::of(&matrix).expect("a volume");
            assert_eq!(product(&product(&left, &matrix), &right), [[a, 0, 0], [0, b, 0], [0, 0, c]]);
            assert!(a > 0 && b > 0 && c > 0);
            let size = |matrix| whole_determinant(matrix).map(i128::abs);
            assert_eq!((size(&left), size(&right)), (Some(1), Some(1)));
        }
        assert_eq!(Smith::of(&[[1, 1, 0], [2, 2, 0], [0, 0, 1]]), None);
    }
}
