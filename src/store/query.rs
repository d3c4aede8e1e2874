//! What can be asked of a store.

use bson::Document;
use jiff::Timestamp;

use crate::workflow::{FwId, LaunchId, State};

/// Which names are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// This one.
    Exactly(String),
    /// Those in which this regular expression finds something.
    Like(String),
}

/// Conditions on fireworks; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FireworkQuery {
    /// Only these.
    pub ids: Option<Vec<FwId>>,
    /// In one of these states.
    pub states: Vec<State>,
    /// Of such a name.
    pub name: Option<NamePattern>,
    /// With one of these launches.
    pub launches: Option<Vec<LaunchId>>,
    /// That match this in MongoDB's language.
    pub matching: Option<Document>,
    /// Changed since then.
    pub since: Option<Timestamp>,
    /// In workflows that match; of this query order and limit do not count.
    pub workflows: Option<Box<WorkflowQuery>>,
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
    /// Of such a name.
    pub name: Option<NamePattern>,
    /// That match this in MongoDB's language.
    pub matching: Option<Document>,
    /// Changed since then.
    pub since: Option<Timestamp>,
    /// That this user has added.
    pub owner: Option<String>,
    /// How the answer is sorted; as it was added when nothing is said.
    pub sort: Option<(SortKey, Direction)>,
    /// At most so many; 0 for all.
    pub limit: usize,
}

/// What can be sorted by. FireWorks knows the dates only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The id; of a workflow the lowest one in it.
    FwId,
    /// The name.
    Name,
    /// The state, by its name.
    State,
    /// `spec._priority`; a firework without one comes below all that have one. Workflows have none.
    Priority,
    /// How many launches there are; of a workflow, how many fireworks.
    Size,
    /// Date of creation.
    CreatedOn,
    /// Date of the last change.
    UpdatedOn,
}

/// How much of each firework is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// All but the spec, which is left empty.
    Head,
    /// Everything.
    Whole,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

impl Direction {
    /// The other one.
    pub fn reversed(self) -> Self {
        match self {
            Direction::Ascending => Direction::Descending,
            Direction::Descending => Direction::Ascending,
        }
    }
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
