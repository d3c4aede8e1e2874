//! Atoms together with their cell as a [`Target`], as ASE's cell filters: the coordinates are those of the
//! atoms without the deformation of the cell, and three rows for that deformation, in the form that the
//! [`CellFilter`](super::CellFilter) says. The objective is the enthalpy E + P V.

use nalgebra::Matrix3;

use super::{AtomicTarget, CellOptions, Evaluation, Target};
use crate::science::atoms::Atoms;
use crate::science::calculator::{Calculator, Properties};
use crate::science::error::{Error, Result};
use crate::science::linear::Vec3;

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
        self.options.factor(self.atoms.len())
    }

    /// The deformation F since the first cell: cell = first cell * F^T.
    fn deformation(&self) -> Matrix3<f64> {
        let solved = self.first_cell.lu().solve(&rows(self.atoms.cell()));
        solved.unwrap_or_else(Matrix3::identity).transpose()
    }

    /// The gradient of the enthalpy by what stands for the deformation.
    fn cell_gradient(&self, stress: &[f64; 6], deformation: &Matrix3<f64>) -> Result<Matrix3<f64>> {
        let [xx, yy, zz, yz, xz, xy] = *stress;
        let stress = Matrix3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz);
        let pressure = Matrix3::identity() * self.options.scalar_pressure;
        let virial = (stress + pressure) * self.atoms.volume();
        Ok(self.options.gradient(&virial, deformation)? / self.factor())
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
        let cell = self.options.filter.coordinates(&deformation).unwrap_or_else(Matrix3::zeros) * self.factor();
        atoms.chain(cell.transpose().iter().copied()).collect()
    }

    fn move_to(&mut self, coordinates: &[f64]) -> Result<()> {
        let count = self.atoms.len();
        let (chunks, rest) = coordinates.as_chunks::<3>();
        if !rest.is_empty() || chunks.len() != count + 3 {
            let (found, expected) = (coordinates.len(), 3 * (count + 3));
            return Err(Error::Shape { what: "coordinates".into(), found, expected });
        }
        let cell = rows(&[chunks[count], chunks[count + 1], chunks[count + 2]]) / self.factor();
        let wanted = self.options.filter.deformation(&cell) - Matrix3::identity();
        // F, of which the mask lets only some components differ from the identity.
        let deformation = Matrix3::identity() + wanted.component_mul(&self.options.mask().transpose());
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
