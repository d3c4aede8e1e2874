//! The workflows that `lpad add_recipe` stores: a recipe and what usually goes with it.

use bson::{Bson, Document, doc};
use serde_json::{Map, Value};

use super::super::Firetask;
use super::super::collect::CollectResultsTask;
use super::super::params::STRUCTURE;
use super::slabs::{IN_ONE, SlabsTask};
use super::{RELAX, STATIC};
use crate::recipes::{BulkToSlabsFlow, RelaxJob, StaticJob};
use crate::science::nearest::nearest;
use crate::workflow::{Draft, DraftFirework, json};

/// What can be added for a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipeWorkflow {
    /// A relaxation.
    Relax,
    /// Energy, forces and stress.
    Static,
    /// A relaxation, and a static calculation of what came out.
    RelaxStatic,
    /// All slabs of a bulk crystal, and one table of them.
    Slabs,
}

/// A setting that no task of the workflow has.
#[derive(Debug, thiserror::Error)]
#[error("{} has no setting `{key}`{hint}", .recipe.name())]
pub struct UnknownSetting {
    recipe: RecipeWorkflow,
    key: String,
    hint: String,
}

/// One firework to be: its verb, its task, and the settings that task takes.
type Step = (&'static str, &'static str, Vec<&'static str>);

impl RecipeWorkflow {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Relax, Self::Static, Self::RelaxStatic, Self::Slabs];

    /// The name it is asked for by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relax => "emt.relax",
            Self::Static => "emt.static",
            Self::RelaxStatic => "emt.relax_static",
            Self::Slabs => "emt.slabs",
        }
    }

    /// What it does, in a few words.
    pub fn help(self) -> &'static str {
        match self {
            Self::Relax => "relaxation",
            Self::Static => "energy, forces and stress",
            Self::RelaxStatic => "relaxation, then a static calculation",
            Self::Slabs => "all slabs of a bulk crystal, relaxed, in one table",
        }
    }

    fn steps(self) -> Vec<Step> {
        let relax: Step = ("relax", RELAX.name(), RelaxJob::KEYS.to_vec());
        let after: Step = ("static", STATIC.name(), StaticJob::KEYS.to_vec());
        match self {
            Self::Relax => vec![relax],
            Self::Static => vec![after],
            Self::RelaxStatic => vec![relax, after],
            Self::Slabs => vec![
                ("slabs", SlabsTask.name(), [BulkToSlabsFlow::KEYS.as_slice(), &[IN_ONE]].concat()),
                ("collect", CollectResultsTask.name(), Vec::new()),
            ],
        }
    }

    /// The workflow for one structure, in any form of [`crate::science::structure`]; `label` says in names
    /// which it is. Each step follows the one before, and each setting goes to every task that has it.
    pub fn draft(self, label: &str, structure: &Value, settings: &Map<String, Value>) -> Result<Draft, UnknownSetting> {
        let steps = self.steps();
        let known = || steps.iter().flat_map(|(.., keys)| keys.iter().copied());
        if let Some(key) = settings.keys().find(|key| !known().any(|known| known == key.as_str())) {
            let hint = nearest(key, known()).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            return Err(UnknownSetting { recipe: self, key: key.clone(), hint });
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
