//! Why a verb could not be carried out.

use crate::store::StoreError;
use crate::workflow::FwId;

/// An error of a verb.
#[derive(Debug, thiserror::Error)]
pub enum LaunchpadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Ids that nothing has.
    #[error("there is no firework {}", list(.0))]
    UnknownFireworks(Vec<FwId>),
    /// Nothing fits the selection.
    #[error("nothing is selected: {0}")]
    NothingSelected(String),
    /// All that was chosen stays as it is.
    #[error("nothing would change: {0}")]
    NothingToDo(String),
    /// A firework has fewer launches than that.
    #[error("firework {fw_id} has {count} launches, none of index {index}")]
    NoSuchLaunch {
        /// The firework.
        fw_id: FwId,
        /// How many launches it has.
        count: usize,
        /// The index asked for; negative ones count from the end.
        index: i64,
    },
}

/// `1, 2, 3`, shortened when there are many.
pub fn list(ids: &[FwId]) -> String {
    let shown: Vec<String> = ids.iter().take(10).map(FwId::to_string).collect();
    let more = ids.len().saturating_sub(shown.len());
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &tail
}
