//! Waiting for the lock of somebody else: who holds it is told, the dead are relieved of it.
//!
//! A lock of ours says until when it holds. One of Python FireWorks is `true` and says nothing, but
//! whoever holds it rewrites the workflow with another `updated_on` before letting go. So it counts
//! as left by the dead when it and `updated_on` have been seen the same for ten minutes. Nobody has
//! to watch for so long where the dates say as much: `updated_on` is ten minutes old, and no Python
//! process has written to a launch of the workflow since (a worker does that before it locks).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::Timestamp;
use mongodb::options::ReturnDocument;

use super::MongoStore;
use super::commands::ints;
use super::lock::{HOLD, Locked, Task, Wanted};
use crate::store::examine::holder;
use crate::store::mend::DEAD;
use crate::store::{Result, StoreError, jitter};
use crate::workflow::{FwId, int_list, time};

/// How long a lock is looked at before dates alone are believed: somebody who changes an old
/// workflow has only just locked it.
const LOOK: Duration = Duration::from_secs(3);

/// How long we wait before the caller hears of it, who may ask again: what is known of the lock is
/// not forgotten.
const PATIENCE: Duration = Duration::from_secs(60);

/// When a lock that is waited for is first told of; then after twice the time, and so on.
const FIRST_WORD: Duration = Duration::from_secs(2);
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// The locks that are waited for, by workflow.
pub type Waits = Mutex<HashMap<ObjectId, Wait>>;

/// A workflow that is waited for.
pub struct Wait {
    begun: Instant,
    /// When its lock was last looked at.
    attended: Instant,
    /// How long after `begun` it is next told of.
    next_word: Duration,
    /// The lock and the date of the workflow, and since when they have been the same.
    seen: (Bson, Bson),
    since: Instant,
}

/// What [`MongoStore::watch`] knows.
struct Watched {
    /// How long the workflow has been waited for.
    waits: Duration,
    /// How long this lock has been seen.
    stands: Duration,
    /// Whether it is time to say so.
    speaks: bool,
}

/// A locked workflow, as far as waiting for it goes.
pub(super) struct Look {
    pub workflow: ObjectId,
    pub name: String,
    pub locked: Bson,
    pub updated_on: Bson,
    /// The server's clock.
    pub now: Timestamp,
}

/// How long to sleep when we have waited so long: always for some part of that, so that short
/// locks are got soon and long ones cost little.
pub fn pause(waited: Duration) -> Duration {
    jitter((waited / 4).clamp(Duration::from_millis(8), Duration::from_secs(2)))
}

impl MongoStore {
    fn waits(&self) -> MutexGuard<'_, HashMap<ObjectId, Wait>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These are ours now.
    pub(super) fn forget_waits(&self, locked: &[Locked]) {
        let mut waits = self.waits();
        for one in locked {
            waits.remove(&one.workflow);
        }
    }

    /// Sees to a lock that we could not get. What its dead holder had begun is finished, and the
    /// workflow is free; one that may be alive is left alone, and named after a while.
    pub(super) fn attend(&self, wanted: &Wanted, waited: Duration) -> Result<()> {
        let Some(look) = self.look_at_lock(wanted.workflow)? else { return Ok(()) };
        if look.has_expired() {
            return self.inherit(&look);
        }
        let Watched { waits, stands, speaks } = self.watch(&look);
        if look.is_anonymous() && self.is_dead(&look, stands)? {
            return self.break_lock(&look);
        }
        let (fw_id, by) = (wanted.task.fw_id(), holder(&look.locked));
        if speaks {
            let (waits, stands) = (waits.as_secs(), stands.as_secs());
            tracing::warn!("waiting for {} for {waits} s: locked for {stands} s or more by {by}", look.title(fw_id));
        }
        if waited > PATIENCE {
            return Err(StoreError::Locked { fw_id: fw_id.unwrap_or_default(), by, waited_s: waits.as_secs() });
        }
        Ok(())
    }

    /// The lock of a workflow, when there is one.
    fn look_at_lock(&self, workflow: ObjectId) -> Result<Option<Look>> {
        let projection = doc! { "name": 1, "locked": 1, "updated_on": 1 };
        let found = self.workflows.find_one(doc! { "_id": workflow }).projection(projection);
        let Some(document) = self.ask(found.run())? else { return Ok(None) };
        Look::of(&document, workflow, self.server_time()?).map_or(Ok(None), |look| Ok(Some(look)))
    }

    /// Notes what has been seen.
    fn watch(&self, look: &Look) -> Watched {
        let now = Instant::now();
        let seen = (look.locked.clone(), look.updated_on.clone());
        let mut waits = self.waits();
        let new = || Wait { begun: now, attended: now, next_word: FIRST_WORD, seen: seen.clone(), since: now };
        let wait = waits.entry(look.workflow).or_insert_with(new);
        if now - wait.attended > PATIENCE * 2 {
            // That was another time.
            (wait.begun, wait.next_word) = (now, FIRST_WORD);
        }
        if wait.seen != seen {
            // Somebody else holds it now, or the same one again.
            (wait.seen, wait.since) = (seen, now);
        }
        wait.attended = now;
        let waits = now - wait.begun;
        let speaks = waits >= wait.next_word;
        if speaks {
            wait.next_word = (waits * 2).min(waits + LONGEST_SILENCE);
        }
        Watched { waits, stands: now - wait.since, speaks }
    }

    /// Whether the holder of a lock that names no end, seen for so long, is dead.
    fn is_dead(&self, look: &Look, stands: Duration) -> Result<bool> {
        if stands >= DEAD.unsigned_abs() {
            return Ok(true);
        }
        Ok(stands >= LOOK && look.is_old() && !self.python_was_here(look.workflow, look.now - DEAD)?)
    }

    /// Whether a Python process has written to a launch of the workflow since then.
    pub(super) fn python_was_here(&self, workflow: ObjectId, since: Timestamp) -> Result<bool> {
        let found = self.workflows.find_one(doc! { "_id": workflow }).projection(doc! { "nodes": 1 });
        let nodes: Vec<FwId> =
            self.ask(found.run())?.map(|workflow| int_list(workflow.get("nodes"))).unwrap_or_default();
        // Dates of either type; what Volley writes carries its name.
        let dates = ["created_on", "updated_on"].into_iter().flat_map(|key| {
            [doc! { key: { "$gte": time::to_iso(since) } }, doc! { key: { "$gte": time::to_bson_date(since) } }]
        });
        let ours = ["lease", "owner", "lost"].map(|key| (key.to_owned(), doc! { "$exists": false }.into()));
        let mut entry = doc! { "$or": dates.collect::<Vec<_>>() };
        entry.extend(ours);
        let fresh = doc! { "fw_id": { "$in": ints(&nodes) }, "state_history": { "$elemMatch": entry } };
        Ok(self.ask(self.launches.find_one(fresh).projection(doc! { "_id": 1 }).run())?.is_some())
    }

    /// Finishes what the dead holder of one of our own locks had begun, and frees the workflow.
    pub(super) fn inherit(&self, look: &Look) -> Result<()> {
        let Some(mut value) = look.locked.as_document().cloned() else { return Ok(()) };
        let task = Task::read(&value);
        let owner = uuid::Uuid::now_v7().to_string();
        value.insert("owner", &owner);
        value.insert("until", time::to_iso(look.now + HOLD));
        let Some(locked) = self.seize(look, owner, value, task)? else { return Ok(()) };
        tracing::warn!("took over the workflow lock of {}", holder(&look.locked));
        self.repeat(locked, Timestamp::now())
    }

    /// Takes the lock from a dead holder who left no name, and brings the workflow in order.
    pub(super) fn break_lock(&self, look: &Look) -> Result<()> {
        let owner = uuid::Uuid::now_v7().to_string();
        let value = Task::Correct.value(&owner, look.now + HOLD);
        let Some(locked) = self.seize(look, owner, value, Task::Correct)? else { return Ok(()) };
        let fw_id = int_list(locked.document.get("nodes")).into_iter().min();
        let age = time::from_bson(&look.updated_on).map_or(0, |at| look.now.duration_since(at).as_mins());
        tracing::warn!(
            "broke the lock of {}: whoever held it, a Python FireWorks process, is dead; last changed {age} min ago",
            look.title(fw_id)
        );
        self.repeat(locked, Timestamp::now())
    }

    /// Puts our name on a lock that is still as it was seen.
    pub(super) fn seize(&self, look: &Look, owner: String, value: Document, task: Task) -> Result<Option<Locked>> {
        let unchanged =
            doc! { "_id": look.workflow, "locked": look.locked.clone(), "updated_on": look.updated_on.clone() };
        let seized = self
            .workflows
            .find_one_and_update(unchanged, doc! { "$set": { "locked": value } })
            .return_document(ReturnDocument::After);
        let document = self.ask(seized.run())?;
        Ok(document.map(|document| Locked { workflow: look.workflow, owner, task, document, taken_over: true }))
    }
}

impl Look {
    /// The lock in a document with `name`, `locked` and `updated_on`, when there is one.
    pub fn of(document: &Document, workflow: ObjectId, now: Timestamp) -> Option<Self> {
        Some(Look {
            workflow,
            name: document.get_str("name").unwrap_or_default().to_owned(),
            locked: document.get("locked")?.clone(),
            updated_on: document.get("updated_on").cloned().unwrap_or(Bson::Null),
            now,
        })
    }

    fn until(&self) -> Option<Timestamp> {
        let ours = self.locked.as_document().filter(|value| value.get_str("by").is_ok_and(|by| by == "volley"))?;
        ours.get("until").and_then(time::from_bson)
    }

    /// Whether it is one of ours whose time is over.
    pub fn has_expired(&self) -> bool {
        self.until().is_some_and(|until| until < self.now)
    }

    /// Whether it does not say until when it holds: one of Python FireWorks.
    pub fn is_anonymous(&self) -> bool {
        self.until().is_none()
    }

    /// Whether the workflow was last changed so long ago that whoever locked it since is dead.
    pub fn is_old(&self) -> bool {
        time::from_bson(&self.updated_on).is_some_and(|at| self.now.duration_since(at) >= DEAD)
    }

    /// The workflow, for people.
    fn title(&self, fw_id: Option<FwId>) -> String {
        let fw_id = fw_id.map_or_else(String::new, |fw_id| format!(" of firework {fw_id}"));
        format!("the workflow{fw_id} (`{}`)", self.name)
    }
}
