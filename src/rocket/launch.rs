//! Runs the tasks of one firework, in its launch directory, and makes one action of theirs.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bson::{Bson, Document};
use tracing::{info, warn};

use super::background::Background;
use super::decorate::{self, decorate};
use super::hook;
use super::trackers::Trackers;
use crate::firetask::{self, Attempt, Firetask, Interrupt, Python, PythonTask, Run, Seat, TaskFailure};
use crate::store::Claim;
use crate::workflow::checkpoint::PROGRESS;
use crate::workflow::mods::{self, ModError};
use crate::workflow::{Checkpoint, FWorker, Firework, FwAction, Launch, State, decide};

/// A checkpoint may be kept twice beside the action, in a document of limited size: one that is
/// larger than this is not kept.
const LARGEST_CHECKPOINT: usize = 4 * 1024 * 1024;

/// What a run has around it.
pub struct Surroundings<'a> {
    /// For [`Run`].
    pub previous: &'a dyn Fn() -> Option<Launch>,
    /// Who runs it.
    pub worker: &'a FWorker,
    /// Runs what is not native.
    pub python: &'a Python,
    /// For [`Run`].
    pub seat: &'a Seat,
    /// For [`Run`].
    pub template_dir: Option<&'a Path>,
    /// Ends it early.
    pub interrupt: &'a Interrupt,
    /// The files it wants followed.
    pub trackers: &'a Trackers,
    /// Tells the store how far the launch has come.
    pub note: &'a dyn Fn(&Launch),
}

/// Runs the tasks from `start` on. `None` when it was interrupted.
pub fn run(claim: &mut Claim, start: Checkpoint, around: &Surroundings<'_>) -> Option<(State, FwAction)> {
    let Claim { firework, launch } = claim;
    // The launch changes while they run.
    let begun = launch.clone();
    let background = Background::of(firework, &begun, around);
    let mut course = Course::new(firework, launch, start, around);
    let flown = background.beside(|| course.fly());
    let Course { launch, position, spec, .. } = course;
    around.trackers.show(launch);
    let finished = flown.as_ref().map_or(Ok(()), |_| background.finish(around.interrupt));
    let (state, mut action) = match (flown, finished) {
        (Err(TaskFailure::Interrupted), _) | (_, Err(TaskFailure::Interrupted)) => return None,
        (Ok(action), Ok(())) => (State::Completed, action),
        (Err(failure), _) => (State::Fizzled, fizzled(claim, position, &failure)),
        (Ok(_), Err(failure)) => {
            let fw_id = claim.firework.fw_id;
            let text =
                format!("firework {fw_id}: a background task has failed at the end (`run_on_finish`)\n{failure}");
            (State::Fizzled, FwAction::fizzled(None, &text, Bson::Null))
        }
    };
    decorate(&mut action, &spec, claim, around.worker);
    Some((state, action))
}

fn fizzled(claim: &Claim, position: usize, failure: &TaskFailure) -> FwAction {
    let tasks: Vec<&Document> = claim.firework.tasks().collect();
    let task = tasks[position];
    info!("Task failed: {}: {failure}", firetask::name_of(task));
    let attempt = Attempt {
        fw_id: claim.firework.fw_id,
        fw_name: &claim.firework.name,
        number: (position + 1, tasks.len()),
        task,
        directory: Path::new(&claim.launch.launch_dir),
    };
    attempt.fizzled(failure)
}

/// The tasks on their way.
struct Course<'a> {
    firework: &'a Firework,
    launch: &'a mut Launch,
    around: &'a Surroundings<'a>,
    /// The task that runs, or ran last.
    position: usize,
    /// The spec as that task sees it.
    spec: Document,
    /// What the tasks have given.
    so_far: Checkpoint,
}

impl<'a> Course<'a> {
    fn new(firework: &'a Firework, launch: &'a mut Launch, start: Checkpoint, around: &'a Surroundings<'a>) -> Self {
        let mut spec = firework.spec.clone();
        spec.insert("_fw_env", around.worker.env.clone());
        Course { firework, launch, around, position: start.task, spec, so_far: start }
    }

    fn fly(&mut self) -> Result<FwAction, TaskFailure> {
        let tasks: Vec<&Document> = self.firework.tasks().collect();
        let start = self.position;
        self.so_far.change(&mut self.spec)?;
        let python = PythonTask(self.around.python);
        let mut last = FwAction::default();
        for (position, task) in tasks.iter().enumerate().skip(start) {
            let (kind, name) = (firetask::find(task).unwrap_or(&python), firetask::name_of(task));
            self.position = position;
            // The launch has been claimed with the checkpoint of the first one.
            if position > start {
                self.note();
            }
            if self.around.interrupt.is_raised() {
                return Err(TaskFailure::Interrupted);
            }
            info!("Task started: {name}.");
            last = self.step(task, kind, position + 1 == tasks.len())?;
            info!("Task completed: {name}");
            if last.ends_firework() {
                break;
            }
        }
        Ok(std::mem::take(&mut self.so_far).sum(last))
    }

    /// Tells how far we have come.
    fn note(&mut self) {
        self.so_far.task = self.position;
        if !reach(self.launch, self.so_far.to_document()) {
            warn!("fw_id: {}: the checkpoint of task {} is too large to keep", self.firework.fw_id, self.position);
        }
        self.around.trackers.show(self.launch);
        (self.around.note)(self.launch);
    }

    /// Runs one task. What it gives is gathered; what else its action says is returned.
    fn step(&mut self, task: &Document, kind: &dyn Firetask, is_last: bool) -> Result<FwAction, TaskFailure> {
        let (directory, launch_id) = (self.launch.launch_dir.clone(), self.launch.launch_id);
        let (around, so_far) = (self.around, &self.so_far);
        let launch = RefCell::new(&mut *self.launch);
        let (fw_id, position, warned) = (self.firework.fw_id, self.position, Cell::new(false));
        let run = Run {
            task,
            spec: &self.spec,
            directory: Path::new(&directory),
            seat: around.seat,
            interrupt: around.interrupt,
            fw_id: self.firework.fw_id,
            position: self.position,
            launch_id,
            template_dir: around.template_dir,
            previous: around.previous,
            keep: &|progress| {
                let mut checkpoint = so_far.to_document();
                checkpoint.insert(PROGRESS, progress);
                let launch = &mut **launch.borrow_mut();
                let fits = reach(launch, checkpoint);
                if !fits && !warned.replace(true) {
                    warn!(
                        "fw_id: {fw_id}: the progress of task {position} is too large to keep: once stopped, it begins anew"
                    );
                }
                // What is kept last is written when the firework is given back.
                if fits && !around.interrupt.is_raised() {
                    around.trackers.show(launch);
                    (around.note)(launch);
                }
            },
        };
        let action = run_task(kind, &run, self.position + 1)?;
        follow(&action, is_last || action.ends_firework(), &mut self.spec)?;
        Ok(self.so_far.gather(action))
    }
}

/// Keeps a checkpoint in the launch; `false` when it is too large.
fn reach(launch: &mut Launch, checkpoint: Document) -> bool {
    let fits = checkpoint.to_vec().is_ok_and(|bytes| bytes.len() <= LARGEST_CHECKPOINT);
    if fits {
        launch.reach(checkpoint);
    }
    fits
}

/// Runs one task, and takes the action it may have left in a file.
fn run_task(kind: &dyn Firetask, run: &Run<'_>, number: usize) -> Result<FwAction, TaskFailure> {
    let action = run_guarded(kind, run)?;
    let action = hook::take(run.directory, number)?.unwrap_or(action);
    check(&action, run.spec)?;
    Ok(action)
}

/// Runs one task; that it breaks is no reason for the worker to break.
pub fn run_guarded(kind: &dyn Firetask, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
    catch_unwind(AssertUnwindSafe(|| kind.run(run)))
        .unwrap_or_else(|panic| Err(TaskFailure::Panicked(panic_message(&*panic))))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Refuses what the launchpad could not do, while the task that asks for it is known.
fn check(action: &FwAction, spec: &Document) -> Result<(), TaskFailure> {
    // What a verb does to the spec of a child is seen there; that there is no such verb, here.
    for modification in &action.mod_spec {
        if let Err(error @ (ModError::UnknownAction(_) | ModError::NotAMapping(_))) =
            mods::apply(modification, &mut spec.clone())
        {
            return Err(error.into());
        }
    }
    decide::spawned(action).map_err(|error| TaskFailure::Action(error.to_string()))?;
    Ok(())
}

/// Makes the spec what the next task sees. After the last one only the keys count that FireWorks
/// itself heeds at the end, and what does not apply there may apply to the children.
fn follow(action: &FwAction, is_last: bool, spec: &mut Document) -> Result<(), TaskFailure> {
    if is_last && !decorate::is_concerned(action) {
        return Ok(());
    }
    spec.extend(action.update_spec.clone());
    for modification in &action.mod_spec {
        mods::apply(modification, spec).or_else(|error| if is_last { Ok(()) } else { Err(error) })?;
    }
    Ok(())
}
