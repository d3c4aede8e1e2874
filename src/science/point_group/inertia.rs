//! Principal axes and moments of inertia.

use super::molecule::Site;
use crate::science::linear::{Mat3, Vec3, dot};

/// More sweeps than Jacobi's method needs for a matrix of three rows.
const SWEEPS: usize = 50;

/// Moments of inertia as fractions of half their sum, each with its axis (of length 1). In the order of the axes
/// x, y, z that they are nearest to, as far as that is defined. `None` if all atoms are in one point.
pub(super) fn principal(sites: &[Site]) -> Option<[(f64, Vec3); 3]> {
    let total: f64 = sites.iter().map(|site| site.weight * dot(site.place, site.place)).sum();
    if total == 0.0 {
        return None;
    }
    let mut tensor = [[0.0; 3]; 3];
    for Site { weight, place, .. } in sites {
        for i in 0..3 {
            for j in 0..3 {
                let diagonal = if i == j { dot(*place, *place) } else { 0.0 };
                tensor[i][j] += weight * (diagonal - place[i] * place[j]) / total;
            }
        }
    }
    let axes = diagonalise(&mut tensor);
    Some(std::array::from_fn(|k| (tensor[k][k], std::array::from_fn(|i| axes[i][k]))))
}

/// Jacobi's method: turns each plane by the smaller angle that clears its off-diagonal element, until none
/// is left. Returns the eigenvectors as columns. W. H. Press et al., Numerical Recipes, section 11.1.
fn diagonalise(matrix: &mut Mat3) -> Mat3 {
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
    use super::diagonalise;

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
