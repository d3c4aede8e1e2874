//! An inverse Hessian kept as the pairs of displacement and change of gradient it was made from: the two
//! loops of J. Nocedal, Math. Comput. 35, 773 (1980), doi:10.1090/S0025-5718-1980-0572855-7. With all
//! pairs kept it is the inverse of BFGS itself, at the cost of vectors instead of a matrix.

use std::collections::VecDeque;

use super::vector::{along, dot, scaled};

/// The inverse Hessian: `start` times the identity, and what was learned since.
#[derive(Debug)]
pub(super) struct History {
    start: f64,
    /// The most pairs to keep.
    memory: usize,
    pairs: VecDeque<Pair>,
}

#[derive(Debug)]
struct Pair {
    displacement: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (displacement . change); no sign is asked of the curvature.
    weight: f64,
}

/// The weight of a pair of orthogonal vectors, whose own is infinite; as ASE has it.
const LARGE_WEIGHT: f64 = 1000.0;

impl History {
    /// `start` times the identity.
    pub(super) fn new(start: f64, memory: usize) -> Self {
        Self { start, memory, pairs: VecDeque::new() }
    }

    /// Learns that `displacement` changed the gradient by `change`; the oldest pair beyond the memory goes.
    pub(super) fn learn(&mut self, displacement: Vec<f64>, change: Vec<f64>) {
        let weight = 1.0 / dot(&displacement, &change);
        let weight = if weight.is_finite() { weight } else { LARGE_WEIGHT };
        self.pairs.push_back(Pair { displacement, change, weight });
        if self.pairs.len() > self.memory {
            self.pairs.pop_front();
        }
    }

    /// Minus the inverse Hessian times `gradient`.
    pub(super) fn descend(&self, gradient: &[f64]) -> Vec<f64> {
        let mut rest = gradient.to_vec();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = pair.weight * dot(&pair.displacement, &rest);
            rest = along(&rest, -share, &pair.change);
            shares.push(share);
        }
        let mut step = scaled(self.start, &rest);
        for (pair, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let back = pair.weight * dot(&pair.change, &step);
            step = along(&step, share - back, &pair.displacement);
        }
        scaled(-1.0, &step)
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};

    use super::History;

    #[test]
    fn with_all_pairs_it_is_the_inverse_of_bfgs() {
        let size = 6;
        let vector = |seed: f64| DVector::from_fn(size, |i, _| (seed * (1.3 + i as f64)).sin());
        let mut inverse = DMatrix::identity(size, size) * 0.5;
        let mut history = History::new(0.5, usize::MAX);
        for round in 1..9 {
            let s = vector(0.7 * f64::from(round));
            let y = &s * 3.0 + vector(0.2 * f64::from(round));
            let rho = 1.0 / y.dot(&s);
            let left = DMatrix::identity(size, size) - &s * y.transpose() * rho;
            // Nocedal and Wright, Numerical Optimization (2006), eq. 6.17.
            inverse = &left * inverse * left.transpose() + &s * s.transpose() * rho;
            history.learn(s.as_slice().to_vec(), y.as_slice().to_vec());
            let g = vector(2.1 * f64::from(round));
            let (expected, found) = (-(&inverse * &g), DVector::from_vec(history.descend(g.as_slice())));
            assert!((&found - &expected).norm() < 1e-10 * expected.norm(), "round {round}");
        }
    }
}
