//! What a flow does with each of its structures: it is relaxed and then, unless told otherwise, computed
//! once more as it came out. Either all here, or piece by piece by whoever runs the flow as a workflow.

use serde_json::{Value, json};

use super::error::{Error, Result};
use super::relax_job::RelaxJob;
use super::static_job::StaticJob;
use super::{Context, Recipe};
use crate::science::Atoms;
use crate::science::fields::Fields;
use crate::science::io::mson::from_mson;

/// A recipe that makes many structures of one.
pub trait Flow: Recipe {
    /// The structures, and what is known before any of them is computed.
    fn parts(&self, atoms: &Atoms, context: &Context) -> Result<Parts>;

    /// What is done with each.
    fn jobs(&self) -> &Jobs;
}

/// What a flow has to compute.
#[derive(Debug, Default)]
pub struct Parts {
    /// For the document of whoever has them computed elsewhere.
    pub document: serde_json::Map<String, Value>,
    /// What its user should know, a sentence each.
    pub warnings: Vec<String>,
    /// The structures.
    pub parts: Vec<Part>,
    /// The parameters of what comes last and needs all results.
    pub last: Option<Value>,
}

/// One structure of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What names it among the others, as "slab (1 1 1), shift 0.25".
    pub label: String,
    /// The same in the name of a firework, as "Al8 (1 1 1) 0.25".
    pub name: String,
    /// Itself.
    pub atoms: Atoms,
}

/// The parameters of what is done with each structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Jobs {
    relax: Value,
    static_job: Option<Value>,
}

/// The result documents of structures, in their order.
#[derive(Debug, Default)]
pub(super) struct Computed {
    /// Of the relaxations.
    pub relax: Vec<Value>,
    /// Of the static calculations after them.
    pub after: Vec<Value>,
}

impl Jobs {
    /// From `run_static` (by default `run_static`) and `job_params`, whose `all` holds for both jobs.
    pub(super) fn of(fields: &Fields, run_static: bool) -> Result<Self> {
        let none = json!({});
        let given = fields.get("job_params").unwrap_or(&none);
        let jobs = Fields::of(given, "job_params", &["relax_job", "static_job", "all"])?;
        let all = jobs.get("all").unwrap_or(&none);
        let of_job = |name: &str| jobs.get(name).map_or_else(|| all.clone(), |own| merged(all, own));
        let found = Self {
            relax: of_job("relax_job"),
            static_job: fields.flag("run_static")?.unwrap_or(run_static).then(|| of_job("static_job")),
        };
        found.relax_job()?;
        found.static_job()?;
        Ok(found)
    }

    /// The same, each relaxation with this parameter.
    pub(super) fn with_relax(mut self, key: &str, value: Value) -> Self {
        if let Some(parameters) = self.relax.as_object_mut() {
            parameters.insert(key.to_owned(), value);
        }
        self
    }

    /// The parameters of each relaxation.
    pub fn relax(&self) -> &Value {
        &self.relax
    }

    /// The parameters of the static calculation after it, if there is one.
    pub fn static_after(&self) -> Option<&Value> {
        self.static_job.as_ref()
    }

    pub(super) fn relax_job(&self) -> Result<RelaxJob> {
        RelaxJob::from_value(&self.relax)
    }

    pub(super) fn static_job(&self) -> Result<Option<StaticJob>> {
        self.static_job.as_ref().map(StaticJob::from_value).transpose()
    }

    /// Computes every structure here.
    pub(super) fn run(&self, parts: &[Part], context: &Context) -> Result<Computed> {
        let (relax_job, static_job) = (self.relax_job()?, self.static_job()?);
        let mut computed = Computed::default();
        for part in parts {
            let of_part = |error| of_part(part, error);
            let document = relax_job.run(&part.atoms, context).map_err(of_part)?;
            if let Some(job) = &static_job {
                computed.after.push(job.run(&final_atoms(&document)?, context).map_err(of_part)?);
            }
            computed.relax.push(document);
        }
        Ok(computed)
    }
}

/// The atoms a finished job ended with.
pub(super) fn final_atoms(document: &Value) -> Result<Atoms> {
    Ok(from_mson(&document["atoms"])?)
}

fn of_part(part: &Part, error: Error) -> Error {
    match error {
        Error::Interrupted { .. } => error,
        source => Error::Part { label: part.label.clone(), source: Box::new(source) },
    }
}

/// `own` over `common`, objects inside objects likewise.
pub(super) fn merged(common: &Value, own: &Value) -> Value {
    let (Value::Object(common), Value::Object(own)) = (common, own) else { return own.clone() };
    let mut both = common.clone();
    for (key, value) in own {
        let value = both.get(key).map_or_else(|| value.clone(), |old| merged(old, value));
        both.insert(key.clone(), value);
    }
    Value::Object(both)
}
