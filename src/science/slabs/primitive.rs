//! The smallest cell of a crystal, found as pymatgen finds it: by trying sublattices in a fixed order,
//! so that the same cell comes out where several would do. Every lattice of index n has exactly one
//! basis in Hermite normal form: G. L. W. Hart and R. W. Forcade, Phys. Rev. B 77, 224115 (2008),
//! doi:10.1103/PhysRevB.77.224115, eq. 1.

use super::crystal::{Crystal, Site, cell_parameters, nearest_image, wrapped};
use super::rounding::{inverse, row_times};
use crate::science::elements::symbol;
use crate::science::linear::{Mat3, Vec3, add, determinant, norm, sub};

/// Whether a cell that was found will do.
pub(super) type Accept<'a> = &'a dyn Fn(&Mat3) -> bool;

/// The crystal in the smallest cell that `accept` accepts; as it is if there is none smaller. Atoms
/// that a translation maps onto one another within `tolerance` (Angstrom) are merged at their mean.
pub(super) fn primitive(crystal: &Crystal, tolerance: f64, accept: Accept) -> Crystal {
    let groups = by_element(crystal);
    let loose = cell_parameters(&crystal.cell).0.map(|length| tolerance / length);
    let translations = translations(&groups, loose.map(|x| 2.0 * x));
    let count = groups.iter().map(Vec::len).fold(0, divisor);
    // Without a translation but zero there is nothing to try.
    let indices = divisors(count).filter(|index| *index > 1 && translations.len() > 1);
    for sublattice in indices.flat_map(|index| sublattices(index, &translations, loose)) {
        let Some(smaller) = in_sublattice(crystal, &groups, &sublattice, tolerance, loose) else { continue };
        let smallest = primitive(&smaller, tolerance, accept);
        if accept(&smallest.cell) {
            return smallest;
        }
    }
    crystal.clone()
}

/// Whether two numbers agree as NumPy's `isclose` has it by default, `b` being the reference.
pub(super) fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-8 + 1e-5 * b.abs()
}

/// The sites of each element, in the order of symbols.
fn by_element(crystal: &Crystal) -> Vec<Vec<Site>> {
    let mut sites = crystal.sites.clone();
    sites.sort_by_key(|site| symbol(site.number));
    sites.chunk_by(|a, b| a.number == b.number).map(<[Site]>::to_vec).collect()
}

fn divisor(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn within(difference: Vec3, tolerance: Vec3) -> bool {
    (0..3).all(|k| nearest_image(difference[k]).abs() < tolerance[k])
}

/// Candidates: vectors between sites of the rarest element that take every site to one of its element.
fn translations(groups: &[Vec<Site>], tolerance: Vec3) -> Vec<Vec3> {
    let mut sorted: Vec<&Vec<Site>> = groups.iter().collect();
    sorted.sort_by_key(|group| group.len());
    let Some(rarest) = sorted.first() else { return Vec::new() };
    let mut vectors: Vec<Vec3> = rarest.iter().map(|site| sub(site.place, rarest[0].place)).collect();
    for group in sorted {
        for from in group {
            let arrives = |v: &Vec3| group.iter().any(|to| within(sub(sub(to.place, from.place), *v), tolerance));
            vectors.retain(arrives);
        }
    }
    vectors
}

fn divisors(number: usize) -> impl Iterator<Item = usize> {
    (1..=number).filter(move |divisor| number.is_multiple_of(*divisor))
}

/// Bases `[[a, b, c], [0, e, f], [0, 0, g]]` in Hermite normal form with the determinant `index`, whose
/// inverses have rows close to `translations`: low a first, then low e, b, c, f.
fn sublattices(index: usize, translations: &[Vec3], tolerance: Vec3) -> Vec<[[i64; 3]; 3]> {
    let is_one = |row: Vec3| translations.iter().any(|t| within(sub(row, *t), tolerance));
    let mut found = Vec::new();
    for a in divisors(index) {
        for e in divisors(index / a) {
            let g = index / a / e;
            // The inverse has the rows (1/a, -b/ae, (bf - ce)/aeg), (0, 1/e, -f/eg), (0, 0, 1/g).
            let [ra, re, rg] = [a, e, g].map(|n| n as f64);
            let steps_along_a = translations.iter().any(|t| nearest_image(1.0 / ra - t[0]).abs() < tolerance[0]);
            if !steps_along_a || !is_one([0.0, 0.0, 1.0 / rg]) {
                continue;
            }
            let fs: Vec<usize> = (0..e).filter(|f| is_one([0.0, 1.0 / re, -(*f as f64) / (re * rg)])).collect();
            for (b, c) in (0..a).flat_map(|b| (0..a).map(move |c| (b, c))) {
                let (rb, rc) = (b as f64, c as f64);
                let last = |f: usize| (rb * f as f64 - rc * re) / (ra * re * rg);
                let first = |f: &&usize| is_one([1.0 / ra, -rb / (ra * re), last(**f)]);
                let matrix = |f: &usize| [[a, b, c], [0, e, *f], [0, 0, g]].map(|row| row.map(|n| n as i64));
                found.extend(fs.iter().filter(first).map(matrix));
            }
        }
    }
    found
}

/// The crystal in the cell that `matrix` times as large is this one, if its contents repeat so.
fn in_sublattice(
    crystal: &Crystal,
    groups: &[Vec<Site>],
    matrix: &[[i64; 3]; 3],
    tolerance: f64,
    loose: Vec3,
) -> Option<Crystal> {
    let matrix: Mat3 = matrix.map(|row| row.map(|entry| entry as f64));
    let cell = inverse(&matrix)?.map(|row| row_times(row, &crystal.cell));
    let size = determinant(&matrix).round() as usize;
    let tight = cell.map(|vector| tolerance / norm(vector));
    let mut sites = Vec::with_capacity(crystal.sites.len() / size);
    for group in groups {
        let places: Vec<Vec3> = group.iter().map(|site| row_times(site.place, &matrix)).collect();
        let same = |i: usize, j: usize| {
            // Not two atoms that were close from the start.
            let apart = i == j || {
                let difference = sub(group[j].place, group[i].place);
                (0..3).any(|k| nearest_image(difference[k]).abs() > 2.0 * loose[k])
            };
            apart && within(sub(places[j], places[i]), tight)
        };
        let mut merged = vec![false; group.len()];
        for i in 0..group.len() {
            let class: Vec<usize> = (0..group.len()).filter(|j| same(i, *j)).collect();
            if class.len() != size {
                return None;
            }
            if merged[i] {
                continue;
            }
            if class.iter().any(|j| class.iter().any(|k| !same(*j, *k))) {
                return None;
            }
            class.iter().for_each(|j| merged[*j] = true);
            sites.push(Site { place: mean(class.iter().map(|j| places[*j].map(wrapped))), ..group[class[0]] });
        }
    }
    Some(Crystal { cell, sites })
}

/// The mean of places that are the same but for lattice vectors and a little noise.
fn mean(places: impl Iterator<Item = Vec3>) -> Vec3 {
    let mut count = 0.0;
    places
        .reduce(|mean, place| {
            count += 1.0;
            add(mean, sub(place, mean).map(|difference| nearest_image(difference) / (count + 1.0)))
        })
        .unwrap_or_default()
}
