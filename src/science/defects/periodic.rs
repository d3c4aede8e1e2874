//! Distances in a crystal, to the nearest periodic image.

use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, add, dot, norm, sub};
use crate::science::slabs::crystal::wrapped;
use crate::science::slabs::lll;
use crate::science::slabs::rounding::{inverse, row_times};

/// A lattice in its reduced cell, in which the nearest image is at most one cell away.
pub(super) struct Periodic {
    cell: Mat3,
    to_fractions: Mat3,
    images: Vec<Vec3>,
}

impl Periodic {
    pub fn new(cell: &Mat3) -> Result<Self> {
        let cell = lll::reduced(cell);
        let to_fractions = inverse(&cell).ok_or_else(|| Error::SingularCell { vectors: "a, b, c".into() })?;
        let step = |place: u32, digit: u32| f64::from(place / 3u32.pow(digit) % 3) - 1.0;
        let image = |place| row_times([step(place, 2), step(place, 1), step(place, 0)], &cell);
        Ok(Self { images: (0..27).map(image).collect(), cell, to_fractions })
    }

    /// The vector from one point to the nearest image of another; of images equally near to the last bit
    /// the first, as pymatgen takes it.
    pub fn between(&self, from: Vec3, to: Vec3) -> Vec3 {
        let inside = |point| row_times(row_times(point, &self.to_fractions).map(wrapped), &self.cell);
        let vector = sub(inside(to), inside(from));
        let (mut nearest, mut least) = (vector, f64::INFINITY);
        for image in &self.images {
            let there = add(vector, *image);
            let square = dot(there, there);
            if square < least {
                (nearest, least) = (there, square);
            }
        }
        nearest
    }

    /// The distance to the nearest image, Angstrom.
    pub fn distance(&self, from: Vec3, to: Vec3) -> f64 {
        norm(self.between(from, to))
    }

    /// The length of the shortest vector of the lattice, Angstrom.
    pub fn shortest(&self) -> f64 {
        self.images.iter().map(|image| norm(*image)).filter(|length| *length > 0.0).fold(f64::INFINITY, f64::min)
    }
}
