//! Which deformations, and what strain and stress are in a deformed crystal: E. B. Tadmor, R. E. Miller and
//! R. S. Elliott, Continuum Mechanics and Thermodynamics (2012), sections 3.4 and 4.4.

use super::states::{APART, apart};
use super::{STRICT, Tensor, rotations, turned};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::row_times;

/// Beyond this stresses are far from linear.
const MOST: f64 = 0.1;

/// How far strains that were read, made a deformation and computed again may be off.
const ROUNDING: f64 = 1e-9;

/// The strains that are tried, one component at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct StrainOptions {
    /// Of xx, yy and zz, one after the other.
    pub norm: Vec<f64>,
    /// Of xy, xz and yz, one after the other: half the angle's change.
    pub shear: Vec<f64>,
    /// Whether a deformation is left out that the crystal's symmetry makes of another one.
    pub symmetry: bool,
}

impl Default for StrainOptions {
    fn default() -> Self {
        Self { norm: vec![-0.01, -0.005, 0.005, 0.01], shear: vec![-0.06, -0.03, 0.03, 0.06], symmetry: false }
    }
}

impl StrainOptions {
    /// Whether crystals can be strained so, and the strains told apart.
    pub fn check(&self) -> Result<()> {
        for (name, amounts) in [("norm_strains", &self.norm), ("shear_strains", &self.shear)] {
            if amounts.is_empty() {
                let reason = "there is no strain in it, and without any the constants stay unknown";
                return Err(Error::bad(name, reason));
            }
            if let Some(amount) = amounts.iter().find(|amount| amount.abs() > MOST) {
                let reason =
                    format!("a strain of {amount:?} is too large; strains are fractions, as 0.01, up to {MOST}");
                return Err(Error::bad(name, reason));
            }
        }
        if apart(&self.strains().collect::<Vec<_>>()) < APART - ROUNDING {
            let reason = format!("strains have to differ by {APART} or more, also from 0, to be told apart");
            return Err(Error::bad("norm_strains, shear_strains", reason));
        }
        Ok(())
    }

    fn strains(&self) -> impl Iterator<Item = Tensor> {
        let places = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)];
        let amounts = [&self.norm, &self.norm, &self.norm, &self.shear, &self.shear, &self.shear];
        places.into_iter().zip(amounts).flat_map(|((i, j), amounts)| {
            amounts.iter().map(move |amount| {
                let mut strain = Tensor::zeros();
                strain[(i, j)] = *amount;
                strain[(j, i)] = *amount;
                strain
            })
        })
    }

    /// The deformation gradients for `atoms`.
    pub fn gradients(&self, atoms: &Atoms) -> Result<Vec<Tensor>> {
        self.check()?;
        let all: Vec<Tensor> = self.strains().filter_map(|strain| gradient(&strain)).collect();
        Ok(if self.symmetry { different(all, atoms) } else { all })
    }
}

/// Those that no rotation of the crystal makes of an earlier one, compared as pymatgen compares them.
fn different(all: Vec<Tensor>, atoms: &Atoms) -> Vec<Tensor> {
    let rotations = rotations(atoms, STRICT);
    let same = |one: &Tensor, other: &Tensor| {
        one.zip_map(other, |a, b| (a - b).abs() <= 1e-8 + 1e-5 * b.abs()).iter().all(|x| *x)
    };
    let mut kept: Vec<Tensor> = Vec::new();
    for one in all {
        let made = |other: &Tensor| rotations.iter().any(|rotation| same(&turned(rotation, other), &one));
        if !kept.iter().any(made) {
            kept.push(one);
        }
    }
    kept
}

/// The upper triangular F with F^T F = 1 + 2E; `None` for a strain that turns the crystal inside out.
pub(super) fn gradient(strain: &Tensor) -> Option<Tensor> {
    Some((strain * 2.0 + Tensor::identity()).cholesky()?.l().transpose())
}

/// Green and Lagrange's strain of a deformation: E = (F^T F - 1)/2.
pub(super) fn strain(gradient: &Tensor) -> Tensor {
    (gradient.transpose() * gradient - Tensor::identity()) * 0.5
}

/// The second Piola-Kirchhoff stress of Cauchy's: det(F) F^-1 s F^-T.
pub(super) fn second_piola_kirchhoff(cauchy: &Tensor, gradient: &Tensor) -> Option<Tensor> {
    let back = gradient.try_inverse()?;
    Some(back * cauchy * back.transpose() * gradient.determinant())
}

/// The crystal deformed, cell and positions alike.
pub fn deformed(atoms: &Atoms, gradient: &Tensor) -> Result<Atoms> {
    let columns = super::rows(&gradient.transpose());
    let mut deformed = atoms.clone();
    deformed.set_cell(atoms.cell().map(|vector| row_times(vector, &columns)))?;
    deformed.set_positions(atoms.positions().iter().map(|place| row_times(*place, &columns)).collect())?;
    Ok(deformed)
}
