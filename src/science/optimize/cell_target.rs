//! Atoms together with their cell as a [`Target`], as ASE's `FrechetCellFilter`: the coordinates are those of
//! the atoms without the deformation of the cell, and three rows for the logarithm of that deformation,
//! whose gradient is exact. The objective is the enthalpy E + P V. E. B. Tadmor et al., Phys. Rev. B 59,
//! 235 (1999), doi:10.1103/PhysRevB.59.235, with the logarithm in place of the deformation itself.

use nalgebra::Matrix3;

use super::matrix::{exponential, exponential_derivative, logarithm};
use super::{AtomicTarget, Evaluation, Target};
use crate::science::atoms::Atoms;
use crate::science::calculator::{Calculator, Properties};
use crate::science::error::{Error, Result};
use crate::science::linear::Vec3;

/// What the cell may do, by the names of ASE's `filter_kwargs`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellOptions {
    /// Which components of the strain may change: 1 or true may, 0 may not.
    pub mask: [[f64; 3]; 3],
    /// Weighs rows of the cell against those of atoms; `None` is the number of atoms.
    pub exp_cell_factor: Option<f64>,
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
            mask: [[1.0; 3]; 3],
            exp_cell_factor: None,
            hydrostatic_strain: false,
            constant_volume: false,
            scalar_pressure: 0.0,
        }
    }
}

/// Atoms and a cell that an optimiser moves.
pub struct CellTarget<'a> {
    atoms: Atoms,
    calculator: &'a mut dyn Calculator,
    options: CellOptions,
    first_cell: Matrix3<f64>,
    now: Option<(Properties, Evaluation)>,
}

impl<'a> CellTarget<'a> {
    /// `atoms` and their cell under the forces of `calculator`; deformations are counted from this cell.
    pub fn new(atoms: Atoms, calculator: &'a mut dyn Calculator, options: CellOptions) -> Self {
        let first_cell = rows(atoms.cell());
        Self { atoms, calculator, options, first_cell, now: None }
    }

    /// How rows of the cell weigh against those of atoms.
    fn factor(&self) -> f64 {
        self.options.exp_cell_factor.unwrap_or(self.atoms.len() as f64)
    }

    /// The deformation F since the first cell: cell = first cell * F^T.
    fn deformation(&self) -> Matrix3<f64> {
        let solved = self.first_cell.lu().solve(&rows(self.atoms.cell()));
        solved.unwrap_or_else(Matrix3::identity).transpose()
    }

    /// Its logarithm. A cell that has none has been turned inside out on the way.
    fn logarithm(&self) -> Result<Matrix3<f64>> {
        logarithm(&self.deformation()).ok_or_else(|| Error::bad("the cell", "has been turned inside out"))
    }

    /// The gradient of the enthalpy by the logarithm of the deformation.
    fn cell_gradient(&self, stress: &[f64; 6], deformation: &Matrix3<f64>) -> Result<Matrix3<f64>> {
        let options = &self.options;
        let [xx, yy, zz, yz, xz, xy] = *stress;
        let stress = Matrix3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz);
        let mut virial = (stress + Matrix3::identity() * options.scalar_pressure) * self.atoms.volume();
        if options.hydrostatic_strain {
            virial = Matrix3::identity() * (virial.trace() / 3.0);
        }
        virial.component_mul_assign(&rows(&options.mask));
        let inverse = deformation.try_inverse().unwrap_or_else(Matrix3::identity);
        let by_deformation = virial * inverse.transpose();
        // By the chain rule: the derivative of the exponential in each direction, times this. Summed over
        // all directions that is its adjoint, the derivative at the transposed matrix.
        let mut gradient = exponential_derivative(&self.logarithm()?.transpose(), &by_deformation);
        if options.constant_volume {
            gradient -= Matrix3::identity() * (gradient.trace() / 3.0);
        }
        Ok(gradient / self.factor())
    }
}

impl AtomicTarget for CellTarget<'_> {
    fn atoms(&self) -> &Atoms {
        &self.atoms
    }

    fn properties(&self) -> Option<&Properties> {
        self.now.as_ref().map(|(properties, _)| properties)
    }
}

impl Target for CellTarget<'_> {
    fn coordinates(&self) -> Vec<f64> {
        let deformation = self.deformation();
        let inverse = deformation.try_inverse().unwrap_or_else(Matrix3::identity);
        let atoms = self.atoms.positions().iter().flat_map(|position| times(&inverse, position));
        // A cell without a logarithm is found out where the gradient is asked for.
        let cell = logarithm(&deformation).unwrap_or_else(Matrix3::zeros) * self.factor();
        atoms.chain(cell.transpose().iter().copied()).collect()
    }

    fn move_to(&mut self, coordinates: &[f64]) -> Result<()> {
        let count = self.atoms.len();
        let (chunks, rest) = coordinates.as_chunks::<3>();
        if !rest.is_empty() || chunks.len() != count + 3 {
            let (found, expected) = (coordinates.len(), 3 * (count + 3));
            return Err(Error::Shape { what: "coordinates".into(), found, expected });
        }
        let log = rows(&[chunks[count], chunks[count + 1], chunks[count + 2]]) / self.factor();
        let wanted = exponential(&log) - Matrix3::identity();
        // F, of which the mask lets only some components differ from the identity.
        let deformation = Matrix3::identity() + wanted.component_mul(&rows(&self.options.mask).transpose());
        let before = self.deformation();
        let scaling = deformation * before.try_inverse().unwrap_or_else(Matrix3::identity);
        let mut positions: Vec<Vec3> = chunks[..count].iter().map(|row| times(&deformation, row)).collect();
        // Atoms that are held in place move with the cell.
        for index in self.atoms.fixed() {
            positions[*index] = times(&scaling, &self.atoms.positions()[*index]);
        }
        let cell = (self.first_cell * deformation.transpose()).transpose().data.0;
        self.now = None;
        self.atoms.set_cell(cell)?;
        self.atoms.set_positions(positions)
    }

    fn evaluate(&mut self) -> Result<Evaluation> {
        if let Some((_, evaluation)) = &self.now {
            return Ok(evaluation.clone());
        }
        let properties = self.calculator.calculate(&self.atoms)?;
        let stress = properties.stress.as_ref();
        let stress = stress.ok_or_else(|| Error::bad("the cell", "needs three independent vectors to be relaxed"))?;
        let deformation = self.deformation();
        let transposed = deformation.transpose();
        let mut gradient: Vec<f64> =
            properties.forces.iter().flat_map(|force| times(&transposed, force).map(|x| -x)).collect();
        for index in self.atoms.fixed() {
            gradient[3 * index..3 * index + 3].fill(0.0);
        }
        gradient.extend(self.cell_gradient(stress, &deformation)?.transpose().iter());
        let value = properties.energy + self.options.scalar_pressure * self.atoms.volume();
        let evaluation = Evaluation { value, gradient };
        self.now = Some((properties, evaluation.clone()));
        Ok(evaluation)
    }
}

fn rows(rows: &[Vec3; 3]) -> Matrix3<f64> {
    Matrix3::from_fn(|i, j| rows[i][j])
}

/// The matrix times a column.
fn times(matrix: &Matrix3<f64>, column: &Vec3) -> Vec3 {
    (matrix * nalgebra::Vector3::from(*column)).into()
}
