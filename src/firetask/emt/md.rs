//! Molecular dynamics. A run that was stopped, or whose worker died, goes on where it got to: everything that
//! takes has been kept in its launch, and what is in the files of the earlier run is taken over where they can
//! be reached.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use serde_json::Value;
use tracing::info;

use super::super::params::BadTask;
use super::super::{Firetask, Run, TaskFailure};
use super::job::outcome;
use super::md_files::{Earlier, MdFiles};
use super::md_restart::{self, Restart};
use super::{bad_parameters, failure, given_structure, parameters, prepare_structure, warn_of};
use crate::recipes::{Context, MdJob, MdStep, Reached, structure_id};
use crate::science::{Atoms, structure};
use crate::workflow::{FwAction, as_int, checkpoint, int, json};

/// The task.
pub static MD: MdTask = MdTask;

/// Moves the atoms as time goes by.
pub struct MdTask;

/// What a run notes of what it had been given.
const GIVEN: &str = "given_id";
const PARAMETERS: &str = "given_parameters";
/// What it needs to go on.
const ATOMS: &str = "atoms";
const STATE: &str = "state";
const SEED: &str = "seed";

/// When it is kept for the first time how far it is, so that whoever asks need not wait.
const FIRST: Duration = Duration::from_secs(5);
/// How often then; what is lost with a worker that dies.
const EVERY: Duration = Duration::from_secs(30);

/// How often the log says how far it is.
const SAID_EVERY: Duration = Duration::from_secs(10);

impl Firetask for MdTask {
    fn name(&self) -> &'static str {
        "EmtMdTask"
    }

    fn prepare(&self, task: &mut Document, spec: &mut Document, base: &Path) -> Result<(), BadTask> {
        let job = self.job(task)?;
        prepare_structure(self.name(), &job, task, spec, base)
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let job = self.job(run.task)?;
        let given = given_structure(self.name(), &job, run)?;
        warn_of(job.large_file(given.len()));
        let keeping = Keeping::new(run, &given);
        let mut reached = keeping.reached(&job);
        let earlier = reached.as_ref().map(|(reached, directory)| Earlier { directory, step: reached.step });
        let (files, frames) = MdFiles::new(run.directory, &job, given.len(), earlier);
        if let Some((reached, _)) = &mut reached {
            reached.frames = frames;
        }
        let dir_name = run.directory.to_string_lossy();
        let context = Context {
            dir_name: &dir_name,
            interrupt: &|| keeping.stops.get(),
            observe: &|progress| {
                let Some(step) = progress.dynamics() else { return };
                files.write(step);
                keeping.see(step, &files);
            },
        };
        let document = job.run_from(&given, reached.map(|(reached, _)| reached), &context);
        files.sync();
        Ok(outcome(run, &document.map_err(failure)?))
    }
}

impl MdTask {
    fn job(&self, task: &Document) -> Result<MdJob, BadTask> {
        MdJob::from_value(&parameters(task, &[])).map_err(|source| bad_parameters(self.name(), source, &[]))
    }
}

/// Keeps how far a run is now and then, and where it is stopped.
struct Keeping<'a> {
    run: &'a Run<'a>,
    given_id: String,
    parameters: String,
    restart: Restart<'a>,
    kept: Cell<Instant>,
    pause: Cell<Duration>,
    said: Cell<Instant>,
    stops: Cell<bool>,
}

impl<'a> Keeping<'a> {
    fn new(run: &'a Run<'a>, given: &Atoms) -> Self {
        let mut parameters = parameters(run.task, &[]);
        // More steps, or fewer, of the same kind.
        if let Some(all) = parameters.as_object_mut() {
            all.remove("steps");
        }
        let now = Cell::new(Instant::now());
        let stops = Cell::new(run.interrupt.is_raised());
        let (kept, said, pause) = (now.clone(), now, Cell::new(FIRST));
        let restart = Restart::new(run.directory, &[ATOMS, STATE]);
        Self {
            run,
            given_id: structure_id(given),
            parameters: parameters.to_string(),
            restart,
            kept,
            pause,
            said,
            stops,
        }
    }

    /// Where an earlier run of this firework got to, and where its files are; none if it was about something else.
    fn reached(&self, job: &MdJob) -> Option<(Reached, PathBuf)> {
        let launch = (self.run.previous)()?;
        let (_, progress) = launch.progress().filter(|(task, _)| *task == self.run.position)?;
        let is_same = |progress: &Document| {
            let says = |key: &str, value: &str| progress.get_str(key).is_ok_and(|said| said == value);
            says(GIVEN, &self.given_id) && says(PARAMETERS, &self.parameters)
        };
        if !is_same(progress) {
            return None;
        }
        let directory = PathBuf::from(&launch.launch_dir);
        let whole = md_restart::whole(progress, &directory)?;
        // A file may have been written anew.
        if !is_same(&whole) || whole.get(SEED) != progress.get(SEED) {
            return None;
        }
        let progress = whole;
        let step = progress.get(checkpoint::STEPS).and_then(as_int).and_then(|step| usize::try_from(step).ok())?;
        if step > job.steps {
            return None;
        }
        let atoms = structure::build(&json::from_bson(progress.get(ATOMS)?)).ok()?;
        let state = progress.get(STATE).map_or(Value::Null, json::from_bson);
        let seed = progress.get(SEED).and_then(as_int)?.cast_unsigned();
        info!("The earlier run was interrupted after {step} steps: going on from there.");
        Some((Reached { step, atoms, state, seed, frames: Vec::new() }, directory))
    }

    /// Looks at a step. What a stop leaves is the step at which it is heard of.
    fn see(&self, step: &MdStep, files: &MdFiles) {
        self.stops.set(self.run.interrupt.is_raised());
        if self.said.get().elapsed() >= SAID_EVERY {
            info!("{step}");
            self.said.set(Instant::now());
        }
        // At the start there is nothing that an earlier run has not kept.
        if step.step == 0 || !(self.stops.get() || self.kept.get().elapsed() >= self.pause.get()) {
            return;
        }
        // Whoever goes on from this step counts on what is in the files before it.
        files.sync();
        let Ok(atoms) = step.snapshot() else { return };
        let mut progress = doc! {
            GIVEN: &self.given_id,
            PARAMETERS: &self.parameters,
            checkpoint::STEPS: int(step.step as i64),
            checkpoint::OF: int(step.steps as i64),
            ATOMS: json::to_bson(&structure::plain(&atoms)),
            STATE: json::to_bson(&step.state()),
            SEED: Bson::Int64(step.seed.cast_signed()),
        };
        progress.extend(step.left.map(|left| (checkpoint::LEFT.to_owned(), Bson::Double(left.as_secs_f64()))));
        (self.run.keep)(self.restart.keep(progress));
        self.kept.set(Instant::now());
        self.pause.set(EVERY);
    }
}
