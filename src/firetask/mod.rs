//! What a firework does: its tasks, each known by its `_fw_name`.
//!
//! A task is given a directory and a spec, never the process's own working directory, and returns
//! an action or says why it failed. Names that nobody here knows are Python's: they are left alone
//! when a workflow is added, and run in the user's Python.

use std::collections::BTreeMap;
use std::path::Path;

use bson::{Bson, Document};

use crate::config::nearest;
use crate::workflow::fworker::PY_TASK;
use crate::workflow::{Draft, FwAction, FwId, Launch, LaunchId};

mod collect;
mod dataflow;
mod emt;
mod failure;
mod files;
mod group;
pub mod guard;
mod interrupt;
mod params;
mod prepare;
mod process;
mod python;
mod script;
mod seat;
mod streams;
mod template;

pub use emt::RecipeWorkflow;
pub use failure::{Attempt, TaskFailure};
pub use files::{expand_variables, zipped};
pub use interrupt::Interrupt;
pub use params::BadTask;
pub use prepare::{PrepareError, prepare};
pub use python::{Need, Python, PythonTask, Stopped, Thing, needs};
pub use seat::Seat;

/// A kind of task.
pub trait Firetask: Sync {
    /// Its `_fw_name`.
    fn name(&self) -> &'static str;

    /// Checks a task before it is stored, and completes it (or the spec around it, which comes
    /// without its tasks) with what only this machine has: files are read relative to `base`.
    fn prepare(&self, task: &mut Document, spec: &mut Document, base: &Path) -> Result<(), BadTask>;

    /// Does it.
    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure>;
}

/// What a task works with.
pub struct Run<'a> {
    /// The task itself, with its parameters.
    pub task: &'a Document,
    /// The spec of the firework, as the tasks before this one have left it.
    pub spec: &'a Document,
    /// Where its files are; an absolute path.
    pub directory: &'a Path,
    /// Where in the worker it runs; every command is one of [`Seat::command`].
    pub seat: &'a Seat,
    /// Says when to stop; a task that takes longer than a moment looks at it.
    pub interrupt: &'a Interrupt,
    /// Whose task it is.
    pub fw_id: FwId,
    /// Which of its tasks it is, from 0.
    pub position: usize,
    /// Which of its runs this is.
    pub launch_id: LaunchId,
    /// Where templates are that say nothing else (`TEMPLATE_DIR`).
    pub template_dir: Option<&'a Path>,
    /// Looks up the firework's last run that came to an end or has left its progress, when it runs
    /// once more.
    pub previous: &'a dyn Fn() -> Option<Launch>,
    /// Keeps how far the task has come, in the launch, for a later run of it. It replaces what was
    /// kept before.
    pub keep: &'a dyn Fn(Document),
}

/// Every kind of task that runs without Python.
static KNOWN: &[&dyn Firetask] = &[
    &script::ScriptTask,
    &files::FileWriteTask,
    &files::FileDeleteTask,
    &files::FileTransferTask,
    &files::CompressDirTask,
    &files::DecompressDirTask,
    &files::ArchiveDirTask,
    &template::TemplateWriterTask,
    &dataflow::CommandLineTask,
    &dataflow::ForeachTask,
    &dataflow::JoinDictTask,
    &dataflow::JoinListTask,
    &dataflow::ImportDataTask,
    &emt::RELAX,
    &emt::STATIC,
    &emt::MD,
    &emt::DEFECTS,
    &emt::SLABS,
    &emt::ELASTIC,
    &emt::ELASTIC_FIT,
    &emt::PHONONS,
    &collect::CollectResultsTask,
];

/// The name a task asks for, with FireWorks' former names replaced.
pub fn name_of(task: &Document) -> &str {
    match task.get_str("_fw_name").unwrap_or_default() {
        "Script Task" => "ScriptTask",
        "Transfer Task" => "FileTransferTask",
        "Template Writer Task" => "TemplateWriterTask",
        name => name,
    }
}

/// The kind of a task that runs without Python.
pub fn find(task: &Document) -> Option<&'static dyn Firetask> {
    let name = name_of(task);
    KNOWN.iter().copied().find(|known| known.name() == name)
}

/// Names of tasks that only Python may know, each once, with the native one that may have been meant.
pub fn strangers(draft: &Draft) -> BTreeMap<String, String> {
    let tasks = draft.fireworks().iter().flat_map(|firework| firework.spec.get_array("_tasks").into_iter().flatten());
    let unknown = tasks.filter_map(Bson::as_document).filter(|task| find(task).is_none()).map(name_of);
    unknown.filter(|&name| name != PY_TASK).map(|name| (name.to_owned(), nearest::hint(name, &known_names()))).collect()
}

/// The names that [`find`] knows.
pub fn known_names() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.name()).collect()
}
