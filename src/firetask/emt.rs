//! The EMT recipes as tasks: `EmtRelaxTask` and `EmtStaticTask`, with quacc's parameters.
//!
//! The structure comes from the task, else from the spec, where a finished parent has put it. The
//! result document is the stored data; the final atoms go on to the children as `structure`.

use std::path::Path;

use bson::{Bson, Document};
use serde_json::Value;

use super::params::{BadTask, STRUCTURE};
use super::{Firetask, Run, TaskFailure};
use crate::recipes::{self, Context, Recipe, RelaxJob, StaticJob};
use crate::science::io::mson::from_mson;
use crate::science::nearest::nearest as closest;
use crate::science::{self, Atoms, structure};
use crate::workflow::{FwAction, json};

/// Relaxes the atoms.
pub static RELAX: EmtTask =
    EmtTask { name: "EmtRelaxTask", recipe: |values| Ok(Box::new(RelaxJob::from_value(values)?)) };
/// Energy, forces and stress.
pub static STATIC: EmtTask =
    EmtTask { name: "EmtStaticTask", recipe: |values| Ok(Box::new(StaticJob::from_value(values)?)) };

/// One of them.
pub struct EmtTask {
    name: &'static str,
    recipe: fn(&Value) -> recipes::Result<Box<dyn Recipe>>,
}

impl Firetask for EmtTask {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&self, task: &mut Document, spec: &mut Document, base: &Path) -> Result<(), BadTask> {
        let recipe = self.recipe(task)?;
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
        let atoms = atoms.map_err(|error| self.bad_structure(error.into()))?;
        recipe.check(&atoms).map_err(|error| self.bad_structure(error))
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let recipe = self.recipe(run.task)?;
        let given = if is_given(run.task) { run.task.get(STRUCTURE) } else { run.spec.get(STRUCTURE) };
        let given = given.ok_or(TaskFailure::NoStructure { task: self.name })?;
        let atoms = structure::build(&json::from_bson(given)).map_err(|error| self.bad_structure(error.into()))?;
        let dir_name = run.directory.to_string_lossy();
        let context = Context { dir_name: &dir_name, interrupt: &|| run.interrupt.is_raised() };
        let document = recipe.run(&atoms, &context).map_err(|error| match error {
            recipes::Error::Interrupted { .. } => TaskFailure::Interrupted,
            error => TaskFailure::Recipe(error),
        })?;
        let mut update_spec = Document::new();
        if let Some(last) = final_atoms(&document) {
            update_spec.insert(STRUCTURE, json::to_bson(&structure::plain(&last)));
        }
        let stored_data = document.as_object().map(json::to_document).unwrap_or_default();
        Ok(FwAction { stored_data, update_spec, ..FwAction::default() })
    }
}

impl EmtTask {
    /// What to compute, from the parameters of a task.
    fn recipe(&self, task: &Document) -> Result<Box<dyn Recipe>, BadTask> {
        let mut values = json::from_document(task);
        // FireWorks' own keys, and the structure, are not the recipe's.
        values.retain(|key, _| key != STRUCTURE && !key.starts_with('_'));
        (self.recipe)(&Value::Object(values)).map_err(|mut source| {
            // What is the task's and not the recipe's may have been meant, too.
            if let recipes::Error::Science(science::Error::UnknownKey { key, nearest, .. }) = &mut source
                && nearest.is_none()
            {
                *nearest = closest(key, [STRUCTURE]).map(str::to_owned);
            }
            BadTask::Recipe { task: self.name, source }
        })
    }

    fn bad_structure(&self, source: recipes::Error) -> BadTask {
        BadTask::Structure { task: self.name, source }
    }
}

fn is_given(task: &Document) -> bool {
    task.get(STRUCTURE).is_some_and(|given| !matches!(given, Bson::Null))
}

fn final_atoms(document: &Value) -> Option<Atoms> {
    from_mson(document.get("atoms")?).ok()
}
