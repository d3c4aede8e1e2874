//! What moves: atoms with momenta, and what is known of them where they are.

use super::mass::mass;
use crate::science::atoms::Atoms;
use crate::science::calculator::{Calculator, Properties};
use crate::science::column::{Column, Values};
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, add, dot, row_times, scale};
use crate::science::units::KB;

/// Columns of ASE that say how atoms move.
pub(super) const MOMENTA: &str = "momenta";
const MASSES: &str = "masses";

/// Rows and columns of the six numbers of a stress.
pub(super) const VOIGT: [(usize, usize); 6] = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)];

/// Atoms in motion. Fixed atoms stay where they are: they have no momentum and feel no force here.
pub struct System<'a> {
    atoms: Atoms,
    calculator: &'a mut dyn Calculator,
    masses: Vec<f64>,
    momenta: Vec<Vec3>,
    forces: Vec<Vec3>,
    now: Properties,
}

impl<'a> System<'a> {
    /// `atoms` with the momenta and masses of their columns; without such columns at rest, with ASE's masses.
    pub fn new(mut atoms: Atoms, calculator: &'a mut dyn Calculator) -> Result<Self> {
        let masses = masses_of(&atoms)?;
        let momenta = momenta_of(&atoms)?.unwrap_or_else(|| vec![[0.0; 3]; atoms.len()]);
        atoms.retain_columns(|name| name != MOMENTA);
        let now = calculator.calculate(&atoms)?;
        let mut system = Self { atoms, calculator, masses, momenta: Vec::new(), forces: Vec::new(), now };
        system.set_momenta(momenta);
        system.hold_forces();
        Ok(system)
    }

    /// The atoms where they are; their momenta are [elsewhere](Self::momenta).
    pub fn atoms(&self) -> &Atoms {
        &self.atoms
    }

    /// The atoms with their momenta as a column.
    pub fn snapshot(&self) -> Result<Atoms> {
        with_momenta(self.atoms.clone(), &self.momenta)
    }

    /// Energy, raw forces and stress where the atoms are.
    pub fn properties(&self) -> &Properties {
        &self.now
    }

    /// Masses in u.
    pub fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// Momenta in sqrt(u eV).
    pub fn momenta(&self) -> &[Vec3] {
        &self.momenta
    }

    /// Forces in eV/Angstrom, zero on fixed atoms.
    pub fn forces(&self) -> &[Vec3] {
        &self.forces
    }

    /// Gives the atoms other momenta; fixed ones get none.
    pub fn set_momenta(&mut self, momenta: Vec<Vec3>) {
        self.momenta = momenta;
        for index in self.atoms.fixed() {
            self.momenta[*index] = [0.0; 3];
        }
    }

    /// Velocities in Angstrom / (Angstrom sqrt(u/eV)).
    pub fn velocities(&self) -> Vec<Vec3> {
        self.momenta.iter().zip(&self.masses).map(|(momentum, mass)| scale(*momentum, 1.0 / mass)).collect()
    }

    /// The same as [`set_momenta`](Self::set_momenta).
    pub fn set_velocities(&mut self, velocities: &[Vec3]) {
        self.set_momenta(velocities.iter().zip(&self.masses).map(|(velocity, mass)| scale(*velocity, *mass)).collect());
    }

    /// Changes the momenta by what the forces do in `time`, Angstrom sqrt(u/eV).
    pub fn kick(&mut self, time: f64) {
        for (momentum, force) in self.momenta.iter_mut().zip(&self.forces) {
            *momentum = add(*momentum, scale(*force, time));
        }
    }

    /// Multiplies all momenta.
    pub fn scale_momenta(&mut self, factor: f64) {
        self.momenta.iter_mut().for_each(|momentum| *momentum = scale(*momentum, factor));
    }

    /// Replaces each momentum p (a row) and force f by p `by_momentum` + f `by_force`.
    pub fn transform_momenta(&mut self, by_momentum: &Mat3, by_force: &Mat3) {
        for (momentum, force) in self.momenta.iter_mut().zip(&self.forces) {
            *momentum = add(row_times(*momentum, by_momentum), row_times(*force, by_force));
        }
    }

    /// Lets the atoms fly for `time` and computes what is there.
    pub fn drift(&mut self, time: f64) -> Result<()> {
        let places = self.atoms.positions().iter().zip(&self.momenta).zip(&self.masses);
        let places = places.map(|((place, momentum), mass)| add(*place, scale(*momentum, time / mass)));
        self.move_to(places.collect())
    }

    /// Puts the fixed atoms among `positions` where they are.
    pub fn hold_fixed(&self, positions: &mut [Vec3]) {
        for index in self.atoms.fixed() {
            positions[*index] = self.atoms.positions()[*index];
        }
    }

    /// Moves the atoms, but for the fixed ones, and computes what is there.
    pub fn move_to(&mut self, mut positions: Vec<Vec3>) -> Result<()> {
        self.hold_fixed(&mut positions);
        self.atoms.set_positions(positions)?;
        self.evaluate()
    }

    /// Changes the cell and moves all atoms, fixed ones too; [`evaluate`](Self::evaluate) computes what is there.
    pub fn deform(&mut self, cell: Mat3, positions: Vec<Vec3>) -> Result<()> {
        self.atoms.set_cell(cell)?;
        self.atoms.set_positions(positions)
    }

    /// Changes the cell, moves each atom of place r and velocity v (rows) to r `by_place` + v `by_velocity`, fixed
    /// ones too, and computes what is there.
    pub fn flow(&mut self, cell: Mat3, by_place: &Mat3, by_velocity: &Mat3) -> Result<()> {
        let places = self.atoms.positions().iter().zip(&self.momenta).zip(&self.masses);
        let places = places.map(|((place, momentum), mass)| {
            add(row_times(*place, by_place), row_times(scale(*momentum, 1.0 / mass), by_velocity))
        });
        self.deform(cell, places.collect())?;
        self.evaluate()
    }

    /// Computes energy, forces and stress where the atoms are.
    pub fn evaluate(&mut self) -> Result<()> {
        self.now = self.calculator.calculate(&self.atoms)?;
        self.hold_forces();
        Ok(())
    }

    /// The stress, that of the flying atoms included: xx, yy, zz, yz, xz, xy in eV/Angstrom^3, positive where
    /// the cell is pulled. ASE's `get_stress(include_ideal_gas=True)`.
    pub fn stress(&self) -> Result<[f64; 6]> {
        let mut stress = self.now.stress.ok_or_else(super::no_volume)?;
        let mut flow = [0.0; 6];
        for (p, mass) in self.momenta.iter().zip(&self.masses) {
            for (sum, (a, b)) in flow.iter_mut().zip(VOIGT) {
                *sum += p[a] * p[b] / mass;
            }
        }
        let volume = self.atoms.volume();
        stress.iter_mut().zip(flow).for_each(|(stress, flow)| *stress -= flow / volume);
        Ok(stress)
    }

    fn hold_forces(&mut self) {
        self.forces.clone_from(&self.now.forces);
        for index in self.atoms.fixed() {
            self.forces[*index] = [0.0; 3];
        }
    }

    /// eV.
    pub fn kinetic_energy(&self) -> f64 {
        self.momenta.iter().zip(&self.masses).map(|(p, mass)| 0.5 * dot(*p, *p) / mass).sum()
    }

    /// Three for each atom that is not fixed.
    pub fn degrees_of_freedom(&self) -> usize {
        3 * (self.atoms.len() - self.atoms.fixed().len())
    }

    /// K; 0 where nothing can move.
    pub fn temperature(&self) -> f64 {
        self.temperature_of(self.kinetic_energy())
    }

    /// K, from a kinetic energy in eV.
    pub fn temperature_of(&self, kinetic_energy: f64) -> f64 {
        match self.degrees_of_freedom() {
            0 => 0.0,
            count => 2.0 * kinetic_energy / (count as f64 * KB),
        }
    }
}

/// Whether masses and momenta of atoms, where they are given, are such that the atoms can move.
pub fn check_motion(atoms: &Atoms) -> Result<()> {
    masses_of(atoms)?;
    momenta_of(atoms).map(drop)
}

/// Their masses in u: those of a column, else ASE's.
fn masses_of(atoms: &Atoms) -> Result<Vec<f64>> {
    let masses = match reals(atoms, MASSES)? {
        Some(given) => given,
        None => atoms.numbers().iter().map(|number| mass(*number)).collect(),
    };
    match masses.iter().position(|mass| !mass.is_finite() || *mass <= 0.0) {
        Some(index) => Err(Error::bad(format!("the mass of atom {index}"), "must be a number above 0")),
        None => Ok(masses),
    }
}

/// The column of momenta in sqrt(u eV), if there is one.
pub fn momenta_of(atoms: &Atoms) -> Result<Option<Vec<Vec3>>> {
    let Some(given) = reals(atoms, MOMENTA)? else { return Ok(None) };
    let (rows, rest) = given.as_chunks::<3>();
    if rows.len() != atoms.len() || !rest.is_empty() || given.iter().any(|x| !x.is_finite()) {
        return Err(Error::bad(MOMENTA, "must be three finite numbers for each atom"));
    }
    Ok(Some(rows.to_vec()))
}

/// `atoms` with a column of momenta.
pub fn with_momenta(atoms: Atoms, momenta: &[Vec3]) -> Result<Atoms> {
    let column = Column { width: Some(3), values: Values::Real(momenta.as_flattened().to_vec()) };
    atoms.with_column(MOMENTA, column)
}

fn reals(atoms: &Atoms, name: &str) -> Result<Option<Vec<f64>>> {
    match atoms.column(name).map(|column| &column.values) {
        None => Ok(None),
        Some(Values::Real(values)) => Ok(Some(values.clone())),
        Some(Values::Int(values)) => Ok(Some(values.iter().map(|value| *value as f64).collect())),
        Some(_) => Err(Error::bad(name, "must be numbers")),
    }
}
