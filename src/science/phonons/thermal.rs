//! What independent oscillators have at a temperature, by the partition function of each: free energy, entropy and
//! heat capacity at constant volume.

use super::constants::{KB, KJ_PER_MOL, THZ};
use crate::science::error::{Error, Result};

/// For a mole of primitive cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thermal {
    /// K.
    pub temperatures: Vec<f64>,
    /// Helmholtz's free energy with the zero-point energy, kJ/mol.
    pub free_energy: Vec<f64>,
    /// J/(K mol).
    pub entropy: Vec<f64>,
    /// At constant volume, J/(K mol).
    pub heat_capacity: Vec<f64>,
}

/// Of modes with frequencies in THz, each with a weight; what is not above zero counts nothing. `total` is the weight
/// of the mole. `stop` is asked at each temperature.
pub fn thermal(modes: &[(f64, f64)], total: f64, temperatures: &[f64], stop: &dyn Fn() -> bool) -> Result<Thermal> {
    let energies: Vec<(f64, f64)> =
        modes.iter().filter(|(thz, _)| *thz > 0.0).map(|(thz, weight)| (thz * THZ, *weight)).collect();
    let mut found = Thermal { temperatures: temperatures.to_vec(), ..Thermal::default() };
    let zero_point: f64 = energies.iter().map(|(energy, weight)| energy / 2.0 * weight).sum();
    let unit = KJ_PER_MOL / total;
    for temperature in temperatures {
        if stop() {
            return Err(Error::Stopped);
        }
        let (mut free, mut entropy, mut heat) = (0.0, 0.0, 0.0);
        if *temperature > 0.0 {
            let thermal = KB * temperature;
            for (energy, weight) in &energies {
                let x = energy / thermal;
                let excited = (-x).exp();
                let ground = -(-x).exp_m1();
                let logarithm = ground.ln();
                let ratio = x * excited / ground;
                free += weight * logarithm;
                entropy += weight * (ratio - logarithm);
                heat += weight * ratio * x / ground;
            }
            free *= thermal;
        }
        found.free_energy.push((free + zero_point) * unit);
        found.entropy.push(entropy * KB * unit * 1000.0);
        found.heat_capacity.push(heat * KB * unit * 1000.0);
    }
    Ok(found)
}
