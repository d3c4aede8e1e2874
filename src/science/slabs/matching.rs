//! Which slabs are one and the same: some lattice mapping (proper or not) and translation brings every
//! atom of one close to an atom of its element in the other. Cells are compared as they are, not
//! reduced to primitive ones or scaled. pymatgen's `StructureMatcher`: S. P. Ong et al., Comput.
//! Mater. Sci. 68, 314 (2013), doi:10.1016/j.commatsci.2012.10.028.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::crystal::{Crystal, Site, cell_from_parameters, cell_parameters, nearest_image, wrapped};
use super::cut::Cut;
use crate::science::element_data::electronegativity;
use crate::science::elements::symbol;
use crate::science::linear::{Mat3, Vec3, add, determinant, dot, inverse, norm, row_times, scale, sub};
use crate::science::symmetry;

/// How far the angles of two cells may differ, in degrees.
const ANGLE: f64 = 5.0;

/// Shares of an element that differ by less are the same.
const SHARE: f64 = 1e-8;

/// The first of every kind, ordered by composition (poor in the most electropositive element first),
/// then as they were. `tol` is relative: to lengths of the cell, and to (volume / atoms)^(1/3) for
/// positions.
pub(super) fn distinct(cuts: Vec<Cut>, tol: f64) -> Vec<Cut> {
    let mut candidates: Vec<(Crystal, Cut)> = cuts.into_iter().map(|cut| (reduced(&cut.crystal), cut)).collect();
    candidates.sort_by(|(a, _), (b, _)| by_composition(a, b));
    let mut kept: Vec<(Crystal, Cut)> = Vec::new();
    for (shape, cut) in candidates {
        if !kept.iter().any(|(known, _)| same(known, &shape, tol)) {
            kept.push((shape, cut));
        }
    }
    kept.into_iter().map(|(_, cut)| cut).collect()
}

/// The same crystal in its Niggli cell.
fn reduced(crystal: &Crystal) -> Crystal {
    let Some((cell, change)) = symmetry::reduced_cell(&crystal.cell) else { return crystal.clone() };
    let Some(back) = inverse(&change) else { return crystal.clone() };
    let place = |site: &Site| row_times(site.place, &back).map(wrapped);
    Crystal { cell, sites: crystal.sites.iter().map(|site| Site { place: place(site), ..*site }).collect() }
}

/// The number of sites of each element.
fn counts(crystal: &Crystal) -> BTreeMap<u8, usize> {
    let mut counts = BTreeMap::new();
    for site in &crystal.sites {
        *counts.entry(site.number).or_default() += 1;
    }
    counts
}

fn by_composition(left: &Crystal, right: &Crystal) -> Ordering {
    let (left_counts, right_counts) = (counts(left), counts(right));
    let mut elements: Vec<u8> = left_counts.keys().chain(right_counts.keys()).copied().collect();
    elements.sort_by(|a, b| {
        let pull = |number: &u8| electronegativity(*number).unwrap_or(f64::INFINITY);
        pull(a).total_cmp(&pull(b)).then_with(|| symbol(*a).cmp(symbol(*b)))
    });
    let share = |counts: &BTreeMap<u8, usize>, element: &u8, of: &Crystal| {
        counts.get(element).map_or(0.0, |count| *count as f64 / of.sites.len() as f64)
    };
    let difference = |element: &u8| share(&left_counts, element, left) - share(&right_counts, element, right);
    let decisive = elements.iter().map(difference).find(|difference| difference.abs() >= SHARE);
    decisive.map_or(Ordering::Equal, |difference| difference.total_cmp(&0.0))
}

/// Whether `second` is `known` again.
fn same(known: &Crystal, second: &Crystal, tol: f64) -> bool {
    let occurring = counts(known);
    if occurring != counts(second) {
        return false;
    }
    // Translations that bring an atom of the rarest element onto another; the first of its kind is the anchor.
    let fewest = occurring.values().min();
    let Some(anchor) = second.sites.iter().find(|site| occurring.get(&site.number) == fewest) else { return true };
    mappings(&known.cell, &second.cell, tol).into_iter().any(|mapping| {
        let Some(inverse) = inverse(&mapping) else { return false };
        let cell = mapping.map(|row| row_times(row, &known.cell));
        let mapped: Vec<Site> = known
            .sites
            .iter()
            .map(|site| Site { place: row_times(site.place, &inverse).map(wrapped), ..*site })
            .collect();
        let comparison = Comparison::new(&cell, &second.cell, mapped.len(), tol);
        let landings = mapped.iter().filter(|site| site.number == anchor.number);
        landings.into_iter().any(|site| comparison.agrees(&mapped, &second.sites, sub(site.place, anchor.place)))
    })
}

/// Integer matrices that turn the cell `from` into one like `to`.
fn mappings(from: &Mat3, to: &Mat3, tol: f64) -> Vec<Mat3> {
    let (lengths, angles) = cell_parameters(to);
    let longest = lengths.into_iter().fold(0.0, f64::max) * (1.0 + tol);
    let points = points_in_sphere(from, longest);
    let alike = |row: usize| {
        let ratio = move |length: f64| length / lengths[row];
        points.iter().filter(move |(_, _, length)| (1.0 / (1.0 + tol)..1.0 + tol).contains(&ratio(*length)))
    };
    let thirds: Vec<_> = alike(2).collect();
    let angle_fits = |which: usize, (_, a, la): &Point, (_, b, lb): &Point| {
        let angle = (dot(*a, *b) / (la * lb)).clamp(-1.0, 1.0).acos();
        (angle - angles[which]).abs().to_degrees() <= ANGLE
    };
    let mut found = Vec::new();
    for first in alike(0) {
        for second in alike(1).filter(|second| angle_fits(2, first, second)) {
            for third in thirds.iter().filter(|third| angle_fits(1, first, third) && angle_fits(0, second, third)) {
                let matrix = [first.0, second.0, third.0];
                if determinant(&matrix).abs() == 1.0 {
                    found.push(matrix);
                }
            }
        }
    }
    found
}

/// A lattice point: in fractions, where it is, and how far from the origin.
type Point = (Vec3, Vec3, f64);

fn points_in_sphere(cell: &Mat3, radius: f64) -> Vec<Point> {
    let Some(rows) = inverse(cell) else { return Vec::new() };
    let reach = std::array::from_fn(|k| (radius * norm([rows[0][k], rows[1][k], rows[2][k]])).floor() as i32);
    let [na, nb, nc]: [i32; 3] = reach;
    let mut points = Vec::new();
    for a in -na..=na {
        for b in -nb..=nb {
            for c in -nc..=nc {
                let point = [a, b, c].map(f64::from);
                let vector = row_times(point, cell);
                let length = norm(vector);
                if length > 0.0 && length <= radius {
                    points.push((point, vector, length));
                }
            }
        }
    }
    points
}

/// Two crystals on the mean of their cells.
struct Comparison {
    cell: Mat3,
    images: Vec<Vec3>,
    /// How far apart places may be at first, in fractions.
    tolerance: Vec3,
    /// How far apart atoms may be in the end, Angstrom.
    limit: f64,
}

impl Comparison {
    fn new(first: &Mat3, second: &Mat3, atoms: usize, tol: f64) -> Self {
        let ((la, aa), (lb, ab)) = (cell_parameters(first), cell_parameters(second));
        let half = |a: [f64; 3], b: [f64; 3]| std::array::from_fn(|k| 0.5 * (a[k] + b[k]));
        let cell = cell_from_parameters(half(la, lb), half(aa, ab));
        let limit = tol * (determinant(&cell).abs() / atoms as f64).cbrt();
        let rows = inverse(&cell).unwrap_or_default();
        let tolerance = std::array::from_fn(|k| 2.0 * limit * norm([rows[0][k], rows[1][k], rows[2][k]]));
        let digits = (0..27u8).map(|index| [index / 9, index / 3 % 3, index % 3].map(|digit| f64::from(digit) - 1.0));
        Self { cell, images: digits.map(|shift| row_times(shift, &cell)).collect(), tolerance, limit }
    }

    /// Whether `second`, moved by `translation` and then as well as can be, lies on `first`.
    fn agrees(&self, first: &[Site], second: &[Site], translation: Vec3) -> bool {
        let mut taken = vec![false; first.len()];
        let mut apart = Vec::with_capacity(second.len());
        for site in second {
            let place = add(site.place, translation);
            let near = |(_, other): &(usize, &Site)| {
                let difference = sub(other.place, place);
                other.number == site.number && (0..3).all(|k| nearest_image(difference[k]).abs() <= self.tolerance[k])
            };
            let vectors = first
                .iter()
                .enumerate()
                .filter(near)
                .map(|(index, other)| (index, self.shortest(sub(other.place, place))));
            let closest = vectors.min_by(|(_, a), (_, b)| dot(*a, *a).total_cmp(&dot(*b, *b)));
            // Atoms of a crystal are farther apart than twice the tolerance, so each has one partner.
            match closest {
                Some((index, vector)) if !taken[index] => {
                    taken[index] = true;
                    apart.push(vector);
                }
                _ => return false,
            }
        }
        let sum = apart.iter().fold([0.0; 3], |sum, vector| add(sum, *vector));
        let mean = scale(sum, 1.0 / apart.len() as f64);
        apart.iter().all(|vector| norm(sub(*vector, mean)) < self.limit)
    }

    /// The shortest of a vector (given in fractions) and its images.
    fn shortest(&self, difference: Vec3) -> Vec3 {
        let vector = row_times(difference.map(nearest_image), &self.cell);
        let all = self.images.iter().map(|image| add(vector, *image));
        all.min_by(|a, b| dot(*a, *a).total_cmp(&dot(*b, *b))).unwrap_or(vector)
    }
}
