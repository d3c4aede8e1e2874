//! The elastic constants of a crystal whose deformations were computed elsewhere, each a row that says which
//! it is and what its stress was.

use serde_json::{Value, json};

use super::document::{final_atoms, object};
use super::elastic_flow::NAME;
use super::elasticity::ElasticFit;
use super::error::Result;
use super::static_job::StaticJob;
use super::summary::Summary;
use crate::science::elastic::{Tensor, rows, tensor};
use crate::science::fields::Fields;
use crate::science::linear::Mat3;
use crate::science::{Atoms, Error, structure};

/// What is known before the deformations are.
#[derive(Clone, Debug)]
pub struct ElasticParts {
    atoms: Atoms,
    /// eV.
    energy: f64,
    /// In Voigt's order, eV/Angstrom^3.
    stress: [f64; 6],
    gradients: Vec<Tensor>,
}

impl ElasticParts {
    pub(super) fn new(atoms: Atoms, energy: f64, stress: [f64; 6], gradients: Vec<Tensor>) -> Self {
        Self { atoms, energy, stress, gradients }
    }

    /// As parameters of who makes the fit.
    pub(super) fn to_value(&self) -> Value {
        json!({
            "undeformed": {"structure": structure::plain(&self.atoms), "energy": self.energy, "stress": self.stress},
            "deformations": self.gradients.iter().map(rows).collect::<Vec<_>>(),
        })
    }

    /// From an object of parameters.
    pub fn from_value(parameters: &Value) -> Result<Self> {
        let fields = Fields::of(parameters, "the parameters of the elastic fit", &["undeformed", "deformations"])?;
        let missing = |key: &str| Error::bad(key, "is missing");
        let undeformed = fields.get("undeformed").ok_or_else(|| missing("undeformed"))?;
        let inside = Fields::of(undeformed, "undeformed", &["structure", "energy", "stress"])?;
        let stress = inside.get("stress").ok_or_else(|| missing("stress of undeformed"))?;
        let gradients = fields.get("deformations").ok_or_else(|| missing("deformations"))?;
        let gradients: Vec<Mat3> = typed("deformations", "a list of matrices, three rows of three", gradients)?;
        Ok(Self {
            atoms: structure::build(inside.get("structure").ok_or_else(|| missing("structure of undeformed"))?)?,
            energy: inside.number("energy")?.ok_or_else(|| missing("energy of undeformed"))?,
            stress: typed("stress of undeformed", "six numbers", stress)?,
            gradients: gradients.iter().map(tensor).collect(),
        })
    }

    /// The fit, from rows that are summaries of the deformed crystals. Where some are missing that is an error,
    /// or with `lenient` a warning: the others may do, by symmetry.
    pub fn fit(&self, found: &[Value], lenient: bool) -> Result<Value> {
        let summaries: Vec<(&Value, Summary)> =
            found.iter().filter_map(|row| Some((row, Summary::from_value(row)?))).collect();
        let of = |index: usize| {
            let mut own = summaries.iter().filter(|(_, summary)| summary.deformation == Some(index));
            own.find_map(|(row, summary)| Some((*row, summary, summary.stress?)))
        };
        let all: Vec<Option<Found>> = (0..self.gradients.len()).map(of).collect();
        let missing: Vec<String> =
            all.iter().enumerate().filter(|(_, row)| row.is_none()).map(|(index, _)| index.to_string()).collect();
        let mut warnings = Vec::new();
        if !missing.is_empty() {
            let which = missing.join(", ");
            let reason =
                format!("there is no stress of deformation {which}: its firework has to end well before the fit");
            if !lenient || missing.len() == all.len() {
                return Err(Error::bad("results", reason).into());
            }
            warnings.push(format!("the fit is without deformation {which}"));
        }
        let deformed = self.gradients.iter().zip(&all).filter_map(|(one, row)| Some((*one, row.as_ref()?.2))).collect();
        let elasticity = ElasticFit { atoms: self.atoms.clone(), stress: self.stress, deformed }.document()?;
        let is_static = |row: &&Found| row.1.name == StaticJob::NAME;
        let (after, relaxed): (Vec<&Found>, Vec<&Found>) = all.iter().flatten().partition(is_static);
        let results =
            [("relax", relaxed), ("static", after)].map(|(key, rows)| (key, rows.into_iter().map(brief).collect()));
        let mut document = object([
            ("deformed_results", object(results).into()),
            ("deformed_structure_set", json!({"deformations": self.gradients.iter().map(rows).collect::<Vec<_>>()})),
            ("elasticity_doc", elasticity),
            ("name", NAME.into()),
            ("undeformed_result", self.undeformed()),
        ]);
        if !warnings.is_empty() {
            document.insert("warnings".into(), json!(warnings));
        }
        Ok(document.into())
    }

    /// What there is of the document of the crystal as it was before.
    fn undeformed(&self) -> Value {
        json!({"atoms": final_atoms(&self.atoms), "results": {"energy": self.energy, "stress": self.stress}})
    }
}

/// A row, what it says, and the stress in it.
type Found<'a> = (&'a Value, &'a Summary, [f64; 6]);

/// Where the whole result of a deformation is, and what was used of it.
fn brief((row, summary, stress): &Found) -> Value {
    json!({
        "deformation": summary.deformation,
        "energy": summary.energy,
        "fw_id": row["fw_id"],
        "launch_id": row["launch_id"],
        "stress": stress,
    })
}

fn typed<T: serde::de::DeserializeOwned>(key: &str, kind: &str, value: &Value) -> Result<T> {
    Ok(serde_json::from_value(value.clone()).map_err(|_| Error::bad(key, format!("must be {kind}")))?)
}
