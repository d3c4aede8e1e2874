//! `static_job`: energy, forces and stress of a structure as it is.

use serde_json::{Map, Value, json};

use super::defect::formation_energy;
use super::document::{document, final_atoms, object, results};
use super::error::{Error, Result};
use super::metadata::metadata;
use super::schema::{CalcParams, additional_fields};
use super::surface::surface_energies;
use super::{Context, Recipe, check_emt};
use crate::science::emt::Emt;
use crate::science::fields::Fields;
use crate::science::io::mson::to_mson;
use crate::science::{Atoms, Calculator};

/// The parameters of a static calculation.
///
/// ```
/// use serde_json::json;
/// use volley::recipes::{Context, Recipe, StaticJob};
/// let copper = volley::science::structure::build(&json!({"bulk": "Cu"}))?;
/// let job = StaticJob::from_value(&json!({"calc_params": {"asap_cutoff": false}}))?;
/// let document = job.run(&copper, &Context::new("/tmp"))?;
/// assert_eq!(document["name"], "EMT Static");
/// assert!(document["results"]["energy"].as_f64().unwrap() < -0.0056);
/// # Ok::<(), volley::recipes::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StaticJob {
    /// What EMT is told.
    pub calc: CalcParams,
    /// Merged into the document last.
    pub additional_fields: Map<String, Value>,
}

impl StaticJob {
    /// The name in its documents.
    pub(super) const NAME: &'static str = "EMT Static";

    /// The keys its parameters may have.
    pub const KEYS: [&'static str; 2] = ["calc_params", "additional_fields"];

    /// From an object of parameters.
    pub fn from_value(parameters: &Value) -> Result<Self> {
        let fields = Fields::of(parameters, "the parameters of static_job", &Self::KEYS)?;
        let calc = CalcParams::of(fields.get("calc_params"))?;
        Ok(Self { calc, additional_fields: additional_fields(&fields)? })
    }
}

impl Recipe for StaticJob {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        check_emt(atoms)
    }

    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        self.check(atoms)?;
        if (context.interrupt)() {
            return Err(Error::Interrupted { steps: 0 });
        }
        let found = Emt::new(self.calc.asap_cutoff).calculate(atoms)?;
        // Nothing has moved: what is true of the input is true of the result.
        let (key, metadata) = metadata(atoms);
        let own = object([
            ("atoms", final_atoms(atoms)),
            ("input_atoms", object([("atoms", to_mson(atoms)), (key, metadata.clone())]).into()),
            (key, metadata),
            ("name", Self::NAME.into()),
            ("parameters", json!({"asap_cutoff": self.calc.asap_cutoff})),
            ("results", results(&found)),
            ("formation_energy", formation_energy(atoms, found.energy, self.calc)),
            ("surface_energy", surface_energies(atoms, found.energy, self.calc)),
        ]);
        Ok(document(own, context.dir_name, &self.additional_fields))
    }
}
