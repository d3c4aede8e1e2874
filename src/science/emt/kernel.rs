//! The two passes over the pairs. Each row (one atom, neighbours of one element) is worked off in
//! three strokes: pick the pairs within the cutoff, compute exponentials over plain arrays that
//! the compiler vectorises, add the results to the atoms.

use crate::science::linear::{Vec3, add, dot, scale, sub};

use super::exp::exp;
use super::parameters::HalfPair;
use super::{Cutoff, Model, TOO_CLOSE};

/// The pairs within the cutoff and what the second pass needs of each.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    rows: Vec<PairRow>,
    neighbours: Vec<u32>,
    /// r^2 in the row being worked off.
    distances: Vec<f64>,
    /// Derivatives by r, over r: of the density of j at i, of i at j (where that differs), and of the
    /// pair energy.
    at_centre: Vec<f64>,
    at_neighbour: Vec<f64>,
    pair: Vec<f64>,
    /// Scratch of one row: density of j at i, of i at j, and pair energy.
    values: [Vec<f64>; 3],
}

#[derive(Debug)]
struct PairRow {
    atom: u32,
    start: u32,
    end: u32,
    /// Where this row starts in `at_neighbour`; `None` for two atoms of one element, where both see the same.
    back: Option<u32>,
}

impl Pairs {
    /// First pass: adds density and pair energy to `sums`. Returns a pair that is too close, if any.
    pub(super) fn gather(
        &mut self,
        model: &Model,
        positions: &[Vec3],
        sums: &mut [[f64; 2]],
    ) -> Option<(usize, usize)> {
        let count = model.elements.len();
        self.rows.clear();
        self.neighbours.clear();
        for column in [&mut self.at_centre, &mut self.at_neighbour, &mut self.pair] {
            column.clear();
        }
        for column in [&mut self.at_centre, &mut self.pair] {
            column.reserve(model.list.len());
        }
        self.neighbours.reserve(model.list.len());
        for row in model.list.rows() {
            let centre = row.atom as usize;
            let start = self.neighbours.len();
            let nearest = self.pick(positions, centre, model.list.neighbours(*row), model.cutoff.range);
            if nearest < TOO_CLOSE * TOO_CLOSE {
                let close = self.distances.iter().position(|square| *square == nearest).unwrap_or(0);
                return Some((centre, self.neighbours[start + close] as usize));
            }
            let (kind, other) = (usize::from(model.kinds[centre]), usize::from(row.kind));
            let seen = &model.halves[kind * count + other];
            let mut back = None;
            if kind == other {
                self.like(&model.cutoff, seen);
            } else {
                back = Some(self.at_neighbour.len() as u32);
                self.unlike(&model.cutoff, seen, &model.halves[other * count + kind]);
            }
            let (start32, end) = (start as u32, self.neighbours.len() as u32);
            self.rows.push(PairRow { atom: row.atom, start: start32, end, back });

            let [densities, returned, energies] = &self.values;
            let returned = if back.is_some() { returned } else { densities };
            let mut total = [0.0; 2];
            let terms = densities.iter().zip(returned).zip(energies);
            for (neighbour, ((density, returned), energy)) in self.neighbours[start..].iter().zip(terms) {
                total = [total[0] + density, total[1] + energy];
                let sum = &mut sums[*neighbour as usize];
                *sum = [sum[0] + returned, sum[1] + energy];
            }
            let sum = &mut sums[centre];
            *sum = [sum[0] + total[0], sum[1] + total[1]];
        }
        None
    }

    /// Second pass: adds the forces to `forces`, given the slope of each atom's energy by its density.
    pub(super) fn push(&self, positions: &[Vec3], slopes: &[f64], forces: &mut [Vec3]) {
        for row in &self.rows {
            let centre = row.atom as usize;
            let range = row.start as usize..row.end as usize;
            let at_centre = &self.at_centre[range.clone()];
            let at_neighbour = match row.back {
                Some(back) => &self.at_neighbour[back as usize..][..at_centre.len()],
                None => at_centre,
            };
            let (from, slope) = (positions[centre], slopes[centre]);
            let mut total = [0.0; 3];
            let terms = at_centre.iter().zip(at_neighbour).zip(&self.pair[range.clone()]);
            for (neighbour, ((at_centre, at_neighbour), pair)) in self.neighbours[range].iter().zip(terms) {
                let neighbour = *neighbour as usize;
                let factor = slope * at_centre + slopes[neighbour] * at_neighbour + pair;
                let push = scale(sub(positions[neighbour], from), factor);
                total = add(total, push);
                forces[neighbour] = sub(forces[neighbour], push);
            }
            forces[centre] = add(forces[centre], total);
        }
    }

    /// Appends the neighbours within `range`, leaves their squared distances in `distances` and
    /// returns the smallest. Makes room for what is computed of each.
    fn pick(&mut self, positions: &[Vec3], centre: usize, candidates: &[u32], range: f64) -> f64 {
        let start = self.neighbours.len();
        self.neighbours.resize(start + candidates.len(), 0);
        self.distances.resize(candidates.len(), 0.0);
        let (from, limit) = (positions[centre], range * range);
        let (mut count, mut nearest) = (0, f64::INFINITY);
        // Without a branch: every candidate is written, the place moves on for those that count.
        let picked = &mut self.neighbours[start..];
        for candidate in candidates {
            let vector = sub(positions[*candidate as usize], from);
            let square = dot(vector, vector);
            picked[count] = *candidate;
            self.distances[count] = square;
            count += usize::from(square < limit);
            nearest = f64::min(nearest, square);
        }
        self.neighbours.truncate(start + count);
        self.distances.truncate(count);
        for column in &mut self.values {
            column.resize(count, 0.0);
        }
        nearest
    }

    /// Two atoms of one element: both see the same, so three exponentials do.
    fn like(&mut self, cutoff: &Cutoff, seen: &HalfPair) {
        let count = self.distances.len();
        let (distances, derivative, pair) =
            (&self.distances[..count], room(&mut self.at_centre, count), room(&mut self.pair, count));
        let [densities, _, energies] = &mut self.values;
        let (densities, energies) = (&mut densities[..count], &mut energies[..count]);
        for k in 0..count {
            let r = distances[k].sqrt();
            let w = 1.0 / (1.0 + exp(cutoff.steepness * (r - cutoff.middle)));
            let log_slope = cutoff.steepness * (w - 1.0);
            let density = seen.density * w * exp(-seen.eta * r);
            let energy = 2.0 * seen.pair * w * exp(-seen.kappa * r);
            let inverse = 1.0 / r;
            densities[k] = density;
            energies[k] = energy;
            derivative[k] = density * (log_slope - seen.eta) * inverse;
            pair[k] = energy * (log_slope - seen.kappa) * inverse;
        }
    }

    /// Two elements: `seen` is the neighbour as the centre sees it, `seeing` the reverse.
    fn unlike(&mut self, cutoff: &Cutoff, seen: &HalfPair, seeing: &HalfPair) {
        let count = self.distances.len();
        let at_centre = room(&mut self.at_centre, count);
        let (at_neighbour, pair) = (room(&mut self.at_neighbour, count), room(&mut self.pair, count));
        let [densities, back, energies] = &mut self.values;
        let densities = &mut densities[..count];
        let (back, energies) = (&mut back[..count], &mut energies[..count]);
        let distances = &self.distances[..count];
        for k in 0..count {
            let r = distances[k].sqrt();
            let w = 1.0 / (1.0 + exp(cutoff.steepness * (r - cutoff.middle)));
            let log_slope = cutoff.steepness * (w - 1.0);
            let inverse = 1.0 / r;
            let density = seen.density * w * exp(-seen.eta * r);
            let returned = seeing.density * w * exp(-seeing.eta * r);
            let there = seen.pair * w * exp(-seen.kappa * r);
            let here = seeing.pair * w * exp(-seeing.kappa * r);
            densities[k] = density;
            back[k] = returned;
            energies[k] = there + here;
            at_centre[k] = density * (log_slope - seen.eta) * inverse;
            at_neighbour[k] = returned * (log_slope - seeing.eta) * inverse;
            pair[k] = (there * (log_slope - seen.kappa) + here * (log_slope - seeing.kappa)) * inverse;
        }
    }
}

/// `count` more places at the end of a column.
fn room(column: &mut Vec<f64>, count: usize) -> &mut [f64] {
    let start = column.len();
    column.resize(start + count, 0.0);
    &mut column[start..]
}
