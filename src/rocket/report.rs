//! Tells the store what came out, and does not give up soon: a store that is away for an hour
//! costs nothing.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use super::desk::Desk;
use super::spool::Aside;
use super::{RocketError, spool};
use crate::store::{Outcome, Store, StoreError, Verdict, jitter};
use crate::workflow::{FwAction, Launch, State};

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
        if !replaced && refused(&mut outcome, &error) {
            replaced = true;
            spool::put_aside(Path::new(&outcome.launch.launch_dir), outcome.launch.launch_id, Aside::Refused);
        } else if !patience.wait("cannot report", &error) {
            return Err(unreported(&[outcome], error));
        }
    }
}

/// An outcome that cannot be applied makes the firework FIZZLED, as in FireWorks. Returns whether it
/// is the outcome that is to blame for the error.
pub fn refused(outcome: &mut Outcome, error: &StoreError) -> bool {
    if !matches!(error, StoreError::Refusal(_) | StoreError::TooLarge { .. }) {
        return false;
    }
    let fw_id = outcome.launch.fw_id;
    warn!("firework {fw_id}: its outcome cannot be applied: {error}");
    let text = format!(
        "firework {fw_id}\n  in directory {}\nits outcome cannot be applied: {error}",
        outcome.launch.launch_dir
    );
    outcome.state = State::Fizzled;
    outcome.action = FwAction::fizzled(None, &text, bson::Bson::Null);
    true
}

/// Logs what became of outcomes, and does what is to be done with their files.
pub fn tell(outcomes: &[Outcome], verdicts: &[Verdict]) {
    for (outcome, verdict) in outcomes.iter().zip(verdicts) {
        let (fw_id, launch_id) = (outcome.launch.fw_id, outcome.launch.launch_id);
        match verdict {
            Verdict::Recorded => {
                info!("fw_id: {fw_id} {}", outcome.state);
                spool::remove(outcome);
            }
            Verdict::LeaseLost => {
                warn!("firework {fw_id}: launch {launch_id} is no longer ours{}", keep_aside(&outcome.launch));
            }
        }
    }
}

/// Keeps what came out of a launch that is somebody else's by now. Returns words that say where.
pub fn keep_aside(launch: &Launch) -> String {
    let kept = spool::put_aside(Path::new(&launch.launch_dir), launch.launch_id, Aside::Lost);
    kept.map_or_else(String::new, |file| format!("; its result stays in {}", file.display()))
}

fn unreported(outcomes: &[Outcome], source: StoreError) -> RocketError {
    RocketError::Unreported { files: outcomes.iter().map(spool::path).collect(), source }
}
