//! FIRE 2.0: as FIRE, but half a step back where the force turns against the velocity, and the mixing after
//! the velocity has grown (semi-implicit Euler), as ASE's `FIRE2`. J. Guenole et al., Comput. Mater. Sci.
//! 175, 109584 (2020), doi:10.1016/j.commatsci.2020.109584.

use super::fire::turned;
use super::vector::{along, dot, scaled, within_together};
use super::{Evaluation, Optimizer, Target};
use crate::science::error::Result;

/// What FIRE2 can be told, by ASE's names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fire2Options {
    /// The farthest that all atoms together may move in a step (the length of the whole vector), Angstrom.
    pub maxstep: f64,
    /// The time step at first, in units in which masses are 1.
    pub dt: f64,
    /// The largest time step.
    pub dtmax: f64,
    /// The smallest time step.
    pub dtmin: f64,
    /// Steps downhill before the time step grows.
    pub nmin: usize,
    /// By what it grows.
    pub finc: f64,
    /// By what it shrinks when the force turns against the velocity.
    pub fdec: f64,
    /// The mixing at first and after that.
    pub astart: f64,
    /// By what the mixing shrinks with every step downhill.
    pub fa: f64,
}

impl Default for Fire2Options {
    fn default() -> Self {
        Self { maxstep: 0.2, dt: 0.1, dtmax: 1.0, dtmin: 2e-3, nmin: 20, finc: 1.1, fdec: 0.5, astart: 0.25, fa: 0.99 }
    }
}

/// The optimiser.
#[derive(Debug)]
pub struct Fire2 {
    options: Fire2Options,
    dt: f64,
    mixing: f64,
    downhill: usize,
    velocity: Option<Vec<f64>>,
}

impl Fire2 {
    /// FIRE2 at rest.
    pub fn new(options: Fire2Options) -> Self {
        Self { options, dt: options.dt, mixing: options.astart, downhill: 0, velocity: None }
    }
}

impl Optimizer for Fire2 {
    fn step(&mut self, target: &mut dyn Target, now: &Evaluation) -> Result<()> {
        let Fire2Options { maxstep, dtmax, dtmin, nmin, finc, fdec, astart, fa, .. } = self.options;
        let mut force = scaled(-1.0, &now.gradient);
        let velocity = match self.velocity.take() {
            None => vec![0.0; force.len()],
            Some(velocity) if dot(&force, &velocity) > 0.0 => {
                self.downhill += 1;
                if self.downhill > nmin {
                    self.dt = (self.dt * finc).min(dtmax);
                    self.mixing *= fa;
                }
                velocity
            }
            Some(velocity) => {
                self.downhill = 0;
                self.dt = (self.dt * fdec).max(dtmin);
                self.mixing = astart;
                target.move_to(&along(&target.coordinates(), -0.5 * self.dt, &velocity))?;
                force = scaled(-1.0, &target.evaluate()?.gradient);
                vec![0.0; velocity.len()]
            }
        };
        let velocity = turned(&along(&velocity, self.dt, &force), &force, self.mixing);
        let step = within_together(scaled(self.dt, &velocity), maxstep);
        self.velocity = Some(velocity);
        let next = along(&target.coordinates(), 1.0, &step);
        target.move_to(&next)
    }
}
