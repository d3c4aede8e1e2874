//! Atoms in a fixed cell as a [`Target`]. Fixed atoms have a gradient of zero and stay where they
//! are to the last bit; `properties` keeps the raw forces.

use super::{Evaluation, Target};
use crate::science::atoms::Atoms;
use crate::science::calculator::{Calculator, Properties};
use crate::science::error::{Error, Result};

/// Atoms that an optimiser moves.
pub struct AtomsTarget<'a> {
    atoms: Atoms,
    calculator: &'a mut dyn Calculator,
    properties: Option<Properties>,
}

impl<'a> AtomsTarget<'a> {
    /// `atoms` under the forces of `calculator`.
    pub fn new(atoms: Atoms, calculator: &'a mut dyn Calculator) -> Self {
        Self { atoms, calculator, properties: None }
    }

    /// The atoms as they are now.
    pub fn atoms(&self) -> &Atoms {
        &self.atoms
    }

    /// What was computed for the atoms as they are now; `None` before the first evaluation.
    pub fn properties(&self) -> Option<&Properties> {
        self.properties.as_ref()
    }

    /// The atoms and what was last computed for them.
    pub fn into_parts(self) -> (Atoms, Option<Properties>) {
        (self.atoms, self.properties)
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
        self.properties = None;
        self.atoms.set_positions(positions)
    }

    fn evaluate(&mut self) -> Result<Evaluation> {
        let properties = self.calculator.calculate(&self.atoms)?;
        let mut gradient: Vec<f64> = properties.forces.as_flattened().iter().map(|force| -force).collect();
        for index in self.atoms.fixed() {
            gradient[3 * index..3 * index + 3].fill(0.0);
        }
        let value = properties.energy;
        self.properties = Some(properties);
        Ok(Evaluation { value, gradient })
    }
}
