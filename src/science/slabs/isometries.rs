//! Rotations that map a crystal onto itself within tolerances, found as spglib finds them when it is
//! given an angle tolerance: A. Togo, K. Shinohara and I. Tanaka, Sci. Technol. Adv. Mater., Meth. 4,
//! 2384822 (2024), doi:10.1080/27660400.2024.2384822. Distorted crystals are as symmetric here as there.

use super::crystal::{Crystal, Site, nearest_image};
use super::primitive::primitive;
use crate::science::linear::{Mat3, Vec3, determinant, dot, inverse, norm, row_times, sub};
use crate::science::symmetry;

/// A rotation, acting on columns of fractional coordinates.
pub(super) type Rotation = [[i32; 3]; 3];

/// How far angles of the cell may differ and count as equal, in degrees.
const ANGLE: f64 = 5.0;

/// By what tolerances shrink as long as they admit what cannot be.
const SHRINK: f64 = 0.95;

/// How often they do.
const ATTEMPTS: usize = 100;

/// No lattice has more symmetries than a cubic one.
const MOST: usize = 48;

/// The rotations of a lattice whose lengths agree within `tolerance`.
pub(super) fn of_lattice(cell: &Mat3, tolerance: f64) -> Vec<Rotation> {
    group(tolerance, |tolerance| lattice_rotations(cell, tolerance))
}

/// The rotations of a crystal, in the basis of its cell. Atoms may be off by `tolerance` (Angstrom),
/// the first of the rarest element by nothing.
pub(super) fn of_crystal(crystal: &Crystal, tolerance: f64) -> Vec<Rotation> {
    let small = primitive(crystal, tolerance, &|_| true);
    let count = |site: &&Site| small.sites.iter().filter(|other| other.number == site.number).count();
    let Some(anchor) = small.sites.iter().min_by_key(count) else { return Vec::new() };
    let onto_itself = |rotation: &Rotation, tolerance: f64| {
        let rotated: Vec<Site> =
            small.sites.iter().map(|site| Site { place: turned(rotation, site.place), ..*site }).collect();
        let start = turned(rotation, anchor.place);
        let mut landings = small.sites.iter().filter(|site| site.number == anchor.number);
        landings.any(|landing| covers(&small, &rotated, sub(landing.place, start), tolerance))
    };
    let rotations = group(tolerance, |tolerance| {
        let mut rotations = lattice_rotations(&small.cell, tolerance);
        rotations.retain(|rotation| onto_itself(rotation, tolerance));
        rotations
    });
    let change = inverse(&crystal.cell).map(|back| small.cell.map(|row| row_times(row, &back)));
    let Some((change, back)) = change.and_then(|change| Some((change, inverse(&change)?))) else { return rotations };
    rotations.iter().filter_map(|rotation| in_large_cell(rotation, &change, &back)).collect()
}

/// A rotation in the basis of a cell, given in that of `change * cell`; `None` if the cell lacks it.
fn in_large_cell(rotation: &Rotation, change: &Mat3, back: &Mat3) -> Option<Rotation> {
    let rows: Mat3 = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(rotation[j][i])));
    let moved = back.map(|row| row_times(row_times(row, &rows), change));
    let whole = moved.as_flattened().iter().all(|x| (x - x.round()).abs() < 1e-3);
    whole.then(|| std::array::from_fn(|i| std::array::from_fn(|j| moved[j][i].round() as i32)))
}

/// What `find` finds with the largest tolerance with which it is a group.
fn group(mut tolerance: f64, find: impl Fn(f64) -> Vec<Rotation>) -> Vec<Rotation> {
    for _ in 0..ATTEMPTS {
        let rotations = find(tolerance);
        let closed = |a: &Rotation| rotations.iter().all(|b| rotations.contains(&product(a, b)));
        if !rotations.is_empty() && rotations.iter().all(closed) {
            return rotations;
        }
        tolerance *= SHRINK;
    }
    vec![[[1, 0, 0], [0, 1, 0], [0, 0, 1]]]
}

fn product(a: &Rotation, b: &Rotation) -> Rotation {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

fn turned(rotation: &Rotation, place: Vec3) -> Vec3 {
    rotation.map(|row| (0..3).map(|k| f64::from(row[k]) * place[k]).sum())
}

/// Whether all `sites`, moved by `translation`, lie on sites of the crystal.
fn covers(crystal: &Crystal, sites: &[Site], translation: Vec3, tolerance: f64) -> bool {
    sites.iter().all(|site| {
        crystal.sites.iter().any(|other| {
            let off = sub(sub(other.place, site.place), translation).map(nearest_image);
            other.number == site.number && norm(row_times(off, &crystal.cell)) < tolerance
        })
    })
}

fn lattice_rotations(cell: &Mat3, tolerance: f64) -> Vec<Rotation> {
    let reduced = symmetry::reduced_cell(cell).and_then(|(reduced, change)| Some((reduced, change, inverse(&change)?)));
    let Some((reduced, change, back)) = reduced else { return Vec::new() };
    let mut angle = ANGLE;
    let mut bases = isometric_bases(&reduced, tolerance, angle);
    for _ in 0..ATTEMPTS {
        if bases.len() <= MOST {
            break;
        }
        angle *= SHRINK;
        bases = isometric_bases(&reduced, tolerance, angle);
    }
    // The rows of a basis say where the reduced vectors go.
    let rotation = |images: Mat3| std::array::from_fn(|i| std::array::from_fn(|j| images[j][i] as i32));
    bases.into_iter().filter_map(|images| in_large_cell(&rotation(images), &change, &back)).collect()
}

/// All bases of a lattice with the lengths and angles of a reduced one, in its terms: vectors of a
/// reduced cell have images with no coefficient beyond 1.
fn isometric_bases(cell: &Mat3, tolerance: f64, angle_tolerance: f64) -> Vec<Mat3> {
    let coefficients = (0..27u8).map(|index| [index / 9, index / 3 % 3, index % 3].map(|digit| f64::from(digit) - 1.0));
    let vectors: Vec<_> = coefficients.map(|c| (c, row_times(c, cell))).collect();
    let alike = |row: usize| {
        let length = norm(cell[row]);
        vectors.iter().filter(move |(_, vector)| (norm(*vector) - length).abs() <= tolerance)
    };
    let angle = |a, b| f64::acos((dot(a, b) / (norm(a) * norm(b))).clamp(-1.0, 1.0)).to_degrees();
    let as_in_cell = |i: usize, j: usize, a, b| (angle(a, b) - angle(cell[i], cell[j])).abs() <= angle_tolerance;
    let mut bases = Vec::new();
    for (a, first) in alike(0) {
        for (b, second) in alike(1).filter(|(_, vector)| as_in_cell(0, 1, *first, *vector)) {
            let fits = |vector| as_in_cell(0, 2, *first, vector) && as_in_cell(1, 2, *second, vector);
            for (c, _) in alike(2).filter(|(_, vector)| fits(*vector)) {
                let basis = [*a, *b, *c];
                if determinant(&basis).abs() == 1.0 {
                    bases.push(basis);
                }
            }
        }
    }
    bases
}
