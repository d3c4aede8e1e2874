//! One structure of a file together with the results that the file gives for it.

use crate::science::atoms::Atoms;
use crate::science::calculator::Properties;
use crate::science::linear::Vec3;

/// What is known of the results of a structure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// eV.
    pub energy: Option<f64>,
    /// Energy of each atom, eV.
    pub energies: Option<Vec<f64>>,
    /// eV/Angstrom.
    pub forces: Option<Vec<Vec3>>,
    /// xx, yy, zz, yz, xz, xy in eV/Angstrom^3.
    pub stress: Option<[f64; 6]>,
}

impl From<&Properties> for Results {
    fn from(properties: &Properties) -> Self {
        Self {
            energy: Some(properties.energy),
            energies: Some(properties.energies.clone()),
            forces: Some(properties.forces.clone()),
            stress: properties.stress,
        }
    }
}

/// A structure and, where the file has them, results.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The structure; keys of a comment line without a meaning here are its `info`.
    pub atoms: Atoms,
    /// The results.
    pub results: Results,
}

impl From<Atoms> for Frame {
    fn from(atoms: Atoms) -> Self {
        Self { atoms, results: Results::default() }
    }
}

impl From<(Atoms, &Properties)> for Frame {
    fn from((atoms, properties): (Atoms, &Properties)) -> Self {
        Self { atoms, results: properties.into() }
    }
}
