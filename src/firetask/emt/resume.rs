//! A relaxation goes on from its last geometry when it is run again, as long as what it is given has
//! not changed: one that did not converge has it in its details, one that was stopped, or whose worker
//! died, has kept it in its launch, so that no file is needed and any worker can go on.

use std::cell::Cell;
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use tracing::info;

use super::super::Run;
use crate::recipes::{self, RelaxStep, structure_id};
use crate::science::io::mson::from_mson;
use crate::science::{Atoms, structure};
use crate::workflow::checkpoint::STEPS;
use crate::workflow::{Launch, as_int, int, json};

/// Where a relaxation notes what it had been given.
const GIVEN: &str = "given_id";
const ATOMS: &str = "atoms";

/// How often the geometry is kept while it runs; what is lost with a worker that dies.
const EVERY: Duration = Duration::from_secs(60);

/// The error of a relaxation of `given`, so that [`last_geometry`] recognises it.
pub fn noted(mut error: recipes::Error, given: &Atoms) -> recipes::Error {
    if let recipes::Error::NotConverged { document, .. } = &mut error {
        document[GIVEN] = structure_id(given).into();
    }
    error
}

/// Where an earlier run of this firework got to from `given`.
pub fn last_geometry(run: &Run<'_>, given: &Atoms) -> Option<Atoms> {
    let launch = (run.previous)()?;
    let (last, why) = not_converged(&launch, given).or_else(|| interrupted(&launch, run.position, given))?;
    // The cell has moved, and must not any more.
    if !run.task.get_bool("relax_cell").unwrap_or(false) && last.cell() != given.cell() {
        return None;
    }
    info!("The earlier run {why}: going on from its last geometry.");
    Some(last)
}

fn not_converged(launch: &Launch, given: &Atoms) -> Option<(Atoms, String)> {
    let action = launch.action.clone()?;
    let within = |document: &Document, key: &str| document.get_document(key).ok().cloned();
    let details =
        ["stored_data", "_exception", "_details"].iter().try_fold(action, |outer, key| within(&outer, key))?;
    if details.get_str(GIVEN).ok()? != structure_id(given) {
        return None;
    }
    let last = from_mson(&json::from_bson(details.get(ATOMS).unwrap_or(&Bson::Null))).ok()?;
    Some((last, "did not converge".to_owned()))
}

fn interrupted(launch: &Launch, position: usize, given: &Atoms) -> Option<(Atoms, String)> {
    let (_, progress) = launch.progress().filter(|(task, _)| *task == position)?;
    if progress.get_str(GIVEN).ok()? != structure_id(given) {
        return None;
    }
    let last = structure::build(&json::from_bson(progress.get(ATOMS)?)).ok()?;
    let steps = progress.get(STEPS).and_then(as_int).unwrap_or_default();
    Some((last, format!("was interrupted after {steps} steps")))
}

/// Keeps the geometry of a relaxation now and then, and the one it is stopped at.
pub struct Keeping<'a> {
    run: &'a Run<'a>,
    given_id: String,
    kept: Cell<Instant>,
    stops: Cell<bool>,
}

impl<'a> Keeping<'a> {
    /// For a relaxation of `given` that begins now.
    pub fn new(run: &'a Run<'a>, given: &Atoms) -> Self {
        let stops = Cell::new(run.interrupt.is_raised());
        Keeping { run, given_id: structure_id(given), kept: Cell::new(Instant::now()), stops }
    }

    /// Looks at a step. What a stop leaves is the step at which it is heard of.
    pub fn see(&self, step: &RelaxStep) {
        self.stops.set(self.run.interrupt.is_raised());
        // At the start there is nothing that an earlier run has not kept.
        if step.step > 0 && (self.stops.get() || self.kept.get().elapsed() >= EVERY) {
            let atoms = json::to_bson(&structure::plain(step.atoms));
            (self.run.keep)(doc! { GIVEN: &self.given_id, STEPS: int(step.step as i64), ATOMS: atoms });
            self.kept.set(Instant::now());
        }
    }

    /// Whether the relaxation is to stop at the step it has seen last.
    pub fn stops(&self) -> bool {
        self.stops.get()
    }
}
