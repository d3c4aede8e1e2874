//! From which geometries a vacancy is relaxed, as ShakeNBreak makes them: I. Mosquera-Lois, S. R. Kavanagh,
//! A. Walsh and D. O. Scanlon, npj Comput. Mater. 9, 25 (2023), doi:10.1038/s41524-023-00973-1; J. Open
//! Source Softw. 7, 4817 (2022), doi:10.21105/joss.04817. As many neighbours of the empty site as
//! electrons are missing move towards it or away from it, two of them are made a dimer, and all other
//! atoms are rattled.

use super::coordination::{self, FARTHEST};
use super::dimers::dimer_length;
use super::host::Host;
use super::periodic::Periodic;
use super::rattle::Rattle;
use crate::science::error::{Error, Result};
use crate::science::linear::{Vec3, add, heights, norm, row_times, scale, sub};

/// Structures with atoms nearer to each other than this are left out, unless there is hydrogen, Angstrom.
const TOO_NEAR: f64 = 1.0;

/// The largest change of a distance to the empty site and the smallest, in tenths.
const TENTHS: i32 = 6;

/// One geometry.
pub(super) struct Distortion {
    /// "Unperturbed", "Rattled", "Dimer" or "Bond_Distortion_-60.0%".
    pub name: String,
    /// Which atoms were moved on purpose.
    pub moved: Vec<usize>,
    /// Where all atoms are, Angstrom.
    pub positions: Vec<Vec3>,
}

impl Distortion {
    /// Only the atom is missing.
    pub fn none(host: &Host) -> Self {
        Self { name: "Unperturbed".into(), moved: Vec::new(), positions: host.positions.clone() }
    }
}

/// The geometries of a vacancy of this charge, the atoms rattled by `deviation` (Angstrom).
pub(super) fn distortions(
    host: &Host,
    charge: i64,
    deviation: f64,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Distortion>> {
    let periodic = Periodic::new(&host.cell)?;
    let count = distorted_neighbours(charge).min(host.numbers.len());
    // ShakeNBreak's: of the first distortion, for all.
    let rattle = Rattle { deviation, seed: if count == 0 { 0 } else { (10 - TENTHS as u32) * 10 } };
    let mut made = Vec::new();
    if count == 0 {
        made.push(("Rattled".to_owned(), Vec::new(), host.positions.clone()));
    }
    for tenths in (-TENTHS..=TENTHS).filter(|_| count > 0) {
        let moved = nearest(host, &periodic, count);
        let mut positions = host.positions.clone();
        for index in &moved {
            let hole = host.hole_position();
            let away = periodic.between(hole, positions[*index]);
            positions[*index] = add(positions[*index], scale(away, f64::from(tenths) / 10.0));
        }
        made.push((format!("Bond_Distortion_{:.1}%", f64::from(tenths * 10)), moved, positions));
    }
    if let Some((moved, positions)) = dimer(host, &periodic) {
        made.push(("Dimer".to_owned(), moved, positions));
    }
    let mut kept = Vec::new();
    for (name, moved, positions) in made {
        if stop() {
            return Err(Error::Stopped);
        }
        let positions = rattle.run(&periodic, &positions, &moved);
        if host.numbers.contains(&1) || shortest(&periodic, &positions) >= TOO_NEAR {
            kept.push(Distortion { name, moved, positions });
        }
    }
    Ok(kept)
}

/// By the octet rule: as many as electrons are missing or too many, from the other side above four.
/// The elements and alloys EMT knows have oxidation states of zero.
fn distorted_neighbours(charge: i64) -> usize {
    let electrons = charge.unsigned_abs();
    usize::try_from(if electrons > 4 { electrons.abs_diff(8) } else { electrons }).unwrap_or(usize::MAX)
}

/// The atoms nearest to the empty site, in order, distances to a hundredth being equal.
fn nearest(host: &Host, periodic: &Periodic, count: usize) -> Vec<usize> {
    let hole = host.hole_position();
    let distance = |index: usize| hundredths(periodic.distance(hole, host.positions[index]));
    let mut all: Vec<(i64, usize)> = (0..host.positions.len()).map(|index| (distance(index), index)).collect();
    all.sort_unstable();
    all.into_iter().take(count).map(|(_, index)| index).collect()
}

fn hundredths(distance: f64) -> i64 {
    (distance * 100.0).round_ties_even() as i64
}

/// The two neighbours of the empty site that are nearest to each other, moved to where a bond is.
fn dimer(host: &Host, periodic: &Periodic) -> Option<(Vec<usize>, Vec<Vec3>)> {
    let mut neighbours = neighbours(host);
    if neighbours.len() < 2 {
        neighbours = nearest(host, periodic, 2);
    }
    neighbours.sort_unstable();
    neighbours.dedup();
    let position = |index: usize| host.positions[index];
    let pairs = neighbours.iter().enumerate().flat_map(|(place, first)| {
        neighbours[place + 1..]
            .iter()
            .map(|second| (hundredths(periodic.distance(position(*first), position(*second))), *first, *second))
    });
    let (_, first, second) = pairs.min()?;
    let between = periodic.between(position(first), position(second));
    let wanted = dimer_length(host.numbers[first], host.numbers[second]);
    let by = scale(between, 0.5 * (1.0 - wanted / norm(between)));
    let mut positions = host.positions.clone();
    positions[first] = add(positions[first], by);
    positions[second] = sub(positions[second], by);
    Some((vec![first, second], positions))
}

/// Indices of the atoms whose images are the neighbours of the empty site.
fn neighbours(host: &Host) -> Vec<usize> {
    let images = images_near(host);
    let around: Vec<(u8, Vec3)> = images.iter().map(|(index, place)| (host.numbers[*index], *place)).collect();
    coordination::neighbours(&around).into_iter().map(|neighbour| images[neighbour].0).collect()
}

/// All images near the empty site, seen from it.
fn images_near(host: &Host) -> Vec<(usize, Vec3)> {
    let hole = host.hole_position();
    let reach = heights(&host.cell).map(|height| (FARTHEST / height).ceil() as i32 + 1);
    let mut images = Vec::new();
    for (index, position) in host.positions.iter().enumerate() {
        for a in -reach[0]..=reach[0] {
            for b in -reach[1]..=reach[1] {
                for c in -reach[2]..=reach[2] {
                    let shift = row_times([a, b, c].map(f64::from), &host.cell);
                    let place = sub(add(*position, shift), hole);
                    if norm(place) < FARTHEST {
                        images.push((index, place));
                    }
                }
            }
        }
    }
    images
}

fn shortest(periodic: &Periodic, positions: &[Vec3]) -> f64 {
    let pairs = (0..positions.len()).flat_map(|first| (0..first).map(move |second| (first, second)));
    pairs.map(|(a, b)| periodic.distance(positions[a], positions[b])).fold(f64::INFINITY, f64::min)
}
