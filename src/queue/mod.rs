//! Batch queues: who runs job scripts, and which of ours are there.
//!
//! A queue only knows scripts. What is in them, how many there should be and where they lie is
//! decided by [`crate::launcher`].

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

mod command;
pub mod directives;
mod error;
mod fate;
pub mod launchpad_id;
pub mod local;
pub mod process;
mod refusal;
pub mod slurm;
mod standing;
pub mod template;

pub use error::{Kind, QueueError};
pub use fate::{Fate, KnownJob};
pub use launchpad_id::LaunchpadId;
pub use standing::Standing;
pub use template::Template;

/// Result of every operation of a queue.
pub type Result<T> = std::result::Result<T, QueueError>;

/// A queue that runs job scripts.
pub trait Queue: Send + Sync {
    /// What people call it: `Slurm`, `local`.
    fn name(&self) -> &'static str;

    /// Name and place, for people.
    fn describe(&self) -> String;

    /// What stands for the cluster of jobs where a queue has none to name, so that its numbers are not
    /// taken for those of another queue.
    fn realm(&self) -> Option<String> {
        None
    }

    /// The name of the cluster that jobs go to, or what stands for it.
    fn cluster(&self) -> Result<String>;

    /// Whether a job would be taken, as far as can be told without handing it over.
    fn check(&self, _job: &Job) -> Result<()> {
        Ok(())
    }

    /// The command that hands over a job whose script is this, for people; `None` where there is none.
    fn command(&self, _job: &Job, _script: &str) -> Option<String> {
        None
    }

    /// How many elements an array may have; `None` where there are no arrays.
    fn most_elements(&self) -> Result<Option<u32>> {
        Ok(None)
    }

    /// Hosts other than this one where the jobs of a script may run.
    fn other_hosts(&self, _job: &Job) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Hands over a job script; the id is that of the array where there are elements.
    fn submit(&self, job: &Job) -> Result<JobId>;

    /// Our jobs, those of this launchpad, that are queued or running.
    fn list(&self) -> Result<Vec<QueuedJob>>;

    /// Ends jobs, whether they are queued or running.
    fn cancel(&self, jobs: &[JobId]) -> Result<()>;

    /// How jobs stand, whosever they are; those that are over are left out.
    fn standings(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Standing>>;

    /// What has become of jobs, whosever they are, in the order they are asked about: a command or
    /// two for all of them.
    fn fates(&self, jobs: &[JobId]) -> Result<Vec<KnownJob>>;
}

/// A job script to be run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The folder it is submitted from, and starts in.
    pub dir: PathBuf,
    /// File name of the script in that folder.
    pub script: String,
    /// What tells it from every other job, before it has a number: the queue shows it with the job.
    pub token: String,
    /// So many times, as an array, whose elements are counted from 0.
    pub elements: Option<u32>,
    /// A file that is kept open until whoever hands the job over has ended: a lock on it says that the
    /// job may still come.
    pub held_open: Option<Arc<File>>,
}

impl Job {
    /// A single job, which its folder tells from others.
    pub fn new(dir: PathBuf, script: impl Into<String>) -> Self {
        let token = dir.to_string_lossy().into_owned();
        Job { dir, script: script.into(), token, elements: None, held_open: None }
    }
}

/// Name of a job in its queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId {
    /// The id; elements of arrays are `12_3`.
    pub id: String,
    /// The cluster, where a queue has several.
    pub cluster: Option<String>,
}

impl JobId {
    /// The id of a job where there is only one cluster.
    pub fn new(id: impl Into<String>) -> Self {
        JobId { id: id.into(), cluster: None }
    }
}

impl JobId {
    /// Whether it is of the local queue of some host, which no Slurm knows.
    pub fn is_local(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.starts_with(LOCAL))
    }
}

/// How the realms of local queues begin, and no name of a cluster.
const LOCAL: char = '@';
/// The variable that tells local jobs their ids.
pub const LOCAL_JOB_ID: &str = "VOLLEY_JOB_ID";
/// What a job is told of itself, and the jobs that it hands over are not.
const OF_JOBS: [&str; 5] = [LOCAL_JOB_ID, "VOLLEY_PLACE", "VOLLEY_LEDGER", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"];

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cluster {
            None => f.write_str(&self.id),
            Some(cluster) => write!(f, "{} ({cluster})", self.id),
        }
    }
}

/// A job as its queue shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedJob {
    /// Its name in the queue.
    pub id: JobId,
    /// What it does.
    pub state: JobState,
    /// For how long it has been running, when that is known.
    pub running_for: Option<Duration>,
    /// Its token, where the queue shows it.
    pub token: Option<String>,
    /// The folder it was submitted from, where the queue shows it.
    pub dir: Option<PathBuf>,
    /// What else it shows.
    pub details: Details,
}

/// What a queue shows of a job to people, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// What it does: `PENDING`.
    pub state: String,
    /// Why it waits: `Priority`.
    pub reason: Option<String>,
    /// How long it may go on, where it runs and that has an end.
    pub left: Option<Duration>,
    /// Where it runs.
    pub hosts: Option<String>,
    /// The part of the cluster that it is for.
    pub partition: Option<String>,
}

/// What a job does, as far as the launcher cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It has not started, and will.
    Waiting,
    /// It has started: its script runs, or is suspended.
    Running,
    /// Its script is over, but it still occupies its place.
    Ending,
    /// It is over.
    Finished,
    /// The queue says something we do not know; certainly not that it is over.
    Unknown,
}
