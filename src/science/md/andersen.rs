//! Constant temperature by collisions: H. C. Andersen, J. Chem. Phys. 72, 2384 (1980), doi:10.1063/1.439486. As in
//! ASE each component of a velocity has collisions of its own.

use std::f64::consts::TAU;

use super::{Dynamics, Random, System};
use crate::science::error::Result;
use crate::science::linear::{Vec3, add, scale, sub};
use crate::science::units::KB;

/// NVT, with dynamics that are not those of the atoms.
#[derive(Clone, Copy, Debug)]
pub struct Andersen {
    /// The time step, Angstrom sqrt(u/eV).
    pub timestep: f64,
    /// K.
    pub temperature: f64,
    /// Of a collision, for each component and step.
    pub probability: f64,
    /// Whether the centre of mass stays where it is.
    pub fix_com: bool,
}

impl Dynamics for Andersen {
    fn step(&mut self, system: &mut System, random: &mut Random) -> Result<()> {
        let dt = self.timestep;
        let mut velocities = system.velocities();
        if self.fix_com {
            let width = (KB * self.temperature / system.masses().iter().sum::<f64>()).sqrt();
            let common = thermal(&[width], random)[0];
            shift(&mut velocities, common);
        }
        push(system, &mut velocities, 0.5 * dt);
        self.collide(system.masses(), &mut velocities, random);
        if self.fix_com {
            let common = mean(&velocities, system.masses());
            shift(&mut velocities, scale(common, -1.0));
        }
        let before = system.atoms().positions().to_vec();
        let mut after: Vec<Vec3> = before.iter().zip(&velocities).map(|(x, v)| add(*x, scale(*v, dt))).collect();
        if self.fix_com {
            system.hold_fixed(&mut after);
            let masses = system.masses();
            let moved = sub(mean(&before, masses), mean(&after, masses));
            shift(&mut after, moved);
        }
        system.move_to(after)?;
        for ((velocity, before), after) in velocities.iter_mut().zip(&before).zip(system.atoms().positions()) {
            *velocity = scale(sub(*after, *before), 1.0 / dt);
        }
        push(system, &mut velocities, 0.5 * dt);
        if self.fix_com {
            let common = mean(&velocities, system.masses());
            shift(&mut velocities, scale(common, -1.0));
        }
        system.set_velocities(&velocities);
        Ok(())
    }

    fn is_random(&self) -> bool {
        true
    }
}

impl Andersen {
    fn collide(&self, masses: &[f64], velocities: &mut [Vec3], random: &mut Random) {
        let widths: Vec<f64> = masses.iter().map(|mass| (KB * self.temperature / mass).sqrt()).collect();
        let others = thermal(&widths, random);
        for (velocity, other) in velocities.as_flattened_mut().iter_mut().zip(others.as_flattened()) {
            if random.uniform() <= self.probability {
                *velocity = *other;
            }
        }
    }
}

/// Three normal numbers of each width, as ASE draws them: G. E. P. Box, M. E. Muller, Ann. Math. Stat. 29, 610
/// (1958), doi:10.1214/aoms/1177706645.
fn thermal(widths: &[f64], random: &mut Random) -> Vec<Vec3> {
    let mut uniform3 = || std::array::from_fn::<f64, 3, _>(|_| random.uniform());
    let angles: Vec<Vec3> = widths.iter().map(|_| uniform3()).collect();
    let lengths: Vec<Vec3> = widths.iter().map(|_| uniform3()).collect();
    let one = |angle: f64, length: f64| (TAU * angle).cos() * (-2.0 * (1.0 - length).ln()).sqrt();
    let rows = widths.iter().zip(angles).zip(lengths);
    rows.map(|((width, x), y)| std::array::from_fn(|k| width * one(x[k], y[k]))).collect()
}

/// In ASE forces push fixed atoms, too, until the constraint stops them: the centre of mass knows of it.
fn push(system: &System, velocities: &mut [Vec3], time: f64) {
    for ((velocity, force), mass) in velocities.iter_mut().zip(&system.properties().forces).zip(system.masses()) {
        *velocity = add(*velocity, scale(*force, time / mass));
    }
}

fn shift(vectors: &mut [Vec3], by: Vec3) {
    for vector in vectors {
        *vector = add(*vector, by);
    }
}

/// Weighed by masses.
fn mean(vectors: &[Vec3], masses: &[f64]) -> Vec3 {
    let sum = vectors.iter().zip(masses).map(|(vector, mass)| scale(*vector, *mass)).fold([0.0; 3], add);
    scale(sum, 1.0 / masses.iter().sum::<f64>())
}
