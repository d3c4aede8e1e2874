//! Constant energy by velocity Verlet: W. C. Swope et al., J. Chem. Phys. 76, 637 (1982), doi:10.1063/1.442716.

use super::{Dynamics, Random, System};
use crate::science::error::Result;

/// NVE.
#[derive(Clone, Copy, Debug)]
pub struct VelocityVerlet {
    /// The time step, Angstrom sqrt(u/eV).
    pub timestep: f64,
}

impl Dynamics for VelocityVerlet {
    fn step(&mut self, system: &mut System, _: &mut Random) -> Result<()> {
        system.kick(0.5 * self.timestep);
        system.drift(self.timestep)?;
        system.kick(0.5 * self.timestep);
        Ok(())
    }
}
