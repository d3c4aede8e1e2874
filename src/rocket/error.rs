//! Why a worker stops before it should.

use std::io;
use std::path::PathBuf;

use super::able::Lack;
use super::offline::BadFile;
use crate::store::StoreError;
use crate::workflow::FwId;

/// What ends a worker.
#[derive(Debug, thiserror::Error)]
pub enum RocketError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A launch directory cannot be made or written. What was claimed has been given back.
    #[error("cannot write {}: {source}; the firework stays in the launchpad", .path.display())]
    Directory {
        /// The directory or file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The firework that was asked for needs what this worker has not. It has been given back.
    #[error("firework {fw_id} stays READY: this worker cannot run {}: {}", .lack.task, .lack.reason)]
    Cannot {
        /// The firework.
        fw_id: FwId,
        /// What is missing.
        lack: Lack,
    },
    /// The firework that was asked for takes longer than the worker has. It has been given back.
    #[error("firework {fw_id} stays READY: {reason}")]
    NoTime {
        /// The firework.
        fw_id: FwId,
        /// What it needs, and what there is.
        reason: String,
    },
    /// A file of an offline run.
    #[error("cannot run offline: {0}")]
    Offline(BadFile),
    /// Signals cannot be caught.
    #[error("cannot catch signals: {0}")]
    Signals(io::Error),
    /// Threads cannot be started.
    #[error("cannot start a thread for a slot: {0}")]
    Threads(io::Error),
    /// Fireworks have run, and the store does not take their outcomes.
    #[error("{} not recorded: {source}. What came out is in {}", plural(.files.len()), list(.files))]
    Unreported {
        /// The result files.
        files: Vec<PathBuf>,
        /// What the store said last.
        source: StoreError,
    },
}

impl RocketError {
    /// Whether the store does not answer.
    pub fn is_away(&self) -> bool {
        match self {
            RocketError::Store(source) | RocketError::Unreported { source, .. } => source.is_transient(),
            _ => false,
        }
    }
}

fn plural(count: usize) -> String {
    if count == 1 { "1 firework was".to_owned() } else { format!("{count} fireworks were") }
}

fn list(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}
