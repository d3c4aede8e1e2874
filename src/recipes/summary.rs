//! What a table shows of a result document, and what a finished recipe tells its children.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::surface::surface_energy_of;
use crate::science::Atoms;
use crate::science::io::mson::from_mson;

/// The gist of a result document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The recipe, as "EMT Relax".
    pub name: String,
    /// In Hill order, as "Al4Ni4".
    pub formula: String,
    /// The number of atoms.
    pub natoms: usize,
    /// eV.
    pub energy: f64,
    /// The largest force on an atom that is free to move, eV/Angstrom.
    pub max_force: f64,
    /// Optimisation steps; `None` where nothing was optimised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Whether the optimisation converged; `None` where nothing was optimised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converged: Option<bool>,
    /// The plane, if this is a slab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miller_index: Option<[i32; 3]>,
    /// The termination, if this is a slab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
    /// Energy of the surface in eV/Angstrom^2, if this is a slab with the composition of its bulk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface_energy: Option<f64>,
}

impl Summary {
    /// The gist of `document`; `None` if it is not the document of a recipe about one structure.
    pub fn of(document: &Value) -> Option<Self> {
        Self::about(&from_mson(document.get("atoms")?).ok()?, document)
    }

    /// The same for who has read the document's atoms already.
    pub fn about(atoms: &Atoms, document: &Value) -> Option<Self> {
        let forces = Vec::<[f64; 3]>::deserialize(&document["results"]["forces"]).ok()?;
        let lengths = forces.iter().enumerate().filter(|(index, _)| !atoms.fixed().contains(index));
        let longest = lengths.map(|(_, force)| force.iter().map(|x| x * x).sum::<f64>()).fold(0.0, f64::max);
        let stats = atoms.info().get("slab_stats").unwrap_or(&Value::Null);
        Some(Self {
            name: document["name"].as_str().unwrap_or_default().to_owned(),
            formula: atoms.formula(),
            natoms: atoms.len(),
            energy: document["results"]["energy"].as_f64()?,
            max_force: longest.sqrt(),
            steps: document["trajectory"].as_array().map(|frames| frames.len().saturating_sub(1)),
            converged: document["converged"].as_bool(),
            miller_index: Deserialize::deserialize(&stats["miller_index"]).ok(),
            shift: stats["shift"].as_f64(),
            surface_energy: surface_energy_of(document),
        })
    }

    /// The gist of every structure in `document`: of the slabs of a flow, or of the only one. Slabs that
    /// were computed once more after their relaxation show that result, with the relaxation's steps.
    pub fn all_of(document: &Value) -> Vec<Self> {
        let relaxed = list(document, "relax").iter().map(Self::of);
        let rows = single(document).into_iter().filter_map(Self::of);
        // Beyond the end of the relaxations, if there are none, nothing came before.
        rows.zip(relaxed.chain(std::iter::repeat(None)))
            .map(|(row, before)| match before {
                Some(before) => row.after(&before),
                None => row,
            })
            .collect()
    }

    /// The same, with the steps of the relaxation that came before, if that was of the same structure.
    pub fn after(self, relaxation: &Self) -> Self {
        if self.steps.is_some() || self.formula != relaxation.formula {
            return self;
        }
        Self { steps: relaxation.steps, converged: relaxation.converged, ..self }
    }

    /// eV for each atom.
    pub fn energy_per_atom(&self) -> f64 {
        self.energy / self.natoms as f64
    }

    /// As JSON, without what is not there.
    pub fn to_value(&self) -> Value {
        json!(self)
    }

    /// From JSON; further keys may stand beside.
    pub fn from_value(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }
}

/// The documents of single structures in a document, each structure's last one: those of the slabs of a
/// flow, or the document itself.
pub fn single(document: &Value) -> Vec<&Value> {
    match (list(document, "static"), list(document, "relax")) {
        // A flow, but no slab was kept.
        ([], []) if document["relax"].is_array() => Vec::new(),
        ([], []) => vec![document],
        ([], relaxed) => relaxed.iter().collect(),
        (after, _) => after.iter().collect(),
    }
}

/// What a document warns of, a sentence each.
pub fn warnings(document: &Value) -> impl Iterator<Item = &str> {
    list(document, "warnings").iter().filter_map(Value::as_str)
}

fn list<'a>(document: &'a Value, key: &str) -> &'a [Value] {
    document[key].as_array().map(Vec::as_slice).unwrap_or_default()
}
