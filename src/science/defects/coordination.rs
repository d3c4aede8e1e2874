//! Who the neighbours of an empty site are, as pymatgen's `CrystalNN` tells: N. E. R. Zimmermann and A.
//! Jain, RSC Adv. 10, 6063 (2020), doi:10.1039/C9RA07755C; H. Pan et al., Inorg. Chem. 60, 1590 (2021),
//! doi:10.1021/acs.inorgchem.0c02996. The site counts as one of vanadium, as ShakeNBreak has it.

use std::f64::consts::PI;

use super::voronoi::{Face, faces};
use crate::science::element_data::electronegativity;
use crate::science::linear::{Vec3, norm};

/// What ShakeNBreak puts on the empty site.
const VANADIUM: u8 = 23;
const VANADIUM_RADIUS: f64 = 1.53;

/// How far the neighbours may be, Angstrom.
pub(super) const FARTHEST: f64 = 7.0;

/// Within the sum of the radii and the first a neighbour counts in full, beyond the second not at all, Angstrom.
const DISTANCES: [f64; 2] = [0.5, 1.0];

/// How much a difference in electronegativity counts, and the largest of all.
const CHEMISTRY: f64 = 3.0;
const LARGEST_DIFFERENCE: f64 = 3.3;

/// Which of `around` (their elements, and where they are seen from the empty site) are its neighbours.
/// None where they do not enclose it.
pub(super) fn neighbours(around: &[(u8, Vec3)]) -> Vec<usize> {
    let points: Vec<Vec3> = around.iter().map(|(_, place)| *place).collect();
    let Some(faces) = faces(&points) else { return Vec::new() };
    // Sharp corners of open structures count less.
    let weight = |face: &Face| match face.area {
        0.0 => 0.0,
        area => face.solid_angle.powi(2) / area * chemistry(around[face.neighbour].0),
    };
    let greatest = faces.iter().map(weight).fold(0.0, f64::max);
    let mut weights: Vec<(usize, f64)> = Vec::new();
    for face in &faces {
        let (number, place) = around[face.neighbour];
        let whole = (weight(face) / greatest * nearness(number, norm(place)) * 1e3).round_ties_even() / 1e3;
        if whole > 0.0 {
            weights.push((face.neighbour, whole));
        }
    }
    let least = best_threshold(weights.iter().map(|(_, weight)| *weight).collect());
    weights.into_iter().filter(|(_, weight)| *weight >= least).map(|(index, _)| index).collect()
}

/// The weight of the last neighbour in the likeliest shell: a quarter of a circle is divided at the
/// weights there are, and the largest piece wins.
fn best_threshold(mut weights: Vec<f64>) -> f64 {
    weights.sort_by(|a, b| b.total_cmp(a));
    weights.dedup();
    let area = |x: f64| 0.5 * (x * (1.0 - x * x).max(0.0).sqrt() + x.min(1.0).asin());
    let (mut best, mut largest) = (f64::INFINITY, 0.0);
    for (place, weight) in weights.iter().enumerate() {
        let piece = area(*weight) - area(weights.get(place + 1).copied().unwrap_or(0.0));
        if piece > largest {
            (best, largest) = (*weight, piece);
        }
    }
    // What is left of the quarter is for no neighbour at all.
    if 0.25 * PI - area(weights.first().copied().unwrap_or(0.0)) > largest { f64::INFINITY } else { best }
}

fn chemistry(number: u8) -> f64 {
    let difference = electronegativity(VANADIUM).zip(electronegativity(number)).map(|(a, b)| (a - b).abs());
    difference.map_or(1.0, |difference| 1.0 + CHEMISTRY * (difference / LARGEST_DIFFERENCE).sqrt())
}

fn nearness(number: u8, distance: f64) -> f64 {
    let [low, high] = DISTANCES.map(|more| VANADIUM_RADIUS + covalent_radius(number) + more);
    if distance <= low {
        1.0
    } else if distance < high {
        0.5 * (1.0 + (PI * (distance - low) / (high - low)).cos())
    } else {
        0.0
    }
}

/// B. Cordero et al., Dalton Trans. 2832 (2008), doi:10.1039/B801115J, Angstrom, of the elements EMT knows.
pub(super) fn covalent_radius(number: u8) -> f64 {
    match number {
        1 => 0.31,
        6 => 0.73,
        7 => 0.71,
        8 => 0.66,
        13 => 1.21,
        28 => 1.24,
        29 => 1.32,
        46 => 1.39,
        47 => 1.45,
        _ => 1.36,
    }
}
