//! BFGS with a full Hessian, stepping by the absolute values of its eigenvalues, as ASE's `BFGS`:
//! the Hessian starts as alpha times the identity and is updated without a test of curvature;
//! a saddle point repels because eigenvalues count by modulus; a step is shortened as a whole
//! until no atom moves farther than `maxstep`. J. Nocedal and S. J. Wright, Numerical
//! Optimization (2006), eq. 6.19.
//!
//! The Hessian is alpha everywhere outside the space of the gradients seen, so only its
//! restriction to that space is kept (see `subspace`). The steps are the same, and the cost of one
//! grows with the number of steps instead of the cube of the number of atoms.

use super::subspace::Hessian;
use super::vector::{along, difference, within};
use super::{Evaluation, Optimizer, Target, longest_row};
use crate::science::error::{Error, Result};

/// A displacement below this leaves the Hessian as it is, Angstrom.
const STANDSTILL: f64 = 1e-7;

/// What BFGS can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BfgsOptions {
    /// The farthest an atom may move in a step, Angstrom.
    pub maxstep: f64,
    /// The curvature assumed at first, eV/Angstrom^2.
    pub alpha: f64,
}

impl Default for BfgsOptions {
    fn default() -> Self {
        Self { maxstep: 0.2, alpha: 70.0 }
    }
}

/// The optimiser.
#[derive(Debug)]
pub struct Bfgs {
    options: BfgsOptions,
    hessian: Hessian,
    last: Option<(Vec<f64>, Vec<f64>)>,
    steps: usize,
}

impl Bfgs {
    /// BFGS that has seen nothing yet.
    pub fn new(options: BfgsOptions) -> Self {
        Self { options, hessian: Hessian::new(options.alpha), last: None, steps: 0 }
    }
}

impl Optimizer for Bfgs {
    fn step(&mut self, target: &mut dyn Target, now: &Evaluation) -> Result<()> {
        let x = target.coordinates();
        if let Some((old_x, old_gradient)) = self.last.take() {
            let dx = difference(&x, &old_x);
            if dx.iter().fold(0.0, |most: f64, d| most.max(d.abs())) >= STANDSTILL {
                self.hessian.update(&dx, &difference(&now.gradient, &old_gradient));
            }
        }
        let step = self.hessian.descend(&now.gradient);
        if !longest_row(&step).is_finite() {
            let reason = "the approximate Hessian is singular".into();
            return Err(Error::Optimizer { step: self.steps, reason });
        }
        let next = along(&x, 1.0, &within(step, self.options.maxstep));
        self.last = Some((x, now.gradient.clone()));
        self.steps += 1;
        target.move_to(&next)
    }
}
