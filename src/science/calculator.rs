//! What a calculator promises: energy, forces and stress for a set of atoms.

use super::atoms::Atoms;
use super::error::Result;
use super::linear::Vec3;

/// What was computed for one set of atoms.
#[derive(Clone, Debug, PartialEq)]
pub struct Properties {
    /// Energy in eV.
    pub energy: f64,
    /// Energy of each atom in eV; their sum is `energy`.
    pub energies: Vec<f64>,
    /// Force on each atom in eV/Angstrom, raw: fixed atoms feel theirs too.
    pub forces: Vec<Vec3>,
    /// Stress xx, yy, zz, yz, xz, xy in eV/Angstrom^3, (1/V) dE/d(strain): positive where the
    /// cell wants to shrink. `None` unless the cell has three independent vectors.
    pub stress: Option<[f64; 6]>,
}

/// Something that computes [`Properties`]; it may remember what helps the next time.
pub trait Calculator {
    /// Energy, forces and, where there is a volume, stress.
    fn calculate(&mut self, atoms: &Atoms) -> Result<Properties>;
}
