//! `qlaunch rapidfire`: keeps jobs in the queue for what is READY.
//!
//! In rounds: list our jobs, count what is READY, submit what is missing. Rounds follow each other
//! after a second while something changes, and ever more rarely, up to `sleep`, while nothing
//! does. A queue that is full or busy for a while is no error, only a reason to wait. In between we
//! look for fireworks whose jobs have died: those are READY again, and want new ones.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::directories::Blocks;
use super::plan::Places;
use super::turn::Turn;
use super::{Launcher, LauncherError};
use crate::queue::{Busy, JobId};

/// Time between rounds while something changes.
const SHORTEST: Duration = Duration::from_secs(1);
/// Time between looks for what died.
pub const MEND: Duration = Duration::from_secs(5);
/// For so long in a row a controller or a launchpad may be away.
const PATIENCE: Duration = Duration::from_secs(600);

/// How many jobs are submitted in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launches {
    /// Until nothing READY is left without a job.
    UntilSettled,
    /// So many.
    Count(usize),
    /// Until it is stopped.
    Infinite,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Rapidfire {
    /// How many jobs in all.
    pub launches: Launches,
    /// How many may be queued or running at a time.
    pub most: Option<usize>,
    /// How many launch folders fit in a block.
    pub block: usize,
    /// Not in the newest block, but in a new one.
    pub new_block: bool,
    /// The longest time between two rounds.
    pub sleep: Duration,
    /// When to end, whatever is left.
    pub timeout: Option<Duration>,
    /// Where blocks are made.
    pub dir: PathBuf,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The jobs, as they were submitted.
    pub submitted: Vec<JobId>,
    /// Why there are no more.
    pub ended: Ended,
}

/// Why a rapidfire ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As many as asked for were submitted, or nothing READY is left without a job.
    Done,
    /// The time is over.
    Timeout,
    /// Somebody stopped it.
    Stopped,
}

/// What a round came to.
struct Round {
    settled: bool,
    changed: bool,
}

/// A rapidfire under way.
struct Run<'a> {
    launcher: &'a Launcher<'a>,
    asked: &'a Rapidfire,
    blocks: Blocks,
    started: Instant,
    submitted: Vec<JobId>,
    listed: bool,
    counted: bool,
    mended: Option<Instant>,
}

impl Launcher<'_> {
    /// Submits jobs as asked. An error says how many had been submitted before.
    pub fn rapidfire(&self, asked: &Rapidfire) -> Result<Summary, LauncherError> {
        let blocks = Blocks::new(&asked.dir, asked.block, asked.new_block)?;
        let started = Instant::now();
        let submitted = Vec::new();
        Run { launcher: self, asked, blocks, started, submitted, listed: false, counted: false, mended: None }.go()
    }
}

impl Run<'_> {
    fn go(mut self) -> Result<Summary, LauncherError> {
        let mut wait = SHORTEST;
        let mut away_since: Option<Instant> = None;
        loop {
            self.mend();
            match self.round() {
                Ok(round) => {
                    away_since = None;
                    let done = match self.asked.launches {
                        Launches::UntilSettled => round.settled,
                        Launches::Count(count) => self.submitted.len() >= count,
                        Launches::Infinite => false,
                    };
                    if let Some(ended) = self.given_up().or(done.then_some(Ended::Done)) {
                        return Ok(Summary { submitted: self.submitted, ended });
                    }
                    wait = if round.changed { SHORTEST } else { (wait * 2).min(self.asked.sleep).max(SHORTEST) };
                }
                Err(error) => {
                    let limit = match self.passes(&error) {
                        None => return Err(self.counting(error)),
                        Some(Busy::Limit) => None,
                        Some(Busy::Controller) => Some(*away_since.get_or_insert_with(Instant::now)),
                    };
                    if limit.is_some_and(|since| since.elapsed() > PATIENCE) {
                        return Err(self.counting(error));
                    }
                    wait = (wait * 2).min(self.asked.sleep).max(SHORTEST);
                    tracing::warn!("{error}; trying again in {} s", wait.as_secs());
                }
            }
            if self.sleep(wait) {
                wait = SHORTEST;
            }
            if let Some(ended) = self.given_up() {
                return Ok(Summary { submitted: self.submitted, ended });
            }
        }
    }

    /// Lists, counts and submits once.
    fn round(&mut self) -> Result<Round, LauncherError> {
        let _turn = match self.launcher.turn.map(|path| Turn::wait(path, || self.given_up().is_some())) {
            Some(None) => return Ok(Round { settled: false, changed: false }),
            turn => turn.flatten(),
        };
        let jobs = self.launcher.queue.list().map_err(|source| LauncherError::Queue { submitted: 0, source })?;
        self.listed = true;
        let left = match self.asked.launches {
            Launches::Count(count) => Some(count.saturating_sub(self.submitted.len())),
            _ => None,
        };
        let places = Places::of(&jobs, self.asked.most, left);
        let places = if self.launcher.reserve.is_some() { places.reserving() } else { places };
        let ready = (self.launcher.claimable)(places.ready_limit())?;
        self.counted = true;
        let plan = places.plan(ready);
        tracing::debug!("{} jobs, {ready} READY: submitting {}", jobs.len(), plan.submit);
        for _ in 0..plan.submit {
            if self.given_up().is_some() {
                break;
            }
            if !self.submit()? {
                // Others have reserved what was READY.
                break;
            }
        }
        Ok(Round { settled: plan.settled, changed: plan.submit > 0 })
    }

    /// Submits one job; `false` when there is nothing for it.
    fn submit(&mut self) -> Result<bool, LauncherError> {
        let dir = self.blocks.launcher()?;
        let submitted = match self.launcher.reserve {
            Some(reserve) => self.launcher.submit_reserved(reserve, &self.asked.dir, &dir, None),
            None => self.launcher.submit_from(&dir).map(Some),
        };
        match submitted {
            Ok(id) => {
                if self.launcher.reserve.is_some() {
                    // Unused, or the firework has a directory of its own; one in use is not empty.
                    drop(std::fs::remove_dir(&dir));
                }
                let is_one = id.is_some();
                self.submitted.extend(id);
                Ok(is_one)
            }
            Err(error) => {
                // The next attempt makes a folder of its own. Only where the queue has refused:
                // where it has not answered, the job may have been taken after all.
                if self.passes(&error) == Some(Busy::Limit) {
                    for file in [self.launcher.script.name(), "FW.json"] {
                        drop(std::fs::remove_file(dir.join(file)));
                    }
                    drop(std::fs::remove_dir(&dir));
                }
                Err(error)
            }
        }
    }

    /// Whether an error passes by itself. A launchpad or a controller must have answered once: what
    /// was never reached is more likely misspelt than away.
    fn passes(&self, error: &LauncherError) -> Option<Busy> {
        match error {
            LauncherError::Queue { source, .. } => {
                source.busy().filter(|busy| self.listed || *busy != Busy::Controller)
            }
            LauncherError::Store(source) => (self.counted && source.is_transient()).then_some(Busy::Controller),
            LauncherError::Io { .. } | LauncherError::NotSingleshot | LauncherError::Key { .. } => None,
        }
    }

    fn counting(&self, error: LauncherError) -> LauncherError {
        match error {
            LauncherError::Queue { source, .. } => LauncherError::Queue { submitted: self.submitted.len(), source },
            error => error,
        }
    }

    fn given_up(&self) -> Option<Ended> {
        if (self.launcher.stop)() {
            return Some(Ended::Stopped);
        }
        self.asked.timeout.is_some_and(|timeout| self.started.elapsed() >= timeout).then_some(Ended::Timeout)
    }

    /// Puts right what dead workers have left behind, if that is due. Returns whether there was
    /// anything.
    fn mend(&mut self) -> bool {
        if self.mended.is_some_and(|last| last.elapsed() < MEND) {
            return false;
        }
        let news = (self.launcher.mend)();
        self.mended = Some(Instant::now());
        news
    }

    /// Sleeps, with an ear open. Returns whether something was mended, which ends the sleep.
    fn sleep(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while self.given_up().is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
            if self.mend() {
                return true;
            }
        }
        false
    }
}
