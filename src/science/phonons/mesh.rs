//! Phonons at all irreducible points of a grid, and the sums over them.

use nalgebra::Complex;

use super::dynamics::Dynamics;
use super::grid::Grid;
use super::thermal::{Thermal, thermal};
use super::total_dos;
use crate::science::error::{Error, Result};
use crate::science::linear::Vec3;

/// Rigid shifts of the crystal have no frequency; up to this, THz, what is computed for them is noise of finite
/// displacements, as for phonopy.
const NOISE: f64 = 0.1;

/// Below this, THz, everywhere: a layer shifts as a whole also where it is out of phase with its images across a
/// vacuum.
const ROUNDING: f64 = 1e-3;

/// Intervals of a density of states.
const INTERVALS: usize = 200;

/// Frequencies at the irreducible points of a grid.
#[derive(Clone, Debug)]
pub struct Mesh {
    /// The points.
    pub grid: Grid,
    /// THz, ascending at each point, imaginary ones below zero.
    pub frequencies: Vec<Vec<f64>>,
    /// For each frequency the amplitudes of atoms and directions, if they were wanted.
    pub eigenvectors: Vec<Vec<Vec<Complex<f64>>>>,
}

impl Mesh {
    /// Computes them, with eigenvectors where these are `wanted`. `stop` is asked at each point.
    pub fn new(grid: Grid, dynamics: &Dynamics, wanted: bool, stop: &dyn Fn() -> bool) -> Result<Self> {
        let mut mesh = Self { frequencies: Vec::new(), eigenvectors: Vec::new(), grid };
        for point in &mesh.grid.points {
            if stop() {
                return Err(Error::Stopped);
            }
            let (frequencies, eigenvectors) = dynamics.modes(*point, wanted);
            mesh.frequencies.push(frequencies);
            if wanted {
                mesh.eigenvectors.push(eigenvectors);
            }
        }
        Ok(mesh)
    }

    /// The frequencies at which phonopy gives a density of states: 201, from a tenth of the spectrum's width below
    /// the lowest to as much above the highest mode.
    pub fn sampling(&self) -> Vec<f64> {
        let all = || self.frequencies.as_slice().iter().flatten().copied();
        let (lowest, highest) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        let margin = (highest - lowest) / 100.0 * 10.0;
        let (from, to) = (lowest - margin, highest + margin);
        let step = (to - from) / INTERVALS as f64;
        (0..=INTERVALS).map(|k| from + k as f64 * step).collect()
    }

    /// The density of states at `frequencies` (THz), modes for each THz and primitive cell. `stop` is asked at each
    /// point.
    pub fn total_dos(&self, frequencies: &[f64], stop: &dyn Fn() -> bool) -> Result<Vec<f64>> {
        total_dos(&self.grid, &self.frequencies, frequencies, stop)
    }

    /// Free energy, entropy and heat capacity at `temperatures` (K). Imaginary modes count nothing, nor do rigid
    /// shifts: what noise makes of their frequencies would count a little, or not, as it happens. `stop` is asked at
    /// each temperature.
    pub fn thermal(&self, temperatures: &[f64], stop: &dyn Fn() -> bool) -> Result<Thermal> {
        let modes: Vec<(f64, f64)> =
            self.modes().map(|(_, frequency, weight)| (frequency, f64::from(weight))).collect();
        thermal(&modes, self.grid.size() as f64, temperatures, stop)
    }

    /// The lowest frequency beside the rigid shifts, THz, and where it is.
    pub fn lowest(&self) -> Option<(f64, Vec3)> {
        let lowest = self.modes().min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((lowest.1, self.grid.points[lowest.0]))
    }

    /// Every mode but the rigid shifts: its point, its frequency (THz), and how many it stands for.
    pub fn modes(&self) -> impl Iterator<Item = (usize, f64, u32)> {
        self.frequencies.iter().enumerate().flat_map(move |(point, frequencies)| {
            let shifts = if self.grid.points[point] == [0.0; 3] { rigid_shifts(frequencies) } else { Vec::new() };
            let moves =
                move |(branch, frequency): &(usize, &f64)| frequency.abs() > ROUNDING && !shifts.contains(branch);
            let kept = frequencies.iter().enumerate().filter(moves);
            kept.map(move |(_, frequency)| (point, *frequency, self.grid.weights[point]))
        })
    }
}

/// Which of the branches at Gamma are the shifts of the whole crystal: the three nearest to zero.
fn rigid_shifts(frequencies: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..frequencies.len()).collect();
    order.sort_by(|a, b| frequencies[*a].abs().total_cmp(&frequencies[*b].abs()));
    order.truncate(3);
    order.retain(|branch| frequencies[*branch].abs() < NOISE);
    order
}
