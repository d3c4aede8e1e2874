//! Units of phonons, from the constants that phonopy has (`phonopy.physical_units`): CODATA 2006, but the charge
//! and the mass unit of 1986. They fix the last digits of frequencies and energies.

use std::f64::consts::PI;

/// Elementary charge, C.
const E: f64 = 1.602_177_33e-19;
/// Atomic mass unit, kg.
const AMU: f64 = 1.660_540_2e-27;
/// Planck's constant, eV s.
const PLANCK: f64 = 4.135_667_33e-15;

/// Boltzmann's constant, eV/K.
pub const KB: f64 = 1.380_650_4e-23 / E;
/// The energy of a quantum of one THz, eV.
pub const THZ: f64 = PLANCK * 1e12;
/// One eV for each of a mole, kJ/mol.
pub const KJ_PER_MOL: f64 = E / 1000.0 * 6.022_141_79e23;

/// Frequencies in THz from the roots of eigenvalues in eV/(u Angstrom^2).
pub fn root_to_thz() -> f64 {
    (E / AMU).sqrt() / 1e-10 / (2.0 * PI) / 1e12
}
