//! How far a workflow is, and whether anything in it can still happen by itself.

use std::collections::BTreeMap;

use bson::Document;

use super::LaunchpadError;
use super::listing::states;
use crate::store::{Store, WorkflowQuery};
use crate::workflow::{FwId, State};

/// A workflow at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How many fireworks are in which state.
    pub counts: BTreeMap<State, usize>,
    /// How it ended, when it has.
    pub ended: Option<Ending>,
}

/// How a workflow ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every leaf is COMPLETED.
    Completed,
    /// Nothing runs or can run any more: fireworks are FIZZLED, DEFUSED or ARCHIVED, and what
    /// waits, waits for them.
    Stopped,
}

/// Looks at the workflow of a firework.
pub fn progress(store: &dyn Store, fw_id: FwId) -> Result<Progress, LaunchpadError> {
    let query = WorkflowQuery { fw_ids: Some(vec![fw_id]), ..WorkflowQuery::default() };
    let found = store.find_workflows(&query)?;
    found.first().map(of).ok_or_else(|| LaunchpadError::UnknownFireworks(vec![fw_id]))
}

fn of(workflow: &Document) -> Progress {
    let mut counts = BTreeMap::new();
    for state in states(workflow).into_values() {
        *counts.entry(state).or_default() += 1;
    }
    // A PAUSED firework goes on when its user says so.
    let alive = [State::Ready, State::Reserved, State::Running, State::Paused];
    let ended = if workflow.get_str("state").is_ok_and(|state| state == State::Completed.as_str()) {
        Some(Ending::Completed)
    } else if alive.iter().any(|state| counts.contains_key(state)) {
        None
    } else {
        Some(Ending::Stopped)
    };
    Progress { counts, ended }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn ended(state: &str, fw_states: Document) -> Option<Ending> {
        of(&doc! {"state": state, "fw_states": fw_states}).ended
    }

    #[test]
    fn a_failure_does_not_end_what_still_runs_beside_it() {
        assert_eq!(ended("FIZZLED", doc! {"1": "FIZZLED", "2": "RUNNING"}), None);
        assert_eq!(ended("FIZZLED", doc! {"1": "FIZZLED", "2": "READY"}), None);
        assert_eq!(ended("FIZZLED", doc! {"1": "FIZZLED", "2": "COMPLETED"}), Some(Ending::Stopped));
        assert_eq!(ended("FIZZLED", doc! {"1": "FIZZLED", "2": "WAITING"}), Some(Ending::Stopped));
        assert_eq!(ended("DEFUSED", doc! {"1": "DEFUSED"}), Some(Ending::Stopped));
        assert_eq!(ended("PAUSED", doc! {"1": "PAUSED"}), None);
        assert_eq!(ended("COMPLETED", doc! {"1": "FIZZLED", "2": "COMPLETED"}), Some(Ending::Completed));
    }
}
