//! `bulk_to_slabs_flow`: the slabs of a bulk crystal, each relaxed and then, unless told otherwise,
//! computed once more as it came out. Either all here, or piece by piece by whoever runs the flow as a
//! workflow: [`BulkToSlabsFlow::slabs`] says what to run and [`BulkToSlabsFlow::relax`] with what.

use serde_json::{Value, json};

use super::document::object;
use super::error::{Error, Result};
use super::relax_job::RelaxJob;
use super::slab_options::slab_options;
use super::static_job::StaticJob;
use super::{Context, Recipe, check_emt};
use crate::science::Atoms;
use crate::science::fields::Fields;
use crate::science::io::mson::from_mson;
use crate::science::slabs::{Slab, SlabOptions, Slabs, make_slabs_until};

/// The parameters of the flow.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkToSlabsFlow {
    /// Which slabs.
    pub options: SlabOptions,
    /// Whether cell and positions of the bulk are relaxed first; quacc does not.
    pub relax_bulk: bool,
    /// Parameters of each slab's `relax_job`.
    relax: Value,
    /// Parameters of each slab's `static_job`, where there is one.
    static_job: Option<Value>,
}

/// What to run, and what it was made from.
#[derive(Debug)]
pub struct Prepared {
    /// The result document of the bulk's relaxation, if that was asked for.
    pub bulk: Option<Value>,
    /// The slabs.
    pub slabs: Slabs,
}

impl BulkToSlabsFlow {
    /// The keys its parameters may have.
    pub const KEYS: [&'static str; 5] = ["make_slabs_kwargs", "run_static", "relax_bulk", "job_params", "compat"];

    /// From an object of parameters.
    pub fn from_value(parameters: &Value) -> Result<Self> {
        let fields = Fields::of(parameters, "the parameters of bulk_to_slabs_flow", &Self::KEYS)?;
        let compat_quacc = match fields.text("compat")? {
            None => false,
            Some("quacc") => true,
            Some(other) => {
                let reason = format!("there is only compat: quacc, not {other:?}");
                return Err(crate::science::Error::bad("compat", reason).into());
            }
        };
        let none = json!({});
        let given = fields.get("job_params").unwrap_or(&none);
        let jobs = Fields::of(given, "job_params", &["relax_job", "static_job", "all"])?;
        let all = jobs.get("all").unwrap_or(&none);
        let of_job = |name: &str| jobs.get(name).map_or_else(|| all.clone(), |own| merged(all, own));
        let flow = Self {
            options: SlabOptions { compat_quacc, ..slab_options(fields.get("make_slabs_kwargs"))? },
            relax_bulk: fields.flag("relax_bulk")?.unwrap_or(false),
            relax: of_job("relax_job"),
            static_job: fields.flag("run_static")?.unwrap_or(true).then(|| of_job("static_job")),
        };
        flow.relax_job()?;
        flow.static_job()?;
        Ok(flow)
    }

    /// The parameters of each slab's relaxation.
    pub fn relax(&self) -> &Value {
        &self.relax
    }

    /// The parameters of the static calculation after it, if there is one.
    pub fn static_after(&self) -> Option<&Value> {
        self.static_job.as_ref()
    }

    /// The slabs of `bulk`, relaxed before if that was asked for.
    pub fn slabs(&self, bulk: &Atoms, context: &Context) -> Result<Prepared> {
        self.check(bulk)?;
        if !self.relax_bulk {
            return Ok(Prepared { bulk: None, slabs: self.cut(bulk, context)? });
        }
        let job = RelaxJob { relax_cell: true, ..self.relax_job()? };
        let document = job.run(bulk, context)?;
        let mut relaxed = final_atoms(&document)?;
        // The notes are about the run, and every slab would carry them along.
        *relaxed.info_mut() = bulk.info().clone();
        Ok(Prepared { bulk: Some(document), slabs: self.cut(&relaxed, context)? })
    }

    fn cut(&self, bulk: &Atoms, context: &Context) -> Result<Slabs> {
        make_slabs_until(bulk, &self.options, context.interrupt).map_err(|error| match error {
            crate::science::Error::Stopped => Error::Interrupted { steps: 0 },
            error => error.into(),
        })
    }

    fn relax_job(&self) -> Result<RelaxJob> {
        RelaxJob::from_value(&self.relax)
    }

    fn static_job(&self) -> Result<Option<StaticJob>> {
        self.static_job.as_ref().map(StaticJob::from_value).transpose()
    }
}

impl Recipe for BulkToSlabsFlow {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        if atoms.pbc() != [true; 3] {
            let reason = "a bulk crystal is needed, periodic in all three directions";
            return Err(crate::science::Error::bad("structure", reason).into());
        }
        check_emt(atoms)
    }

    /// quacc's document: `{relax: [...], static: [...]}` in the order of the slabs; also `warnings`, where
    /// there are any, and `bulk`, where it was relaxed.
    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        let Prepared { bulk, slabs } = self.slabs(atoms, context)?;
        let (relax_job, static_job) = (self.relax_job()?, self.static_job()?);
        let (mut relaxed, mut after) = (Vec::new(), Vec::new());
        for slab in &slabs.slabs {
            let document = relax_job.run(&slab.atoms, context).map_err(|error| of_slab(slab, error))?;
            if let Some(job) = &static_job {
                after.push(job.run(&final_atoms(&document)?, context).map_err(|error| of_slab(slab, error))?);
            }
            relaxed.push(document);
        }
        let mut document = object([("relax", relaxed.into()), ("static", after.into())]);
        if !slabs.warnings.is_empty() {
            document.insert("warnings".into(), json!(slabs.warnings));
        }
        document.extend(bulk.map(|bulk| ("bulk".to_owned(), bulk)));
        Ok(document.into())
    }
}

/// The atoms a finished job ended with.
fn final_atoms(document: &Value) -> Result<Atoms> {
    Ok(from_mson(&document["atoms"])?)
}

fn of_slab(slab: &Slab, error: Error) -> Error {
    match error {
        Error::Interrupted { .. } => error,
        source => {
            Error::Slab { miller_index: slab.miller_index, shift: slab.rounded_shift(), source: Box::new(source) }
        }
    }
}

/// `own` over `common`, objects inside objects likewise.
fn merged(common: &Value, own: &Value) -> Value {
    let (Value::Object(common), Value::Object(own)) = (common, own) else { return own.clone() };
    let mut both = common.clone();
    for (key, value) in own {
        let value = both.get(key).map_or_else(|| value.clone(), |old| merged(old, value));
        both.insert(key.clone(), value);
    }
    Value::Object(both)
}
