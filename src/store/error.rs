//! What can go wrong in a store.

use std::path::PathBuf;

use crate::workflow::FwId;
use crate::workflow::decide::Refusal;
use crate::workflow::firework::{BadFirework, BadUpdate};

/// An error of a store, with where it happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store does not answer; trying again later may help.
    #[error("no answer from {place}: {reason}")]
    Unreachable {
        /// The store.
        place: String,
        /// What the driver says.
        reason: String,
    },
    /// The store answers, and refuses.
    #[error("{place}: {reason}")]
    Refused {
        /// The store.
        place: String,
        /// What it says.
        reason: String,
    },
    /// An SQLite file on a network file system that another host uses.
    #[error(
        "{} is on a network file system and in use by host {owner}; this is {here}. Several hosts need a MongoDB launchpad (my_launchpad.yaml)",
        .path.display()
    )]
    OtherHost {
        /// The file.
        path: PathBuf,
        /// The host that made it.
        owner: String,
        /// This host.
        here: String,
    },
    /// The file system refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A workflow stays locked.
    #[error("the workflow of firework {fw_id} is locked by {by}; waited {waited_s} s")]
    Locked {
        /// A firework of the workflow.
        fw_id: FwId,
        /// Who holds the lock.
        by: String,
        /// How long we waited, in seconds.
        waited_s: u64,
    },
    /// A launchpad that should take another one is not empty.
    #[error("{place} is not empty: it holds {what} ({count}){}; copy into a new one, or empty it first (`lpad reset`)", if *.half { " of a copy that did not come to its end" } else { "" })]
    NotEmpty {
        /// The store.
        place: String,
        /// What was found there.
        what: &'static str,
        /// How much of it.
        count: u64,
        /// Whether it is what an earlier copy has left.
        half: bool,
    },
    /// A copy failed, and what had been copied could not be removed again.
    #[error("{source}; what had been copied is still there ({reason}): `lpad reset` removes it")]
    HalfCopied {
        /// Why it failed.
        source: Box<StoreError>,
        /// Why it could not be removed.
        reason: String,
    },
    /// There is no such firework.
    #[error("there is no firework {0}")]
    UnknownFirework(FwId),
    /// The verb does not apply.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// A spec cannot be changed like that.
    #[error(transparent)]
    BadUpdate(#[from] BadUpdate),
    /// A stored document cannot be read.
    #[error(transparent)]
    BadFirework(#[from] BadFirework),
    /// A query that this store cannot answer.
    #[error("{0}")]
    Query(String),
    /// A newer Volley has written what only Volley writes.
    #[error(
        "{place} is that of a newer Volley (its own records have version {found}; this one knows {known}): use that one"
    )]
    NewerSchema {
        /// The store.
        place: String,
        /// The version that was found.
        found: i64,
        /// The latest one that is known here.
        known: i64,
    },
    /// A firework or workflow too large for a document of the store.
    #[error("{what} is too large to store: {reason}")]
    TooLarge {
        /// Which document.
        what: String,
        /// What the store says.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Unreachable { .. } | StoreError::Locked { .. })
    }
}
