//! A crystal as the slab builder handles it: a cell, and sites in fractions of its vectors, each
//! remembering which atom of the bulk it is a copy of.

use super::rounding::{inverse, row_times};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
pub(super) use crate::science::linear::cell_parameters;
use crate::science::linear::{Mat3, Vec3, add, determinant};

/// One atom of a [`Crystal`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::science) struct Site {
    pub number: u8,
    /// The atom of the bulk that this one is a copy of.
    pub origin: usize,
    /// Position in fractions of the cell's vectors.
    pub place: Vec3,
}

/// A cell with its contents.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::science) struct Crystal {
    pub cell: Mat3,
    pub sites: Vec<Site>,
}

impl Crystal {
    /// The crystal that `atoms` and their periodic images make.
    pub fn new(atoms: &Atoms) -> Result<Self> {
        let cell = *atoms.cell();
        let to_fractions = inverse(&cell).ok_or_else(|| Error::SingularCell { vectors: "a, b, c".into() })?;
        let places = atoms.positions().iter().map(|position| row_times(*position, &to_fractions));
        let sites = atoms.numbers().iter().zip(places).enumerate();
        let sites = sites.map(|(origin, (number, place))| Site { number: *number, origin, place }).collect();
        Ok(Self { cell, sites })
    }

    /// The atoms, without notes and columns.
    pub fn atoms(&self) -> Result<Atoms> {
        let positions = self.sites.iter().map(|site| row_times(site.place, &self.cell)).collect();
        let numbers = self.sites.iter().map(|site| site.number).collect();
        Atoms::new(numbers, positions)?.with_cell(self.cell, [true; 3])
    }

    /// The same crystal in the larger cell `matrix * cell`; copies of one site follow one another.
    pub fn repeated(&self, matrix: &[[i64; 3]; 3]) -> Self {
        let matrix: Mat3 = matrix.map(|row| row.map(|entry| entry as f64));
        let cell = matrix.map(|row| row_times(row, &self.cell));
        // A singular matrix makes an empty crystal; nobody asks for one.
        let inverses = inverse(&matrix).zip(inverse(&cell));
        let Some((to_large, to_fractions)) = inverses else { return Self { cell, sites: Vec::new() } };
        let shifts: Vec<Vec3> =
            points_within(&matrix, &to_large).into_iter().map(|point| row_times(point, &cell)).collect();
        let mut sites = Vec::with_capacity(self.sites.len() * shifts.len());
        for site in &self.sites {
            let position = row_times(site.place, &self.cell);
            sites.extend(shifts.iter().map(|shift| {
                let place = row_times(add(position, *shift), &to_fractions);
                // Once more, for what came out as exactly 1.
                Site { place: place.map(wrapped).map(wrapped), ..*site }
            }));
        }
        Self { cell, sites }
    }

    /// The least and the greatest fraction of c at which there is an atom.
    pub fn extent(&self) -> (f64, f64) {
        let heights = self.sites.iter().map(|site| site.place[2]);
        heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), z| (low.min(z), high.max(z)))
    }

    /// Moves everything by a fraction of c, back into the cell.
    pub fn shift_along_c(&mut self, by: f64) {
        for site in &mut self.sites {
            site.place = [site.place[0], site.place[1], site.place[2] + by].map(wrapped);
        }
    }
}

/// The points of the small lattice within one large cell, in fractions of the large one.
fn points_within(matrix: &Mat3, inverse: &Mat3) -> Vec<Vec3> {
    let corners = (0..8u8).map(|corner| row_times([corner & 1, corner >> 1 & 1, corner >> 2].map(f64::from), matrix));
    let (mut low, mut high) = ([0.0f64; 3], [0.0f64; 3]);
    for corner in corners {
        low = std::array::from_fn(|k| low[k].min(corner[k]));
        high = std::array::from_fn(|k| high[k].max(corner[k]));
    }
    let range = |k: usize| low[k] as i64..=high[k] as i64;
    let mut points = Vec::with_capacity(determinant(matrix).abs().round() as usize);
    for a in range(0) {
        for b in range(1) {
            for c in range(2) {
                let point = row_times([a as f64, b as f64, c as f64], inverse);
                if point.iter().all(|x| (-1e-10..1.0 - 1e-10).contains(x)) {
                    points.push(point);
                }
            }
        }
    }
    points
}

/// A fraction moved into the cell. What is less than 1e-15 outside may come out as exactly 1.
pub(in crate::science) fn wrapped(fraction: f64) -> f64 {
    fraction.rem_euclid(1.0)
}

/// A difference of fractions, to the nearest image.
pub(in crate::science) fn nearest_image(difference: f64) -> f64 {
    difference - difference.round()
}

/// The right-handed cell with these parameters, c along z and a in the plane of x and z.
pub(super) fn cell_from_parameters([a, b, c]: [f64; 3], [alpha, beta, gamma]: [f64; 3]) -> Mat3 {
    // Of the reciprocal angle gamma*: International Tables for Crystallography B (2001), table 1.1.3.1.
    let cos = (alpha.cos() * beta.cos() - gamma.cos()) / (alpha.sin() * beta.sin());
    let star = cos.clamp(-1.0, 1.0).acos();
    [
        [a * beta.sin(), 0.0, a * beta.cos()],
        [-b * alpha.sin() * star.cos(), b * alpha.sin() * star.sin(), b * alpha.cos()],
        [0.0, 0.0, c],
    ]
}
