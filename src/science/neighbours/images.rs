//! Which periodic images of which atoms come within reach of the real ones.

use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, cross, dot, inverse, norm, row_times, scale, sub};

use super::shifted;

/// More ghosts than this are not a structure but a slip in the unit of length.
const MOST_GHOSTS: f64 = 1e7;

/// How to make the extended list from positions: lattice vectors that bring each real atom into
/// the cell, and for each ghost its owner and shift.
#[derive(Debug)]
pub(super) struct Images {
    wraps: Vec<[i32; 3]>,
    owners: Vec<u32>,
    shifts: Vec<[i32; 3]>,
}

impl Images {
    /// All images within `reach` of the box around the real atoms, lexicographically positive shifts only.
    pub(super) fn new(atoms: &Atoms, reach: f64) -> Result<Self> {
        let (cell, pbc) = (atoms.cell(), atoms.pbc());
        let frame = completed(cell, pbc);
        let Some(to_fractional) = inverse(&frame) else {
            return Err(Error::SingularCell { vectors: "a, b, c".into() });
        };
        let mut wraps = Vec::with_capacity(atoms.len());
        let mut fractions = Vec::with_capacity(atoms.len());
        for position in atoms.positions() {
            let mut fraction = row_times(*position, &to_fractional);
            let wrap = std::array::from_fn(|k| if pbc[k] { -fraction[k].floor() } else { 0.0 });
            if wrap.iter().any(|steps: &f64| steps.abs() > 1e9) {
                return Err(Error::TooManyImages { cutoff: reach, images: f64::INFINITY });
            }
            for k in 0..3 {
                fraction[k] += wrap[k];
            }
            wraps.push(wrap.map(|steps| steps as i32));
            fractions.push(fraction);
        }
        // The distance between opposite faces says how many lattice planes lie within reach.
        let margin: [f64; 3] = std::array::from_fn(|k| {
            let column = [to_fractional[0][k], to_fractional[1][k], to_fractional[2][k]];
            reach * norm(column)
        });
        let (low, high) = bounds(&fractions);
        let images: f64 = (0..3).filter(|k| pbc[*k]).map(|k| 2.0 * margin[k] + 1.0).product();
        if (images - 1.0) * atoms.len() as f64 > MOST_GHOSTS {
            return Err(Error::TooManyImages { cutoff: reach, images });
        }
        let wrapped: Vec<Vec3> =
            atoms.positions().iter().zip(&wraps).map(|(p, wrap)| shifted(*p, *wrap, cell)).collect();
        let (corner, opposite) = bounds(&wrapped);
        let within = |p: Vec3| (0..3).all(|k| p[k] > corner[k] - reach && p[k] < opposite[k] + reach);

        let (mut owners, mut shifts) = (Vec::new(), Vec::new());
        for (owner, (fraction, position)) in fractions.iter().zip(&wrapped).enumerate() {
            let range = |k: usize| {
                if !pbc[k] {
                    return 0..=0;
                }
                // One part in 1e9 more, so that rounding never loses an image at the edge.
                let slack = 1e-9 * (1.0 + margin[k]);
                let from = (low[k] - margin[k] - fraction[k] - slack).ceil() as i32;
                from..=(high[k] + margin[k] - fraction[k] + slack).floor() as i32
            };
            for a in range(0).filter(|a| *a >= 0) {
                for b in range(1).filter(|b| a > 0 || *b >= 0) {
                    for c in range(2).filter(|c| a > 0 || b > 0 || *c > 0) {
                        if within(shifted(*position, [a, b, c], cell)) {
                            owners.push(owner as u32);
                            shifts.push([a, b, c]);
                        }
                    }
                }
            }
        }
        Ok(Self { wraps, owners, shifts })
    }

    /// The extended positions: real atoms moved into the cell, then ghosts.
    pub(super) fn extended(&self, positions: &[Vec3], cell: &Mat3) -> Vec<Vec3> {
        let count = self.wraps.len() + self.owners.len();
        (0..count)
            .map(|point| self.origin(point))
            .map(|(atom, shift)| shifted(positions[atom as usize], shift, cell))
            .collect()
    }

    /// The atom that a point of the extended list is or is an image of, and the lattice vectors from
    /// one to the other.
    pub(super) fn origin(&self, point: usize) -> (u32, [i32; 3]) {
        match point.checked_sub(self.wraps.len()) {
            None => (point as u32, self.wraps[point]),
            Some(ghost) => {
                let owner = self.owners[ghost];
                let (wrap, shift) = (self.wraps[owner as usize], self.shifts[ghost]);
                (owner, std::array::from_fn(|k| wrap[k] + shift[k]))
            }
        }
    }
}

/// The cell with vectors of directions that do not repeat replaced by unit vectors orthogonal
/// to the rest: what stands there in a file has no meaning for neighbours, and may be zero.
pub(crate) fn completed(cell: &Mat3, pbc: [bool; 3]) -> Mat3 {
    let mut frame: Vec<Option<Vec3>> = (0..3).map(|k| pbc[k].then_some(cell[k])).collect();
    for k in 0..3 {
        if frame[k].is_some() {
            continue;
        }
        let others: Vec<Vec3> = frame.iter().flatten().copied().collect();
        let direction = match *others {
            [a, b] => cross(a, b),
            [a] => {
                // The Cartesian axis least along `a`, made orthogonal to it.
                let axis = (0..3).min_by(|i, j| a[*i].abs().total_cmp(&a[*j].abs())).unwrap_or(0);
                let unit = std::array::from_fn(|i| f64::from(u8::from(i == axis)));
                sub(unit, scale(a, dot(a, unit) / dot(a, a)))
            }
            _ => std::array::from_fn(|i| f64::from(u8::from(i == k))),
        };
        frame[k] = Some(scale(direction, 1.0 / norm(direction)));
    }
    std::array::from_fn(|k| frame[k].unwrap_or_default())
}

/// The smallest and the largest value of each component.
pub(super) fn bounds(points: &[Vec3]) -> (Vec3, Vec3) {
    let mut low = [f64::INFINITY; 3];
    let mut high = [f64::NEG_INFINITY; 3];
    for point in points {
        for k in 0..3 {
            low[k] = low[k].min(point[k]);
            high[k] = high[k].max(point[k]);
        }
    }
    (low, high)
}
