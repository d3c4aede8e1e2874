//! Products and inverses rounded as pymatgen's are, by NumPy with OpenBLAS on a processor with fused
//! multiply-add. Among vectors that are equally steep, and for atoms on the border of a cell, the last
//! bit decides what pymatgen takes; whoever rounds otherwise builds another, if equivalent, cell.

use crate::science::linear::{Mat3, Vec3};

/// The scalar product: each term fused to the sum of those before it.
pub(super) fn dot(a: Vec3, b: Vec3) -> f64 {
    a[2].mul_add(b[2], a[1].mul_add(b[1], a[0] * b[0]))
}

/// The length by [`dot`].
pub(super) fn norm(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

/// The row vector `a` times the matrix `m`.
pub(in crate::science) fn row_times(a: Vec3, m: &Mat3) -> Vec3 {
    std::array::from_fn(|k| dot(a, [m[0][k], m[1][k], m[2][k]]))
}

/// The unit vector normal to a plane given by its Miller index, from the inverse of the cell.
pub(super) fn plane_normal(miller: [i32; 3], inverse: &Mat3) -> Vec3 {
    use std::f64::consts::PI;
    let [h, k, l] = miller.map(f64::from);
    // Out of the reciprocal vectors and back: a factor of 2 pi comes and goes. They are the columns of
    // the inverse, which changes the order of the sum.
    let reciprocal = inverse.map(|row| row.map(|x| x * 2.0 * PI / (2.0 * PI)));
    let normal: Vec3 = reciprocal.map(|row| l.mul_add(row[2], h.mul_add(row[0], k * row[1])));
    let length = norm(normal);
    normal.map(|x| x / length)
}

/// The inverse by LU decomposition with row pivots, or `None` for a singular matrix.
pub(in crate::science) fn inverse(m: &Mat3) -> Option<Mat3> {
    let (lu, rows) = decomposed(m)?;
    let pivots = [lu[0][0], lu[1][1], lu[2][2]].map(f64::recip);
    let column = |column: usize| {
        let unit = rows.map(|row| f64::from(u8::from(row == column)));
        let first = unit[0];
        let second = (-lu[1][0]).mul_add(first, unit[1]);
        let third = unit[2] - lu[2][1].mul_add(second, lu[2][0] * first);
        // The last unknown is taken out of the other two together, the second out of the first alone.
        let z = third * pivots[2];
        let y = (second - lu[1][2] * z) * pivots[1];
        let x = (-lu[0][1]).mul_add(y, first - lu[0][2] * z) * pivots[0];
        [x, y, z]
    };
    let columns = [column(0), column(1), column(2)];
    let inverse: Mat3 = std::array::from_fn(|i| std::array::from_fn(|j| columns[j][i]));
    inverse.as_flattened().iter().all(|x| x.is_finite()).then_some(inverse)
}

/// L (below the diagonal, ones on it) and U in one matrix, column by column, and which row went where.
fn decomposed(m: &Mat3) -> Option<(Mat3, [usize; 3])> {
    let (mut lu, mut rows) = (*m, [0, 1, 2]);
    for column in 0..3 {
        for row in 1..3 {
            let known = row.min(column);
            let sum = (0..known).fold(None, |sum: Option<f64>, k| {
                Some(sum.map_or(lu[row][k] * lu[k][column], |sum| lu[row][k].mul_add(lu[k][column], sum)))
            });
            lu[row][column] -= sum.unwrap_or_default();
        }
        let size = |row: usize| lu[row][column].abs();
        let pivot = (column..3).reduce(|best, row| if size(row) > size(best) { row } else { best })?;
        if lu[pivot][column] == 0.0 {
            return None;
        }
        lu.swap(column, pivot);
        rows.swap(column, pivot);
        for row in column + 1..3 {
            lu[row][column] *= lu[column][column].recip();
        }
    }
    Some((lu, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::linear;

    #[test]
    fn it_is_the_inverse() {
        let matrices = [
            [[1.0, 2.0, 3.5], [0.0, -4.0, 1.0], [7.0, 0.5, 0.25]],
            [[0.0, 1.8, 1.8], [1.8, 0.0, 1.8], [1.8, 1.8, 0.0]],
            [[0.0, 0.0, 2.0], [3.0, 0.0, 0.0], [0.0, 5.0, 0.0]],
        ];
        for matrix in matrices {
            let (ours, plain) = (inverse(&matrix).expect("regular"), linear::inverse(&matrix).expect("regular"));
            for (a, b) in ours.as_flattened().iter().zip(plain.as_flattened()) {
                assert!((a - b).abs() < 1e-15, "{ours:?} {plain:?}");
            }
        }
        assert_eq!(inverse(&[[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 0.0]]), None);
    }
}
