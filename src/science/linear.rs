//! The little linear algebra of cells and positions: 3-vectors and 3x3 matrices as plain
//! arrays. Cells hold one lattice vector per row, so Cartesian = fractional * cell.

/// A vector of three components.
pub type Vec3 = [f64; 3];
/// Three row vectors.
pub type Mat3 = [Vec3; 3];

/// More sweeps than Jacobi's method needs for a matrix of three rows.
const SWEEPS: usize = 50;

/// The scalar product.
pub fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The vector product.
pub fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The length.
pub fn norm(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

/// `a + b`.
pub fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// `a - b`.
pub fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// `factor * a`.
pub fn scale(a: Vec3, factor: f64) -> Vec3 {
    a.map(|component| component * factor)
}

/// The row vector `a` times the matrix `m`.
pub fn row_times(a: Vec3, m: &Mat3) -> Vec3 {
    std::array::from_fn(|k| a[0] * m[0][k] + a[1] * m[1][k] + a[2] * m[2][k])
}

/// The product of two matrices.
pub fn product(a: &Mat3, b: &Mat3) -> Mat3 {
    a.map(|row| row_times(row, b))
}

/// Rows become columns.
pub fn transposed(m: &Mat3) -> Mat3 {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}

/// The determinant; its modulus is the volume of a cell.
pub fn determinant(m: &Mat3) -> f64 {
    dot(m[0], cross(m[1], m[2]))
}

/// The determinant of a matrix of whole numbers, exactly; `None` where that is beyond all bounds.
pub fn whole_determinant(m: &[[i64; 3]; 3]) -> Option<i128> {
    let m = m.map(|row| row.map(i128::from));
    // Products of two numbers and their differences fit, those with a third may not.
    let term = |k: usize| {
        let (i, j) = ((k + 1) % 3, (k + 2) % 3);
        m[0][k].checked_mul(m[1][i] * m[2][j] - m[1][j] * m[2][i])
    };
    term(0)?.checked_add(term(1)?)?.checked_add(term(2)?)
}

/// The inverse, or `None` for a singular matrix.
pub fn inverse(m: &Mat3) -> Option<Mat3> {
    let volume = determinant(m);
    if volume == 0.0 || !volume.is_finite() {
        return None;
    }
    // The rows of the transposed inverse are the reciprocal vectors.
    let reciprocal = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
    Some(std::array::from_fn(|i| std::array::from_fn(|j| reciprocal[j][i] / volume)))
}

/// Lengths a, b, c of a cell and its angles alpha, beta, gamma in radians.
pub fn cell_parameters(cell: &Mat3) -> ([f64; 3], [f64; 3]) {
    let lengths = cell.map(norm);
    let angle = |i: usize, j: usize| (dot(cell[i], cell[j]) / (lengths[i] * lengths[j])).clamp(-1.0, 1.0).acos();
    (lengths, [angle(1, 2), angle(0, 2), angle(0, 1)])
}

/// How far the planes of a cell are apart, each pair across one of its vectors.
pub fn heights(cell: &Mat3) -> Vec3 {
    let volume = determinant(cell).abs();
    std::array::from_fn(|k| volume / norm(cross(cell[(k + 1) % 3], cell[(k + 2) % 3])))
}

/// How far `rows` are from being linearly dependent: the volume they span over the product
/// of their lengths, 1 for orthogonal vectors, 0 for dependent ones or a zero vector.
pub fn independence(rows: &[Vec3]) -> f64 {
    let lengths: f64 = rows.iter().map(|row| norm(*row)).product();
    let span = match *rows {
        [] => return 1.0,
        [a] => norm(a),
        [a, b] => norm(cross(a, b)),
        [a, b, c] => dot(a, cross(b, c)).abs(),
        _ => return 0.0,
    };
    if lengths == 0.0 { 0.0 } else { span / lengths }
}

/// Turns a symmetric matrix into the diagonal one of its eigenvalues, by Jacobi's method: turns each plane by the smaller angle that clears its off-diagonal element, until none
/// is left. Returns the eigenvectors as columns. W. H. Press et al., Numerical Recipes, section 11.1.
pub fn diagonalise(matrix: &mut Mat3) -> Mat3 {
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..SWEEPS {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if matrix[p][q].abs() < f64::MIN_POSITIVE {
                continue;
            }
            let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
            let tan = theta.signum() / (theta.abs() + theta.hypot(1.0));
            let cos = 1.0 / tan.hypot(1.0);
            let sin = tan * cos;
            for row in matrix.iter_mut().chain(&mut vectors) {
                (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
            }
            let (first, second) = (matrix[p], matrix[q]);
            for k in 0..3 {
                matrix[p][k] = cos * first[k] - sin * second[k];
                matrix[q][k] = sin * first[k] + cos * second[k];
            }
        }
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::{diagonalise, whole_determinant};

    #[test]
    fn determinants_of_whole_numbers_are_exact_or_none() {
        let large = 1 << 40;
        assert_eq!(whole_determinant(&[[-1, 1, 1], [1, -1, 1], [1, 1, -1]]), Some(4));
        assert_eq!(whole_determinant(&[[large, 0, 0], [0, large, 1], [0, 1, 1]]), Some((1 << 80) - (1 << 40)));
        assert_eq!(whole_determinant(&[[i64::MIN, 0, 0], [0, i64::MIN, 0], [0, 0, i64::MIN]]), None);
    }

    #[test]
    fn eigenvectors_turn_the_matrix_into_its_eigenvalues() {
        let matrix = [[0.9, 0.1, -0.2], [0.1, 0.5, 0.05], [-0.2, 0.05, 0.6]];
        let mut values = matrix;
        let vectors = diagonalise(&mut values);
        for k in 0..3 {
            for i in 0..3 {
                let product: f64 = (0..3).map(|j| matrix[i][j] * vectors[j][k]).sum();
                assert!((product - values[k][k] * vectors[i][k]).abs() < 1e-14);
            }
        }
    }
}
