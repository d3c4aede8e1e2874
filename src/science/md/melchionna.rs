//! Constant temperature and stress by one thermostat and a cell that answers to the stress, as ASE's
//! `MelchionnaNPT`, which quacc calls `NPT`: S. Melchionna, G. Ciccotti, B. L. Holian, Mol. Phys. 78, 533 (1993),
//! doi:10.1080/00268979300100371, eq. 15, with the fraction of a place counted from the middle of the cell;
//! S. Melchionna, Phys. Rev. E 61, 6165 (2000), doi:10.1103/PhysRevE.61.6165. By centred differences: B. L. Holian
//! et al., Phys. Rev. A 41, 4552 (1990), doi:10.1103/PhysRevA.41.4552. So it needs what was one step ago.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::system::VOIGT;
use super::triangular::{is_upper_triangular, upper_triangular};
use super::{Dynamics, Random, System, check_volume};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, add, inverse, row_times, scale, sub};
use crate::science::units::KB;

/// Below this kinetic energy per atom, eV, momenta are not improved upon before the first step.
const AT_REST: f64 = 1e-5;

/// What is to be held, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MelchionnaSettings {
    /// The time step, Angstrom sqrt(u/eV).
    pub timestep: f64,
    /// K.
    pub temperature: f64,
    /// xx, yy, zz, yz, xz, xy in eV/Angstrom^3, minus the pressure on the first three.
    pub stress: [f64; 6],
    /// The time in which the thermostat answers, Angstrom sqrt(u/eV); none is needed.
    pub ttime: Option<f64>,
    /// The square of the time in which the cell answers times the bulk modulus; the cell may be fixed.
    pub pfactor: Option<f64>,
    /// Which entries of the strain rate may change; those below the diagonal never do.
    pub mask: [[bool; 3]; 3],
}

/// NPT, or constant stress.
#[derive(Clone, Debug)]
pub struct Melchionna {
    settings: MelchionnaSettings,
    state: State,
}

/// Where it stands, and stood one step ago.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    /// How fast the cell answers: 1 / (pfactor times the volume at the beginning).
    answer: f64,
    cell_before: Mat3,
    /// The strain rate, eta in the paper.
    rate: Mat3,
    rate_before: Mat3,
    /// That of the thermostat, zeta in the paper.
    friction: f64,
    friction_before: f64,
    friction_sum: f64,
    /// Fractions of the cell, from its middle.
    places: Vec<Vec3>,
    /// Those after the next step.
    next: Vec<Vec3>,
}

impl Melchionna {
    /// It has to [begin](Dynamics::begin) or to be restored before the first step.
    pub fn new(settings: MelchionnaSettings) -> Self {
        Self { settings, state: State::default() }
    }

    /// What the motion conserves but for the error of a finite time step, eV; `get_gibbs_free_energy` of ASE.
    pub fn gibbs_free_energy(&self, system: &System) -> f64 {
        let MelchionnaSettings { stress, ttime, .. } = self.settings;
        let (count, temperature) = (system.atoms().len() as f64, KB * self.settings.temperature);
        let State { answer, rate, friction, friction_sum, .. } = &self.state;
        let mut energy = system.properties().energy + system.kinetic_energy();
        energy -= (stress[0] + stress[1] + stress[2]) * system.atoms().volume() / 3.0;
        if let Some(ttime) = ttime {
            energy += 1.5 * count * temperature * (ttime * friction).powi(2);
            energy += 3.0 * temperature * (count - 1.0) * friction_sum;
        }
        if self.settings.pfactor.is_some() {
            energy += 0.5 / answer * rate.as_flattened().iter().map(|x| x * x).sum::<f64>();
        }
        energy
    }

    /// How the strain rate changes in `time`.
    fn strain(&self, time: f64, system: &System) -> Result<Mat3> {
        let mut change = [[0.0; 3]; 3];
        if self.settings.pfactor.is_some() {
            let factor = -time * self.state.answer * system.atoms().volume();
            for ((stress, wanted), (a, b)) in system.stress()?.into_iter().zip(self.settings.stress).zip(VOIGT) {
                if self.settings.mask[a][b] {
                    change[a][b] = factor * (stress - wanted);
                }
            }
        }
        Ok(change)
    }

    /// How the friction changes in `time`.
    fn heat(&self, time: f64, system: &System) -> f64 {
        let (count, temperature) = (system.atoms().len() as f64, KB * self.settings.temperature);
        let wanted = 1.5 * (count - 1.0) * temperature;
        let answer = self.settings.ttime.map_or(0.0, |ttime| 2.0 / (3.0 * count * temperature * ttime * ttime));
        time * answer * (system.kinetic_energy() - wanted)
    }

    /// Where the atoms will be after the next step, as fractions, from where they are and were.
    fn future(&self, before: &[Vec3], system: &System) -> Result<Vec<Vec3>> {
        let (step, cell) = (self.settings.timestep, system.atoms().cell());
        let back = inverse(cell).ok_or_else(singular)?;
        let damping = plus(&self.state.rate, 0.5 * self.state.friction);
        let beta = times(&times(cell, &damping), &back).map(|row| scale(row, step));
        let solve = inverse(&plus(&beta, 1.0)).ok_or_else(singular)?;
        let pull = plus(&beta, -1.0);
        let places = self.state.places.iter().zip(before).zip(system.forces().iter().zip(system.masses()));
        let future = places.map(|((now, before), (force, mass))| {
            let push = row_times(scale(*force, step * step / mass), &back);
            row_times(add(add(scale(*now, 2.0), row_times(*before, &pull)), push), &solve)
        });
        Ok(future.collect())
    }

    /// The momenta that lead from one place to the other in two steps.
    fn momenta(&self, before: &[Vec3], after: &[Vec3], system: &System) -> Vec<Vec3> {
        let velocity = system.atoms().cell().map(|row| scale(row, 0.5 / self.settings.timestep));
        let pairs = before.iter().zip(after).zip(system.masses());
        pairs.map(|((before, after), mass)| scale(row_times(sub(*after, *before), &velocity), *mass)).collect()
    }
}

impl Dynamics for Melchionna {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        check_volume(atoms)
    }

    fn adapt(&self, atoms: Atoms) -> Result<Atoms> {
        upper_triangular(atoms)
    }

    fn begin(&mut self, system: &mut System) -> Result<()> {
        let step = self.settings.timestep;
        let cell = *system.atoms().cell();
        let back = inverse(&cell).filter(|_| system.atoms().volume() > 0.0).ok_or_else(singular)?;
        if !is_upper_triangular(&cell) {
            return Err(Error::bad("cell", "must be upper triangular for npt: turn the structure"));
        }
        let sum = system.momenta().iter().fold([0.0; 3], |sum, momentum| add(sum, *momentum));
        let mean = scale(sum, 1.0 / system.atoms().len() as f64);
        system.set_momenta(system.momenta().iter().map(|momentum| sub(*momentum, mean)).collect());

        let answer = self.settings.pfactor.map_or(0.0, |pfactor| 1.0 / (pfactor * system.atoms().volume()));
        let places = system.atoms().positions().iter().map(|place| row_times(*place, &back).map(|x| x - 0.5));
        self.state = State { answer, cell_before: cell, places: places.collect(), ..State::default() };
        self.state.rate_before = self.strain(-step, system)?;
        self.state.friction_before = self.heat(-step, system);
        // Twice, so that the momenta come out as they are, not as they were half a step ago.
        let wanted = system.momenta();
        let mut tried = wanted.to_vec();
        for _ in 0..2 {
            let pairs = self.state.places.iter().zip(&tried).zip(system.masses());
            let before: Vec<Vec3> = pairs
                .map(|((now, momentum), mass)| sub(*now, scale(row_times(scale(*momentum, 1.0 / mass), &back), step)))
                .collect();
            self.state.next = self.future(&before, system)?;
            let found = self.momenta(&before, &self.state.next, system);
            let masses = system.masses().iter().flat_map(|mass| [*mass; 3]);
            let twice: f64 = found.as_flattened().iter().zip(masses).map(|(p, mass)| p * p / mass).sum();
            if 0.5 * twice / (found.len() as f64) < AT_REST {
                break;
            }
            tried = wanted.iter().zip(found).map(|(wanted, found)| add(sub(*wanted, found), *wanted)).collect();
        }
        Ok(())
    }

    fn step(&mut self, system: &mut System, _: &mut Random) -> Result<()> {
        let step = self.settings.timestep;
        let cell = *system.atoms().cell();
        let stretch = times(&cell, &self.state.rate);
        let next_cell = sum(&self.state.cell_before, &stretch.map(|row| scale(row, 2.0 * step)));
        let rate = sum(&self.state.rate_before, &self.strain(2.0 * step, system)?);
        let friction = self.state.friction_before + self.heat(2.0 * step, system);

        self.state.cell_before = cell;
        self.state.rate_before = std::mem::replace(&mut self.state.rate, rate);
        self.state.friction_before = std::mem::replace(&mut self.state.friction, friction);
        self.state.friction_sum += step * friction;
        let next = std::mem::take(&mut self.state.next);
        let before = std::mem::replace(&mut self.state.places, next);
        let place = |fraction: &Vec3| row_times(fraction.map(|x| x + 0.5), &next_cell);
        let places = self.state.places.iter().map(place).collect();
        system.deform(next_cell, system.atoms().positions().to_vec())?;
        system.move_to(places)?;
        self.state.next = self.future(&before, system)?;
        system.set_momenta(self.momenta(&before, &self.state.next, system));
        Ok(())
    }

    fn kept(&self) -> Value {
        json!(self.state)
    }

    fn restore(&mut self, kept: &Value) -> Result<()> {
        let other = |_| Error::bad("the state of the dynamics", "is not one of npt");
        self.state = State::deserialize(kept).map_err(other)?;
        Ok(())
    }
}

fn singular() -> Error {
    Error::SingularCell { vectors: "a, b, c".into() }
}

/// The product of two matrices.
fn times(left: &Mat3, right: &Mat3) -> Mat3 {
    left.map(|row| row_times(row, right))
}

/// The sum of two matrices.
fn sum(left: &Mat3, right: &Mat3) -> Mat3 {
    std::array::from_fn(|i| add(left[i], right[i]))
}

/// The matrix with `more` on its diagonal.
fn plus(matrix: &Mat3, more: f64) -> Mat3 {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { matrix[i][j] + more } else { matrix[i][j] }))
}
