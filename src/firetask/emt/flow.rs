//! Tasks that make many structures of one. By default a chain of fireworks for each, as detours, so that
//! many workers share the work and a child of this task waits for all of them; with
//! `in_one_firework: true` everything here and now.

use std::path::Path;

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::params::{BadTask, Params, STRUCTURE};
use super::super::{Firetask, Run, TaskFailure};
use super::{RELAX, STATIC, elastic};
use super::{bad_parameters, failure, given_structure, parameters, prepare_structure, push, warn_of};
use crate::recipes::{
    self, BulkToDefectsFlow, BulkToSlabsFlow, Context, ElasticTensorFlow, Flow, Part, Parts, Summary, warnings,
};
use crate::science::structure;
use crate::workflow::{FwAction, json, time};

/// The key of the task that asks for everything in one firework.
pub const IN_ONE: &str = "in_one_firework";

/// The slabs of a bulk crystal.
pub static SLABS: FlowTask = FlowTask {
    name: "EmtBulkToSlabsTask",
    recipe: |values| Ok(Box::new(BulkToSlabsFlow::from_value(values)?)),
    last: None,
};

/// The vacancies of a bulk crystal.
pub static DEFECTS: FlowTask = FlowTask {
    name: "EmtBulkToDefectsTask",
    recipe: |values| Ok(Box::new(BulkToDefectsFlow::from_value(values)?)),
    last: None,
};

/// The elastic constants of a crystal, from its deformations.
pub static ELASTIC: FlowTask = FlowTask {
    name: "EmtElasticTensorTask",
    recipe: |values| Ok(Box::new(ElasticTensorFlow::from_value(values)?)),
    last: Some(Finish { verb: "fit", task: elastic::NAME }),
};

/// Keys of a spec that say where and how fireworks run, and hold for those that come of them.
const INHERITED: [&str; 5] = ["_category", "_fworker", "_preserve_fworker", "_priority", "_queueadapter"];

/// One of them.
pub struct FlowTask {
    name: &'static str,
    recipe: fn(&Value) -> recipes::Result<Box<dyn Flow>>,
    /// What comes last and finds all results in its spec.
    last: Option<Finish>,
}

/// A task after all chains, and the verb in the name of its firework.
#[derive(Clone, Copy)]
pub struct Finish {
    verb: &'static str,
    task: &'static str,
}

impl Firetask for FlowTask {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&self, task: &mut Document, spec: &mut Document, base: &Path) -> Result<(), BadTask> {
        let flow = self.flow(task)?;
        prepare_structure(self.name, &*flow, task, spec, base)
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let flow = self.flow(run.task)?;
        let bulk = given_structure(self.name, &*flow, run)?;
        let dir_name = run.directory.to_string_lossy();
        let context = Context { interrupt: &|| run.interrupt.is_raised(), ..Context::new(&dir_name) };
        if is_in_one(run.task) {
            let document = flow.run(&bulk, &context).map_err(failure)?;
            warn_of(warnings(&document));
            let rows = Summary::all_of(&document);
            let stored_data = document.as_object().map(json::to_document).unwrap_or_default();
            let (update_spec, mod_spec) = (elastic::undeformed_spec(&document), push(run, &rows));
            return Ok(FwAction { stored_data, update_spec, mod_spec, ..FwAction::default() });
        }
        let Parts { mut document, warnings, parts, last } = flow.parts(&bulk, &context).map_err(failure)?;
        warn_of(&warnings);
        if !warnings.is_empty() {
            document.insert("warnings".into(), json!(warnings));
        }
        let last = self.last.zip(last);
        let mut spawned = Spawned::new(run, &*flow, parts.len(), last.is_some());
        let detours = match last {
            None => parts.iter().map(|part| spawned.chain(part).into_workflow(&part.name)).collect(),
            Some((finish, parameters)) => {
                let chains: Vec<Chain> = parts.iter().map(|part| spawned.chain(part)).collect();
                vec![spawned.finish(chains, finish, &parameters, &bulk.formula()).into_workflow(&bulk.formula())]
            }
        };
        Ok(FwAction { stored_data: json::to_document(&document), detours, ..FwAction::default() })
    }
}

impl FlowTask {
    fn flow(&self, task: &Document) -> Result<Box<dyn Flow>, BadTask> {
        let params = Params { task: self.name, values: task };
        if params.get(IN_ONE).is_some_and(|value| value.as_bool().is_none()) {
            return Err(params.wrong(IN_ONE, "true or false"));
        }
        (self.recipe)(&parameters(task, &[IN_ONE])).map_err(|source| bad_parameters(self.name, source, &[IN_ONE]))
    }
}

fn is_in_one(task: &Document) -> bool {
    task.get_bool(IN_ONE).unwrap_or(false)
}

/// Fireworks that are linked, and the one that comes last among them. Their ids are negative until the
/// launchpad gives them others, in the same order.
struct Chain {
    fireworks: Vec<Document>,
    links: Document,
    last: i64,
}

impl Chain {
    fn into_workflow(mut self, name: &str) -> Document {
        self.links.insert(self.last.to_string(), Bson::Array(Vec::new()));
        let now = time::to_iso(Timestamp::now());
        doc! {
            "fws": self.fireworks, "links": self.links, "name": name, "metadata": {},
            "updated_on": &now, "created_on": &now,
        }
    }
}

/// Makes the fireworks of a flow.
struct Spawned<'a> {
    run: &'a Run<'a>,
    flow: &'a dyn Flow,
    next_id: i64,
}

impl<'a> Spawned<'a> {
    fn new(run: &'a Run<'a>, flow: &'a dyn Flow, chains: usize, finishes: bool) -> Self {
        let each = 1 + usize::from(flow.jobs().static_after().is_some());
        let count = chains * each + usize::from(finishes);
        Self { run, flow, next_id: -i64::try_from(count).unwrap_or(i64::MAX) }
    }

    /// A structure is relaxed, then computed once more.
    fn chain(&mut self, part: &Part) -> Chain {
        let jobs = self.flow.jobs();
        let structure = json::to_bson(&structure::plain(&part.atoms));
        let mut links = Document::new();
        let (mut last, first) = self.firework("relax", &part.name, RELAX.name(), jobs.relax(), Some(structure));
        let mut fireworks = vec![first];
        if let Some(parameters) = jobs.static_after() {
            let (id, after) = self.firework("static", &part.name, STATIC.name(), parameters, None);
            links.insert(last.to_string(), vec![id]);
            fireworks.push(after);
            last = id;
        }
        Chain { fireworks, links, last }
    }

    /// All chains, and a firework that follows each of them.
    fn finish(&mut self, chains: Vec<Chain>, finish: Finish, parameters: &Value, of: &str) -> Chain {
        let (last, end) = self.firework(finish.verb, of, finish.task, parameters, None);
        let (mut fireworks, mut links) = (Vec::new(), Document::new());
        for chain in chains {
            fireworks.extend(chain.fireworks);
            links.extend(chain.links);
            links.insert(chain.last.to_string(), vec![last]);
        }
        fireworks.push(end);
        Chain { fireworks, links, last }
    }

    fn firework(
        &mut self,
        verb: &str,
        of: &str,
        task: &str,
        parameters: &Value,
        structure: Option<Bson>,
    ) -> (i64, Document) {
        let fw_id = self.next_id;
        self.next_id += 1;
        let mut task = doc! {"_fw_name": task};
        task.extend(parameters.as_object().map(json::to_document).unwrap_or_default());
        // Not in the spec, where whoever is put before this firework later would leave its own.
        task.extend(structure.map(|structure| (STRUCTURE.to_owned(), structure)));
        let mut spec = doc! {"_tasks": [task]};
        for key in INHERITED {
            spec.extend(self.run.spec.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        let (name, now) = (format!("{verb} {of}"), time::to_iso(Timestamp::now()));
        (fw_id, doc! {"spec": spec, "fw_id": fw_id, "created_on": &now, "updated_on": &now, "name": name})
    }
}
