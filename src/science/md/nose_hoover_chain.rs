//! Constant temperature by a chain of Nose-Hoover thermostats: G. J. Martyna, M. L. Klein, M. Tuckerman, J. Chem.
//! Phys. 97, 2635 (1992), doi:10.1063/1.463940, integrated as by M. E. Tuckerman et al., J. Phys. A 39, 5629
//! (2006), doi:10.1088/0305-4470/39/19/S18, with the fourth-order weights of H. Yoshida, Phys. Lett. A 150, 262
//! (1990), doi:10.1016/0375-9601(90)90092-3.

use serde_json::{Value, json};

use super::{Dynamics, Random, System, numbers};
use crate::science::error::{Error, Result};
use crate::science::units::KB;

/// NVT.
#[derive(Clone, Debug)]
pub struct NoseHooverChainNvt {
    /// The time step, Angstrom sqrt(u/eV).
    pub timestep: f64,
    /// What keeps the temperature.
    pub thermostat: NoseHooverChain,
}

impl NoseHooverChainNvt {
    /// For a temperature in K; `tdamp`, in the unit of the time step, is how long it takes to come near.
    pub fn new(timestep: f64, temperature: f64, tdamp: f64, links: usize, loops: usize) -> Self {
        Self { timestep, thermostat: NoseHooverChain::new(temperature, tdamp, links, loops) }
    }

    /// The energy that is conserved, eV.
    pub fn conserved_energy(&self, system: &System) -> f64 {
        let freedom = system.degrees_of_freedom() as f64;
        system.properties().energy + system.kinetic_energy() + self.thermostat.energy(freedom)
    }

    fn half(&mut self, system: &mut System) {
        let freedom = system.degrees_of_freedom() as f64;
        let factor = self.thermostat.advance(2.0 * system.kinetic_energy(), freedom, 0.5 * self.timestep);
        system.scale_momenta(factor);
    }
}

impl Dynamics for NoseHooverChainNvt {
    fn step(&mut self, system: &mut System, _: &mut Random) -> Result<()> {
        self.half(system);
        system.kick(0.5 * self.timestep);
        system.drift(self.timestep)?;
        system.kick(0.5 * self.timestep);
        self.half(system);
        Ok(())
    }

    fn kept(&self) -> Value {
        self.thermostat.kept()
    }

    fn restore(&mut self, kept: &Value) -> Result<()> {
        self.thermostat.restore(kept)
    }
}

/// A chain that holds the temperature of something with so many degrees of freedom. ASE counts fixed atoms as if
/// they moved, which heats the others; here they do not count.
#[derive(Clone, Debug)]
pub struct NoseHooverChain {
    /// k T, eV.
    kt: f64,
    /// Angstrom sqrt(u/eV).
    damp: f64,
    loops: usize,
    /// Degrees of freedom for which the mass of the first link is made, if not for those that it holds.
    weight: Option<f64>,
    eta: Vec<f64>,
    p_eta: Vec<f64>,
}

impl NoseHooverChain {
    /// For a temperature in K; `damp` is how long it takes to come near.
    pub fn new(temperature: f64, damp: f64, links: usize, loops: usize) -> Self {
        let (eta, p_eta) = (vec![0.0; links], vec![0.0; links]);
        Self { kt: KB * temperature, damp, loops, weight: None, eta, p_eta }
    }

    /// The same chain with a mass of the first link as if it held `freedom` degrees of freedom.
    pub(super) fn weighing(mut self, freedom: f64) -> Self {
        self.weight = Some(freedom);
        self
    }

    /// The mass of a link.
    fn mass(&self, link: usize, freedom: f64) -> f64 {
        let count = if link == 0 { self.weight.unwrap_or(freedom) } else { 1.0 };
        count * self.kt * self.damp * self.damp
    }

    /// Moves on by `time` and says by what momenta are scaled meanwhile; `action` is twice their kinetic energy, eV.
    pub fn advance(&mut self, action: f64, freedom: f64, time: f64) -> f64 {
        let edge = 1.0 / (2.0 - 2f64.cbrt());
        let mut factor = 1.0;
        for _ in 0..self.loops {
            for weight in [edge, -2f64.cbrt() * edge, edge] {
                factor *= self.part(action * factor * factor, freedom, weight * time / self.loops as f64);
            }
        }
        factor
    }

    fn part(&mut self, action: f64, freedom: f64, time: f64) -> f64 {
        for link in (0..self.eta.len()).rev() {
            self.push(link, action, freedom, time);
        }
        for link in 0..self.eta.len() {
            self.eta[link] += time * self.p_eta[link] / self.mass(link, freedom);
        }
        let factor = (-time * self.p_eta[0] / self.mass(0, freedom)).exp();
        for link in 0..self.eta.len() {
            self.push(link, action * factor * factor, freedom, time);
        }
        factor
    }

    /// Half of `time` for the momentum of one link.
    fn push(&mut self, link: usize, action: f64, freedom: f64, time: f64) {
        let next = self.p_eta.get(link + 1).map_or(0.0, |next| next / self.mass(link + 1, freedom));
        let drag = (-time / 4.0 * next).exp();
        let force = match link.checked_sub(1) {
            None => action - freedom * self.kt,
            Some(before) => self.p_eta[before].powi(2) / self.mass(before, freedom) - self.kt,
        };
        self.p_eta[link] = (self.p_eta[link] * drag + time / 2.0 * force) * drag;
    }

    /// What it adds to the energy that is conserved, eV.
    pub fn energy(&self, freedom: f64) -> f64 {
        let of_link = |link: usize| {
            let count = if link == 0 { freedom } else { 1.0 };
            count * self.kt * self.eta[link] + 0.5 * self.p_eta[link].powi(2) / self.mass(link, freedom)
        };
        (0..self.eta.len()).map(of_link).sum()
    }

    /// What it has to remember.
    pub fn kept(&self) -> Value {
        json!({"eta": self.eta, "p_eta": self.p_eta})
    }

    /// Takes up what another one has kept.
    pub fn restore(&mut self, kept: &Value) -> Result<()> {
        let (eta, p_eta) = (numbers(kept, "eta")?, numbers(kept, "p_eta")?);
        if eta.len() != self.eta.len() || p_eta.len() != self.eta.len() {
            return Err(Error::bad("eta of the state that was kept", format!("must be {} numbers", self.eta.len())));
        }
        (self.eta, self.p_eta) = (eta, p_eta);
        Ok(())
    }
}
