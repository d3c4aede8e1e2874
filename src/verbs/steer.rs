//! The verbs on fireworks and workflows that are there, and what they take the ground from.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Here;
use crate::launchpad::cancel::{self, Runs, Stop};
use crate::launchpad::deed;
use crate::launchpad::reservation::Sought;
use crate::launchpad::selection::Chosen;
use crate::launchpad::steer::{Turn, changed, steer_as_seen};
use crate::store::{Result, Store, StoreError, Verb};
use crate::workflow::decide::Refusal;
use crate::workflow::{FwId, Launch, State};

/// What a verb is about, and the name under which it stands in the history.
pub struct Act<'a> {
    /// `rerun_fws`.
    pub what: &'a str,
    /// What happens to each.
    pub verb: &'a dyn Fn(FwId) -> Verb,
    /// The fireworks, each of which may stand for its workflow.
    pub fw_ids: &'a [FwId],
    /// The state in which each was seen, or for a verb on workflows its workflow: in another one it is left alone.
    pub seen: HashMap<FwId, State>,
    /// For a verb on workflows the lowest id in each.
    pub lowest: Option<HashMap<FwId, FwId>>,
}

impl Act<'_> {
    /// What is done; of those that refuse, what would have been.
    pub fn kind(&self) -> Verb {
        (self.verb)(self.fw_ids.first().copied().unwrap_or_default())
    }

    /// Steers, and notes it. `done` hears of each that was asked for.
    pub fn steer(&self, store: &dyn Store, now: Timestamp, done: impl FnMut()) -> Vec<Turn> {
        let turns = steer_as_seen(store, self.verb, |fw_id| self.seen.get(&fw_id).copied(), self.fw_ids, now, done);
        match &self.lowest {
            None => deed::of_fireworks(store, self.what, changed(&turns).into_iter().collect(), None),
            Some(lowest) => {
                let done = turns.iter().filter(|turn| turn.result.is_ok());
                let lowest = done.filter_map(|turn| lowest.get(&turn.fw_id).copied()).collect();
                deed::of_workflows(store, self.what, lowest, None);
            }
        }
        turns
    }
}

/// For each workflow, by the firework that names it, the lowest id in it.
pub fn lowest(workflows: &[Chosen]) -> HashMap<FwId, FwId> {
    workflows.iter().map(|workflow| (workflow.id, workflow.lowest())).collect()
}

/// Steers, then ends what has lost its ground; with `keep` that goes on to its end.
pub fn steer_and_stop(here: Here<'_>, act: &Act<'_>, keep: bool, done: impl FnMut()) -> Result<(Vec<Turn>, Vec<Stop>)> {
    let (turns, stopped, mut stops) = take_ground(here.store, act, keep, done)?;
    stops.extend(stop(here, &stopped, None));
    Ok((turns, stops))
}

/// Makes the fireworks of queue jobs READY again, as long as they wait for these or run in them, and cancels these
/// unless `keep` says otherwise, whatever else would run in them.
pub fn cancel_jobs(here: Here<'_>, sought: &Sought, keep: bool) -> Result<(Vec<Turn>, Vec<Stop>)> {
    let take = |fw_ids: &[FwId], seen| {
        let act = Act { what: "cancel_qid", verb: &|_| Verb::Rerun, fw_ids, seen, lowest: None };
        take_ground(here.store, &act, keep, || ())
    };
    let (mut turns, mut stopped, mut stops) = take(&sought.fw_ids, sought.seen.clone())?;
    let begun: Vec<FwId> = turns.extract_if(.., |turn| has_begun(turn)).map(|turn| turn.fw_id).collect();
    if !begun.is_empty() {
        let running = begun.iter().map(|fw_id| (*fw_id, State::Running)).collect();
        let (more, of_these, kept) = take(&begun, running)?;
        turns.extend(more);
        stopped.extend(of_these);
        stops.extend(kept);
    }
    if !keep {
        stops.extend(stop(here, &stopped, Some(sought)));
    }
    if turns.is_empty() && !stops.is_empty() {
        deed::of_jobs(here.store, "cancel_qid", &sought.names);
    }
    Ok((turns, stops))
}

/// Whether a firework was left alone that waited for its job, and runs in it by now.
fn has_begun(turn: &Turn) -> bool {
    let moved = Refusal::Moved { what: "firework", fw_id: turn.fw_id, state: State::Running, seen: State::Reserved };
    matches!(&turn.result, Err(StoreError::Refusal(refusal)) if *refusal == moved)
}

/// Steers. Returns what has lost its ground thereby, and what keeps running although it has.
fn take_ground(
    store: &dyn Store,
    act: &Act<'_>,
    keep: bool,
    done: impl FnMut(),
) -> Result<(Vec<Turn>, Vec<Launch>, Vec<Stop>)> {
    let now = Timestamp::now();
    let runs = Runs::before(store, act.fw_ids, keep)?;
    let turns = act.steer(store, now, done);
    let (stopped, kept) = runs.stopped_by(store, &changed(&turns))?;
    cancel::end_reservations(store, &stopped, act.kind(), now)?;
    Ok((turns, stopped, kept))
}

/// Ends runs whose launches do not count any more, and jobs that somebody has named.
pub fn stop(here: Here<'_>, launches: &[Launch], named: Option<&Sought>) -> Vec<Stop> {
    cancel::stop(launches, named, || here.queue())
}
