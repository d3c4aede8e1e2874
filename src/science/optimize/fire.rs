//! FIRE: molecular dynamics that turns the velocity towards the force, speeds up while it goes
//! downhill and stops when it does not, as ASE's `FIRE`. E. Bitzek et al., Phys. Rev. Lett. 97, 170201
//! (2006), doi:10.1103/PhysRevLett.97.170201.

use super::vector::{along, dot, norm, scaled, within_together};
use super::{Evaluation, Optimizer, Target};
use crate::science::error::Result;

/// What FIRE can be told, by ASE's names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FireOptions {
    /// The farthest that all atoms together may move in a step (the length of the whole vector), Angstrom.
    pub maxstep: f64,
    /// The time step at first, in units in which masses are 1.
    pub dt: f64,
    /// The largest time step.
    pub dtmax: f64,
    /// Steps downhill before the time step grows.
    pub nmin: usize,
    /// By what it grows.
    pub finc: f64,
    /// By what it shrinks when the force turns against the velocity.
    pub fdec: f64,
    /// The mixing after that.
    pub astart: f64,
    /// By what the mixing shrinks with every step downhill.
    pub fa: f64,
    /// The mixing at first.
    pub a: f64,
    /// Whether a step that raised the energy is taken back.
    pub downhill_check: bool,
}

impl Default for FireOptions {
    fn default() -> Self {
        Self {
            maxstep: 0.2,
            dt: 0.1,
            dtmax: 1.0,
            nmin: 5,
            finc: 1.1,
            fdec: 0.5,
            astart: 0.1,
            fa: 0.99,
            a: 0.1,
            downhill_check: false,
        }
    }
}

/// The optimiser.
#[derive(Debug)]
pub struct Fire {
    options: FireOptions,
    dt: f64,
    mixing: f64,
    downhill: usize,
    velocity: Option<Vec<f64>>,
    /// Energy and coordinates of the step before, for the downhill check.
    last: Option<(f64, Vec<f64>)>,
}

impl Fire {
    /// FIRE at rest.
    pub fn new(options: FireOptions) -> Self {
        Self { options, dt: options.dt, mixing: options.a, downhill: 0, velocity: None, last: None }
    }

    /// Goes back if the energy rose. The force used afterwards is, as in ASE, that of the rejected point.
    fn goes_back(&mut self, target: &mut dyn Target, now: &Evaluation) -> Result<bool> {
        if !self.options.downhill_check {
            return Ok(false);
        }
        let rose = match &self.last {
            Some((value, x)) if now.value > *value => {
                target.move_to(x)?;
                true
            }
            _ => false,
        };
        let value = if rose { target.evaluate()?.value } else { now.value };
        self.last = Some((value, target.coordinates()));
        Ok(rose)
    }
}

impl Optimizer for Fire {
    fn step(&mut self, target: &mut dyn Target, now: &Evaluation) -> Result<()> {
        let force = scaled(-1.0, &now.gradient);
        let rose = self.goes_back(target, now)?;
        let FireOptions { maxstep, dtmax, nmin, finc, fdec, astart, fa, .. } = self.options;
        let velocity = match self.velocity.take() {
            None => vec![0.0; force.len()],
            Some(velocity) if dot(&force, &velocity) > 0.0 && !rose => {
                let turned = turned(&velocity, &force, self.mixing);
                if self.downhill > nmin {
                    self.dt = (self.dt * finc).min(dtmax);
                    self.mixing *= fa;
                }
                self.downhill += 1;
                turned
            }
            Some(velocity) => {
                self.mixing = astart;
                self.dt *= fdec;
                self.downhill = 0;
                vec![0.0; velocity.len()]
            }
        };
        let velocity = along(&velocity, self.dt, &force);
        let step = within_together(scaled(self.dt, &velocity), maxstep);
        self.velocity = Some(velocity);
        let next = along(&target.coordinates(), 1.0, &step);
        target.move_to(&next)
    }
}

/// (1 - mixing) v + mixing |v| f / |f|.
pub(super) fn turned(velocity: &[f64], force: &[f64], mixing: f64) -> Vec<f64> {
    let share = mixing * norm(velocity) / norm(force);
    along(&scaled(1.0 - mixing, velocity), share, force)
}
