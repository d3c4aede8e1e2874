//! Atoms in a fixed cell as a [`Target`]. Fixed atoms have a gradient of zero and stay where they
//! are to the last bit; `properties` keeps the raw forces.

use super::{AtomicTarget, Evaluation, Target};
use crate::science::atoms::Atoms;
use crate::science::calculator::{Calculator, Properties};
use crate::science::error::{Error, Result};

/// Atoms that an optimiser moves.
pub struct AtomsTarget<'a> {
    atoms: Atoms,
    calculator: &'a mut dyn Calculator,
    now: Option<(Properties, Evaluation)>,
}

impl<'a> AtomsTarget<'a> {
    /// `atoms` under the forces of `calculator`.
    pub fn new(atoms: Atoms, calculator: &'a mut dyn Calculator) -> Self {
        Self { atoms, calculator, now: None }
    }
}

impl AtomicTarget for AtomsTarget<'_> {
    fn atoms(&self) -> &Atoms {
        &self.atoms
    }

    fn properties(&self) -> Option<&Properties> {
        self.now.as_ref().map(|(properties, _)| properties)
    }
}

impl Target for AtomsTarget<'_> {
    fn coordinates(&self) -> Vec<f64> {
        self.atoms.positions().as_flattened().to_vec()
    }

    fn move_to(&mut self, coordinates: &[f64]) -> Result<()> {
        let (rows, rest) = coordinates.as_chunks::<3>();
        if !rest.is_empty() {
            let (found, expected) = (coordinates.len(), 3 * self.atoms.len());
            return Err(Error::Shape { what: "coordinates".into(), found, expected });
        }
        let mut positions = rows.to_vec();
        for index in self.atoms.fixed() {
            if let Some(position) = positions.get_mut(*index) {
                *position = self.atoms.positions()[*index];
            }
        }
        self.now = None;
        self.atoms.set_positions(positions)
    }

    fn evaluate(&mut self) -> Result<Evaluation> {
        if let Some((_, evaluation)) = &self.now {
            return Ok(evaluation.clone());
        }
        let properties = self.calculator.calculate(&self.atoms)?;
        let mut gradient: Vec<f64> = properties.forces.as_flattened().iter().map(|force| -force).collect();
        for index in self.atoms.fixed() {
            gradient[3 * index..3 * index + 3].fill(0.0);
        }
        let evaluation = Evaluation { value: properties.energy, gradient };
        self.now = Some((properties, evaluation.clone()));
        Ok(evaluation)
    }
}
