//! What can be asked of a store.

use crate::workflow::{FwId, LaunchId, State};

/// Conditions on fireworks; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FireworkQuery {
    /// Only these.
    pub ids: Option<Vec<FwId>>,
    /// In one of these states.
    pub states: Vec<State>,
    /// Of exactly this name.
    pub name: Option<String>,
    /// With one of these launches.
    pub launches: Option<Vec<LaunchId>>,
    /// How the answer is sorted; by id when nothing is said.
    pub sort: Option<(SortKey, Direction)>,
    /// At most so many; 0 for all.
    pub limit: usize,
}

/// Conditions on workflows; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkflowQuery {
    /// With one of these fireworks.
    pub fw_ids: Option<Vec<FwId>>,
    /// In one of these states.
    pub states: Vec<State>,
    /// Of exactly this name.
    pub name: Option<String>,
    /// How the answer is sorted; as it was added when nothing is said.
    pub sort: Option<(SortKey, Direction)>,
    /// At most so many; 0 for all.
    pub limit: usize,
}

/// What FireWorks sorts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// Date of creation.
    CreatedOn,
    /// Date of the last change.
    UpdatedOn,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// Which of two READY fireworks of equal priority is claimed first (`SORT_FWS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The one created first.
    #[default]
    Fifo,
    /// The one created last.
    Filo,
}
