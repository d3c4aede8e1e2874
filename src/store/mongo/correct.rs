//! Bringing a workflow in order that somebody left half written who told nobody what it was: a
//! Python process that died under its lock, or whose lock a person removed.
//!
//! Python writes the fireworks one by one, by id, and the workflow last. So a firework that has
//! ended, and whose workflow does not know, may have children that were not told: it is set back
//! to RUNNING and its launch applied again, as if it had just ended. Children that were written
//! after it have been told; they are marked, and not changed twice. What else differs from the
//! fireworks in `fw_states` is set right.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::commands::ints;
use super::lock::{Locked, Run, Task};
use super::{MongoStore, view};
use crate::store::Result;
use crate::workflow::firework::APPLIED;
use crate::workflow::graph::Graph;
use crate::workflow::{FwId, Launch, LaunchId, State, as_int, int, int_list, time};

/// A firework without its spec.
pub(super) struct Brief {
    pub state: State,
    pub updated_on: Bson,
    pub launches: Vec<LaunchId>,
}

impl Brief {
    /// Reads one, with its id.
    pub fn of(document: &Document) -> Option<(FwId, Self)> {
        let state = document.get_str("state").ok()?.parse().ok()?;
        let updated_on = document.get("updated_on").cloned().unwrap_or(Bson::Null);
        let launches = int_list(document.get("launches"));
        Some((document.get("fw_id").and_then(as_int)?, Brief { state, updated_on, launches }))
    }
}

impl MongoStore {
    /// Corrects a workflow that we have locked, and unlocks it. Returns the fireworks of which it
    /// had another state.
    pub(super) fn correct(&self, locked: &Locked, now: Timestamp) -> Result<Vec<FwId>> {
        let found = self.workflows.find_one(doc! { "_id": locked.workflow }).projection(view::whole());
        let Some(mut document) = self.ask(found.run())? else { return Ok(Vec::new()) };
        let graph = view::far(&document);
        // Every firework is a key of `links`, whatever became of its state.
        let linked = document.get_document("links").into_iter().flat_map(Document::keys);
        let members: BTreeSet<FwId> =
            graph.nodes.keys().copied().chain(linked.filter_map(|fw_id| fw_id.parse().ok())).collect();
        let members: Vec<FwId> = members.into_iter().collect();
        let fireworks = self.briefs(doc! { "fw_id": { "$in": ints(&members) } }, None)?;
        let differs = |(fw_id, brief): &(&FwId, &Brief)| graph.state(**fw_id) != Some(brief.state);
        let wrong: Vec<FwId> = fireworks.iter().filter(differs).map(|(&fw_id, _)| fw_id).collect();

        let mut launches = BTreeMap::new();
        let mut runs = Vec::new();
        let mut told = BTreeSet::new();
        for (fw_id, launch) in self.half_told(&graph, &fireworks)? {
            let children = told_children(fw_id, &graph, &fireworks);
            if self.reopen(fw_id, &launch, &fireworks[&fw_id], &children)? {
                let spawned = launch.spawned().map(|spawned| spawned.start);
                runs.push(Run { fw_id, launch_id: launch.launch_id, spawned });
                launches.insert(launch.launch_id, launch);
                told.extend(children);
            }
        }
        let mut states = view::cached_states(&document);
        let runs_again = |fw_id: &FwId| runs.iter().any(|run| run.fw_id == *fw_id);
        states.extend(
            fireworks
                .iter()
                .map(|(&fw_id, brief)| (fw_id, if runs_again(&fw_id) { State::Running } else { brief.state })),
        );
        self.set_states(locked, &states, runs.is_empty(), now)?;
        if !runs.is_empty() {
            document.insert("fw_states", states_document(&states));
            let task = Task::Outcomes(runs);
            let (workflow, owner) = (locked.workflow, locked.owner.clone());
            self.apply(vec![Locked { workflow, owner, task, document, taken_over: true }], &launches, now)?;
            let told = doc! { "fw_id": { "$in": ints(&told.into_iter().collect::<Vec<_>>()) } };
            self.ask(self.fireworks.update_many(told, doc! { "$unset": { APPLIED: "" } }).run())?;
        }
        Ok(wrong)
    }

    /// Writes the states of all fireworks of a workflow, and its own; unlocks it if that is all.
    fn set_states(&self, locked: &Locked, states: &BTreeMap<FwId, State>, unlock: bool, now: Timestamp) -> Result<()> {
        let held = doc! { "_id": locked.workflow, "locked.owner": &locked.owner };
        let mut change = doc! { "$set": {
            "fw_states": states_document(states),
            "state": self.state_of(locked.workflow, states, &BTreeSet::new())?.as_str(),
            "updated_on": time::to_bson_date(now),
        } };
        if unlock {
            change.insert("$unset", doc! { "locked": "" });
        }
        self.ask(self.workflows.update_one(held, change).run())?;
        Ok(())
    }

    /// Fireworks by id, without their specs; all that match, or so many.
    pub(super) fn briefs(&self, filter: Document, limit: Option<i64>) -> Result<BTreeMap<FwId, Brief>> {
        let projection = doc! { "_id": 0, "fw_id": 1, "state": 1, "updated_on": 1, "launches": 1 };
        let found = self.fireworks.find(filter).projection(projection).limit(limit.unwrap_or(0));
        Ok(self.collect(found.run())?.iter().filter_map(Brief::of).collect())
    }

    /// The last launches of fireworks that have ended, as far as their workflow may not know it.
    fn half_told(&self, graph: &Graph, fireworks: &BTreeMap<FwId, Brief>) -> Result<BTreeMap<FwId, Launch>> {
        let open = |fw_id: &FwId| graph.state(*fw_id).is_none_or(|cached| !cached.is_final());
        let last = fireworks.iter().filter(|(fw_id, brief)| {
            let ended = brief.state.is_final() && open(fw_id);
            ended || brief.state == State::Running
        });
        let last: BTreeMap<LaunchId, FwId> =
            last.filter_map(|(&fw_id, brief)| Some((*brief.launches.last()?, fw_id))).collect();
        let runs: Vec<Run> = last.iter().map(|(&launch_id, &fw_id)| Run { fw_id, launch_id, spawned: None }).collect();
        let ended = self.ended_launches(&runs)?;
        Ok(ended.into_iter().filter_map(|(launch_id, launch)| Some((*last.get(&launch_id)?, launch))).collect())
    }

    /// Makes it seem that the launch has just ended. `false` when the firework says otherwise.
    fn reopen(&self, fw_id: FwId, launch: &Launch, brief: &Brief, told: &[FwId]) -> Result<bool> {
        if brief.state == State::Running {
            return Ok(true);
        }
        if brief.state != launch.state {
            return Ok(false);
        }
        let mark = doc! { "$addToSet": { APPLIED: int(launch.launch_id) } };
        self.ask(self.fireworks.update_many(doc! { "fw_id": { "$in": ints(told) } }, mark).run())?;
        let as_read =
            doc! { "fw_id": int(fw_id), "state": brief.state.as_str(), "updated_on": brief.updated_on.clone() };
        let running = doc! { "$set": { "state": State::Running.as_str() } };
        Ok(self.ask(self.fireworks.update_one(as_read, running).run())?.matched_count == 1)
    }
}

/// The children of a firework that has ended which were written after it.
fn told_children(fw_id: FwId, graph: &Graph, fireworks: &BTreeMap<FwId, Brief>) -> Vec<FwId> {
    let written = |fw_id: FwId| fireworks.get(&fw_id).and_then(|brief| time::from_bson(&brief.updated_on));
    let ended = written(fw_id).filter(|_| fireworks[&fw_id].state.is_final());
    let is_told = |child: &FwId| written(*child).zip(ended).is_some_and(|(child, ended)| child >= ended);
    graph.children(fw_id).into_iter().filter(is_told).collect()
}

fn states_document(states: &BTreeMap<FwId, State>) -> Document {
    states.iter().map(|(fw_id, state)| (fw_id.to_string(), state.as_str().into())).collect()
}
