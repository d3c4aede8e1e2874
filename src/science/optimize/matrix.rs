//! Logarithm and exponential of 3x3 matrices, and the derivative of the exponential.

use nalgebra::{Matrix3, SMatrix};

/// Square roots until a matrix is so near to the identity that the series below needs few terms.
const NEAR: f64 = 0.05;
/// The most square roots: 2^40 times the identity is no deformation.
const MOST_ROOTS: usize = 40;

/// The logarithm, by inverse scaling and squaring: N. J. Higham, Functions of Matrices (2008), section
/// 11.5. `None` for a matrix that has none among the real ones, such as one that turns space inside out.
pub(super) fn logarithm(matrix: &Matrix3<f64>) -> Option<Matrix3<f64>> {
    let identity = Matrix3::identity();
    if matrix.determinant() <= 0.0 {
        return None;
    }
    let (mut root, mut scale) = (*matrix, 1.0);
    for _ in 0..MOST_ROOTS {
        if (root - identity).norm() < NEAR {
            // log A = 2 artanh((A - 1)(A + 1)^-1); with |A - 1| < 0.05 the eighth term is below 1e-26.
            let z = (root - identity) * (root + identity).try_inverse()?;
            let (square, mut power, mut sum) = (z * z, z, Matrix3::zeros());
            for k in 0..8 {
                sum += power / f64::from(2 * k + 1);
                power *= square;
            }
            return Some(sum * (2.0 * scale));
        }
        root = square_root(&root)?;
        scale *= 2.0;
    }
    None
}

/// The principal square root: E. D. Denman and A. N. Beavers, Appl. Math. Comput. 2, 63 (1976),
/// doi:10.1016/0096-3003(76)90020-5. `None` where the iteration does not settle.
fn square_root(matrix: &Matrix3<f64>) -> Option<Matrix3<f64>> {
    let (mut root, mut inverse) = (*matrix, Matrix3::identity());
    for _ in 0..60 {
        let next = (root + inverse.try_inverse()?) * 0.5;
        inverse = (inverse + root.try_inverse()?) * 0.5;
        let moved = (next - root).norm();
        root = next;
        if moved <= 1e-15 * root.norm() {
            return Some(root);
        }
    }
    ((root * root - matrix).norm() <= 1e-12 * matrix.norm()).then_some(root)
}

/// The exponential.
pub(super) fn exponential(matrix: &Matrix3<f64>) -> Matrix3<f64> {
    matrix.exp()
}

/// The Frechet derivative of the exponential at `matrix` in a direction: the upper right block of the
/// exponential of ((A, E), (0, A)); Higham, eq. 10.43.
pub(super) fn exponential_derivative(matrix: &Matrix3<f64>, direction: &Matrix3<f64>) -> Matrix3<f64> {
    let mut block = SMatrix::<f64, 6, 6>::zeros();
    block.fixed_view_mut::<3, 3>(0, 0).copy_from(matrix);
    block.fixed_view_mut::<3, 3>(3, 3).copy_from(matrix);
    block.fixed_view_mut::<3, 3>(0, 3).copy_from(direction);
    block.exp().fixed_view::<3, 3>(0, 3).into_owned()
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix3, matrix};

    use super::{exponential, exponential_derivative, logarithm};

    #[test]
    fn logarithm_and_exponential_undo_each_other() {
        for deformation in [
            Matrix3::identity(),
            matrix![1.02, 0.3, -0.1; 0.05, 0.9, 0.2; -0.2, 0.1, 1.4],
            matrix![0.0, -1.0, 0.0; 1.0, 0.0, 0.0; 0.0, 0.0, 2.5],
            matrix![30.0, 2.0, 1.0; 0.0, 25.0, 3.0; 1.0, 0.0, 40.0],
        ] {
            let log = logarithm(&deformation).expect("has one");
            assert!((exponential(&log) - deformation).norm() < 1e-13 * deformation.norm(), "{deformation}");
        }
        assert_eq!(logarithm(&Matrix3::zeros()), None);
        assert_eq!(logarithm(&matrix![1.0, 0.0, 0.0; 0.0, -1.0, 0.0; 0.0, 0.0, 1.0]), None);
    }

    #[test]
    fn the_derivative_is_that_of_differences() {
        let at = matrix![0.1, 0.3, -0.1; 0.05, -0.2, 0.2; -0.2, 0.1, 0.4];
        let direction = matrix![0.5, -0.1, 0.2; 0.0, 0.3, 0.7; 0.1, 0.4, -0.6];
        let step = 1e-5;
        let differences =
            (exponential(&(at + direction * step)) - exponential(&(at - direction * step))) / (2.0 * step);
        assert!((exponential_derivative(&at, &direction) - differences).norm() < 1e-9);
    }
}
