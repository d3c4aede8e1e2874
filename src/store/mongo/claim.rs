//! Claiming and releasing.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::Timestamp;
use mongodb::options::{Acknowledgment, ReturnDocument, WriteConcern};

use super::commands::{Journal, ints, update};
use super::{MongoStore, Place, unreadable, view};
use crate::store::{Claim, ClaimRequest, Held, Order, Result};
use crate::workflow::fworker::{Category, PY_TASK};
use crate::workflow::{FWorker, Firework, FwId, Launch, LaunchId, State, as_int, int, int_list, time};

/// How long a release waits for somebody else's lock, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

/// What a worker takes at a time: FireWorks' own condition, and not too early.
pub fn claimable(worker: &FWorker, when: Timestamp) -> Document {
    let mut query = worker.query.clone();
    let name = doc! { "$or": [
        { "spec._fworker": { "$exists": false } }, { "spec._fworker": null }, { "spec._fworker": &worker.name },
    ] };
    // A worker's own `$or` must not be overwritten.
    match query.remove("$or") {
        Some(own) => {
            also(&mut query, doc! { "$or": own });
            also(&mut query, name);
        }
        None => query.extend(name),
    }
    match &worker.category {
        Category::Any => {}
        Category::Without => {
            query.insert("spec._category", doc! { "$exists": false });
        }
        Category::OneOf(names) => {
            query.insert("spec._category", doc! { "$in": names.clone() });
        }
    }
    if !worker.cannot.tasks.is_empty() {
        let names: Vec<&str> = worker.cannot.tasks.iter().map(String::as_str).collect();
        also(&mut query, doc! { "spec._tasks._fw_name": { "$nin": names } });
    }
    if !worker.cannot.packages.is_empty() {
        let packages: Vec<String> = worker.cannot.packages.iter().map(|package| escape(package)).collect();
        let from = |end| doc! { "$regex": format!("^({}){end}", packages.join("|")) };
        also(&mut query, doc! { "spec._tasks.job.function.@module": { "$not": from(r"(\.|$)") } });
        let call = doc! { "$elemMatch": { "_fw_name": PY_TASK, "func": from(r"\.") } };
        also(&mut query, doc! { "spec._tasks": { "$not": call } });
    }
    if when < Timestamp::MAX {
        also(&mut query, doc! { "spec._not_before": { "$not": { "$gt": time::to_iso(when) } } });
    }
    if !worker.cannot.walltimes.is_empty() {
        let fits = doc! { "spec._walltime": { "$nin": worker.cannot.walltimes.clone() } };
        let own = doc! { "spec._queueadapter.walltime": { "$ne": null } };
        also(
            &mut query,
            if worker.cannot.unless_own_walltime {
                doc! { "$or": [fits, own] }
            } else {
                fits
            },
        );
    }
    if !worker.cannot.fw_ids.is_empty() {
        let ids: Vec<Bson> = worker.cannot.fw_ids.iter().map(|&id| int(id)).collect();
        also(&mut query, doc! { "fw_id": { "$nin": ids } });
    }
    if let Some(room) = worker.cannot.beyond {
        // What is no number fits everywhere: it is to fail somewhere.
        let more = |most: usize| doc! { "$gt": i64::try_from(most).unwrap_or(i64::MAX), "$not": { "$type": "array" } };
        let larger = [doc! { "spec._slots": more(room.slots) }, doc! { "spec._nodes": more(room.nodes) }];
        also(&mut query, doc! { "$nor": larger.to_vec() });
    }
    if let Some(resources) = &worker.cannot.other_than {
        also(&mut query, doc! { "spec._queueadapter": resources });
    }
    query.insert("state", State::Ready.as_str());
    query
}

/// A text as a regular expression for itself.
fn escape(text: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || character == '_';
    text.chars().flat_map(|one| (!is_plain(one)).then_some('\\').into_iter().chain([one])).collect()
}

/// One more condition, whatever the worker's own query says of the same key.
fn also(query: &mut Document, condition: Document) {
    let mut and = query.get_array("$and").cloned().unwrap_or_default();
    and.push(Bson::Document(condition));
    query.insert("$and", and);
}

/// Exactly the keys of FireWorks' index: a third one would make MongoDB sort every READY firework.
pub fn order(order: Order) -> Document {
    let created = match order {
        Order::Fifo => 1,
        Order::Filo => -1,
    };
    doc! { "spec._priority": -1, "created_on": created }
}

pub fn journaled() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build()
}

/// What makes a firework RUNNING as a launch.
fn start(launch_id: LaunchId, now: Timestamp) -> Document {
    doc! {
        "$set": { "state": State::Running.as_str(), "updated_on": time::to_iso(now) },
        "$push": { "launches": int(launch_id) },
    }
}

impl MongoStore {
    pub(super) fn claim_fireworks(&self, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<Claim>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.heed_restart()?;
        self.undo_unanswered(request.now)?;
        let request = &ClaimRequest { lease: &self.by_server_time(request.lease, request.now)?, ..*request };
        if let Some(fw_id) = request.fw_id
            && let Some(claim) = self.claim_reserved(request, fw_id)?
        {
            return Ok(vec![claim]);
        }
        // Those that only follow a duplicate leave room for others.
        loop {
            let claims = self.claim_unreserved(request, limit)?;
            let count = claims.len();
            let claims = self.without_duplicates(claims, request.now)?;
            if count == 0 || !claims.is_empty() {
                return Ok(claims);
            }
        }
    }

    /// What the best firework asks for that a worker could claim now.
    pub(super) fn best_asks(&self, worker: &FWorker, by: Order, now: Timestamp) -> Result<Option<Document>> {
        let best = self.fireworks.find_one(claimable(worker, now)).sort(order(by));
        let asks = doc! { "_id": 0, "spec._slots": 1, "spec._nodes": 1, "spec._walltime": 1 };
        let found = self.ask(best.projection(asks).run())?;
        Ok(found.map(|found| found.get_document("spec").cloned().unwrap_or_default()))
    }

    fn claim_unreserved(&self, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<Claim>> {
        let ids = self.take_launch_ids(if request.fw_id.is_some() { 1 } else { limit })?;
        let claimed = self.claim_with(request, limit, &ids);
        if claimed.is_err() {
            self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
        }
        claimed
    }

    /// Undoes claims that the server has made, and could not say so: nobody would know of them until
    /// their leases end.
    fn undo_unanswered(&self, now: Timestamp) -> Result<()> {
        let ids = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if ids.is_empty() {
            return Ok(());
        }
        let made = self.fireworks.find(doc! { "launches": { "$in": ints(&ids) } });
        let made = self.collect(made.projection(doc! { "fw_id": 1, "launches": 1 }).run())?;
        let held = made.iter().filter_map(|firework| {
            let launch_id = int_list(firework.get("launches")).into_iter().find(|id| ids.contains(id))?;
            Some(Held { fw_id: firework.get("fw_id").and_then(as_int)?, launch_id })
        });
        self.release_claims(&held.collect::<Vec<_>>(), now)?;
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).retain(|id| !ids.contains(id));
        Ok(())
    }

    fn claim_with(&self, request: &ClaimRequest<'_>, limit: usize, ids: &[LaunchId]) -> Result<Vec<Claim>> {
        let fireworks = match (request.fw_id, limit) {
            (None, 2..) => self.take_several(request, ids)?,
            _ => self.take_one(request, ids[0])?.into_iter().collect(),
        };
        let used: Vec<LaunchId> = fireworks.iter().map(|(_, launch_id)| *launch_id).collect();
        self.return_launch_ids(&ids.iter().copied().filter(|id| !used.contains(id)).collect::<Vec<_>>());
        if fireworks.is_empty() {
            return Ok(Vec::new());
        }
        let claims: Vec<Claim> = fireworks
            .into_iter()
            .map(|(firework, launch_id)| {
                let place = request.place(&firework);
                let launch = Launch::running(launch_id, firework.fw_id, &place, request.lease, request.now);
                Claim { firework, launch }
            })
            .collect();
        let documents = claims.iter().map(|claim| claim.launch.to_document());
        // The journal is one: what makes the launches durable has made the fireworks so before.
        self.ask(self.launches.insert_many(documents).write_concern(journaled()).run())?;
        self.enter_running(&claims, request.now)?;
        Ok(claims)
    }

    /// Takes up the launch that a queue job was submitted for: the id and history of the
    /// reservation stay.
    fn claim_reserved(&self, request: &ClaimRequest<'_>, fw_id: FwId) -> Result<Option<Claim>> {
        let reserved = doc! { "fw_id": int(fw_id), "state": State::Reserved.as_str() };
        let Some(document) = self.ask(self.fireworks.find_one(reserved.clone()).run())? else { return Ok(None) };
        let mut firework = Firework::from_document(&document)?;
        let launches = self.search_launches(&firework.launches)?;
        let Some(mut launch) = launches.into_iter().find(|launch| launch.state == State::Reserved) else {
            return Ok(None);
        };
        let mut mine = reserved;
        mine.insert("launches", int(launch.launch_id));
        let set = |state: State| doc! { "$set": { "state": state.as_str(), "updated_on": time::to_iso(request.now) } };
        if self.ask(self.fireworks.update_one(mine, set(State::Running)).run())?.matched_count == 0 {
            return Ok(None);
        }
        let open = doc! { "launch_id": int(launch.launch_id), "state": State::Reserved.as_str() };
        launch.take_up(&request.reserved_place(&firework, &launch), request.lease, request.now);
        let written = self.launches.update_one(open, doc! { "$set": launch.to_document() });
        if self.ask(written.write_concern(journaled()).run())?.matched_count == 0 {
            // The reservation was cancelled at the same moment.
            let mine =
                doc! { "fw_id": int(fw_id), "state": State::Running.as_str(), "launches": int(launch.launch_id) };
            self.ask(self.fireworks.update_one(mine, set(State::Reserved)).run())?;
            return Ok(None);
        }
        firework.state = State::Running;
        firework.updated_on = time::to_iso(request.now).into();
        let claim = Claim { firework, launch };
        self.enter_running(std::slice::from_ref(&claim), request.now)?;
        self.start_followers(&claim, request.now)?;
        Ok(Some(claim))
    }

    /// One firework in one command.
    fn take_one(&self, request: &ClaimRequest<'_>, launch_id: LaunchId) -> Result<Option<(Firework, LaunchId)>> {
        let filter = match request.fw_id {
            Some(fw_id) => doc! {
                "fw_id": int(fw_id),
                "state": { "$in": [State::Ready.as_str(), State::Reserved.as_str()] },
            },
            None => claimable(request.worker, request.now),
        };
        let taken = self
            .fireworks
            .find_one_and_update(filter, start(launch_id, request.now))
            .sort(order(request.order))
            .return_document(ReturnDocument::After);
        let Some(document) = self.ask(taken.run())? else { return Ok(None) };
        Ok(Some((Firework::from_document(&document)?, launch_id)))
    }

    /// Several fireworks in three commands: look, take what is still there, see what we got. The
    /// launch ids are ours alone, so they tell.
    fn take_several(&self, request: &ClaimRequest<'_>, ids: &[LaunchId]) -> Result<Vec<(Firework, LaunchId)>> {
        let candidates = self
            .fireworks
            .find(claimable(request.worker, request.now))
            .sort(order(request.order))
            .limit(ids.len() as i64)
            .projection(doc! { "_id": 0, "fw_id": 1 });
        let candidates: Vec<FwId> = self
            .collect(candidates.run())?
            .iter()
            .filter_map(|document| document.get("fw_id").and_then(as_int))
            .collect();
        if let ([_], [launch_id, ..]) = (candidates.as_slice(), ids) {
            return Ok(self.take_one(request, *launch_id)?.into_iter().collect());
        }
        let ready = |fw_id| doc! { "fw_id": int(fw_id), "state": State::Ready.as_str() };
        let statements: Vec<Document> = candidates
            .iter()
            .zip(ids)
            .map(|(&fw_id, &launch_id)| update(ready(fw_id), start(launch_id, request.now)))
            .collect();
        if self.bulk("fireworks", statements, Journal::No)?.matched == 0 {
            // Others took them all: one that is surely ours, rather than racing again.
            return match (candidates.is_empty(), ids) {
                (false, [launch_id, ..]) => Ok(self.take_one(request, *launch_id)?.into_iter().collect()),
                _ => Ok(Vec::new()),
            };
        }
        let ours = self.fireworks.find(doc! { "launches": { "$in": ints(ids) } });
        let mut taken: BTreeMap<FwId, (Firework, LaunchId)> = BTreeMap::new();
        for document in self.collect(ours.run())? {
            let firework = Firework::from_document(&document)?;
            if let Some(&launch_id) = ids.iter().find(|id| firework.launches.contains(id)) {
                taken.insert(firework.fw_id, (firework, launch_id));
            }
        }
        // In the order of the queue.
        Ok(candidates.iter().filter_map(|fw_id| taken.remove(fw_id)).collect())
    }

    /// Tells the workflows, and remembers where the fireworks stand in them. A workflow that is
    /// locked is not waited for: the outcome will set the state.
    pub(super) fn enter_running(&self, claims: &[Claim], now: Timestamp) -> Result<()> {
        if let [claim] = claims {
            let fw_ids = [claim.firework.fw_id];
            let free = not_begun(doc! { "nodes": int(fw_ids[0]) }, &fw_ids);
            let entered =
                self.workflows.find_one_and_update(free, begin(&fw_ids, now)).projection(view::children(&fw_ids));
            if let Some(document) = self.ask(entered.run())? {
                self.remember(&document, &[claim.held()])?;
            }
            return Ok(());
        }
        let held: Vec<Held> = claims.iter().map(Claim::held).collect();
        let statements = self.find_places(&held)?.into_iter().map(|(workflow, members)| {
            let fw_ids: Vec<FwId> = members.iter().map(|held| held.fw_id).collect();
            update(not_begun(doc! { "_id": workflow }, &fw_ids), begin(&fw_ids, now))
        });
        self.bulk("workflows", statements.collect(), Journal::No)?;
        Ok(())
    }

    /// The workflows of these launches, each with its own; the places are remembered.
    pub(super) fn find_places(&self, held: &[Held]) -> Result<Vec<(ObjectId, Vec<Held>)>> {
        let fw_ids: Vec<FwId> = held.iter().map(|held| held.fw_id).collect();
        let found = self.workflows.find(doc! { "nodes": { "$in": ints(&fw_ids) } }).projection(view::children(&fw_ids));
        let mut places = Vec::new();
        for document in self.collect(found.run())? {
            let members = self.remember(&document, held)?;
            places.push((view::object_id(&document, &self.settings.place())?, members));
        }
        Ok(places)
    }

    /// Notes the workflow and children of those launches whose fireworks are in the document.
    fn remember(&self, workflow: &Document, held: &[Held]) -> Result<Vec<Held>> {
        let id = view::object_id(workflow, &self.settings.place())?;
        let links = workflow.get_document("links").map_err(|_| unreadable(&self.settings.place(), "a workflow"))?;
        let mut places = self.places();
        let mut members = Vec::new();
        for &held in held {
            if let Some(children) = links.get(held.fw_id.to_string()) {
                places.insert(held.fw_id, Place { workflow: id, children: int_list(Some(children)) });
                members.push(held);
            }
        }
        Ok(members)
    }

    /// Backwards through the steps of a claim.
    pub(super) fn release_claims(&self, claims: &[Held], now: Timestamp) -> Result<()> {
        for &Held { fw_id, launch_id } in claims {
            let ours = doc! { "fw_id": int(fw_id), "launches": int(launch_id) };
            if self.ask(self.fireworks.count_documents(ours).run())? == 0 {
                // An attempt before this one has come so far, and it may be somebody else's by now.
                continue;
            }
            self.leave_state(fw_id, State::Running, State::Ready, now)?;
            let mine = doc! { "launch_id": int(launch_id), "state": State::Running.as_str() };
            self.ask(self.launches.delete_one(mine).run())?;
            let mine = doc! { "fw_id": int(fw_id), "launches": int(launch_id), "state": State::Running.as_str() };
            let free = doc! {
                "$set": { "state": State::Ready.as_str(), "updated_on": time::to_iso(now) },
                "$pull": { "launches": int(launch_id) },
            };
            self.ask(self.fireworks.update_one(mine, free).run())?;
            self.places().remove(&fw_id);
        }
        Ok(())
    }

    /// Sets the state of a firework that was in `from` back in its workflow. Others hold the lock for milliseconds only,
    /// and nobody would correct the state later: so it is waited for, but not for long, for the
    /// firework itself must not stay as it is.
    pub(super) fn leave_state(&self, fw_id: FwId, from: State, to: State, now: Timestamp) -> Result<()> {
        let state = format!("fw_states.{fw_id}");
        let begun = Instant::now();
        loop {
            let there = doc! { "nodes": int(fw_id), &state: from.as_str() };
            let mut free = there.clone();
            free.insert("locked", doc! { "$exists": false });
            let ready = doc! { "$set": { &state: to.as_str(), "updated_on": time::to_bson_date(now) } };
            let after = self.workflows.find_one_and_update(free, ready).return_document(ReturnDocument::After);
            if let Some(workflow) = self.ask(after.run())? {
                return self.correct_state(&workflow);
            }
            let is_locked = self.ask(self.workflows.count_documents(there).run())? > 0;
            if !is_locked || begun.elapsed() > PATIENCE {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Writes the state that the fireworks of a workflow give it, when it is another.
    fn correct_state(&self, workflow: &Document) -> Result<()> {
        let state = self.derive_state(workflow)?;
        if workflow.get_str("state").ok() == Some(state.as_str()) {
            return Ok(());
        }
        let id = view::object_id(workflow, &self.settings.place())?;
        let states = workflow.get_document("fw_states").cloned().unwrap_or_default();
        let unchanged = doc! { "_id": id, "locked": { "$exists": false }, "fw_states": states };
        self.ask(self.workflows.update_one(unchanged, doc! { "$set": { "state": state.as_str() } }).run())?;
        Ok(())
    }
}

/// The workflow, as long as it is free and the fireworks have not begun: a late write must not set
/// a COMPLETED firework back.
pub fn not_begun(mut workflow: Document, fw_ids: &[FwId]) -> Document {
    workflow.insert("locked", doc! { "$exists": false });
    let before = [State::Waiting, State::Ready, State::Reserved].map(State::as_str);
    for fw_id in fw_ids {
        workflow.insert(format!("fw_states.{fw_id}"), doc! { "$in": before.to_vec() });
    }
    workflow
}

/// The fireworks run; so does the workflow, unless something in it weighs more.
fn begin(fw_ids: &[FwId], now: Timestamp) -> Vec<Document> {
    begin_as(State::Running, fw_ids, now)
}

/// The same, RUNNING or only RESERVED.
pub fn begin_as(state: State, fw_ids: &[FwId], now: Timestamp) -> Vec<Document> {
    let name = state.as_str();
    let mut set: Document = fw_ids.iter().map(|fw_id| (format!("fw_states.{fw_id}"), name.into())).collect();
    set.insert("updated_on", time::to_bson_date(now));
    let idle = [State::Ready, State::Reserved, State::Waiting].map(State::as_str).to_vec();
    set.insert("state", doc! { "$cond": [{ "$in": ["$state", idle] }, name, "$state"] });
    vec![doc! { "$set": set }]
}
