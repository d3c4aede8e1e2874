//! What has become of things since they were seen: a firework or workflow that has changed is left alone.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use super::Seen;
use crate::launchpad::selection::Chosen;
use crate::launchpad::{LaunchpadError, Selection};
use crate::store::{Fields, FireworkQuery, Store};
use crate::workflow::decide::Refusal;
use crate::workflow::{Firework, FwId, LaunchId, State};

/// As many are asked about at once.
const SOME: usize = 10_000;

/// Those that are as they were seen, and what is said of the others.
pub struct Still<T> {
    /// As they were.
    pub same: Vec<T>,
    /// What has changed.
    pub others: Vec<String>,
}

/// Fireworks that are in the state in which they were seen, and have not run again.
pub fn fireworks(store: &dyn Store, seen: &[Seen]) -> Result<Still<Firework>, LaunchpadError> {
    let mut now: HashMap<FwId, Firework> = HashMap::new();
    for some in seen.chunks(SOME) {
        let ids = some.iter().map(|one| one.fw_id).collect();
        let these = FireworkQuery { ids: Some(ids), ..FireworkQuery::default() };
        store.each_firework(&these, Fields::Head, &mut |found| {
            now.extend(found.into_iter().map(|one| (one.fw_id, one)));
            ControlFlow::Continue(())
        })?;
    }
    let mut still = compare("firework", seen, now, |firework| Some(firework.state));
    let launches: HashMap<FwId, LaunchId> = seen.iter().filter_map(|one| Some((one.fw_id, one.launch?))).collect();
    // In the same state again, after somebody else has done the same a moment ago.
    still.same.retain(|firework| {
        let is_same = launches.get(&firework.fw_id).is_none_or(|launch| firework.launches.last() == Some(launch));
        still.others.extend((!is_same).then(|| Refusal::RanAgain(firework.fw_id).to_string()));
        is_same
    });
    Ok(still)
}

/// Workflows, likewise.
pub fn workflows(store: &dyn Store, seen: &[Seen]) -> Result<Still<Chosen>, LaunchpadError> {
    let mut now: HashMap<FwId, Chosen> = HashMap::new();
    for some in seen.chunks(SOME) {
        let ids: Vec<FwId> = some.iter().map(|one| one.fw_id).collect();
        let asked: HashSet<FwId> = ids.iter().copied().collect();
        // The order of its fireworks may have changed, and with it the one that names it.
        let named = |one: Chosen| Some((one.members.iter().copied().find(|fw_id| asked.contains(fw_id))?, one));
        let these = Selection { ids: Some(ids), ..Selection::default() };
        store.each_workflow(&these.workflows(store, None)?, &mut |found| {
            now.extend(found.iter().filter_map(Chosen::of).filter_map(named));
            ControlFlow::Continue(())
        })?;
    }
    Ok(compare("the workflow of firework", seen, now, |workflow| workflow.state.parse().ok()))
}

fn compare<T>(
    what: &'static str,
    seen: &[Seen],
    mut now: HashMap<FwId, T>,
    state: impl Fn(&T) -> Option<State>,
) -> Still<T> {
    let mut still = Still { same: Vec::new(), others: Vec::new() };
    for &Seen { fw_id, state: seen, .. } in seen {
        match now.remove(&fw_id).map(|found| (state(&found), found)) {
            None => still.others.push(Refusal::Unknown(fw_id).to_string()),
            Some((Some(state), _)) if state != seen => {
                still.others.push(Refusal::Moved { what, fw_id, state, seen }.to_string());
            }
            Some((_, found)) => still.same.push(found),
        }
    }
    still
}
