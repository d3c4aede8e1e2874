//! What has become of jobs: what a queue is sure of, and nothing else.

use std::path::PathBuf;

use crate::workflow::Loss;

/// What has become of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is to begin, for the first time or anew.
    Waiting,
    /// It has begun, after so many restarts, and is not over.
    Running {
        /// How often the queue has begun it anew.
        restarts: u32,
    },
    /// Its script is over; some of its processes may still be there.
    Ending,
    /// It is over, and no process of it is left; why.
    Over(Loss),
    /// The queue answers, and there is certainly no such job.
    Gone,
    /// Nothing is certain.
    Unknown,
}

/// What a queue knows of a job that it is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownJob {
    /// What has become of it.
    pub fate: Fate,
    /// The folder it was submitted from: a number alone may be that of another job elsewhere.
    pub dir: Option<PathBuf>,
}

impl KnownJob {
    /// Of a job that is in no listing.
    pub fn absent(fate: Fate) -> Self {
        KnownJob { fate, dir: None }
    }
}
