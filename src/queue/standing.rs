//! What a queue shows of a job that somebody asks about by its number.

use std::path::PathBuf;

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is, where it is not this user's, or not of this launchpad: `user ann`.
    pub stranger: Option<String>,
    /// The folder it was submitted from: a number alone may be that of another job.
    pub dir: Option<PathBuf>,
    /// In the words of the queue: `PENDING (Priority)`.
    pub words: String,
}
