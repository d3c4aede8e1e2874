//! Constant temperature by friction and noise: E. Vanden-Eijnden, G. Ciccotti, Chem. Phys. Lett. 429, 310 (2006),
//! doi:10.1016/j.cplett.2006.07.086, eq. 23.

use serde_json::{Map, Value, json};

use super::{Dynamics, Random, System};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::{Vec3, add, scale, sub};
use crate::science::units::KB;

/// NVT.
#[derive(Clone, Copy, Debug)]
pub struct Langevin {
    /// The time step, Angstrom sqrt(u/eV).
    pub timestep: f64,
    /// K.
    pub temperature: f64,
    /// 1 / (Angstrom sqrt(u/eV)).
    pub friction: f64,
    /// Whether noise leaves the centre of mass where it is.
    pub fix_com: bool,
}

/// The noise of a step, for each atom.
struct Noise {
    places: Vec<Vec3>,
    velocities: Vec<Vec3>,
}

impl Langevin {
    /// ASE draws all xi, then all eta.
    fn noise(&self, masses: &[f64], random: &mut Random) -> Noise {
        let (dt, friction) = (self.timestep, self.friction);
        let xi: Vec<Vec3> = masses.iter().map(|_| random.normal3()).collect();
        let eta: Vec<Vec3> = masses.iter().map(|_| random.normal3()).collect();
        let mut noise = Noise { places: Vec::new(), velocities: Vec::new() };
        for ((mass, xi), eta) in masses.iter().zip(xi).zip(eta) {
            let sigma = (2.0 * KB * self.temperature * friction / mass).sqrt();
            let of_xi = dt.sqrt() * sigma / 2.0 - dt.powf(1.5) * friction * sigma / 8.0;
            let of_eta = dt.powf(1.5) * sigma / (2.0 * 3f64.sqrt());
            noise.places.push(scale(eta, of_eta));
            noise.velocities.push(sub(scale(xi, of_xi), scale(eta, friction / 2.0 * of_eta)));
        }
        if self.fix_com {
            noise.centre(masses);
        }
        noise
    }

    /// Half a step of velocities.
    fn push(&self, system: &System, velocities: &mut [Vec3], noise: &Noise) {
        let (dt, friction) = (self.timestep, self.friction);
        let of_force = dt / 2.0 - dt * dt * friction / 8.0;
        let of_velocity = dt * friction / 2.0 - dt * dt * friction * friction / 8.0;
        let of_atoms = system.forces().iter().zip(system.masses()).zip(&noise.velocities);
        for (velocity, ((force, mass), noise)) in velocities.iter_mut().zip(of_atoms) {
            let change = sub(scale(*force, of_force / mass), scale(*velocity, of_velocity));
            *velocity = add(*velocity, add(change, *noise));
        }
    }
}

impl Noise {
    /// Takes the mean away, and makes up for what the others lose by that.
    fn centre(&mut self, masses: &[f64]) {
        let count = masses.len() as f64;
        let factor = (count / (count - 1.0)).sqrt();
        let place = self.places.iter().fold([0.0; 3], |sum, place| add(sum, *place));
        let momenta = self.velocities.iter().zip(masses).map(|(velocity, mass)| scale(*velocity, *mass));
        let momentum = momenta.fold([0.0; 3], add);
        for ((place_of, velocity), mass) in self.places.iter_mut().zip(&mut self.velocities).zip(masses) {
            *place_of = scale(sub(*place_of, scale(place, 1.0 / count)), factor);
            *velocity = scale(sub(*velocity, scale(momentum, 1.0 / (mass * count))), factor);
        }
    }
}

impl Dynamics for Langevin {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        if self.fix_com && atoms.len() == 1 {
            return Err(Error::bad("fixcm of dynamics_kwargs", "must be false for a single atom"));
        }
        Ok(())
    }

    fn step(&mut self, system: &mut System, random: &mut Random) -> Result<()> {
        let noise = self.noise(system.masses(), random);
        let mut velocities = system.velocities();
        self.push(system, &mut velocities, &noise);
        let paths = velocities.iter().zip(&noise.places).map(|(v, noise)| add(scale(*v, self.timestep), *noise));
        let places = system.atoms().positions().iter().zip(paths).map(|(place, path)| add(*place, path));
        system.move_to(places.collect())?;
        self.push(system, &mut velocities, &noise);
        system.set_velocities(&velocities);
        Ok(())
    }

    fn parameters(&self) -> Map<String, Value> {
        let known = json!({"temperature_K": self.temperature, "friction": self.friction, "fixcm": self.fix_com});
        known.as_object().cloned().unwrap_or_default()
    }

    fn is_random(&self) -> bool {
        true
    }
}
