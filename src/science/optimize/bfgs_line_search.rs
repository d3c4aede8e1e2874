//! BFGS on the inverse Hessian with a search along its direction, as ASE's `BFGSLineSearch`
//! (`QuasiNewton`). Energies are taken over `alpha`, so that the inverse Hessian starts as the identity.
//! J. Nocedal and S. J. Wright, Numerical Optimization (2006), eq. 6.17 and algorithm 6.1.

use super::history::History;
use super::line_search::{LineSearch, not_too_short};
use super::vector::{difference, dot, scaled};
use super::{Evaluation, Optimizer, Target};
use crate::science::error::Result;

/// What BFGSLineSearch can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BfgsLineSearchOptions {
    /// The farthest an atom may move in one trial of the search, Angstrom.
    pub maxstep: f64,
    /// A step has to lower the energy by this fraction of what the slope promises.
    pub c1: f64,
    /// A step has to flatten the slope to this fraction of what it was.
    pub c2: f64,
    /// The curvature assumed at first, eV/Angstrom^2.
    pub alpha: f64,
    /// The longest step, in lengths of the direction.
    pub stpmax: f64,
}

impl Default for BfgsLineSearchOptions {
    fn default() -> Self {
        Self { maxstep: 0.2, c1: 0.23, c2: 0.46, alpha: 10.0, stpmax: 50.0 }
    }
}

/// The optimiser.
#[derive(Debug)]
pub struct BfgsLineSearch {
    options: BfgsLineSearchOptions,
    history: History,
    last: Option<Last>,
    steps: usize,
    trials: usize,
}

/// What the step before left behind.
#[derive(Debug)]
struct Last {
    x: Vec<f64>,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    /// Whether the search found a point worth learning from.
    teaches: bool,
}

impl BfgsLineSearch {
    /// BFGSLineSearch that has seen nothing yet.
    pub fn new(options: BfgsLineSearchOptions) -> Self {
        Self { options, history: History::new(1.0, usize::MAX), last: None, steps: 0, trials: 0 }
    }
}

impl Optimizer for BfgsLineSearch {
    fn step(&mut self, target: &mut dyn Target, now: &Evaluation) -> Result<()> {
        let scale = 1.0 / self.options.alpha;
        let x = target.coordinates();
        let gradient = scaled(scale, &now.gradient);
        if let Some(last) = self.last.take() {
            // Only where the slope along the last direction became flatter.
            let flatter = dot(&gradient, &last.direction).abs() < dot(&last.gradient, &last.direction).abs();
            if last.teaches && flatter {
                self.history.learn(difference(&x, &last.x), difference(&gradient, &last.gradient));
            }
        }
        let direction = not_too_short(self.history.descend(&gradient));
        let slope = dot(&gradient, &direction);
        let BfgsLineSearchOptions { maxstep, c1, c2, stpmax, .. } = self.options;
        let search = LineSearch { maxstep, c1, c2, stpmax };
        let found = search.run(target, &x, &direction, (now.value * scale, slope), scale, self.steps)?;
        self.last = Some(Last { x, gradient, direction, teaches: found.at > 0.0 && !found.at_limit });
        self.steps += 1;
        self.trials += found.trials;
        Ok(())
    }

    fn trials(&self) -> Option<usize> {
        Some(self.trials)
    }
}
