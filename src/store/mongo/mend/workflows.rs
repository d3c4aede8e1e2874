//! Workflows that the dead have locked, and such as do not know what their fireworks are.

use std::collections::BTreeMap;

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::super::commands::ints;
use super::super::correct::Brief;
use super::super::wait::Look;
use super::super::{MongoStore, view};
use super::Round;
use crate::store::mend::DEAD;
use crate::store::{Mend, Result};
use crate::workflow::{FwId, State, int_list, time};

/// Workflows that are looked at in one round, and fireworks in them.
const WORKFLOWS: i64 = 100;
const MEMBERS: usize = 5_000;

impl MongoStore {
    /// Locked workflows of earlier rounds, and such as somebody was about to change.
    pub(super) fn look_at_suspects(&self, round: &mut Round<'_>) -> Result<()> {
        let noted = self.noted_busy()?;
        let ids: Vec<ObjectId> = round.suspects.keys().copied().chain(noted.iter().map(|(id, _)| *id)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let locked = doc! { "name": 1, "locked": 1, "updated_on": 1, "nodes": 1 };
        for document in self.collect(self.workflows.find(doc! { "_id": { "$in": ids } }).projection(locked).run())? {
            self.look_at_holder(&document, round)?;
        }
        // Whoever has noted one a short while ago may be about to lock it.
        let old = noted.into_iter().filter(|(_, since)| round.at.duration_since(*since) > DEAD);
        let noted: Vec<ObjectId> = old.map(|(id, _)| id).collect();
        if noted.is_empty() {
            return Ok(());
        }
        let held = doc! { "_id": { "$in": noted.clone() }, "locked": { "$exists": true } };
        let held = self.collect(self.workflows.find(held).projection(doc! { "_id": 1 }).run())?;
        let held: Vec<ObjectId> = held.iter().filter_map(|workflow| workflow.get_object_id("_id").ok()).collect();
        let over = noted.into_iter().filter(|id| !held.contains(id)).collect();
        self.forget_busy(&over)
    }

    /// Frees a locked workflow if its holder is dead, or notes that it may be.
    pub(super) fn look_at_holder(&self, workflow: &Document, round: &mut Round<'_>) -> Result<()> {
        let id = view::object_id(workflow, &self.settings.place())?;
        let Some(look) = Look::of(workflow, id, round.at) else { return Ok(()) };
        if round.still_suspect.contains_key(&id) {
            return Ok(());
        }
        let dead = if look.is_anonymous() {
            let seen = round.suspects.get(&id).filter(|(updated_on, _)| *updated_on == look.updated_on);
            let since = seen.map(|(_, since)| *since);
            round.still_suspect.insert(id, (look.updated_on.clone(), since.unwrap_or(round.at)));
            let watched = since.is_some_and(|since| round.at.duration_since(since) >= DEAD);
            watched || since.is_some() && look.is_old() && !self.python_was_here(id, round.at - DEAD)?
        } else {
            look.has_expired()
        };
        if !dead {
            return Ok(());
        }
        round.still_suspect.remove(&id);
        match if look.is_anonymous() { self.break_lock(&look) } else { self.inherit(&look) } {
            Ok(()) => round.note(first(workflow), Mend::Unlocked),
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => tracing::warn!("the workflow of fw_id {} cannot be mended: {error}", first(workflow)),
        }
        Ok(())
    }

    /// The next workflows that have not ended: are their locks those of the living, and do they
    /// know the states of their fireworks?
    pub(super) fn look_at_workflows(&self, round: &mut Round<'_>) -> Result<()> {
        let over = [State::Completed, State::Archived];
        let open: Vec<&str> =
            State::ALL.iter().filter(|state| !over.contains(state)).map(|state| state.as_str()).collect();
        let mut next = doc! { "state": { "$in": open } };
        if let Some(members) = &round.members {
            next.insert("nodes", doc! { "$in": ints(members) });
        }
        if let Some(last) = round.workflows {
            next.insert("_id", doc! { "$gt": last });
        }
        let mut projection = doc! { "name": 1, "locked": 1, "updated_on": 1, "nodes": 1, "fw_states": 1, "state": 1 };
        projection.insert("parent_links", 1);
        let found = self.workflows.find(next).sort(doc! { "_id": 1 }).limit(WORKFLOWS).projection(projection);
        let mut found = self.collect(found.run())?;
        let mut whole = i64::try_from(found.len()).is_ok_and(|count| count == WORKFLOWS);
        let mut members = 0;
        let fits = found.iter().take_while(|workflow| {
            let before = members;
            members += workflow.get_array("nodes").map_or(0, Vec::len);
            before < MEMBERS
        });
        let fits = fits.count();
        whole |= fits < found.len();
        found.truncate(fits);
        round.workflows = found.last().filter(|_| whole).and_then(|last| last.get_object_id("_id").ok());

        let fw_ids: Vec<FwId> = found.iter().flat_map(|workflow| int_list(workflow.get("nodes"))).collect();
        let fireworks = self.briefs(doc! { "fw_id": { "$in": ints(&fw_ids) } }, None)?;
        for workflow in &found {
            if workflow.contains_key("locked") {
                self.look_at_holder(workflow, round)?;
            } else if self.is_stale(workflow, &fireworks, round.at)?
                && let Err(error) = self.correct_one(workflow, round)
            {
                if error.is_transient() {
                    return Err(error);
                }
                // It must not keep the others waiting.
                tracing::warn!("the workflow of fw_id {} cannot be mended: {error}", first(workflow));
            }
        }
        Ok(())
    }

    /// Whether a workflow has not known for long what its fireworks are.
    fn is_stale(&self, workflow: &Document, fireworks: &BTreeMap<FwId, Brief>, at: Timestamp) -> Result<bool> {
        let is_old = |date: &Bson| time::from_bson(date).is_some_and(|date| at.duration_since(date) > DEAD);
        let cached = view::cached_states(workflow);
        let members = int_list(workflow.get("nodes"));
        let known = members.iter().filter_map(|fw_id| Some((fw_id, fireworks.get(fw_id)?)));
        let mut wrong = known.filter(|(fw_id, brief)| cached.get(fw_id) != Some(&brief.state)).peekable();
        if wrong.peek().is_some() {
            return Ok(wrong.any(|(_, brief)| is_old(&brief.updated_on)));
        }
        let settled = workflow.get("updated_on").is_some_and(is_old);
        Ok(settled
            && (waits_for_nothing(workflow, &cached)
                || workflow.get_str("state").ok() != Some(self.derive_state(workflow)?.as_str())))
    }

    fn correct_one(&self, workflow: &Document, round: &mut Round<'_>) -> Result<()> {
        let fw_id = first(workflow);
        let corrected = self.refresh_workflow(fw_id, round.now)?;
        round.note(fw_id, Mend::Corrected(corrected.len()));
        Ok(())
    }
}

/// Whether a firework waits whose parents are all done: whoever made or freed it died half way.
fn waits_for_nothing(workflow: &Document, cached: &BTreeMap<FwId, State>) -> bool {
    let parents = workflow.get_document("parent_links").ok();
    let above = |fw_id: FwId| int_list(parents.and_then(|parents| parents.get(fw_id.to_string())));
    let mut waiting = cached.iter().filter(|(_, state)| **state == State::Waiting);
    waiting.any(|(&fw_id, _)| above(fw_id).iter().all(|parent| cached.get(parent) == Some(&State::Completed)))
}

/// The firework that names a workflow.
fn first(workflow: &Document) -> FwId {
    int_list(workflow.get("nodes")).into_iter().min().unwrap_or_default()
}
