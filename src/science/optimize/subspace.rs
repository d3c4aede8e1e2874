//! A symmetric matrix alpha * 1 + (something of low rank), kept as its restriction to a growing
//! orthonormal basis. Every update and step of a quasi-Newton method lies in the span of the
//! gradients and displacements seen, so nothing is lost against the full matrix: this is exact,
//! not a limited memory.

use nalgebra::{DMatrix, DVector};

/// A vector whose part outside the basis is shorter than this fraction of it lies inside.
const INSIDE: f64 = 1e-12;

/// The approximate Hessian of a quasi-Newton method.
#[derive(Debug)]
pub(super) struct Hessian {
    alpha: f64,
    /// Orthonormal vectors.
    basis: Vec<DVector<f64>>,
    /// The matrix in that basis; outside it is alpha times the identity.
    inner: DMatrix<f64>,
}

impl Hessian {
    /// alpha times the identity.
    pub(super) fn new(alpha: f64) -> Self {
        Self { alpha, basis: Vec::new(), inner: DMatrix::zeros(0, 0) }
    }

    /// H + y y^T / (s.y) - H s s^T H / (s.H s), for a displacement s that changed the gradient by y.
    pub(super) fn update(&mut self, displacement: &[f64], change: &[f64]) {
        let displacement = DVector::from_column_slice(displacement);
        let change = DVector::from_column_slice(change);
        self.extend(&displacement);
        self.extend(&change);
        let s = self.inside(&displacement);
        let y = self.inside(&change);
        let hs = &self.inner * &s;
        self.inner.ger(1.0 / s.dot(&y), &y, &y, 1.0);
        self.inner.ger(-1.0 / s.dot(&hs), &hs, &hs, 1.0);
    }

    /// -|H|^-1 g, where |H| has the absolute eigenvalues of H.
    pub(super) fn descend(&self, gradient: &[f64]) -> Vec<f64> {
        let gradient = DVector::from_column_slice(gradient);
        let g = self.inside(&gradient);
        let step = self.solve_absolute(&g);
        // Outside the basis -g/alpha, inside what was just solved.
        let mut whole = gradient * (-1.0 / self.alpha);
        for (vector, (inside, g)) in self.basis.iter().zip(step.iter().zip(&g)) {
            whole.axpy(g / self.alpha - inside, vector, 1.0);
        }
        whole.as_slice().to_vec()
    }

    fn solve_absolute(&self, g: &DVector<f64>) -> DVector<f64> {
        if self.inner.is_empty() {
            return g.clone();
        }
        // A positive definite matrix is its own absolute value, and a Cholesky factorisation
        // much cheaper than eigenvectors.
        if let Some(cholesky) = self.inner.clone().cholesky() {
            return cholesky.solve(g);
        }
        let eigen = self.inner.clone().symmetric_eigen();
        let mut along = eigen.eigenvectors.tr_mul(g);
        along.component_div_assign(&eigen.eigenvalues.abs());
        eigen.eigenvectors * along
    }

    /// The components of `vector` along the basis.
    fn inside(&self, vector: &DVector<f64>) -> DVector<f64> {
        DVector::from_iterator(self.basis.len(), self.basis.iter().map(|b| b.dot(vector)))
    }

    /// Adds what of `vector` lies outside the basis, by Gram-Schmidt done twice
    /// (L. Giraud et al., Numer. Math. 101, 87 (2005), doi:10.1007/s00211-005-0615-4).
    fn extend(&mut self, vector: &DVector<f64>) {
        let length = vector.norm();
        if self.basis.len() >= vector.len() || length == 0.0 {
            return;
        }
        let mut rest = vector / length;
        for _ in 0..2 {
            for b in &self.basis {
                let along = b.dot(&rest);
                rest.axpy(-along, b, 1.0);
            }
        }
        let outside = rest.norm();
        if outside <= INSIDE {
            return;
        }
        self.basis.push(rest / outside);
        let size = self.basis.len();
        let inner = std::mem::replace(&mut self.inner, DMatrix::zeros(0, 0));
        self.inner = inner.resize(size, size, 0.0);
        self.inner[(size - 1, size - 1)] = self.alpha;
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};

    use super::Hessian;

    /// The full matrix, as the update is written in books.
    fn update(h: &mut DMatrix<f64>, s: &DVector<f64>, y: &DVector<f64>) {
        let hs = &*h * s;
        let rank_two = y * y.transpose() / y.dot(s) - &hs * hs.transpose() / s.dot(&hs);
        *h += rank_two;
    }

    fn vector(length: usize, seed: f64) -> DVector<f64> {
        DVector::from_fn(length, |i, _| (seed * (1.3 + i as f64)).sin())
    }

    #[test]
    fn steps_are_those_of_the_full_matrix_whatever_its_curvature() {
        let size = 9;
        let mut full = DMatrix::identity(size, size) * 70.0;
        let mut restricted = Hessian::new(70.0);
        let mut indefinite = 0;
        // More updates than dimensions, so that the basis fills up on the way.
        for round in 1..14 {
            let s = vector(size, 0.7 * f64::from(round));
            let curvature = if round % 3 == 0 { -30.0 } else { 30.0 };
            let y = &s * curvature + vector(size, 0.2 * f64::from(round)) * 10.0;
            update(&mut full, &s, &y);
            restricted.update(s.as_slice(), y.as_slice());
            let g = vector(size, 2.1 * f64::from(round));
            let eigen = full.clone().symmetric_eigen();
            indefinite += usize::from(eigen.eigenvalues.min() < 0.0);
            let scaled = eigen.eigenvectors.tr_mul(&g).component_div(&eigen.eigenvalues.abs());
            let expected = -(&eigen.eigenvectors * scaled);
            let found = DVector::from_vec(restricted.descend(g.as_slice()));
            assert!((&found - &expected).norm() < 1e-8 * expected.norm(), "round {round}");
        }
        assert!(indefinite > 2 && restricted.basis.len() == size, "{indefinite}");
    }
}
