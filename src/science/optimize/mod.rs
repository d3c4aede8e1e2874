//! Minimisation: a [`Target`] is what moves (atoms, perhaps with their cell), an [`Optimizer`] knows how to
//! move it, and [`minimise`] is the loop around both: evaluate, report, converged?, step.
//! The loop and the test of convergence are ASE's, so that step counts can be compared.

mod atoms_target;
mod bfgs;
mod bfgs_line_search;
mod cell_filter;
mod cell_target;
mod fire;
mod fire2;
mod history;
mod lbfgs;
mod line_search;
mod matrix;
mod md_min;
mod method;
mod subspace;
mod vector;

pub use atoms_target::AtomsTarget;
pub use bfgs::{Bfgs, BfgsOptions};
pub use bfgs_line_search::{BfgsLineSearch, BfgsLineSearchOptions};
pub use cell_filter::{CellFilter, CellOptions};
pub use cell_target::CellTarget;
pub use fire::{Fire, FireOptions};
pub use fire2::{Fire2, Fire2Options};
pub use lbfgs::{Lbfgs, LbfgsOptions};
pub use md_min::{MdMin, MdMinOptions};
pub use method::Method;

use super::atoms::Atoms;
use super::calculator::Properties;
use super::error::Result;

/// Value and gradient of the function to minimise.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The objective in eV.
    pub value: f64,
    /// Its gradient in eV/Angstrom, three components per row; zero for what is held in place.
    pub gradient: Vec<f64>,
}

impl Evaluation {
    /// The longest row of the gradient: what is compared with `fmax`.
    pub fn fmax(&self) -> f64 {
        longest_row(&self.gradient)
    }
}

/// Something with coordinates and an energy.
pub trait Target {
    /// The coordinates in Angstrom, three per row.
    fn coordinates(&self) -> Vec<f64>;
    /// Moves to other coordinates.
    fn move_to(&mut self, coordinates: &[f64]) -> Result<()>;
    /// Value and gradient where it is now; computed once for one place.
    fn evaluate(&mut self) -> Result<Evaluation>;
}

/// A target made of atoms.
pub trait AtomicTarget: Target {
    /// The atoms as they are now.
    fn atoms(&self) -> &Atoms;
    /// What was computed for them; `None` before they are evaluated where they are.
    fn properties(&self) -> Option<&Properties>;
}

/// A way downhill. It may evaluate the target on its way; the loop evaluates where it ends.
pub trait Optimizer {
    /// One step from where the target is, `now` being the evaluation there.
    fn step(&mut self, target: &mut dyn Target, now: &Evaluation) -> Result<()>;

    /// Points looked at in all line searches so far, where ASE's log counts them.
    fn trials(&self) -> Option<usize> {
        None
    }
}

/// What the observer says after each evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Continue,
    /// Stop here.
    Stop,
}

/// How a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    /// The gradient fell below `fmax`.
    Converged,
    /// `max_steps` were made.
    OutOfSteps,
    /// The observer said so.
    Stopped,
}

/// How a minimisation went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Why it ended.
    pub ending: Ending,
    /// Steps made; 0 if the start was good enough.
    pub steps: usize,
    /// The longest row of the gradient at the end, eV/Angstrom.
    pub fmax: f64,
}

/// When to stop by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Converged when every row of the gradient is shorter than this (strictly), eV/Angstrom.
    pub fmax: f64,
    /// The most steps to make.
    pub max_steps: usize,
}

/// What the observer sees at step 0 and after every step.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a, T> {
    /// Steps made so far.
    pub number: usize,
    /// What moves.
    pub target: &'a T,
    /// Its evaluation where it is.
    pub now: &'a Evaluation,
    /// See [`Optimizer::trials`].
    pub trials: Option<usize>,
}

/// Minimises `target`; `observe` sees every step.
pub fn minimise<T: Target>(
    target: &mut T,
    optimizer: &mut dyn Optimizer,
    limits: Limits,
    mut observe: impl FnMut(Step<'_, T>) -> Verdict,
) -> Result<Outcome> {
    let mut steps = 0;
    loop {
        let now = target.evaluate()?;
        let fmax = now.fmax();
        let verdict = observe(Step { number: steps, target, now: &now, trials: optimizer.trials() });
        let ending = if fmax < limits.fmax {
            Ending::Converged
        } else if verdict == Verdict::Stop {
            Ending::Stopped
        } else if steps >= limits.max_steps {
            Ending::OutOfSteps
        } else {
            optimizer.step(target, &now)?;
            steps += 1;
            continue;
        };
        return Ok(Outcome { ending, steps, fmax });
    }
}

/// The length of the longest row of three.
pub(crate) fn longest_row(rows: &[f64]) -> f64 {
    rows.chunks(3).map(|row| row.iter().map(|x| x * x).sum::<f64>()).fold(0.0, f64::max).sqrt()
}
