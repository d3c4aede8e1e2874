//! `elastic_tensor_flow`: a crystal is deformed in many ways, and the stresses give its elastic constants.

use serde_json::{Value, json};

use super::document::object;
use super::elastic_parts::ElasticParts;
use super::elasticity::{ElasticFit, stress, stress_left};
use super::error::Result;
use super::jobs::{Flow, Jobs, Part, Parts, final_atoms};
use super::relax_job::RelaxJob;
use super::slabs_flow::check_bulk;
use super::static_job::StaticJob;
use super::{Context, Recipe, check_emt};
use crate::science::elastic::{StrainOptions, Tensor, deformed, rows};
use crate::science::fields::{Fields, brief};
use crate::science::io::pymatgen::to_pymatgen;
use crate::science::{self, Atoms};

/// The note of a deformed structure that says which it is.
pub(super) const STATS: &str = "deformation_stats";

/// The name in documents.
pub(super) const NAME: &str = "EMT Elastic Tensor";

/// The parameters of the flow.
#[derive(Clone, Debug, PartialEq)]
pub struct ElasticTensorFlow {
    /// Which deformations.
    pub strains: StrainOptions,
    /// Whether the crystal is relaxed before it is deformed.
    pub pre_relax: bool,
    /// How the crystal is relaxed, its cell too unless told otherwise.
    undeformed: RelaxJob,
    /// What is done with the deformed ones, whose cells stay as they are.
    jobs: Jobs,
    /// The parameters of static calculations of the crystal itself.
    static_job: StaticJob,
}

impl ElasticTensorFlow {
    /// The keys its parameters may have.
    pub const KEYS: [&'static str; 4] = ["pre_relax", "run_static", "deform_kwargs", "job_params"];

    /// From an object of parameters.
    pub fn from_value(parameters: &Value) -> Result<Self> {
        let fields = Fields::of(parameters, "the parameters of elastic_tensor_flow", &Self::KEYS)?;
        let jobs = Jobs::of(&fields, false)?;
        let relaxes_cell = jobs.relax().get("relax_cell").is_none_or(|given| given == true);
        Ok(Self {
            strains: strain_options(fields.get("deform_kwargs"))?,
            pre_relax: fields.flag("pre_relax")?.unwrap_or(true),
            undeformed: RelaxJob { relax_cell: relaxes_cell, ..jobs.relax_job()? },
            static_job: Jobs::of(&fields, true).and_then(|all| Ok(all.static_job()?.unwrap_or_default()))?,
            jobs: jobs.with_relax("relax_cell", false.into()),
        })
    }

    /// The document of the crystal as it is before it is deformed.
    fn undeformed(&self, bulk: &Atoms, context: &Context) -> Result<Value> {
        self.check(bulk)?;
        // Whatever it was deformed from, here it is the crystal itself.
        let mut bulk = bulk.clone();
        bulk.info_mut().remove(STATS);
        let bulk = &bulk;
        if !self.pre_relax {
            return self.static_job.run(bulk, context);
        }
        let relaxed = self.undeformed.run(bulk, context)?;
        if self.jobs.static_after().is_none() {
            return Ok(relaxed);
        }
        self.static_job.run(&final_atoms(&relaxed)?, context)
    }

    /// What is left of the stress, where the cell was not relaxed.
    fn warnings(&self, deformed: &Deformed) -> Result<Vec<String>> {
        let relaxed = self.pre_relax && self.undeformed.relax_cell;
        let left = stress_left(&deformed.atoms, stress(&deformed.undeformed["results"])?);
        Ok(left.filter(|_| !relaxed).into_iter().collect())
    }

    fn deform(&self, bulk: &Atoms, context: &Context) -> Result<Deformed> {
        let undeformed = self.undeformed(bulk, context)?;
        let atoms = final_atoms(&undeformed)?;
        let gradients = self.strains.gradients(&atoms)?;
        let structures = gradients.iter().map(|one| deformed(&atoms, one)).collect::<science::Result<_>>()?;
        Ok(Deformed { undeformed, atoms, gradients, structures })
    }
}

/// The crystal that was deformed, in a document about its deformations.
pub fn undeformed_atoms(document: &Value) -> Option<Atoms> {
    final_atoms(document.get("undeformed_result")?).ok()
}

/// A crystal and what was made of it.
struct Deformed {
    undeformed: Value,
    atoms: Atoms,
    gradients: Vec<Tensor>,
    structures: Vec<Atoms>,
}

impl Deformed {
    /// `deformed_structure_set`, with the names that pymatgen has for its parts.
    fn set(&self) -> Value {
        json!({
            "deformations": self.gradients.iter().map(rows).collect::<Vec<_>>(),
            "deformed_structures": self.structures.iter().map(to_pymatgen).collect::<Vec<_>>(),
            "undeformed_structure": to_pymatgen(&self.atoms),
        })
    }

    /// One job for each, in their order. The note says which it is to whoever collects what came out.
    fn parts(&self, noted: bool) -> Vec<Part> {
        let part = |(index, atoms): (usize, &Atoms)| {
            let mut atoms = atoms.clone();
            if noted {
                let note = json!({"index": index, "deformation": rows(&self.gradients[index])});
                atoms.info_mut().insert(STATS.into(), note);
            }
            Part {
                label: format!("deformation {index}"),
                name: format!("{} deformation {index}", atoms.formula()),
                atoms,
            }
        };
        self.structures.iter().enumerate().map(part).collect()
    }

    /// What a fit has to know before it has the stresses.
    fn known(&self) -> Result<ElasticParts> {
        let results = &self.undeformed["results"];
        let energy = results["energy"].as_f64().unwrap_or(f64::NAN);
        Ok(ElasticParts::new(self.atoms.clone(), energy, stress(results)?, self.gradients.clone()))
    }

    /// `elasticity_doc`, from the documents of the deformed structures.
    fn elasticity(&self, documents: &[Value]) -> Result<Value> {
        let found = self.gradients.iter().zip(documents);
        let deformed: Result<_> = found.map(|(one, document)| Ok((*one, stress(&document["results"])?))).collect();
        let stress = stress(&self.undeformed["results"])?;
        ElasticFit { atoms: self.atoms.clone(), stress, deformed: deformed? }.document()
    }
}

impl Flow for ElasticTensorFlow {
    fn parts(&self, atoms: &Atoms, context: &Context) -> Result<Parts> {
        let deformed = self.deform(atoms, context)?;
        let (last, warnings) = (deformed.known()?.to_value(), self.warnings(&deformed)?);
        let parts = deformed.parts(true);
        let set = deformed.set();
        let document = object([
            ("deformed_structure_set", set),
            ("name", NAME.into()),
            ("undeformed_result", deformed.undeformed),
        ]);
        Ok(Parts { document, warnings, parts, last: Some(last) })
    }

    fn jobs(&self) -> &Jobs {
        &self.jobs
    }
}

impl Recipe for ElasticTensorFlow {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        check_bulk(atoms)?;
        check_emt(atoms)
    }

    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        let deformed = self.deform(atoms, context)?;
        let computed = self.jobs.run(&deformed.parts(false), context)?;
        let elasticity = deformed.elasticity(&computed.relax)?;
        let set = deformed.set();
        let results = object([("relax", computed.relax.into()), ("static", computed.after.into())]);
        let warnings = self.warnings(&deformed)?;
        let mut document = object([
            ("deformed_results", results.into()),
            ("deformed_structure_set", set),
            ("elasticity_doc", elasticity),
            ("undeformed_result", deformed.undeformed),
        ]);
        if !warnings.is_empty() {
            document.insert("warnings".into(), json!(warnings));
        }
        Ok(document.into())
    }
}

/// `deform_kwargs`, by quacc's names and with its defaults.
fn strain_options(value: Option<&Value>) -> Result<StrainOptions> {
    let default = StrainOptions::default();
    let Some(value) = value else { return Ok(default) };
    let fields = Fields::of(value, "deform_kwargs", &["norm_strains", "shear_strains", "symmetry"])?;
    let options = StrainOptions {
        norm: amounts(&fields, "norm_strains")?.unwrap_or(default.norm),
        shear: amounts(&fields, "shear_strains")?.unwrap_or(default.shear),
        symmetry: fields.flag("symmetry")?.unwrap_or(default.symmetry),
    };
    options.check()?;
    Ok(options)
}

fn amounts(fields: &Fields, key: &str) -> Result<Option<Vec<f64>>> {
    let Some(given) = fields.get(key) else { return Ok(None) };
    let numbers = given.as_array().and_then(|list| list.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>());
    match numbers {
        Some(numbers) => Ok(Some(numbers)),
        None => {
            let reason = format!("must be a list of numbers, as [-0.01, 0.01], not {}", brief(given));
            Err(crate::science::Error::bad(format!("{key} of deform_kwargs"), reason).into())
        }
    }
}
