//! Constant temperature by stochastic rescaling of velocities: G. Bussi, D. Donadio, M. Parrinello, J. Chem. Phys.
//! 126, 014101 (2007), doi:10.1063/1.2408420.

use super::{Dynamics, Random, System, VelocityVerlet};
use crate::science::error::{Error, Result};
use crate::science::units::KB;

/// What does not move cannot be made faster, eV.
const AT_REST: f64 = 1e-12;

/// NVT.
#[derive(Clone, Copy, Debug)]
pub struct Bussi {
    /// The time step, Angstrom sqrt(u/eV).
    pub timestep: f64,
    /// K.
    pub temperature: f64,
    /// How long the temperature takes to come near, Angstrom sqrt(u/eV).
    pub taut: f64,
}

impl Bussi {
    /// By what velocities are scaled, eq. A7.
    fn factor(&self, system: &System, random: &mut Random) -> f64 {
        let freedom = system.degrees_of_freedom() as f64;
        let stays = (-self.timestep / self.taut).exp();
        let wanted = 0.5 * KB * self.temperature * freedom;
        let comes = (1.0 - stays) * wanted / system.kinetic_energy() / freedom;
        let noise = random.normal();
        let others = random.chi_squared(freedom - 1.0);
        (stays + comes * (others + noise * noise) + 2.0 * noise * (stays * comes).sqrt()).sqrt()
    }
}

impl Dynamics for Bussi {
    fn begin(&mut self, system: &mut System) -> Result<()> {
        if system.kinetic_energy() > AT_REST {
            return Ok(());
        }
        let reason = "nothing moves, and Bussi's thermostat can only scale velocities: give the atoms momenta";
        Err(Error::bad("structure", reason))
    }

    fn step(&mut self, system: &mut System, random: &mut Random) -> Result<()> {
        system.scale_momenta(self.factor(system, random));
        VelocityVerlet { timestep: self.timestep }.step(system, random)
    }

    fn is_random(&self) -> bool {
        true
    }
}
