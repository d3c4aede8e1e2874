//! Runs the tasks of one firework, in its launch directory, and makes one action of theirs.

use std::any::Any;
use std::fs;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use bson::{Bson, Document};
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};
use tracing::info;

use super::directory::has_own_directory;
use super::hook;
use crate::firetask::{self, Attempt, Firetask, Interrupt, Run, TaskFailure};
use crate::store::Claim;
use crate::workflow::mods::{self, ModError};
use crate::workflow::{Draft, FWorker, FwAction, Launch, State, json};

/// Runs the tasks; `previous` is for [`Run`]. `None` when it was interrupted.
pub fn run(
    claim: &Claim,
    previous: &dyn Fn() -> Option<Launch>,
    worker: &FWorker,
    interrupt: &Interrupt,
) -> Option<(State, FwAction)> {
    let directory = Path::new(&claim.launch.launch_dir);
    let tasks: Vec<&Document> = claim.firework.tasks().collect();
    let attempt = |position: usize| Attempt {
        fw_id: claim.firework.fw_id,
        fw_name: &claim.firework.name,
        number: (position + 1, tasks.len()),
        task: tasks[position],
        directory,
    };
    let failed = |position: usize, failure: &TaskFailure| {
        info!("Task failed: {}: {failure}", firetask::name_of(tasks[position]));
        Some((State::Fizzled, attempt(position).fizzled(failure)))
    };
    // All are looked up before the first is run: nothing is done by halves for want of a task.
    let mut kinds = Vec::with_capacity(tasks.len());
    for (position, task) in tasks.iter().enumerate() {
        match firetask::find(task) {
            Some(kind) => kinds.push(kind),
            None => return failed(position, &TaskFailure::Unknown { name: firetask::name_of(task).to_owned() }),
        }
    }
    let mut spec = claim.firework.spec.clone();
    spec.insert("_fw_env", worker.env.clone());
    let mut total = FwAction::default();
    for (position, kind) in kinds.into_iter().enumerate() {
        if interrupt.is_raised() {
            return None;
        }
        info!("Task started: {}.", kind.name());
        let (fw_id, launch_id) = (claim.firework.fw_id, claim.launch.launch_id);
        let run = Run { task: tasks[position], spec: &spec, directory, interrupt, fw_id, launch_id, previous };
        let is_last = position + 1 == tasks.len();
        match run_task(kind, &run, position + 1).and_then(|action| follow(&action, is_last, &spec).map(|s| (action, s)))
        {
            Ok((action, next)) => {
                info!("Task completed: {}", kind.name());
                total = add(total, action);
                spec = next.unwrap_or(spec);
            }
            Err(TaskFailure::Interrupted) => return None,
            Err(failure) => return failed(position, &failure),
        }
        if total.ends_firework() {
            break;
        }
    }
    Some((State::Completed, total))
}

/// Runs one task, and takes the action it may have left in a file.
fn run_task(kind: &dyn Firetask, run: &Run<'_>, number: usize) -> Result<FwAction, TaskFailure> {
    let action = catch_unwind(AssertUnwindSafe(|| kind.run(run)))
        .unwrap_or_else(|panic| Err(TaskFailure::Panicked(panic_message(&*panic))))?;
    let action = hook::take(run.directory, number)?.unwrap_or(action);
    check(&action, run.spec)?;
    Ok(action)
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Refuses what the launchpad could not do, while the task that asks for it is known.
fn check(action: &FwAction, spec: &Document) -> Result<(), TaskFailure> {
    let refused = |why: String| Err(TaskFailure::Action(why));
    if !action.append_wfs.is_empty() {
        return refused("FWAction: `append_wfs` is not supported yet; use `additions` or `detours`".into());
    }
    if action.defuse_workflow {
        return refused("FWAction: `defuse_workflow` is not supported yet; use `defuse_children`".into());
    }
    // What a verb does to the spec of a child is seen there; that there is no such verb, here.
    for modification in &action.mod_spec {
        if let Err(error @ (ModError::UnknownAction(_) | ModError::NotAMapping(_))) =
            mods::apply(modification, &mut spec.clone())
        {
            return Err(error.into());
        }
    }
    for (key, workflows) in [("additions", &action.additions), ("detours", &action.detours)] {
        for workflow in workflows {
            if let Err(error) = Draft::from_document(workflow) {
                return refused(format!("FWAction: `{key}`: {error}"));
            }
        }
    }
    Ok(())
}

/// The spec as the next task sees it, when there is one.
fn follow(action: &FwAction, is_last: bool, spec: &Document) -> Result<Option<Document>, TaskFailure> {
    if is_last || action.ends_firework() || !action.changes_specs() {
        return Ok(None);
    }
    let mut spec = spec.clone();
    spec.extend(action.update_spec.clone());
    for modification in &action.mod_spec {
        mods::apply(modification, &mut spec)?;
    }
    Ok(Some(spec))
}

/// FireWorks' sum of actions: data and spec changes of all tasks, everything else of the last.
fn add(mut total: FwAction, action: FwAction) -> FwAction {
    total.stored_data.extend(action.stored_data);
    total.update_spec.extend(action.update_spec);
    total.mod_spec.extend(action.mod_spec);
    FwAction { stored_data: total.stored_data, update_spec: total.update_spec, mod_spec: total.mod_spec, ..action }
}

/// A launch directory, or a file in it, that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", .path.display())]
pub struct Unwritable {
    /// The directory or file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl Unwritable {
    /// Whether the firework asks for the impossible (`_launch_dir`), so that any worker would fail
    /// like this one, and go on failing while others wait.
    pub fn is_its_own_fault(&self, claim: &Claim) -> bool {
        use io::ErrorKind::{
            AlreadyExists, InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem,
        };
        let hopeless = matches!(
            self.source.kind(),
            AlreadyExists
                | InvalidFilename
                | InvalidInput
                | NotADirectory
                | NotFound
                | PermissionDenied
                | ReadOnlyFilesystem
        );
        hopeless && has_own_directory(&claim.firework.spec)
    }

    /// The action of the firework then.
    pub fn fizzled(&self, claim: &Claim) -> FwAction {
        let (fw_id, name) = (claim.firework.fw_id, &claim.firework.name);
        FwAction::fizzled(None, &format!("firework {fw_id} ({name}), its `_launch_dir`: {self}"), Bson::Null)
    }
}

/// Makes what is still missing of the launch directory, and writes FW.json into it.
pub fn prepare(claim: &Claim, fw_json: bool) -> Result<(), Unwritable> {
    let directory = Path::new(&claim.launch.launch_dir);
    if has_own_directory(&claim.firework.spec) {
        fs::create_dir_all(directory).map_err(|source| Unwritable { path: directory.to_owned(), source })?;
    }
    if fw_json { write_fw_json(claim) } else { Ok(()) }
}

/// Writes FW.json as FireWorks does: the firework, with its launch in full.
fn write_fw_json(claim: &Claim) -> Result<(), Unwritable> {
    let path = Path::new(&claim.launch.launch_dir).join("FW.json");
    let stored = claim.firework.to_document();
    let mut launch = claim.launch.to_document();
    for derived in claim.launch.times().keys() {
        launch.remove(derived);
    }
    let mut document = Document::new();
    for key in ["spec", "fw_id", "created_on", "updated_on", "launches", "state", "name"] {
        let value = match key {
            "launches" => Some(Bson::Array(vec![Bson::Document(launch.clone())])),
            _ => stored.get(key).cloned(),
        };
        document.extend(value.map(|value| (key.to_owned(), value)));
    }
    let text = indented(&Value::Object(json::from_document(&document)));
    text.and_then(|text| {
        let written = fs::File::create(&path)?.write_all(&text);
        // Half of it would only keep a directory alive that nobody needs.
        written.inspect_err(|_| drop(fs::remove_file(&path)))
    })
    .map_err(|source| Unwritable { path, source })
}

fn indented(value: &Value) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
    serde::Serialize::serialize(value, &mut serializer)?;
    Ok(text)
}
