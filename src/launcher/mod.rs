//! The queue launcher: how many jobs there should be, and where their scripts lie.
//!
//! Jobs are not tied to fireworks: a job takes what is READY when it starts. So all that counts
//! is that there are as many jobs as fireworks that can be claimed, and never more than allowed.
//! Jobs of `qlaunch -r` are tied to fireworks; see [`reserve`].

use std::path::{Path, PathBuf};

use crate::queue::{Job, JobId, Queue, QueueError};
use crate::store::{self, StoreError};
use crate::workflow::FwId;

mod directories;
mod plan;
mod rapidfire;
mod reserve;
pub mod rocket_launch;
mod script;
mod turn;

pub use rapidfire::{Ended, Launches, MEND, Rapidfire, Summary};
pub use reserve::{Reserve, is_singleshot};
pub use script::{Script, walltime};

/// Submits jobs for what is READY.
pub struct Launcher<'a> {
    /// Where jobs go.
    pub queue: &'a dyn Queue,
    /// What they run.
    pub script: &'a Script,
    /// How many fireworks the worker could claim now; counting may stop at the number given.
    pub claimable: &'a dyn Fn(u64) -> store::Result<u64>,
    /// Whether somebody wants no more jobs to be submitted.
    pub stop: &'a dyn Fn() -> bool,
    /// Puts right what dead workers have left behind, and says whether there was anything.
    pub mend: &'a dyn Fn() -> bool,
    /// A file that all launchers of this launchpad and user lock while they count and submit.
    pub turn: Option<&'a Path>,
    /// Jobs are for fireworks that are reserved for them; otherwise they take what is READY.
    pub reserve: Option<&'a Reserve<'a>>,
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
    #[error("firework {fw_id}: `_queueadapter`: `{key}` must be a single value")]
    Key {
        /// The firework.
        fw_id: FwId,
        /// The key.
        key: String,
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

impl Launcher<'_> {
    /// Submits one job from `dir`, unless nothing is READY; where jobs are for fireworks that are
    /// reserved, one for `fw_id`, or for the best.
    pub fn singleshot(&self, dir: &Path, fw_id: Option<FwId>) -> Result<Option<JobId>, LauncherError> {
        (self.mend)();
        if let Some(reserve) = self.reserve {
            return self.submit_reserved(reserve, dir, dir, fw_id);
        }
        if (self.claimable)(1)? == 0 {
            return Ok(None);
        }
        std::fs::create_dir_all(dir).map_err(|source| LauncherError::Io { path: dir.to_owned(), source })?;
        self.submit_from(dir).map(Some)
    }

    /// Writes the script into `dir` and submits it.
    fn submit_from(&self, dir: &Path) -> Result<JobId, LauncherError> {
        let dir = std::path::absolute(dir).map_err(|source| LauncherError::Io { path: dir.to_owned(), source })?;
        self.script.write(&dir)?;
        let job = Job { dir, script: self.script.name().to_owned() };
        let id = self.queue.submit(&job).map_err(|source| LauncherError::Queue { submitted: 0, source })?;
        tracing::info!("submitted job {id} from {}", job.dir.display());
        Ok(id)
    }
}
