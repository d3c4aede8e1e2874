//! `EmtElasticFitTask`: the last firework of an elastic tensor, which finds the stress of every deformation
//! in its spec. Which deformation a row is of it says itself, so that neither order nor reruns matter.

use std::path::Path;

use bson::Document;
use serde_json::Value;

use super::super::collect::newest_rows;
use super::super::params::{BadTask, STRUCTURE};
use super::super::{Firetask, Run, TaskFailure};
use super::{bad_parameters, failure, parameters, push, warn_of};
use crate::recipes::{ElasticParts, Summary, undeformed_atoms, warnings};
use crate::science::structure;
use crate::workflow::firework::is_true;
use crate::workflow::{FwAction, json};

/// Its name.
pub const NAME: &str = "EmtElasticFitTask";

/// The task.
pub static ELASTIC_FIT: FitTask = FitTask;

/// The task.
pub struct FitTask;

impl Firetask for FitTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        given(task).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let parts = given(run.task)?;
        let rows: Vec<Value> = newest_rows(NAME, run)?.iter().map(json::from_bson).collect();
        let lenient = run.spec.get("_allow_fizzled_parents").is_some_and(is_true);
        let document = parts.fit(&rows, lenient).map_err(failure)?;
        warn_of(warnings(&document));
        let rows = Summary::all_of(&document);
        let stored_data = document.as_object().map(json::to_document).unwrap_or_default();
        let (update_spec, mod_spec) = (undeformed_spec(&document), push(run, &rows));
        Ok(FwAction { stored_data, update_spec, mod_spec, ..FwAction::default() })
    }
}

/// The change of the children's specs that gives them the crystal as it was before it was deformed, where the
/// document is about such a crystal.
pub(super) fn undeformed_spec(document: &Value) -> Document {
    let atoms = undeformed_atoms(document);
    atoms.map(|atoms| (STRUCTURE.to_owned(), json::to_bson(&structure::plain(&atoms)))).into_iter().collect()
}

fn given(task: &Document) -> Result<ElasticParts, BadTask> {
    ElasticParts::from_value(&parameters(task, &[])).map_err(|source| bad_parameters(NAME, source, &[]))
}
