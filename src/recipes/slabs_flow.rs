//! `bulk_to_slabs_flow`: the slabs of a bulk crystal, each relaxed and then, unless told otherwise,
//! computed once more as it came out.

use serde_json::{Value, json};

use super::document::object;
use super::error::{Error, Result};
use super::jobs::{Flow, Jobs, Part, Parts, final_atoms};
use super::relax_job::RelaxJob;
use super::slab_options::slab_options;
use super::{Context, Recipe, check_emt};
use crate::science::Atoms;
use crate::science::fields::Fields;
use crate::science::slabs::{Slab, SlabOptions, Slabs, make_slabs_until};

/// The parameters of the flow.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkToSlabsFlow {
    /// Which slabs.
    pub options: SlabOptions,
    /// Whether cell and positions of the bulk are relaxed first; quacc does not.
    pub relax_bulk: bool,
    jobs: Jobs,
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
        Ok(Self {
            options: SlabOptions { compat_quacc, ..slab_options(fields.get("make_slabs_kwargs"))? },
            relax_bulk: fields.flag("relax_bulk")?.unwrap_or(false),
            jobs: Jobs::of(&fields, true)?,
        })
    }

    /// The slabs of `bulk`, and the document of its relaxation, if that was asked for.
    fn slabs(&self, bulk: &Atoms, context: &Context) -> Result<(Slabs, Option<Value>)> {
        self.check(bulk)?;
        if !self.relax_bulk {
            return Ok((self.cut(bulk, context)?, None));
        }
        let job = RelaxJob { relax_cell: true, ..self.jobs.relax_job()? };
        let document = job.run(bulk, context)?;
        let mut relaxed = final_atoms(&document)?;
        // The notes are about the run, and every slab would carry them along.
        *relaxed.info_mut() = bulk.info().clone();
        Ok((self.cut(&relaxed, context)?, Some(document)))
    }

    fn cut(&self, bulk: &Atoms, context: &Context) -> Result<Slabs> {
        make_slabs_until(bulk, &self.options, context.interrupt).map_err(|error| match error {
            crate::science::Error::Stopped => Error::Interrupted { steps: 0 },
            error => error.into(),
        })
    }
}

impl Flow for BulkToSlabsFlow {
    fn parts(&self, atoms: &Atoms, context: &Context) -> Result<Parts> {
        let (Slabs { slabs, warnings }, bulk) = self.slabs(atoms, context)?;
        let rows: Vec<Value> = slabs.iter().map(row).collect();
        let mut document = object([("name", "EMT Bulk to Slabs".into()), ("slabs", rows.into())]);
        document.extend(bulk.map(|bulk| ("bulk".to_owned(), bulk)));
        Ok(Parts { document, warnings, parts: slabs.into_iter().map(part).collect(), last: None })
    }

    fn jobs(&self) -> &Jobs {
        &self.jobs
    }
}

impl Recipe for BulkToSlabsFlow {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        check_bulk(atoms)?;
        check_emt(atoms)
    }

    /// quacc's document: `{relax: [...], static: [...]}` in the order of the slabs; also `warnings`, where
    /// there are any, and `bulk`, where it was relaxed.
    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        let Parts { document, warnings, parts, .. } = self.parts(atoms, context)?;
        let computed = self.jobs.run(&parts, context)?;
        let mut found = object([("relax", computed.relax.into()), ("static", computed.after.into())]);
        if !warnings.is_empty() {
            found.insert("warnings".into(), json!(warnings));
        }
        found.extend(document.into_iter().filter(|(key, _)| key == "bulk"));
        Ok(found.into())
    }
}

/// What every flow about a crystal needs of it.
pub(super) fn check_bulk(atoms: &Atoms) -> Result<()> {
    if atoms.pbc() == [true; 3] {
        return Ok(());
    }
    let reason = "a bulk crystal is needed, periodic in all three directions";
    Err(crate::science::Error::bad("structure", reason).into())
}

/// What is said of a slab before anything of it is computed.
fn row(slab: &Slab) -> Value {
    json!({
        "formula": slab.atoms.formula(),
        "natoms": slab.atoms.len(),
        "miller_index": slab.miller_index,
        "shift": slab.rounded_shift(),
    })
}

fn part(slab: Slab) -> Part {
    let ([h, k, l], shift) = (slab.miller_index, slab.rounded_shift());
    Part {
        label: format!("slab ({h} {k} {l}), shift {shift}"),
        name: format!("{} ({h} {k} {l}) {shift}", slab.atoms.formula()),
        atoms: slab.atoms,
    }
}
