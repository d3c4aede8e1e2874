//! The workflows that `lpad add_recipe` stores: a recipe and what usually goes with it.

use bson::{Bson, Document, doc};
use serde_json::{Map, Value};

use super::super::Firetask;
use super::super::collect::CollectResultsTask;
use super::super::params::STRUCTURE;
use super::flow::{DEFECTS, ELASTIC, FlowTask, IN_ONE, SLABS};
use super::{MD, PHONONS, RELAX, STATIC};
use crate::recipes::{
    BulkToDefectsFlow, BulkToSlabsFlow, ElasticTensorFlow, MdJob, PhononFlow, RelaxJob, StaticJob, parameters,
};
use crate::science::nearest::nearest;
use crate::workflow::{Draft, DraftFirework, json};

/// What can be added for a structure.
#[derive(Clone, Copy, Debug)]
pub struct RecipeWorkflow {
    name: &'static str,
    help: &'static str,
    steps: fn() -> Vec<Step>,
}

/// One firework to be: its verb, its task, and the settings that task takes.
type Step = (&'static str, &'static str, Vec<&'static str>);

static ALL: &[RecipeWorkflow] = &[
    RecipeWorkflow { name: "emt.relax", help: "relaxation", steps: || vec![relax()] },
    RecipeWorkflow { name: "emt.static", help: "energy, forces and stress", steps: || vec![after()] },
    RecipeWorkflow {
        name: "emt.relax_static",
        help: "relaxation, then a static calculation",
        steps: || vec![relax(), after()],
    },
    RecipeWorkflow { name: "emt.md", help: "molecular dynamics", steps: || vec![dynamics()] },
    RecipeWorkflow {
        name: "emt.slabs",
        help: "all slabs of a bulk crystal, relaxed, in one table",
        steps: || vec![flow("slabs", &SLABS, &BulkToSlabsFlow::KEYS), collect()],
    },
    RecipeWorkflow {
        name: "emt.defects",
        help: "the vacancies of a bulk crystal, relaxed, in one table",
        steps: || vec![flow("defects", &DEFECTS, &BulkToDefectsFlow::KEYS), collect()],
    },
    RecipeWorkflow {
        name: "emt.elastic",
        help: "elastic constants of a crystal",
        steps: || vec![flow("elastic", &ELASTIC, &ElasticTensorFlow::KEYS)],
    },
    RecipeWorkflow {
        name: "emt.phonons",
        help: "phonons and thermal properties of a relaxed structure",
        steps: || vec![("phonons", PHONONS.name(), PhononFlow::KEYS.to_vec())],
    },
];

fn relax() -> Step {
    ("relax", RELAX.name(), RelaxJob::KEYS.to_vec())
}

fn after() -> Step {
    ("static", STATIC.name(), StaticJob::KEYS.to_vec())
}

fn dynamics() -> Step {
    ("md", MD.name(), MdJob::KEYS.to_vec())
}

fn flow(verb: &'static str, task: &FlowTask, keys: &[&'static str]) -> Step {
    (verb, task.name(), [keys, &[IN_ONE]].concat())
}

fn collect() -> Step {
    ("collect", CollectResultsTask.name(), Vec::new())
}

/// A setting that no task of the workflow has.
#[derive(Debug, thiserror::Error)]
#[error("{recipe} has no setting `{key}`{hint}")]
pub struct UnknownSetting {
    recipe: &'static str,
    key: String,
    hint: String,
}

impl RecipeWorkflow {
    /// All of them.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// The name it is asked for by.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What it does, in a few words.
    pub fn help(self) -> &'static str {
        self.help
    }

    /// The workflow for one structure, in any form of [`crate::science::structure`]; `label` says in names
    /// which it is. Each step follows the one before, and each setting goes to every task that has it.
    pub fn draft(self, label: &str, structure: &Value, settings: &Map<String, Value>) -> Result<Draft, UnknownSetting> {
        let steps = (self.steps)();
        let known = || steps.iter().flat_map(|(.., keys)| keys.iter().copied());
        if let Some(key) = settings.keys().find(|key| !known().any(|known| known == key.as_str())) {
            let near = parameters::home(key, &known().collect::<Vec<_>>());
            let near = near.or_else(|| nearest(key, known()).map(str::to_owned));
            let hint = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            return Err(UnknownSetting { recipe: self.name, key: key.clone(), hint });
        }
        let firework = |(place, (verb, task, keys)): (usize, &Step)| {
            let mut task = doc! {"_fw_name": *task};
            let own = settings.iter().filter(|(key, _)| keys.contains(&key.as_str()));
            task.extend(own.map(|(key, value)| (key.clone(), json::to_bson(value))));
            let mut spec = doc! {"_tasks": [task]};
            if place == 0 {
                spec.insert(STRUCTURE, json::to_bson(structure));
            }
            DraftFirework {
                local_id: place as i64 + 1,
                name: format!("{verb} {label}"),
                spec,
                held: None,
                created_on: None,
            }
        };
        let fireworks: Vec<DraftFirework> = steps.iter().enumerate().map(firework).collect();
        let links: Vec<(i64, i64)> = (1..fireworks.len() as i64).map(|parent| (parent, parent + 1)).collect();
        let metadata = Document::from_iter([("recipe".to_owned(), Bson::from(self.name()))]);
        let name = format!("{} {label}", self.name());
        // What is built here is a workflow: it has tasks, and each link leads to the next.
        Ok(Draft::new(Some(name), metadata, fireworks, links).unwrap_or_else(|error| unreachable!("{error}")))
    }
}
