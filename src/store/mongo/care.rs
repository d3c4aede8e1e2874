//! What administrators ask for: locks taken away, workflows derived anew, the database tuned.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use mongodb::sync::Collection;

use super::commands::ints;
use super::lock::{HOLD, Locked, Task};
use super::wait::Look;
use super::write::Decided;
use super::{MongoStore, view};
use crate::store::examine::holder;
use crate::store::{Result, StoreError, Unlocking};
use crate::workflow::{FwId, State, as_int, decide, int, int_list};

/// Ids that come with one answer.
const IDS: u32 = 10_000;

impl MongoStore {
    /// Locks and corrects a workflow, then looks at what waits in it.
    pub(super) fn refresh_workflow(&self, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>> {
        let before = self.member_states(fw_id)?;
        let mut changed = BTreeSet::new();
        self.with_locks(vec![self.wanted(fw_id, Task::Correct)?], |locked| {
            for one in &locked {
                changed.extend(self.correct(one, now)?);
            }
            Ok(())
        })?;
        self.with_locks(vec![self.wanted(fw_id, Task::Correct)?], |locked| {
            locked.iter().try_for_each(|one| self.release_waiting(one, fw_id, now))
        })?;
        let after = self.member_states(fw_id)?;
        changed.extend(after.iter().filter(|(id, state)| before.get(id) != Some(state)).map(|(&id, _)| id));
        Ok(changed.into_iter().collect())
    }

    /// The states of the fireworks of a workflow, by their own documents.
    fn member_states(&self, fw_id: FwId) -> Result<BTreeMap<FwId, State>> {
        let found = self.workflows.find_one(doc! { "nodes": int(fw_id) }).projection(doc! { "nodes": 1 });
        let members = int_list(self.ask(found.run())?.ok_or(StoreError::UnknownFirework(fw_id))?.get("nodes"));
        let briefs = self.briefs(doc! { "fw_id": { "$in": ints(&members) } }, None)?;
        Ok(briefs.into_iter().map(|(fw_id, brief)| (fw_id, brief.state)).collect())
    }

    fn release_waiting(&self, locked: &Locked, fw_id: FwId, now: Timestamp) -> Result<()> {
        loop {
            let mut part = self.whole_part(locked, Vec::new(), &[fw_id], true)?;
            decide::refresh(&mut part.graph);
            decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
            let changes = std::mem::take(&mut part.graph).changes();
            let decided = Decided { part, changes, fenced: BTreeMap::new(), inner_state: None };
            if self.write(&[decided], now)?.is_some() {
                return Ok(());
            }
        }
    }

    /// Takes a lock from its holder.
    pub(super) fn unlock_workflow(&self, fw_id: FwId, force: bool, now: Timestamp) -> Result<Unlocking> {
        let Some(look) = self.lock_of(fw_id)? else { return Ok(Unlocking::Free) };
        let by = holder(&look.locked);
        if look.is_anonymous() {
            // What it was about it does not say.
            let owner = uuid::Uuid::now_v7().to_string();
            let value = Task::Correct.value(&owner, look.now + HOLD);
            if let Some(locked) = self.seize(&look, owner, value, Task::Correct)? {
                self.repeat(locked, now)?;
            }
        } else if look.has_expired() || force {
            self.inherit(&look)?;
        } else {
            return Ok(Unlocking::Held(by));
        }
        // It may have been faster than we, and hold it once more.
        Ok(self.lock_of(fw_id)?.map_or(Unlocking::Taken(by), |look| Unlocking::Held(holder(&look.locked))))
    }

    fn lock_of(&self, fw_id: FwId) -> Result<Option<Look>> {
        let projection = doc! { "name": 1, "locked": 1, "updated_on": 1 };
        let found = self.workflows.find_one(doc! { "nodes": int(fw_id) }).projection(projection);
        let workflow = self.ask(found.run())?.ok_or(StoreError::UnknownFirework(fw_id))?;
        Ok(Look::of(&workflow, view::object_id(&workflow, &self.settings.place())?, self.server_time()?))
    }

    /// Makes indexes, and gives unused room back.
    pub(super) fn tune_database(&self, full: bool) -> Result<()> {
        self.initialise_database()?;
        if full {
            for collection in ["fireworks", "launches", "workflows"] {
                // The primary of a replica set wants to be forced.
                self.ask(self.database.run_command(doc! { "compact": collection, "force": true }).run())?;
            }
        }
        Ok(())
    }

    /// The ids of what matches somebody's query.
    pub(super) fn matching(
        &self,
        collection: &Collection<Document>,
        field: &str,
        query: &Document,
    ) -> Result<Vec<i64>> {
        let found = collection.find(query.clone()).sort(doc! { field: 1 }).projection(doc! { "_id": 0, field: 1 });
        let mut ids = Vec::new();
        for one in self.ask_query(found.allow_disk_use(true).batch_size(IDS).run())? {
            ids.extend(self.ask_query(one)?.get(field).and_then(as_int));
        }
        Ok(ids)
    }
}

/// A condition on states.
pub(super) fn open_states() -> Bson {
    doc! { "$in": [State::Reserved.as_str(), State::Running.as_str()] }.into()
}
