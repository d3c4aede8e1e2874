//! The elastic tensor itself: rotated, made symmetric, inverted.

use nalgebra::{DMatrix, Matrix6};

use super::{Tensor, VOIGT};

/// Elastic constants in Voigt's notation, GPa, symmetric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElasticTensor(pub(super) Matrix6<f64>);

/// Six rows of six.
pub type Matrix = [[f64; 6]; 6];

impl ElasticTensor {
    /// From rows, GPa.
    pub fn new(rows: &Matrix) -> Self {
        Self(Matrix6::from_fn(|i, j| (rows[i][j] + rows[j][i]) / 2.0))
    }

    /// The constants as rows, GPa.
    pub fn rows(&self) -> Matrix {
        array(&self.0)
    }

    /// The compliance, 1/GPa, shear as engineers count it; `None` for a singular tensor.
    pub fn compliance(&self) -> Option<Matrix> {
        self.0.try_inverse().map(|inverse| array(&inverse))
    }

    /// Whether some strain would set energy free (M. Born; F. Mouhat and F.-X. Coudert, Phys. Rev. B 90, 224104,
    /// 2014, doi:10.1103/PhysRevB.90.224104).
    pub fn is_unstable(&self) -> bool {
        self.0.symmetric_eigenvalues().iter().any(|value| *value < 0.0)
    }

    /// The tensor of the crystal after a rotation.
    pub fn turned(&self, rotation: &Tensor) -> Self {
        let bond = bond(rotation);
        Self(bond * self.0 * bond.transpose())
    }

    /// The mean over the rotations of a crystal, which is as symmetric as that.
    pub fn symmetrised(&self, rotations: &[Tensor]) -> Self {
        let turned = rotations.iter().map(|rotation| self.turned(rotation).0);
        Self(turned.sum::<Matrix6<f64>>() / rotations.len() as f64)
    }
}

/// What a rotation makes of stresses in Voigt's notation: W. L. Bond, Bell Syst. Tech. J. 22, 1 (1943),
/// doi:10.1002/j.1538-7305.1943.tb01304.x.
fn bond(rotation: &Tensor) -> Matrix6<f64> {
    Matrix6::from_fn(|row, column| {
        let ((i, j), (a, b)) = (VOIGT[row], VOIGT[column]);
        let straight = rotation[(i, a)] * rotation[(j, b)];
        if a == b { straight } else { straight + rotation[(i, b)] * rotation[(j, a)] }
    })
}

fn array(matrix: &Matrix6<f64>) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| matrix[(i, j)]))
}

/// How many independent components strains have.
pub fn rank(strains: &[Tensor]) -> usize {
    let all = DMatrix::from_fn(strains.len(), 6, |k, component| strains[k][VOIGT[component]]);
    let values = all.singular_values();
    let least = values.max() * strains.len().max(6) as f64 * f64::EPSILON;
    values.iter().filter(|value| **value > least).count()
}
