//! Molecular dynamics that keeps only the velocity along the force, and none against it, as ASE's
//! `MDMin`; known as quick-min. H. Jonsson, G. Mills and K. W. Jacobsen, in Classical and Quantum Dynamics in
//! Condensed Phase Simulations (1998), doi:10.1142/9789812839664_0016, section 4.

use super::longest_row;
use super::vector::{along, dot, scaled};
use super::{Evaluation, Optimizer, Target};
use crate::science::error::Result;

/// What MDMin can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MdMinOptions {
    /// The farthest an atom may move in a step, Angstrom.
    pub maxstep: f64,
    /// The time step, in units in which masses are 1.
    pub dt: f64,
}

impl Default for MdMinOptions {
    fn default() -> Self {
        Self { maxstep: 0.2, dt: 0.2 }
    }
}

/// The optimiser.
#[derive(Debug)]
pub struct MdMin {
    options: MdMinOptions,
    velocity: Option<Vec<f64>>,
}

impl MdMin {
    /// MDMin at rest.
    pub fn new(options: MdMinOptions) -> Self {
        Self { options, velocity: None }
    }
}

impl Optimizer for MdMin {
    fn step(&mut self, target: &mut dyn Target, now: &Evaluation) -> Result<()> {
        let MdMinOptions { maxstep, dt } = self.options;
        let force = scaled(-1.0, &now.gradient);
        let velocity = match self.velocity.take() {
            None => vec![0.0; force.len()],
            Some(velocity) => {
                let velocity = along(&velocity, 0.5 * dt, &force);
                let power = dot(&velocity, &force);
                scaled(if power < 0.0 { 0.0 } else { power / dot(&force, &force) }, &force)
            }
        };
        let velocity = along(&velocity, 0.5 * dt, &force);
        let step = scaled(dt, &velocity);
        let shorter = (maxstep / (1e-6 + longest_row(&step))).min(1.0);
        self.velocity = Some(velocity);
        let next = along(&target.coordinates(), shorter, &step);
        target.move_to(&next)
    }
}
