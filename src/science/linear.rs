//! The little linear algebra of cells and positions: 3-vectors and 3x3 matrices as plain
//! arrays. Cells hold one lattice vector per row, so Cartesian = fractional * cell.

/// A vector of three components.
pub type Vec3 = [f64; 3];
/// Three row vectors.
pub type Mat3 = [Vec3; 3];

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

/// The determinant; its modulus is the volume of a cell.
pub fn determinant(m: &Mat3) -> f64 {
    dot(m[0], cross(m[1], m[2]))
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
