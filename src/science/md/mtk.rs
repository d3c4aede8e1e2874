//! Constant temperature and pressure by chains of thermostats for atoms and cell, as ASE's `MTKNPT` and
//! `IsotropicMTKNPT`: G. J. Martyna, D. J. Tobias, M. L. Klein, J. Chem. Phys. 101, 4177 (1994),
//! doi:10.1063/1.467468. The cell that keeps its shape is the other one with forces on it that are the same in
//! all directions: its momentum p is a third of the trace, its mass three times that of the other.

use serde_json::{Value, json};

use super::system::VOIGT;
use super::{Dynamics, NoseHooverChain, Random, System, check_volume, numbers};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, add, diagonalise, row_times, scale};
use crate::science::units::KB;

/// NPT.
#[derive(Clone, Debug)]
pub struct Mtk {
    /// The time step, Angstrom sqrt(u/eV).
    timestep: f64,
    /// eV/Angstrom^3.
    pressure: f64,
    isotropic: bool,
    thermostat: NoseHooverChain,
    barostat: NoseHooverChain,
    /// Of the cell, eV times time^2, for one atom; n of them count as n + 1.
    mass: f64,
    /// Of the cell, symmetric.
    momentum: Mat3,
}

/// A temperature (K) that a chain of `links` holds, cutting a time step into `loops`.
#[derive(Clone, Copy, Debug)]
pub struct Damping {
    /// How long it takes to come near, Angstrom sqrt(u/eV).
    pub time: f64,
    /// Thermostats in the chain, 1 or more.
    pub links: usize,
    /// 1 or more.
    pub loops: usize,
}

impl Mtk {
    /// At a temperature in K and a pressure in eV/Angstrom^3. The chain of `barostat` holds the cell, which takes
    /// as long to come near its volume. If `isotropic` the cell keeps its shape.
    pub fn new(
        timestep: f64,
        temperature: f64,
        pressure: f64,
        [thermostat, barostat]: [Damping; 2],
        isotropic: bool,
    ) -> Self {
        let chain = |damping: Damping| NoseHooverChain::new(temperature, damping.time, damping.links, damping.loops);
        Self {
            timestep,
            pressure,
            isotropic,
            thermostat: chain(thermostat),
            barostat: chain(barostat).weighing(9.0),
            mass: KB * temperature * barostat.time.powi(2),
            momentum: [[0.0; 3]; 3],
        }
    }

    /// Degrees of freedom of the cell: nine as in ASE, although a symmetric momentum has but six.
    fn freedom(&self) -> f64 {
        if self.isotropic { 1.0 } else { 9.0 }
    }

    fn mass(&self, system: &System) -> f64 {
        self.mass * (system.atoms().len() + 1) as f64
    }

    /// What the motion conserves, eV: Martyna 1994, eq. 2.10 and 2.16.
    pub fn conserved_energy(&self, system: &System) -> f64 {
        system.properties().energy
            + system.kinetic_energy()
            + self.thermostat.energy(system.degrees_of_freedom() as f64)
            + self.barostat.energy(self.freedom())
            + 0.5 * self.action(system)
            + self.pressure * system.atoms().volume()
    }

    /// Twice the kinetic energy of the cell, eV.
    fn action(&self, system: &System) -> f64 {
        self.momentum.as_flattened().iter().map(|p| p * p).sum::<f64>() / self.mass(system)
    }

    /// The chain of the cell takes or gives energy.
    fn hold_cell(&mut self, time: f64, system: &System) {
        let factor = self.barostat.advance(self.action(system), self.freedom(), time);
        self.momentum = self.momentum.map(|row| scale(row, factor));
    }

    /// The chain of the atoms does so.
    fn hold_atoms(&mut self, time: f64, system: &mut System) {
        let freedom = system.degrees_of_freedom() as f64;
        let factor = self.thermostat.advance(2.0 * system.kinetic_energy(), freedom, time);
        system.scale_momenta(factor);
    }

    /// What the pressure does to the cell.
    fn push_cell(&mut self, time: f64, system: &System) -> Result<()> {
        let (stress, volume) = (system.stress()?, system.atoms().volume());
        let flow = 2.0 * system.kinetic_energy() / system.degrees_of_freedom() as f64;
        let mut force = [[0.0; 3]; 3];
        for ((a, b), stress) in VOIGT.into_iter().zip(stress) {
            let diagonal = if a == b { flow - volume * self.pressure } else { 0.0 };
            force[a][b] = diagonal - volume * stress;
            force[b][a] = force[a][b];
        }
        if self.isotropic {
            let mean = (force[0][0] + force[1][1] + force[2][2]) / 3.0;
            force = [[mean, 0.0, 0.0], [0.0, mean, 0.0], [0.0, 0.0, mean]];
        }
        for (row, force) in self.momentum.iter_mut().zip(force) {
            *row = add(*row, scale(force, time));
        }
        Ok(())
    }

    /// exp(x) and (exp(x) - 1) / x of the matrix x: `time` times the momentum of the cell, with `more` on its
    /// diagonal, over the `mass` of the cell.
    fn flow(&self, time: f64, more: f64, mass: f64) -> (Mat3, Mat3) {
        let mut rates = self.momentum;
        let axes = diagonalise(&mut rates);
        let powers: [f64; 3] = std::array::from_fn(|k| (rates[k][k] + more) * time / mass);
        let along = |values: [f64; 3]| -> Mat3 {
            let entry = |i: usize, j: usize| (0..3).map(|k| axes[i][k] * values[k] * axes[j][k]).sum();
            std::array::from_fn(|i| std::array::from_fn(|j| entry(i, j)))
        };
        let mean = |x: f64| if x == 0.0 { 1.0 } else { x.exp_m1() / x };
        (along(powers.map(f64::exp)), along(powers.map(mean)))
    }

    /// What the forces, and the flow of the cell, do to the momenta.
    fn push_atoms(&self, time: f64, system: &mut System) {
        let trace: f64 = (0..3).map(|k| self.momentum[k][k]).sum();
        let (by_momentum, mean) = self.flow(-time, trace / system.degrees_of_freedom() as f64, self.mass(system));
        system.transform_momenta(&by_momentum, &mean.map(|row| scale(row, time)));
    }

    /// Atoms fly and are carried along by the cell.
    fn move_all(&self, time: f64, system: &mut System) -> Result<()> {
        let (by_place, mean) = self.flow(time, 0.0, self.mass(system));
        let cell = system.atoms().cell().map(|vector| row_times(vector, &by_place));
        system.flow(cell, &by_place, &mean.map(|row| scale(row, time)))
    }
}

impl Dynamics for Mtk {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        if !atoms.fixed().is_empty() {
            let name = if self.isotropic { "npt_isotropic_mtk" } else { "npt_mtk" };
            return Err(Error::bad("fixed atoms", format!("{name} has no way to hold them: free them")));
        }
        check_volume(atoms)
    }

    fn step(&mut self, system: &mut System, _: &mut Random) -> Result<()> {
        let half = 0.5 * self.timestep;
        self.hold_cell(half, system);
        self.hold_atoms(half, system);
        self.push_cell(half, system)?;
        self.push_atoms(half, system);
        self.move_all(self.timestep, system)?;
        self.push_atoms(half, system);
        self.push_cell(half, system)?;
        self.hold_atoms(half, system);
        self.hold_cell(half, system);
        Ok(())
    }

    fn kept(&self) -> Value {
        let momentum = self.momentum.as_flattened();
        json!({"thermostat": self.thermostat.kept(), "barostat": self.barostat.kept(), "momentum": momentum})
    }

    fn restore(&mut self, kept: &Value) -> Result<()> {
        self.thermostat.restore(&kept["thermostat"])?;
        self.barostat.restore(&kept["barostat"])?;
        let momentum = numbers(kept, "momentum")?;
        let wrong = |_| Error::bad("momentum of the state that was kept", "must be 9 numbers");
        let rows: [f64; 9] = momentum.try_into().map_err(wrong)?;
        self.momentum = std::array::from_fn(|i| std::array::from_fn(|j| rows[3 * i + j]));
        Ok(())
    }
}
