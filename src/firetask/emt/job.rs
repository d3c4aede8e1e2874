//! Tasks that compute one structure. The final atoms go on to the children as `structure`.

use std::path::Path;

use bson::Document;
use serde_json::Value;

use super::super::params::{BadTask, STRUCTURE};
use super::super::{Firetask, Run, TaskFailure};
use super::files::Files;
use super::resume::Keeping;
use super::{
    RESULTS, bad_parameters, failure, given_structure, is_given, parameters, prepare_structure, push, resume, warn_of,
};
use crate::recipes::{self, Context, PhononFlow, Recipe, RelaxJob, StaticJob, Summary, warnings};
use crate::science::io::mson::from_mson;
use crate::science::structure;
use crate::workflow::{FwAction, json};

/// Relaxes the atoms.
pub static RELAX: JobTask =
    JobTask { name: "EmtRelaxTask", recipe: |values| Ok(Box::new(RelaxJob::from_value(values)?)), resumes: true };
/// Energy, forces and stress.
pub static STATIC: JobTask =
    JobTask { name: "EmtStaticTask", recipe: |values| Ok(Box::new(StaticJob::from_value(values)?)), resumes: false };
/// Vibrations: every displacement here, since the forces of one take less time than to claim a firework.
pub static PHONONS: JobTask =
    JobTask { name: "EmtPhononTask", recipe: |values| Ok(Box::new(PhononFlow::from_value(values)?)), resumes: false };

/// One of them.
pub struct JobTask {
    name: &'static str,
    recipe: fn(&Value) -> recipes::Result<Box<dyn Recipe>>,
    /// Whether it goes on where an earlier run stopped short of its end.
    resumes: bool,
}

impl Firetask for JobTask {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&self, task: &mut Document, spec: &mut Document, base: &Path) -> Result<(), BadTask> {
        let recipe = self.recipe(task)?;
        prepare_structure(self.name, &*recipe, task, spec, base)
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let recipe = self.recipe(run.task)?;
        let given = given_structure(self.name, &*recipe, run)?;
        let earlier = if self.resumes { resume::last_geometry(run, &given) } else { None };
        let dir_name = run.directory.to_string_lossy();
        let files = Files::new(run.directory);
        let keeping = Keeping::new(run, &given);
        let context = Context {
            dir_name: &dir_name,
            interrupt: &|| if self.resumes { keeping.stops() } else { run.interrupt.is_raised() },
            observe: &|progress| {
                let Some(step) = progress.relaxation() else { return };
                keeping.see(step);
                if recipe.keeps_files() {
                    files.write(step);
                }
            },
        };
        let document = recipe
            .run(earlier.as_ref().unwrap_or(&given), &context)
            .map_err(|error| failure(resume::noted(error, &given)))?;
        Ok(outcome(run, &document))
    }
}

/// What comes of a document: it is stored, and its atoms and what was found go on to the children.
pub(super) fn outcome(run: &Run<'_>, document: &Value) -> FwAction {
    warn_of(warnings(document));
    let (mut update_spec, mut rows) = (Document::new(), Vec::new());
    if let Ok(last) = from_mson(&document["atoms"]) {
        update_spec.insert(STRUCTURE, json::to_bson(&structure::plain(&last)));
        rows.extend(Summary::about(&last, document).map(|row| with_steps_before(row, run)));
    }
    let stored_data = document.as_object().map(json::to_document).unwrap_or_default();
    FwAction { stored_data, update_spec, mod_spec: push(run, &rows), ..FwAction::default() }
}

impl JobTask {
    fn recipe(&self, task: &Document) -> Result<Box<dyn Recipe>, BadTask> {
        (self.recipe)(&parameters(task, &[])).map_err(|source| bad_parameters(self.name, source, &[]))
    }
}

/// A static calculation of what a parent has relaxed says how many steps that took.
fn with_steps_before(row: Summary, run: &Run<'_>) -> Summary {
    if is_given(run.task) {
        return row;
    }
    let before = run.spec.get_array(RESULTS).ok().and_then(|rows| rows.last()).map(json::from_bson);
    match before.as_ref().and_then(Summary::from_value) {
        Some(before) => row.after(&before),
        None => row,
    }
}
