//! Constant temperature by weak coupling: H. J. C. Berendsen et al., J. Chem. Phys. 81, 3684 (1984),
//! doi:10.1063/1.448118. The mean temperature is right, its fluctuation is not.

use super::{Dynamics, Random, System};
use crate::science::error::Result;
use crate::science::linear::{Vec3, add, scale, sub};

/// Velocities change by no more than this in a step.
const MOST: f64 = 0.1;

/// NVT, roughly.
#[derive(Clone, Copy, Debug)]
pub struct NvtBerendsen {
    /// The time step, Angstrom sqrt(u/eV).
    pub timestep: f64,
    /// K.
    pub temperature: f64,
    /// How long the temperature takes to come near, Angstrom sqrt(u/eV).
    pub taut: f64,
    /// Whether the mean momentum is taken away.
    pub fix_com: bool,
}

impl Dynamics for NvtBerendsen {
    fn step(&mut self, system: &mut System, _: &mut Random) -> Result<()> {
        self.scale_velocities(system);
        self.fly(system)
    }
}

impl NvtBerendsen {
    /// The temperature follows, eq. 11.
    pub(super) fn scale_velocities(&self, system: &mut System) {
        scale_velocities(system, self.temperature, self.timestep / self.taut);
    }

    /// A step of velocity Verlet, in the middle of which the mean momentum is taken away.
    pub(super) fn fly(&self, system: &mut System) -> Result<()> {
        system.kick(0.5 * self.timestep);
        if self.fix_com {
            // In ASE forces push fixed atoms, too, until the constraint stops them.
            let forces = system.atoms().fixed().iter().map(|index| system.properties().forces[*index]);
            let pushes = forces.map(|force| scale(force, 0.5 * self.timestep));
            let momenta = system.momenta();
            let sum = momenta.iter().copied().chain(pushes).fold([0.0; 3], add);
            let mean = scale(sum, 1.0 / momenta.len() as f64);
            let moved: Vec<Vec3> = momenta.iter().map(|momentum| sub(*momentum, mean)).collect();
            system.set_momenta(moved);
        }
        system.drift(self.timestep)?;
        system.kick(0.5 * self.timestep);
        Ok(())
    }
}

/// Eq. 11, where `share` is the time step over the time constant.
fn scale_velocities(system: &mut System, temperature: f64, share: f64) {
    let now = system.temperature();
    if now > 0.0 {
        let factor = (1.0 + (temperature / now - 1.0) * share).max(0.0).sqrt();
        system.scale_momenta(factor.clamp(1.0 - MOST, 1.0 + MOST));
    }
}
