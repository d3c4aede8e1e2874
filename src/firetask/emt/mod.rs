//! The EMT recipes as tasks, with quacc's parameters: `EmtRelaxTask`, `EmtStaticTask`, `EmtMdTask` and `EmtPhononTask`
//! compute one structure, flows like `EmtBulkToSlabsTask` make many of one.
//!
//! The structure comes from the task, else from the spec, where a finished parent has put it. The
//! result document is the stored data. Every recipe pushes a row on what it found to `results` of its
//! children, which `CollectResultsTask` makes a table of.

use std::fmt::Display;
use std::path::Path;

use bson::{Bson, Document, doc};
use serde_json::Value;
use tracing::warn;

use super::params::{BadTask, STRUCTURE};
use super::{Run, TaskFailure};
use crate::recipes::{self, Recipe, Summary};
use crate::science::nearest::nearest as closest;
use crate::science::{self, Atoms, structure};
use crate::workflow::{int, json};

mod elastic;
mod files;
mod flow;
mod job;
mod md;
mod md_earlier;
mod md_files;
mod md_lines;
mod md_records;
mod md_restart;
mod resume;
mod workflow;

pub use elastic::ELASTIC_FIT;
pub use flow::{DEFECTS, ELASTIC, SLABS};
pub use job::{PHONONS, RELAX, STATIC};
pub use md::MD;
pub use workflow::RecipeWorkflow;

/// Where recipes leave rows for their children.
pub const RESULTS: &str = "results";

/// The parameters of a task that are the recipe's: not FireWorks' own keys, nor the structure, nor
/// what the task keeps for itself.
fn parameters(task: &Document, own: &[&str]) -> Value {
    let mut values = json::from_document(task);
    values.retain(|key, _| key != STRUCTURE && !key.starts_with('_') && !own.contains(&key.as_str()));
    Value::Object(values)
}

/// A recipe that refuses its parameters; keys of the task itself may have been meant, too.
fn bad_parameters(task: &'static str, mut source: recipes::Error, own: &[&'static str]) -> BadTask {
    if let recipes::Error::Science(science::Error::UnknownKey { key, nearest, .. }) = &mut source
        && nearest.is_none()
    {
        *nearest = closest(key, own.iter().copied().chain([STRUCTURE])).map(str::to_owned);
    }
    BadTask::Recipe { task, source }
}

fn bad_structure(task: &'static str, source: recipes::Error) -> BadTask {
    BadTask::Structure { task, source }
}

/// Checks the structure of a task, if it has one yet, before it is stored; one in a file becomes
/// part of the spec.
fn prepare_structure(
    name: &'static str,
    recipe: &dyn Recipe,
    task: &mut Document,
    spec: &mut Document,
    base: &Path,
) -> Result<(), BadTask> {
    let place = if is_given(task) { task } else { spec };
    let Some(given) = place.get_mut(STRUCTURE).filter(|given| !matches!(given, Bson::Null)) else {
        // A parent, or a task before this one, will put it there.
        return Ok(());
    };
    let value = json::from_bson(given);
    let atoms = match structure::file(&value) {
        None => structure::build(&value),
        Some(file) => structure::read_file(&base.join(file)).inspect(|atoms| {
            *given = json::to_bson(&structure::plain(atoms));
        }),
    };
    let atoms = atoms.map_err(|error| bad_structure(name, error.into()))?;
    recipe.check(&atoms).map_err(|error| bad_structure(name, error))
}

/// The structure a task is to compute. What is worth knowing of it goes to the log.
fn given_structure(name: &'static str, recipe: &dyn Recipe, run: &Run<'_>) -> Result<Atoms, TaskFailure> {
    let place = if is_given(run.task) { run.task } else { run.spec };
    let given = place.get(STRUCTURE).filter(|_| is_given(place)).ok_or(TaskFailure::NoStructure { task: name })?;
    let atoms = structure::build(&json::from_bson(given)).map_err(|error| bad_structure(name, error.into()))?;
    warn_of(recipe.notices(&atoms));
    Ok(atoms)
}

/// Whether a task, or a spec, has a structure.
fn is_given(place: &Document) -> bool {
    place.get(STRUCTURE).is_some_and(|given| !matches!(given, Bson::Null))
}

/// Tells of what is worth knowing, a sentence each.
fn warn_of(sentences: impl IntoIterator<Item = impl Display>) {
    for sentence in sentences {
        warn!("{sentence}");
    }
}

fn failure(error: recipes::Error) -> TaskFailure {
    match error {
        recipes::Error::Interrupted { .. } => TaskFailure::Interrupted,
        error => TaskFailure::Recipe(error),
    }
}

/// The change of the children's specs that tells them what was found.
fn push(run: &Run<'_>, rows: &[Summary]) -> Vec<Document> {
    let rows: Vec<Bson> = rows
        .iter()
        .map(|summary| {
            let mut row = doc! {"fw_id": int(run.fw_id), "launch_id": int(run.launch_id)};
            row.extend(json::to_bson(&summary.to_value()).as_document().cloned().unwrap_or_default());
            Bson::Document(row)
        })
        .collect();
    match rows.as_slice() {
        [] => Vec::new(),
        [row] => vec![doc! {"_push": {RESULTS: row.clone()}}],
        _ => vec![doc! {"_push_all": {RESULTS: rows}}],
    }
}
