//! The two passes over the pairs. Each row (one atom, neighbours of one element) is worked off in
//! three strokes: pick the pairs within the cutoff, compute exponentials over plain arrays that
//! the compiler vectorises, add the results to the atoms.

use crate::science::linear::{Vec3, dot, sub};

use super::exp::exp;
use super::parameters::HalfPair;
use super::{Cutoff, Model, TOO_CLOSE};

/// The pairs within the cutoff and what the second pass needs of each.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    rows: Vec<PairRow>,
    neighbours: Vec<u32>,
    vectors: Vec<Vec3>,
    /// First r^2, then r, in the row being worked off.
    distances: Vec<f64>,
    /// Derivatives by r, over r: of the density of j at i, of i at j, and of the pair energy.
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
        self.vectors.clear();
        for column in [&mut self.at_centre, &mut self.at_neighbour, &mut self.pair] {
            column.clear();
        }
        for row in model.list.rows() {
            let centre = row.atom as usize;
            let start = self.vectors.len();
            let nearest = self.pick(positions, centre, model.list.neighbours(*row), model.cutoff.range);
            if nearest < TOO_CLOSE * TOO_CLOSE {
                let close = self.distances.iter().position(|square| *square == nearest).unwrap_or(0);
                return Some((centre, self.neighbours[start + close] as usize));
            }
            let kind = usize::from(model.kinds[centre]);
            let other = usize::from(row.kind);
            let seen = &model.halves[kind * count + other];
            if kind == other {
                self.like(&model.cutoff, seen);
            } else {
                self.unlike(&model.cutoff, seen, &model.halves[other * count + kind]);
            }
            self.rows.push(PairRow { atom: row.atom, start: start as u32, end: self.vectors.len() as u32 });
            let [densities, back, energies] = &self.values;
            let mut total = [0.0; 2];
            for (k, neighbour) in self.neighbours[start..].iter().enumerate() {
                total[0] += densities[k];
                total[1] += energies[k];
                let sum = &mut sums[*neighbour as usize];
                sum[0] += back[k];
                sum[1] += energies[k];
            }
            sums[centre][0] += total[0];
            sums[centre][1] += total[1];
        }
        None
    }

    /// Second pass: adds the forces to `forces`, given the slope of each atom's energy by its density.
    pub(super) fn push(&self, slopes: &[f64], forces: &mut [Vec3]) {
        for row in &self.rows {
            let centre = row.atom as usize;
            let range = row.start as usize..row.end as usize;
            let slope = slopes[centre];
            let mut total = [0.0; 3];
            let terms = self.at_centre[range.clone()]
                .iter()
                .zip(&self.at_neighbour[range.clone()])
                .zip(&self.pair[range.clone()]);
            let ends = self.neighbours[range.clone()].iter().zip(&self.vectors[range]);
            for (((at_centre, at_neighbour), pair), (neighbour, vector)) in terms.zip(ends) {
                let neighbour = *neighbour as usize;
                let factor = slope * at_centre + slopes[neighbour] * at_neighbour + pair;
                let force = &mut forces[neighbour];
                for k in 0..3 {
                    let component = factor * vector[k];
                    total[k] += component;
                    force[k] -= component;
                }
            }
            for k in 0..3 {
                forces[centre][k] += total[k];
            }
        }
    }

    /// Appends the pairs within `range`, leaves their squared distances in `distances` and returns
    /// the smallest.
    fn pick(&mut self, positions: &[Vec3], centre: usize, candidates: &[u32], range: f64) -> f64 {
        let start = self.vectors.len();
        let most = start + candidates.len();
        self.neighbours.resize(most, 0);
        self.vectors.resize(most, [0.0; 3]);
        self.distances.resize(candidates.len(), 0.0);
        let (from, limit) = (positions[centre], range * range);
        let (mut count, mut nearest) = (0, f64::INFINITY);
        // Without a branch: every candidate is written, the place moves on for those that count.
        for candidate in candidates {
            let vector = sub(positions[*candidate as usize], from);
            let square = dot(vector, vector);
            self.neighbours[start + count] = *candidate;
            self.vectors[start + count] = vector;
            self.distances[count] = square;
            count += usize::from(square < limit);
            nearest = f64::min(nearest, square);
        }
        self.neighbours.truncate(start + count);
        self.vectors.truncate(start + count);
        self.distances.truncate(count);
        let total = start + count;
        for column in [&mut self.at_centre, &mut self.at_neighbour, &mut self.pair] {
            column.resize(total, 0.0);
        }
        for column in &mut self.values {
            column.resize(count, 0.0);
        }
        nearest
    }

    /// Two atoms of one element: both see the same, so three exponentials do.
    fn like(&mut self, cutoff: &Cutoff, seen: &HalfPair) {
        let count = self.distances.len();
        let start = self.at_centre.len() - count;
        let derivative = &mut self.at_centre[start..][..count];
        let pair = &mut self.pair[start..][..count];
        let [densities, back, energies] = &mut self.values;
        let (densities, energies) = (&mut densities[..count], &mut energies[..count]);
        let distances = &self.distances[..count];
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
        back[..count].copy_from_slice(densities);
        self.at_neighbour[start..].copy_from_slice(derivative);
    }

    /// Two elements: `seen` is the neighbour as the centre sees it, `seeing` the reverse.
    fn unlike(&mut self, cutoff: &Cutoff, seen: &HalfPair, seeing: &HalfPair) {
        let count = self.distances.len();
        let start = self.at_centre.len() - count;
        let at_centre = &mut self.at_centre[start..][..count];
        let at_neighbour = &mut self.at_neighbour[start..][..count];
        let pair = &mut self.pair[start..][..count];
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
