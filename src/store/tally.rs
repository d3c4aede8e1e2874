//! How many fireworks, workflows or launches came into which state when: counted where they are stored.

use std::collections::BTreeMap;

use bson::Document;
use jiff::Timestamp;

use super::Result;
use crate::workflow::State;

/// What is counted, by the date of its last change; a launch by that of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Fireworks.
    Fireworks,
    /// Workflows.
    Workflows,
    /// Launches that have ended.
    Launches,
}

/// What is wanted of a tally.
#[derive(Debug, Clone)]
pub struct TallyQuery {
    /// What is counted.
    pub of: Counted,
    /// So many characters of a date in ISO form (UTC) name a period: 10 a day.
    pub characters: usize,
    /// Only what has changed since then.
    pub since: Option<Timestamp>,
    /// Only what matches this in MongoDB's language.
    pub matching: Option<Document>,
}

/// Numbers by period and state.
pub type Tally = BTreeMap<String, BTreeMap<State, u64>>;

/// The part of a store that tallies.
pub trait Tallies {
    /// Counts by period and state.
    fn tally(&self, query: &TallyQuery) -> Result<Tally>;
}
