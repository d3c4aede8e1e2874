//! How far a workflow is, and whether anything in it can still happen by itself.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;

use super::LaunchpadError;
use super::listing::states;
use crate::store::{Store, WorkflowQuery};
use crate::workflow::{FwId, State, int_list};

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

/// `200 COMPLETED, 40 READY`, in the order of a life.
pub fn count_words(counts: &BTreeMap<State, usize>) -> String {
    let shown = State::ALL.iter().filter_map(|state| Some(format!("{} {state}", counts.get(state)?)));
    shown.collect::<Vec<_>>().join(", ")
}

/// The same in less room, from the end of a life: `1 FIZ, 200 COM, 40 REA`.
pub fn count_letters(counts: &BTreeMap<State, usize>) -> String {
    let shown = State::ALL.iter().rev();
    let shown = shown.filter_map(|state| Some(format!("{} {}", counts.get(state)?, state.letters())));
    shown.collect::<Vec<_>>().join(", ")
}

/// Looks at the workflows of fireworks, each workflow once, all of them in one question.
pub fn progress(store: &dyn Store, fw_ids: &[FwId]) -> Result<Vec<Progress>, LaunchpadError> {
    let query = WorkflowQuery { fw_ids: Some(fw_ids.to_vec()), ..WorkflowQuery::default() };
    let found = store.find_workflows(&query)?;
    let members: BTreeSet<FwId> = found.iter().flat_map(|workflow| int_list(workflow.get("nodes"))).collect();
    let missing: Vec<FwId> = fw_ids.iter().copied().filter(|id| !members.contains(id)).collect();
    if missing.is_empty() { Ok(found.iter().map(of).collect()) } else { Err(LaunchpadError::UnknownFireworks(missing)) }
}

/// All together: how many fireworks are in which state, and how it ended once everything has.
pub fn together(all: &[Progress]) -> Progress {
    let mut counts = BTreeMap::new();
    for (state, count) in all.iter().flat_map(|one| &one.counts) {
        *counts.entry(*state).or_default() += count;
    }
    let ended = if all.iter().any(|one| one.ended.is_none()) {
        None
    } else if all.iter().any(|one| one.ended == Some(Ending::Stopped)) {
        Some(Ending::Stopped)
    } else {
        Some(Ending::Completed)
    };
    Progress { counts, ended }
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
    fn several_end_when_the_last_of_them_does() {
        let one = |ended, state| Progress { counts: BTreeMap::from([(state, 2)]), ended };
        let completed = one(Some(Ending::Completed), State::Completed);
        let running = together(&[completed.clone(), one(None, State::Running)]);
        assert_eq!((running.ended, running.counts.len()), (None, 2));
        assert_eq!(
            together(&[completed.clone(), one(Some(Ending::Stopped), State::Fizzled)]).ended,
            Some(Ending::Stopped)
        );
        let both = together(&[completed.clone(), completed]);
        assert_eq!((both.ended, both.counts[&State::Completed]), (Some(Ending::Completed), 4));
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
