//! How many fireworks and workflows there are in each state: one document (`volley_counts`) for all who
//! look, so that a launchpad of a million fireworks is not counted by each of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Result;
use crate::workflow::State;

/// How many there are in each state; a state that none is in is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// When they were counted, by the store's clock.
    pub at: Timestamp,
    /// Fireworks.
    pub fireworks: BTreeMap<State, u64>,
    /// Workflows.
    pub workflows: BTreeMap<State, u64>,
}

/// The part of a store that counts.
pub trait Countings {
    /// The counts: those that somebody has made in the last ten seconds, unless a person has changed
    /// something meanwhile, else new ones, for others to use as well.
    fn counts(&self) -> Result<Counts>;
}
