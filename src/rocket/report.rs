//! Tells the store what came out, and does not give up soon: a store that is away for an hour
//! costs nothing.

use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use super::desk::Desk;
use super::{RocketError, spool};
use crate::store::{Outcome, Store, StoreError, Verdict, jitter};
use crate::workflow::{FwAction, State};

/// How long we try.
const PATIENCE: Duration = Duration::from_secs(3600);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long once a signal has come, and how often.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// Repeats what a store does not answer, with growing and random pauses.
pub struct Patience<'a> {
    desk: &'a Desk,
    deadline: Instant,
    pause: Duration,
    hurries: bool,
}

impl<'a> Patience<'a> {
    /// Begins now.
    pub fn new(desk: &'a Desk) -> Self {
        Patience { desk, deadline: Instant::now() + PATIENCE, pause: FIRST_PAUSE, hurries: false }
    }

    /// Waits before the next attempt after `error`; `false` when there is to be none.
    pub fn wait(&mut self, what: &str, error: &StoreError) -> bool {
        if self.desk.stopped().is_some() && !self.hurries {
            self.hurries = true;
            self.deadline = self.deadline.min(Instant::now() + LAST_PATIENCE);
        }
        if matches!(error, StoreError::Locked { .. }) && !self.hurries {
            // The store has waited long enough, and the lock will not last for ever.
            return true;
        }
        if !error.is_transient() || Instant::now() >= self.deadline {
            return false;
        }
        let pause = jitter(self.pause);
        warn!("{what}: {error}; trying again in {:.1} s", pause.as_secs_f64());
        if self.hurries {
            thread::sleep(pause.min(LAST_PAUSE));
        } else {
            self.desk.sleep(pause);
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

/// Reports outcomes, which must be on disk already, until the store has taken them.
pub fn report(store: &dyn Store, desk: &Desk, mut outcomes: Vec<Outcome>) -> Result<(), RocketError> {
    let mut patience = Patience::new(desk);
    while !outcomes.is_empty() {
        let error = match store.finish(&outcomes, Timestamp::now()) {
            Ok(verdicts) => {
                tell(&outcomes, &verdicts);
                return Ok(());
            }
            Err(error) => error,
        };
        // It may be away for long: from now on the files are all there is.
        spool::sync(&outcomes);
        if patience.wait("cannot report", &error) {
            continue;
        }
        if error.is_transient() {
            return Err(unreported(&outcomes, error));
        }
        // One of them cannot be recorded as it is; the others must not suffer for it.
        let mut failed = None;
        for outcome in outcomes.drain(..) {
            failed = failed.or(report_one(store, &mut patience, outcome).err());
        }
        return failed.map_or(Ok(()), Err);
    }
    Ok(())
}

fn report_one(store: &dyn Store, patience: &mut Patience<'_>, mut outcome: Outcome) -> Result<(), RocketError> {
    let mut replaced = false;
    loop {
        let error = match store.finish(std::slice::from_ref(&outcome), Timestamp::now()) {
            Ok(verdicts) => {
                tell(&[outcome], &verdicts);
                return Ok(());
            }
            Err(error) => error,
        };
        let is_the_outcome = matches!(error, StoreError::Refusal(_) | StoreError::TooLarge { .. });
        if is_the_outcome && !replaced {
            replaced = true;
            refuse(&mut outcome, &error);
        } else if !patience.wait("cannot report", &error) {
            return Err(unreported(&[outcome], error));
        }
    }
}

/// An outcome that cannot be applied makes the firework FIZZLED, as in FireWorks.
fn refuse(outcome: &mut Outcome, error: &StoreError) {
    let fw_id = outcome.launch.fw_id;
    warn!("firework {fw_id}: its outcome cannot be applied: {error}");
    let text = format!(
        "firework {fw_id}\n  in directory {}\nits outcome cannot be applied: {error}",
        outcome.launch.launch_dir
    );
    outcome.state = State::Fizzled;
    outcome.action = FwAction::fizzled(None, &text, bson::Bson::Null);
}

/// Logs what became of outcomes.
pub fn tell(outcomes: &[Outcome], verdicts: &[Verdict]) {
    for (outcome, verdict) in outcomes.iter().zip(verdicts) {
        let (fw_id, launch_id) = (outcome.launch.fw_id, outcome.launch.launch_id);
        match verdict {
            Verdict::Recorded => info!("fw_id: {fw_id} {}", outcome.state),
            Verdict::LeaseLost => {
                let file = spool::path(outcome);
                warn!("firework {fw_id}: launch {launch_id} is no longer ours; its result stays in {}", file.display());
            }
        }
    }
}

fn unreported(outcomes: &[Outcome], source: StoreError) -> RocketError {
    RocketError::Unreported { files: outcomes.iter().map(spool::path).collect(), source }
}
