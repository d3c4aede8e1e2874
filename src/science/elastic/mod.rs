//! Elastic constants of crystals: deformations, the stresses that go with them, and the tensor that fits both,
//! as pymatgen and emmet do it for the Materials Project: M. de Jong et al., Sci. Data 2, 150009 (2015),
//! doi:10.1038/sdata.2015.9. Strains are Green-Lagrange's, stresses in GPa and positive where the cell wants
//! to shrink. Voigt's order is xx, yy, zz, yz, xz, xy.

mod fit;
mod ieee;
mod isotropic;
mod states;
mod strains;
mod tensor;

use nalgebra::{Matrix3, Vector6};

pub use ieee::ieee_rotation;
pub use isotropic::{Bounds, Moduli, SolidProperties, young};
pub use states::{Fit, fit_crystal};
pub use strains::{StrainOptions, deformed};
pub use tensor::{ElasticTensor, Matrix, rank};

use super::Atoms;
use super::linear::{Mat3, product};
use super::symmetry;

/// A strain, a stress (GPa), a deformation gradient or a rotation.
pub type Tensor = Matrix3<f64>;

/// Row and column of the components in Voigt's notation.
const VOIGT: [(usize, usize); 6] = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)];

/// Positions agree within this where nothing else is said, Angstrom: pymatgen's default.
const STRICT: f64 = 0.01;

/// Positions agree within this where stresses are made symmetric, Angstrom: emmet's setting.
const LOOSE: f64 = 0.1;

/// The tensor of components in Voigt's order, shear not doubled.
pub fn from_voigt(components: [f64; 6]) -> Tensor {
    let mut tensor = Tensor::zeros();
    for ((i, j), component) in VOIGT.into_iter().zip(components) {
        tensor[(i, j)] = component;
        tensor[(j, i)] = component;
    }
    tensor
}

/// A tensor as rows.
pub fn rows(tensor: &Tensor) -> Mat3 {
    std::array::from_fn(|i| std::array::from_fn(|j| tensor[(i, j)]))
}

/// A tensor from rows.
pub fn tensor(rows: &Mat3) -> Tensor {
    Tensor::from_fn(|i, j| rows[i][j])
}

/// The components of a symmetric tensor.
fn voigt(tensor: &Tensor) -> Vector6<f64> {
    Vector6::from_fn(|k, _| tensor[VOIGT[k]])
}

/// A tensor in a rotated crystal.
fn turned(rotation: &Tensor, tensor: &Tensor) -> Tensor {
    rotation * tensor * rotation.transpose()
}

/// The rotations of a crystal within `symprec` (Angstrom), each once, acting on Cartesian columns; the identity
/// alone where no symmetry is found. As exact as the cell is symmetric. pymatgen has those alone that also keep the
/// given cell; the constants of a crystal do not depend on which of its cells that is.
pub fn rotations(atoms: &Atoms, symprec: f64) -> Vec<Tensor> {
    let found = || {
        let symmetry = symmetry::find(atoms, symprec)?;
        let basis = tensor(&product(&symmetry.conventional, atoms.cell())).transpose();
        let back = basis.try_inverse()?;
        let rotations = symmetry.rotations.iter();
        Some(rotations.map(|rotation| basis * Tensor::from_fn(|i, j| f64::from(rotation[i][j])) * back).collect())
    };
    found().unwrap_or_else(|| vec![Tensor::identity()])
}
