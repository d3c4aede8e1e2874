//! What is done under the lock of a workflow: decide, write the fireworks, write the workflow.
//!
//! A first attempt trusts the cached states and reads as little as it can. When a firework is not
//! as the cache said, the bulk stops there; then everything is read and decided again, from the
//! documents. What the first attempt has written is seen and not written twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::MongoStore;
use super::commands::LARGEST;
use super::load::{Part, action_of};
use super::lock::{Locked, Task};
use super::write::Decided;
use crate::store::{Result, Verb};
use crate::workflow::decide::Refusal;
use crate::workflow::graph::Graph;
use crate::workflow::workflow_state::after_inner_step;
use crate::workflow::{Firework, FwId, Launch, LaunchId, State, decide};

/// How much is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// What the lock's projection brought, and documents only where specs change.
    Near,
    /// The whole graph, and the documents of all that may change.
    Whole,
}

impl MongoStore {
    /// Applies ended launches to workflows that we have locked, and unlocks them. Returns the
    /// launches that their fireworks no longer count.
    pub(super) fn apply(
        &self,
        locked: Vec<Locked>,
        launches: &BTreeMap<LaunchId, Launch>,
        now: Timestamp,
    ) -> Result<BTreeSet<LaunchId>> {
        let far =
            |launch: &Launch| launch.action.as_ref().is_none_or(|action| action.get_bool("propagate").unwrap_or(false));
        let mut scope = if launches.values().any(far) { Scope::Whole } else { Scope::Near };
        loop {
            let (parts, lost) = match scope {
                Scope::Near => match self.load_near(&locked, launches)? {
                    Some(parts) => (parts, BTreeSet::new()),
                    None => {
                        scope = Scope::Whole;
                        continue;
                    }
                },
                Scope::Whole => self.load_whole(&locked, launches)?,
            };
            let mut decided = Vec::with_capacity(parts.len());
            for part in parts {
                decided.push(self.decide_part(part, launches, now)?);
            }
            if self.write(&decided, now)? {
                return Ok(lost);
            }
            scope = Scope::Whole;
        }
    }

    /// Does again what the dead holder of a lock was doing, and unlocks.
    pub(super) fn repeat(&self, locked: Locked, now: Timestamp) -> Result<()> {
        match locked.task.clone() {
            Task::Outcomes(runs) => {
                let launches = self.ended_launches(&runs)?;
                self.apply(vec![locked], &launches, now)?;
            }
            Task::Verb(verb, fw_id) => {
                if let Err(error) = self.apply_verb(locked, verb, fw_id, now) {
                    // It could not be done then, and cannot now.
                    tracing::warn!("{}: {error}", verb.as_str());
                }
            }
        }
        Ok(())
    }

    /// Changes a workflow that we have locked as a user asks, and unlocks it.
    pub(super) fn apply_verb(&self, locked: Locked, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>> {
        loop {
            let mut part = self.whole_part(&locked, Vec::new(), &[fw_id])?;
            if let Err(refusal) = verb.decide(&mut part.graph, fw_id) {
                self.unlock(&locked)?;
                return Err(refusal.into());
            }
            decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
            let changes = std::mem::take(&mut part.graph).changes();
            // The fence first: a launch that has ended can no longer report.
            let put_away: BTreeSet<FwId> =
                changes.edits.iter().filter(|edit| edit.archive.is_some()).map(|edit| edit.fw_id).collect();
            let running = self.fireworks_by_id(&put_away.into_iter().collect::<Vec<_>>())?;
            let running: Vec<LaunchId> = running.into_iter().flat_map(|firework| firework.launches).collect();
            self.end_launches(&mut self.search_launches(&running)?, verb.as_str(), now)?;
            let changed = changes.edits.iter().map(|edit| edit.fw_id).collect();
            let decided = Decided { part, changes, fenced: BTreeMap::new(), inner_state: None };
            if self.write(&[decided], now)? {
                return Ok(changed);
            }
        }
    }

    /// Decides what the runs change, one after the other: the second sees what the first did.
    fn decide_part<'l>(
        &self,
        mut part: Part<'l>,
        launches: &BTreeMap<LaunchId, Launch>,
        now: Timestamp,
    ) -> Result<Decided<'l>> {
        let mut fenced = BTreeMap::new();
        let mut inner = part.before;
        for run in &part.runs {
            let launch = &launches[&run.launch_id];
            let mut graph = part.graph.clone();
            let outcome = match &launch.action {
                None => decide::give_back(&mut graph, run.fw_id),
                Some(_) => decide::finish(&mut graph, run.fw_id, run.launch_id, launch.state, &action_of(launch)),
            };
            match outcome.and_then(|()| check_sizes(&graph)) {
                Ok(()) => part.graph = graph,
                Err(refusal) if launch.action.is_some() => {
                    tracing::error!("fw_id {}: its outcome cannot be applied: {refusal}", run.fw_id);
                    // Only an unknown firework is refused here, and this one is in the graph.
                    let _ = decide::reject(&mut part.graph, run.fw_id);
                }
                // Given back already.
                Err(_) => {}
            }
            fenced.insert(run.fw_id, run.launch_id);
            let ended = part.graph.state(run.fw_id).unwrap_or(launch.state);
            let stops = part.graph.children(run.fw_id).iter().any(|child| {
                let child = part.graph.nodes.get(child).and_then(|node| node.firework.as_ref());
                !child.is_some_and(Firework::allows_fizzled_parents)
            });
            inner = after_inner_step(inner, ended, stops);
        }
        decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
        let changes = std::mem::take(&mut part.graph).changes();
        if changes.edits.iter().any(|edit| edit.to == State::Defused) {
            inner = State::Defused;
        }
        let inner_state = part.states.is_none().then_some(inner);
        Ok(Decided { part, changes, fenced, inner_state })
    }
}

/// A spec that MongoDB cannot hold would stop everybody who tries to finish this.
fn check_sizes(graph: &Graph) -> Result<(), Refusal> {
    for (&child, node) in &graph.nodes {
        let size = node.new_spec.as_ref().map_or(Ok(0), |spec| spec.to_vec().map(|bytes| bytes.len()));
        if !size.is_ok_and(|size| size <= LARGEST) {
            return Err(Refusal::TooLarge { child });
        }
    }
    Ok(())
}
