//! How a cell that relaxes is described by nine numbers, and the gradient of the enthalpy by them: ASE's
//! cell filters. They differ in what stands for the deformation F since the first cell (cell = first cell *
//! F^T) and in when the limits on it are applied; gradients of forces act alike.

use nalgebra::Matrix3;

use super::matrix::{exponential, exponential_derivative, logarithm};
use crate::science::error::{Error, Result};

/// How nearly parallel the two gradients of [`CellFilter::Exp`] are where the simple one is taken.
const ALIGNED: f64 = 0.8;

/// What stands for the deformation of the cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CellFilter {
    /// Its logarithm, as ASE's `FrechetCellFilter`: the gradient is exact, and every step leaves a cell.
    #[default]
    Frechet,
    /// The deformation itself, as ASE's `UnitCellFilter`: E. B. Tadmor et al., Phys. Rev. B 59, 235 (1999),
    /// doi:10.1103/PhysRevB.59.235.
    UnitCell,
    /// The deformation with the gradient by its logarithm, as ASE's `ExpCellFilter`, which ASE advises
    /// against; for runs that are to be repeated.
    Exp,
}

/// What the cell may do, by the names of ASE's `filter_kwargs`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellOptions {
    /// What stands for the deformation of the cell.
    pub filter: CellFilter,
    /// Which components of the strain may change: 1 or true may, 0 may not.
    pub mask: [[f64; 3]; 3],
    /// Weighs rows of the cell against those of atoms; `None` is the number of atoms, and 1 for
    /// [`CellFilter::Exp`]. ASE calls it `exp_cell_factor` or `cell_factor`, depending on the filter.
    pub factor: Option<f64>,
    /// Whether all three axes keep their proportion.
    pub hydrostatic_strain: bool,
    /// Whether the volume is kept.
    pub constant_volume: bool,
    /// The outer pressure, eV/Angstrom^3.
    pub scalar_pressure: f64,
}

impl Default for CellOptions {
    fn default() -> Self {
        Self {
            filter: CellFilter::default(),
            mask: [[1.0; 3]; 3],
            factor: None,
            hydrostatic_strain: false,
            constant_volume: false,
            scalar_pressure: 0.0,
        }
    }
}

impl CellOptions {
    /// How rows of the cell weigh against those of `count` atoms.
    pub(super) fn factor(&self, count: usize) -> f64 {
        self.factor.unwrap_or(if self.filter == CellFilter::Exp { 1.0 } else { count as f64 })
    }

    /// The mask as a matrix.
    pub(super) fn mask(&self) -> Matrix3<f64> {
        Matrix3::from_fn(|i, j| self.mask[i][j])
    }

    /// The derivative of the enthalpy by the coordinates of a cell with the deformation F, `virial` being
    /// volume times stress and pressure, eV.
    pub(super) fn gradient(&self, virial: &Matrix3<f64>, deformation: &Matrix3<f64>) -> Result<Matrix3<f64>> {
        let inverse = deformation.try_inverse().unwrap_or_else(Matrix3::identity);
        let mut gradient = match self.filter {
            // By the chain rule: the derivative of the exponential in each direction, times that by F. Summed
            // over all directions that is its adjoint, the derivative at the transposed matrix.
            CellFilter::Frechet => {
                let by_deformation = self.limited(virial) * inverse.transpose();
                exponential_derivative(&checked_logarithm(deformation)?.transpose(), &by_deformation)
            }
            CellFilter::UnitCell => self.limited(&(virial * inverse.transpose())),
            CellFilter::Exp => by_logarithm(&self.limited(virial), deformation)?,
        };
        if self.constant_volume {
            gradient -= Matrix3::identity() * (gradient.trace() / 3.0);
        }
        Ok(gradient)
    }

    /// A derivative by a strain without those of its components that may not change.
    fn limited(&self, derivative: &Matrix3<f64>) -> Matrix3<f64> {
        let mean = Matrix3::identity() * (derivative.trace() / 3.0);
        let kept = if self.hydrostatic_strain { mean } else { *derivative };
        kept.component_mul(&self.mask())
    }
}

impl CellFilter {
    /// What stands for the deformation F; `None` if F has no logarithm where one is needed.
    pub(super) fn coordinates(self, deformation: &Matrix3<f64>) -> Option<Matrix3<f64>> {
        if self == Self::Frechet { logarithm(deformation) } else { Some(*deformation) }
    }

    /// The deformation that the coordinates stand for.
    pub(super) fn deformation(self, coordinates: &Matrix3<f64>) -> Matrix3<f64> {
        if self == Self::Frechet { exponential(coordinates) } else { *coordinates }
    }
}

/// The derivative by a symmetric logarithm A of the deformation, L(A, W exp(-A)) with the virial W; but the
/// virial itself where both point about the same way.
fn by_logarithm(virial: &Matrix3<f64>, deformation: &Matrix3<f64>) -> Result<Matrix3<f64>> {
    let log = checked_logarithm(deformation)?;
    let exact = exponential_derivative(&log, &(virial * exponential(&-log)));
    let exact = (exact + exact.transpose()) * 0.5;
    Ok(if exact.dot(virial) > ALIGNED * exact.norm() * virial.norm() { *virial } else { exact })
}

/// The logarithm. A cell that has none has been turned inside out on the way.
fn checked_logarithm(deformation: &Matrix3<f64>) -> Result<Matrix3<f64>> {
    logarithm(deformation).ok_or_else(|| Error::bad("the cell", "has been turned inside out"))
}
