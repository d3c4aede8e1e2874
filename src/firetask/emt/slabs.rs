//! `EmtBulkToSlabsTask`: the slabs of a bulk crystal. By default a chain of fireworks for each, as
//! detours, so that many workers share the work and a child of this task waits for all of them; with
//! `in_one_firework: true` everything here and now.

use std::path::Path;

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::warn;

use super::super::params::{BadTask, Params, STRUCTURE};
use super::super::{Firetask, Run, TaskFailure};
use super::{RELAX, STATIC};
use super::{bad_parameters, failure, given_structure, parameters, prepare_structure, push};
use crate::recipes::{BulkToSlabsFlow, Context, Recipe, Summary, warnings};
use crate::science::slabs::Slab;
use crate::science::structure;
use crate::workflow::{FwAction, json, time};

const NAME: &str = "EmtBulkToSlabsTask";
/// The key of the task that asks for everything in one firework.
pub const IN_ONE: &str = "in_one_firework";

/// Keys of a spec that say where and how fireworks run, and hold for those that come of them.
const INHERITED: [&str; 5] = ["_category", "_fworker", "_preserve_fworker", "_priority", "_queueadapter"];

/// The task.
pub struct SlabsTask;

impl Firetask for SlabsTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, spec: &mut Document, base: &Path) -> Result<(), BadTask> {
        let flow = flow(task)?;
        prepare_structure(NAME, &flow, task, spec, base)
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let flow = flow(run.task)?;
        let bulk = given_structure(NAME, &flow, run)?;
        let dir_name = run.directory.to_string_lossy();
        let context = Context { interrupt: &|| run.interrupt.is_raised(), ..Context::new(&dir_name) };
        if is_in_one(run.task) {
            let document = flow.run(&bulk, &context).map_err(failure)?;
            for warning in warnings(&document) {
                warn!("{warning}");
            }
            let rows = Summary::all_of(&document);
            let stored_data = document.as_object().map(json::to_document).unwrap_or_default();
            return Ok(FwAction { stored_data, mod_spec: push(run, &rows), ..FwAction::default() });
        }
        let prepared = flow.slabs(&bulk, &context).map_err(failure)?;
        let slabs = &prepared.slabs.slabs;
        for warning in &prepared.slabs.warnings {
            warn!("{warning}");
        }
        let mut stored = json!({"name": "EMT Bulk to Slabs", "slabs": slabs.iter().map(row).collect::<Vec<_>>()});
        if !prepared.slabs.warnings.is_empty() {
            stored["warnings"] = json!(prepared.slabs.warnings);
        }
        if let Some(bulk) = prepared.bulk {
            stored["bulk"] = bulk;
        }
        let detours = slabs.iter().enumerate().map(|(place, slab)| chain(&flow, run, slab, slabs.len() - place));
        Ok(FwAction {
            stored_data: stored.as_object().map(json::to_document).unwrap_or_default(),
            detours: detours.collect(),
            ..FwAction::default()
        })
    }
}

fn flow(task: &Document) -> Result<BulkToSlabsFlow, BadTask> {
    let params = Params { task: NAME, values: task };
    if params.get(IN_ONE).is_some_and(|value| value.as_bool().is_none()) {
        return Err(params.wrong(IN_ONE, "true or false"));
    }
    BulkToSlabsFlow::from_value(&parameters(task, &[IN_ONE])).map_err(|source| bad_parameters(NAME, source, &[IN_ONE]))
}

fn is_in_one(task: &Document) -> bool {
    task.get_bool(IN_ONE).unwrap_or(false)
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

/// The workflow of one slab: relaxed, then computed once more. Ids are negative until the launchpad
/// gives them others; those of the last slab, `from_end` 1, are the highest.
fn chain(flow: &BulkToSlabsFlow, run: &Run<'_>, slab: &Slab, from_end: usize) -> Document {
    let [h, k, l] = slab.miller_index;
    let of = format!("{} ({h} {k} {l}) {}", slab.atoms.formula(), slab.rounded_shift());
    let now = time::to_iso(Timestamp::now());
    let firework = |verb: &str, task: &str, parameters: &Value, structure: Option<Bson>, fw_id: i64| {
        let mut task = doc! {"_fw_name": task};
        task.extend(parameters.as_object().map(json::to_document).unwrap_or_default());
        // Not in the spec, where whoever is put before this firework later would leave its own.
        task.extend(structure.map(|structure| (STRUCTURE.to_owned(), structure)));
        let mut spec = doc! {"_tasks": [task]};
        for key in INHERITED {
            spec.extend(run.spec.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        let name = format!("{verb} {of}");
        doc! {"spec": spec, "fw_id": fw_id, "created_on": &now, "updated_on": &now, "name": name}
    };
    let last = -2 * i64::try_from(from_end).unwrap_or(i64::MAX / 2) + 1;
    let structure = json::to_bson(&structure::plain(&slab.atoms));
    let first = if flow.static_after().is_some() { last - 1 } else { last };
    let mut fws = vec![firework("relax", RELAX.name(), flow.relax(), Some(structure), first)];
    let mut links = Document::new();
    if let Some(parameters) = flow.static_after() {
        links.insert(first.to_string(), vec![last]);
        fws.push(firework("static", STATIC.name(), parameters, None, last));
    }
    links.insert(last.to_string(), Bson::Array(Vec::new()));
    doc! {"fws": fws, "links": links, "name": format!("slab {of}"), "metadata": {}, "updated_on": &now, "created_on": &now}
}
