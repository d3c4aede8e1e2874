//! What a table shows of a result document.

use serde_json::Value;

use crate::science::io::mson::from_mson;

/// The gist of a result document.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// In Hill order, as "Al4Ni4".
    pub formula: String,
    /// The number of atoms.
    pub atoms: usize,
    /// eV.
    pub energy: f64,
    /// The largest force on an atom that is free to move, eV/Angstrom.
    pub max_force: f64,
    /// Optimisation steps; `None` where nothing was optimised.
    pub steps: Option<usize>,
    /// Whether the optimisation converged; `None` where nothing was optimised.
    pub converged: Option<bool>,
}

impl Summary {
    /// The gist of `document`; `None` if it is not the document of a recipe.
    pub fn of(document: &Value) -> Option<Self> {
        let atoms = from_mson(document.get("atoms")?).ok()?;
        let forces: Vec<[f64; 3]> = serde_json::from_value(document["results"]["forces"].clone()).ok()?;
        let lengths = forces.iter().enumerate().filter(|(index, _)| !atoms.fixed().contains(index));
        let longest = lengths.map(|(_, force)| force.iter().map(|x| x * x).sum::<f64>()).fold(0.0, f64::max);
        Some(Self {
            formula: atoms.formula(),
            atoms: atoms.len(),
            energy: document["results"]["energy"].as_f64()?,
            max_force: longest.sqrt(),
            steps: document["trajectory"].as_array().map(|frames| frames.len().saturating_sub(1)),
            converged: document["converged"].as_bool(),
        })
    }
}
