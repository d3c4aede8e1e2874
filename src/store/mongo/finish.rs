//! Outcomes, runs that are given back, and the verbs of users: the commit, and what is done under
//! the lock.

use std::collections::{BTreeMap, BTreeSet};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::commands::{Journal, ints, update};
use super::insert::check_size;
use super::lock::{Run, Task, Wanted};
use super::{MongoStore, Place, view};
use crate::store::{Held, Outcome, Result, StoreError, Verb, Verdict};
use crate::workflow::{FwId, Launch, LaunchId, State, decide, int};

impl MongoStore {
    pub(super) fn finish_launches(&self, outcomes: &[Outcome], now: Timestamp) -> Result<Vec<Verdict>> {
        let committed = self.commit(outcomes)?;
        let ended: Vec<&Outcome> =
            outcomes.iter().filter(|outcome| committed.contains(&outcome.launch.launch_id)).collect();
        let launches: BTreeMap<LaunchId, Launch> =
            ended.iter().map(|one| (one.launch.launch_id, one.ended_launch())).collect();
        let mut runs = Vec::with_capacity(ended.len());
        for outcome in &ended {
            let spawned = match decide::spawned(&outcome.action) {
                Ok(drafts) if outcome.state == State::Completed => {
                    let size = drafts.iter().map(|(draft, _)| draft.fireworks().len()).sum();
                    if size == 0 { None } else { Some(self.take_ids("next_fw_id", size)?) }
                }
                // Refused when the outcome is decided.
                _ => None,
            };
            runs.push(Run { fw_id: outcome.launch.fw_id, launch_id: outcome.launch.launch_id, spawned });
        }
        let lost = self.settle(runs, &launches, now)?;
        let mut places = self.places();
        Ok(outcomes
            .iter()
            .map(|outcome| {
                let id = outcome.launch.launch_id;
                places.remove(&id);
                if committed.contains(&id) && !lost.contains(&id) { Verdict::Recorded } else { Verdict::LeaseLost }
            })
            .collect())
    }

    /// Writes the outcomes into the launches that still run: from then on they cannot be lost, and
    /// nobody else can write another. Returns the launches whose outcome is this one.
    fn commit(&self, outcomes: &[Outcome]) -> Result<BTreeSet<LaunchId>> {
        let mut statements = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            let launch = outcome.ended_launch();
            let mut set = doc! {
                "action": launch.action.clone().map_or(Bson::Null, Bson::Document),
                "state": launch.state.as_str(),
            };
            set.extend(launch.times());
            if let Some(index) = launch.lease_index() {
                for key in ["created_on", "updated_on"] {
                    let value = launch.state_history[index].get(key).cloned();
                    set.insert(format!("state_history.{index}.{key}"), value);
                }
            }
            // By position: MongoDB does not push to a list and change one of its items together.
            if let Some((last, entry)) = launch.state_history.iter().enumerate().next_back() {
                set.insert(format!("state_history.{last}"), entry.clone());
            }
            // The server would refuse all of them together, or hang up.
            check_size(|| format!("the outcome of firework {}", launch.fw_id), &set)?;
            let running = doc! { "launch_id": int(launch.launch_id), "state": State::Running.as_str() };
            statements.push(update(running, doc! { "$set": set }));
        }
        let all: Vec<LaunchId> = outcomes.iter().map(|outcome| outcome.launch.launch_id).collect();
        if self.bulk("launches", statements, Journal::Yes)?.matched == all.len() {
            return Ok(all.into_iter().collect());
        }
        // Some were not running. Ours all the same, if an earlier attempt went unanswered.
        let mut ours = BTreeSet::new();
        for stored in self.search_launches(&all)? {
            let outcome = outcomes.iter().find(|outcome| outcome.launch.launch_id == stored.launch_id);
            let lease = outcome.and_then(|outcome| outcome.launch.lease());
            if lease.is_some_and(|lease| stored.was_ended_by(&lease.owner)) {
                ours.insert(stored.launch_id);
            }
        }
        Ok(ours)
    }

    /// Applies ended launches to their workflows. Returns those whose firework no longer counts
    /// them.
    pub(super) fn settle(
        &self,
        runs: Vec<Run>,
        launches: &BTreeMap<LaunchId, Launch>,
        now: Timestamp,
    ) -> Result<BTreeSet<LaunchId>> {
        let mut lost = BTreeSet::new();
        self.look_up_places(&runs)?;
        let mut groups: BTreeMap<ObjectId, Vec<(Run, Place)>> = BTreeMap::new();
        for run in runs {
            let place = self.places().get(&run.launch_id).cloned();
            match place {
                Some(place) => groups.entry(place.workflow).or_default().push((run, place)),
                None => {
                    // No workflow has it: deleted, or an orphan of a half-written addition.
                    lost.insert(run.launch_id);
                }
            }
        }
        let wanted = groups.into_iter().map(|(workflow, members)| {
            let projection = view::surroundings(members.iter().map(|(run, place)| (run.fw_id, place)));
            let runs = members.into_iter().map(|(run, _)| run).collect();
            Wanted { workflow, task: Task::Outcomes(runs), projection }
        });
        self.with_locks(wanted.collect(), |locked| {
            lost.extend(self.apply(locked, launches, now)?);
            Ok(())
        })?;
        Ok(lost)
    }

    /// Finds the places that the claim could not note.
    fn look_up_places(&self, runs: &[Run]) -> Result<()> {
        let unknown: Vec<Held> = {
            let places = self.places();
            let unknown = runs.iter().filter(|run| !places.contains_key(&run.launch_id));
            unknown.map(|run| Held { fw_id: run.fw_id, launch_id: run.launch_id }).collect()
        };
        if !unknown.is_empty() {
            self.find_places(&unknown)?;
        }
        Ok(())
    }

    /// Ends an interrupted launch without an outcome (the commit), then frees its firework.
    pub(super) fn give_launch_back(&self, held: Held, reason: &str, now: Timestamp) -> Result<bool> {
        let Some(mut launch) = self.search_launches(&[held.launch_id])?.pop() else { return Ok(false) };
        if launch.state != State::Running {
            return Ok(false);
        }
        if self.end_launches(std::slice::from_mut(&mut launch), reason, now)? == 0 {
            return Ok(false);
        }
        let run = Run { fw_id: held.fw_id, launch_id: held.launch_id, spawned: None };
        let lost = self.settle(vec![run], &BTreeMap::from([(held.launch_id, launch)]), now)?;
        self.places().remove(&held.launch_id);
        Ok(lost.is_empty())
    }

    /// Ends launches that run or are reserved, without an outcome.
    pub(super) fn end_launches(&self, launches: &mut [Launch], reason: &str, now: Timestamp) -> Result<usize> {
        let open = [State::Running, State::Reserved].map(State::as_str).to_vec();
        let statements = launches.iter_mut().map(|launch| {
            launch.lose(reason, now);
            let mut set = doc! { "state": launch.state.as_str() };
            set.extend(launch.times());
            let entry = launch.state_history.last().cloned().unwrap_or_default();
            let filter = doc! { "launch_id": int(launch.launch_id), "state": { "$in": open.clone() } };
            update(filter, doc! { "$set": set, "$push": { "state_history": entry } })
        });
        Ok(self.bulk("launches", statements.collect(), Journal::Yes)?.matched)
    }

    pub(super) fn steer_workflow(&self, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>> {
        let found = self.workflows.find_one(doc! { "nodes": int(fw_id) }).projection(doc! { "_id": 1 });
        let workflow = self.ask(found.run())?.ok_or(StoreError::UnknownFirework(fw_id))?;
        let wanted = Wanted {
            workflow: view::object_id(&workflow, &self.settings.place())?,
            task: Task::Verb(verb, fw_id),
            projection: view::whole(),
        };
        let mut changed = Vec::new();
        self.with_locks(vec![wanted], |locked| {
            for one in locked {
                changed = self.apply_verb(one, verb, fw_id, now)?;
            }
            Ok(())
        })?;
        Ok(changed)
    }

    /// The launches that a lock speaks of, as they are stored.
    pub(super) fn ended_launches(&self, runs: &[Run]) -> Result<BTreeMap<LaunchId, Launch>> {
        let ids: Vec<LaunchId> = runs.iter().map(|run| run.launch_id).collect();
        let found = self.search_launches(&ids)?.into_iter().filter(|launch| launch.state.is_final());
        Ok(found.map(|launch| (launch.launch_id, launch)).collect())
    }

    /// Fireworks by id.
    pub(super) fn fireworks_by_id(&self, ids: &[FwId]) -> Result<Vec<crate::workflow::Firework>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Document> = self.collect(self.fireworks.find(doc! { "fw_id": { "$in": ints(ids) } }).run())?;
        found.iter().map(|document| Ok(crate::workflow::Firework::from_document(document)?)).collect()
    }
}
