//! LBFGS, as ASE's: the inverse Hessian of the last steps, never rescaled, and a step shortened as a whole
//! until no atom moves farther than `maxstep`. D. C. Liu and J. Nocedal, Math. Program. 45, 503 (1989),
//! doi:10.1007/BF01589116.

use super::history::History;
use super::line_search::{LineSearch, not_too_short};
use super::vector::{along, difference, dot, within};
use super::{Evaluation, Optimizer, Target};
use crate::science::error::Result;

/// What LBFGS can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsOptions {
    /// The farthest an atom may move in a step, Angstrom.
    pub maxstep: f64,
    /// How many steps are remembered.
    pub memory: usize,
    /// Every step is multiplied with this.
    pub damping: f64,
    /// The curvature assumed at first, eV/Angstrom^2.
    pub alpha: f64,
}

impl Default for LbfgsOptions {
    fn default() -> Self {
        Self { maxstep: 0.2, memory: 100, damping: 1.0, alpha: 70.0 }
    }
}

/// The optimiser, with or without a search along its direction.
#[derive(Debug)]
pub struct Lbfgs {
    options: LbfgsOptions,
    search: bool,
    history: History,
    last: Option<(Vec<f64>, Vec<f64>)>,
    steps: usize,
}

impl Lbfgs {
    /// LBFGS that has seen nothing yet.
    pub fn new(options: LbfgsOptions) -> Self {
        let history = History::new(1.0 / options.alpha, options.memory);
        Self { options, search: false, history, last: None, steps: 0 }
    }

    /// ASE's `LBFGSLineSearch`: the length of a step is searched for, `damping` has no effect.
    pub fn with_line_search(options: LbfgsOptions) -> Self {
        Self { search: true, ..Self::new(options) }
    }
}

impl Optimizer for Lbfgs {
    fn step(&mut self, target: &mut dyn Target, now: &Evaluation) -> Result<()> {
        let x = target.coordinates();
        if let Some((old_x, old_gradient)) = self.last.take() {
            self.history.learn(difference(&x, &old_x), difference(&now.gradient, &old_gradient));
        }
        let direction = self.history.descend(&now.gradient);
        if self.search {
            let direction = not_too_short(direction);
            let slope = dot(&now.gradient, &direction);
            let search = LineSearch { maxstep: self.options.maxstep, ..LineSearch::default() };
            search.run(target, &x, &direction, (now.value, slope), 1.0, self.steps)?;
        } else {
            let step = within(direction, self.options.maxstep);
            target.move_to(&along(&x, self.options.damping, &step))?;
        }
        self.last = Some((x, now.gradient.clone()));
        self.steps += 1;
        Ok(())
    }
}
