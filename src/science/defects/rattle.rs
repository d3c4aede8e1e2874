//! Small random moves that keep atoms apart, number by number as ShakeNBreak has hiPhive make them: F.
//! Eriksson, E. Fransson and P. Erhart, Adv. Theory Simul. 2, 1800184 (2019), doi:10.1002/adts.201800184,
//! "Monte Carlo rattle".

use super::mersenne::Mersenne;
use super::periodic::Periodic;
use crate::science::atoms::Atoms;
use crate::science::error::Result;
use crate::science::linear::{Vec3, add, norm, scale, sub};

/// Distances to atoms farther away than this are not looked at, Angstrom.
const FARTHEST: f64 = 5.0;

/// No atom is moved farther, Angstrom.
const LARGEST: f64 = 2.0;

/// The width of the border between what is too near and what is not, Angstrom.
const WIDTH: f64 = 0.1;

/// How often an atom is tried to move, at first and with shorter distances allowed.
const ATTEMPTS: [usize; 2] = [5000, 7000];

/// Distances below are no bonds, Angstrom.
const NO_BOND: f64 = 0.8;

/// How to move.
pub(super) struct Rattle {
    /// The standard deviation of each coordinate, Angstrom.
    pub deviation: f64,
    /// Of the random numbers.
    pub seed: u32,
}

impl Rattle {
    /// `positions` after all atoms but those in `still` have moved. Where they are too crowded, shorter
    /// distances are allowed by and by, and at last none has moved.
    pub fn run(&self, periodic: &Periodic, positions: &[Vec3], still: &[usize]) -> Vec<Vec3> {
        let active: Vec<usize> = (0..positions.len()).filter(|index| !still.contains(index)).collect();
        let near = near(periodic, positions);
        let pairs = active.iter().flat_map(|from| near[*from].iter().map(move |other| (*from, *other)));
        let distances = pairs
            .filter(|(_, other)| !still.contains(other))
            .map(|(from, other)| periodic.distance(positions[from], positions[other]));
        let shortest = distances.filter(|distance| *distance > NO_BOND).fold(f64::INFINITY, f64::min);
        let least = match 0.8 * shortest {
            least if least < 1.0 || !least.is_finite() => 2.25,
            least => least,
        };
        let tries = (0..10).map(|tenths| (least * (1.0 - f64::from(tenths) / 10.0), ATTEMPTS[usize::from(tenths > 0)]));
        let mut moved =
            tries.filter_map(|(least, attempts)| self.attempt(periodic, positions, &active, &near, least, attempts));
        moved.next().unwrap_or_else(|| positions.to_vec())
    }

    fn attempt(
        &self,
        periodic: &Periodic,
        start: &[Vec3],
        active: &[usize],
        near: &[Vec<usize>],
        least: f64,
        attempts: usize,
    ) -> Option<Vec<Vec3>> {
        let mut random = Mersenne::new(Mersenne::new(self.seed).integer(1, 1_000_000_000));
        let mut positions = start.to_vec();
        for index in active {
            let stays = |random: &mut Mersenne| {
                let by: Vec3 = std::array::from_fn(|_| random.normal());
                let place = add(start[*index], scale(by, self.deviation));
                if norm(sub(place, start[*index])) > LARGEST {
                    return None;
                }
                let distances = near[*index].iter().map(|other| periodic.distance(place, positions[*other]));
                let distance = distances.fold(f64::INFINITY, f64::min);
                let chance = 0.5 * (1.0 + libm::erf((distance - least) / WIDTH));
                (chance > random.uniform()).then_some(place)
            };
            positions[*index] = (0..attempts).find_map(|_| stays(&mut random))?;
        }
        Some(positions)
    }
}

/// The standard deviation for a bulk: a tenth of its shortest distance, Angstrom.
pub(super) fn deviation(bulk: &Atoms) -> Result<f64> {
    let periodic = Periodic::new(bulk.cell())?;
    let place = bulk.positions();
    let pairs = (0..place.len()).flat_map(|first| (0..first).map(move |second| (first, second)));
    let distances = pairs.map(|(first, second)| periodic.distance(place[first], place[second]));
    let shortest = distances.filter(|distance| *distance > 0.5).fold(f64::INFINITY, f64::min);
    // An atom alone has only its images.
    let tenth = 0.1 * if shortest.is_finite() { shortest } else { periodic.shortest() };
    Ok(if (0.02..=0.4).contains(&tenth) { tenth } else { 0.25 })
}

/// For each atom the others near it.
fn near(periodic: &Periodic, positions: &[Vec3]) -> Vec<Vec<usize>> {
    let mut near = vec![Vec::new(); positions.len()];
    for first in 0..positions.len() {
        for second in first + 1..positions.len() {
            if periodic.distance(positions[first], positions[second]) < FARTHEST {
                near[first].push(second);
                near[second].push(first);
            }
        }
    }
    near
}
