//! Weak coupling to a temperature and a pressure, as ASE's `NPTBerendsen` and `Inhomogeneous_NPTBerendsen`:
//! H. J. C. Berendsen et al., J. Chem. Phys. 81, 3684 (1984), doi:10.1063/1.448118, eq. 11 and 21.

use super::{Dynamics, NvtBerendsen, Random, System, check_volume};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, inverse, row_times, scale};

/// How the cell follows the pressure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// All of it.
    Kept,
    /// The length of each vector follows the stress along x, y or z: those that are let, where periodic.
    Sides([bool; 3]),
}

/// NPT, of sorts: means are right, fluctuations are too small.
#[derive(Clone, Copy, Debug)]
pub struct NptBerendsen {
    /// What moves the atoms and holds their temperature.
    pub atoms: NvtBerendsen,
    /// eV/Angstrom^3.
    pub pressure: f64,
    /// The time in which the cell answers, Angstrom sqrt(u/eV).
    pub taup: f64,
    /// Of the material, Angstrom^3/eV.
    pub compressibility: f64,
    /// What of the cell may change.
    pub shape: Shape,
}

impl NptBerendsen {
    /// The cell and all in it follow the pressure.
    fn scale_cell(&self, system: &mut System) -> Result<()> {
        let stress = system.stress()?;
        let rate = self.atoms.timestep / self.taup * self.compressibility / 3.0;
        let factors = match self.shape {
            Shape::Kept => [1.0 - rate * (self.pressure + (stress[0] + stress[1] + stress[2]) / 3.0); 3],
            Shape::Sides(moving) => {
                let pbc = system.atoms().pbc();
                let factor = |k: usize| 1.0 - rate * (self.pressure + stress[k]);
                std::array::from_fn(|k| if moving[k] && pbc[k] { factor(k) } else { 1.0 })
            }
        };
        if let Some(factor) = factors.iter().find(|factor| factor.is_nan() || **factor <= 0.0) {
            let why = format!("is too short: a cell would change to {factor} times its size in one step");
            return Err(Error::bad("taup", why));
        }
        let old = *system.atoms().cell();
        let cell: Mat3 = std::array::from_fn(|k| scale(old[k], factors[k]));
        let singular = || Error::SingularCell { vectors: "a, b, c".into() };
        let back = inverse(&old).ok_or_else(singular)?;
        let map = back.map(|row| row_times(row, &cell));
        let positions = system.atoms().positions().iter().map(|place| row_times(*place, &map)).collect();
        system.deform(cell, positions)?;
        system.evaluate()
    }
}

impl Dynamics for NptBerendsen {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        check_volume(atoms)
    }

    fn step(&mut self, system: &mut System, _: &mut Random) -> Result<()> {
        self.atoms.scale_velocities(system);
        self.scale_cell(system)?;
        self.atoms.fly(system)
    }
}
