//! Symmetry operations about the origin, as matrices acting on columns of Cartesian coordinates.

use crate::science::linear::{Mat3, Vec3, dot, norm, scale};

/// The inversion.
pub(super) const INVERSION: Mat3 = [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]];

/// The rotation by a full turn divided by `order` (Rodrigues' formula).
pub(super) fn rotation(axis: Vec3, order: usize) -> Mat3 {
    let (sin, cos) = (std::f64::consts::TAU / order as f64).sin_cos();
    let [x, y, z] = scale(axis, 1.0 / norm(axis));
    let turn = 1.0 - cos;
    [
        [cos + x * x * turn, x * y * turn - z * sin, x * z * turn + y * sin],
        [x * y * turn + z * sin, cos + y * y * turn, y * z * turn - x * sin],
        [x * z * turn - y * sin, y * z * turn + x * sin, cos + z * z * turn],
    ]
}

/// The reflection at the plane across `normal`.
pub(super) fn reflection(normal: Vec3) -> Mat3 {
    let unit = scale(normal, 1.0 / norm(normal));
    std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j)) - 2.0 * unit[i] * unit[j]))
}

/// The rotation about `axis` followed by the reflection across it.
pub(super) fn rotoreflection(axis: Vec3, order: usize) -> Mat3 {
    let (turn, mirror) = (rotation(axis, order), reflection(axis));
    turn.map(|row| std::array::from_fn(|j| (0..3).map(|k| row[k] * mirror[k][j]).sum()))
}

/// Where an operation takes a point.
pub(super) fn apply(operation: &Mat3, point: Vec3) -> Vec3 {
    operation.map(|row| dot(row, point))
}

#[cfg(test)]
mod tests {
    use super::{apply, reflection, rotation, rotoreflection};

    #[test]
    fn operations_do_what_they_are_called() {
        let close = |a: [f64; 3], b: [f64; 3]| (0..3).all(|k| (a[k] - b[k]).abs() < 1e-12);
        assert!(close(apply(&rotation([0.0, 0.0, 2.0], 4), [1.0, 2.0, 3.0]), [-2.0, 1.0, 3.0]));
        assert!(close(apply(&reflection([0.0, 3.0, 0.0]), [1.0, 2.0, 3.0]), [1.0, -2.0, 3.0]));
        assert!(close(apply(&rotoreflection([0.0, 0.0, 1.0], 4), [1.0, 2.0, 3.0]), [-2.0, 1.0, -3.0]));
    }
}
