//! How the store is.

use jiff::Timestamp;

/// Whether the store answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It has not answered yet.
    Connecting,
    /// It does.
    Live,
    /// It does not; what is shown is what was known then.
    Away {
        /// Since when.
        since: Timestamp,
        /// What it says.
        why: String,
    },
}
