//! What is done under the lock of a workflow: decide, write the fireworks, write the workflow.
//!
//! A first attempt trusts the cached states and reads as little as it can. When a firework is not
//! as the cache said, the bulk stops there; then everything is read and decided again, from the
//! documents. What the first attempt has written is seen and not written twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::MongoStore;
use super::load::{Part, action_of};
use super::lock::{Locked, Task};
use super::sizes;
use super::write::Decided;
use crate::store::Result;
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
    /// fireworks that no longer count their launch.
    pub(super) fn apply(
        &self,
        locked: Vec<Locked>,
        launches: &BTreeMap<LaunchId, Launch>,
        now: Timestamp,
    ) -> Result<BTreeSet<FwId>> {
        let far = |launch: &Launch| {
            let action = action_of(launch);
            launch.again().is_some() || action.propagate || decide::needs_workflow(&action)
        };
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
            if self.write(&decided, now)?.is_some() {
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
            Task::Verb(step) => {
                if let Err(error) = self.apply_verb(locked, &step, now) {
                    // It could not be done then, and cannot now.
                    tracing::warn!("{}: {error}", step.verb.as_str());
                }
            }
            Task::Append(first, count) => self.finish_appendix(locked, first, count, now)?,
            Task::Correct => {
                self.correct(&locked, now)?;
            }
            Task::Delete(_) => {
                self.delete_locked(vec![locked])?;
            }
        }
        Ok(())
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
            let again = launch.again();
            let outcome = match &again {
                Some(again) => decide::give_back(&mut graph, run.fw_id, again),
                None => decide::finish(&mut graph, run.fw_id, run.launch_id, launch.state, &action_of(launch)),
            };
            let fits = match outcome.and_then(|()| sizes::check_specs(&graph)) {
                Ok(()) => self.check_growth(part.locked.workflow, &graph)?,
                refused => refused,
            };
            match fits {
                Ok(()) => part.graph = graph,
                Err(refusal) if again.is_none() => {
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
        sizes::trim_fizzled_parents(&mut part.graph);
        let changes = std::mem::take(&mut part.graph).changes();
        if changes.edits.iter().any(|edit| edit.to == State::Defused) {
            inner = State::Defused;
        }
        let inner_state = part.states.is_none().then_some(inner);
        Ok(Decided { part, changes, fenced, inner_state })
    }
}
