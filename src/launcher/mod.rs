//! The queue launcher: how many jobs there should be, and where their scripts lie.
//!
//! Jobs are not tied to fireworks: a job takes what is READY when it starts. So all that counts
//! is that there are as many jobs as fireworks that can be claimed, and never more than allowed.
//! Jobs of `qlaunch -r` are tied to fireworks; see [`reserve`].
//!
//! Every job has its place in a ledger of the launchpad before it is handed over; see [`book`].

use std::cell::Cell;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::queue::{JobId, Kind, QueueError};
use crate::store::{self, StoreError};
use crate::workflow::FwId;

mod book;
mod daemon;
mod directories;
mod elastic;
mod hand_over;
mod intent;
mod plan;
mod polled;
mod rapidfire;
mod reconcile;
mod reserve;
pub mod rocket_launch;
mod script;

pub use crate::launchpad::tally::{Tally, tallies};
pub use book::{Book, own_key};
pub use daemon::{Beat, Presence};
pub use elastic::{Elastic, Pilots};
pub use polled::Polled;
pub use rapidfire::{Ended, Launches, MEND, Rapidfire, Summary};
pub use reserve::{Reserve, is_offline, is_singleshot};
pub use script::{Boarding, Script, walltime};

/// Submits jobs for what is READY.
pub struct Launcher<'a> {
    /// The places of our jobs, and the queue they go to.
    pub book: &'a Book<'a>,
    /// What they run.
    pub script: &'a Script,
    /// How many fireworks the worker could claim now; counting may stop at the number given.
    pub claimable: &'a dyn Fn(u64) -> store::Result<u64>,
    /// Whether somebody wants no more jobs to be submitted.
    pub stop: &'a dyn Fn() -> bool,
    /// Puts right what dead workers have left behind, and says whether there was anything.
    pub mend: &'a dyn Fn() -> bool,
    /// Jobs are for fireworks that are reserved for them; otherwise they take what is READY.
    pub reserve: Option<&'a Reserve<'a>>,
    /// Jobs are submitted whether anything is READY or not.
    pub fill: bool,
    /// The queue has looked at a script of ours, and would take it.
    pub checked: Cell<bool>,
}

/// Why launching ended early.
#[derive(Debug, thiserror::Error)]
pub enum LauncherError {
    /// The launchpad does not say what is READY.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue refuses.
    #[error("{}{source}", after(*.submitted))]
    Queue {
        /// How many jobs had been submitted before.
        submitted: usize,
        /// What it says.
        source: QueueError,
    },
    /// A job for one firework would run others.
    #[error("with a reservation `rocket_launch` must be a singleshot (rlaunch singleshot)")]
    NotSingleshot,
    /// A key of a firework that no template can take.
    #[error("`_queueadapter`: `{key}` must be a single value")]
    Key {
        /// The key.
        key: String,
    },
    /// A job for one firework would be several.
    #[error("`_queueadapter`: with an `array` several jobs would run one firework")]
    Array,
    /// A firework whose own keys of the queue adapter the queue does not take.
    #[error("firework {fw_id}: {source}")]
    Firework {
        /// The firework.
        fw_id: FwId,
        /// Why not.
        source: Box<LauncherError>,
    },
    /// A folder or a script cannot be made.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The folder or script.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn after(submitted: usize) -> String {
    match submitted {
        0 => String::new(),
        1 => "after 1 submitted job: ".into(),
        many => format!("after {many} submitted jobs: "),
    }
}

impl LauncherError {
    /// What a queue says, before anything was submitted.
    fn queue(source: QueueError) -> Self {
        LauncherError::Queue { submitted: 0, source }
    }

    /// What kind of trouble a queue has, if it is the queue's.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            LauncherError::Queue { source, .. } => Some(source.kind()),
            LauncherError::Firework { source, .. } => source.kind(),
            _ => None,
        }
    }
}

fn io_error(path: &Path) -> impl FnOnce(std::io::Error) -> LauncherError {
    let path = path.to_owned();
    move |source| LauncherError::Io { path, source }
}

impl Launcher<'_> {
    /// The group of its jobs.
    fn group(&self) -> Option<&'static str> {
        self.reserve.map(|_| book::RESERVED)
    }

    /// Submits one job from `dir`, unless nothing is READY; where jobs are for fireworks that are
    /// reserved, one for `fw_id`, or for the best.
    pub fn singleshot(&self, dir: &Path, fw_id: Option<FwId>) -> Result<Option<JobId>, LauncherError> {
        (self.mend)();
        let mut ledger = self.book.read()?;
        if !ledger.jobs.is_empty() {
            (ledger, _) = self.book.reconcile(ledger)?;
        }
        let dir = std::path::absolute(dir).map_err(io_error(dir))?;
        if !self.fill && self.reserve.is_none() && (self.claimable)(1)? == 0 {
            return Ok(None);
        }
        std::fs::create_dir_all(&dir).map_err(io_error(&dir))?;
        let distinct = Timestamp::now().as_microsecond().to_string();
        let place = self.book.place(&intent::token_in(&dir, &distinct), None, self.group());
        while self.book.take(ledger.revision, std::slice::from_ref(&place), None)?.is_none() {
            ledger = self.book.read()?;
        }
        let mut settling = hand_over::Settling::default();
        let job = self.hand_over(&place, &dir, &dir, fw_id, &mut settling);
        settling.tell(self.book)?;
        job
    }
}
