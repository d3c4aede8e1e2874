//! The lock of a workflow: FireWorks' `locked` field, with a value that says whose it is, until
//! when, and what its holder was doing, so that anybody can finish it.

use std::collections::BTreeSet;
use std::time::Instant;

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use mongodb::options::ReturnDocument;

use super::claim::journaled;
use super::commands::{Journal, update};
use super::wait::pause;
use super::{MongoStore, view};
use crate::store::{Result, Step, StoreError, Verb};
use crate::workflow::{FwId, LaunchId, State, as_int, int, time};

/// How long a holder may take before it counts as dead; far more than any transition needs.
pub const HOLD: SignedDuration = SignedDuration::from_secs(30);

/// The name under which [`Task::Correct`] is stored.
const CORRECT: &str = "correct";
/// That of [`Task::Delete`].
const DELETE: &str = "delete";
/// Where the state is stored that something was seen in.
const SEEN: &str = "seen";

/// What is done under a lock.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Apply the outcomes of launches that have ended.
    Outcomes(Vec<Run>),
    /// A verb of the user on a firework.
    Verb(Step),
    /// So many new fireworks, from this id on, go below others.
    Append(FwId, usize),
    /// Bring in order what somebody left half done who told nobody what it was.
    Correct,
    /// Delete it all, as long as the workflow is in this state, where one is given.
    Delete(Option<State>),
}

/// A launch that has ended, and the first id of the fireworks it spawns.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub fw_id: FwId,
    pub launch_id: LaunchId,
    pub spawned: Option<FwId>,
}

/// A workflow to be locked.
pub struct Wanted {
    pub workflow: ObjectId,
    pub task: Task,
    /// What to read of it.
    pub projection: Document,
}

/// A workflow that we have locked.
pub struct Locked {
    pub workflow: ObjectId,
    pub owner: String,
    pub task: Task,
    /// What was read of it.
    pub document: Document,
    /// The task may have been done in part, or wholly: its holder died, or was not done with it.
    pub taken_over: bool,
}

impl Task {
    /// The value of the lock. `until` is a time of the server's clock.
    pub fn value(&self, owner: &str, until: Timestamp) -> Document {
        let mut value = doc! {
            "by": "volley",
            "owner": owner,
            "host": gethostname::gethostname().to_string_lossy().into_owned(),
            "pid": int(i64::from(std::process::id())),
            "until": time::to_iso(until),
        };
        match self {
            Task::Verb(Step { verb, fw_id, seen }) => {
                value.extend(verb.to_document());
                value.insert("fw", int(*fw_id));
                value.extend(as_seen(*seen));
            }
            Task::Append(first, count) => {
                value.insert("append", doc! { "first": int(*first), "count": int(*count as i64) });
            }
            Task::Outcomes(runs) => {
                let runs = runs.iter().map(|run| {
                    let first = run.spawned.map_or(Bson::Null, int);
                    doc! { "fw": int(run.fw_id), "launch": int(run.launch_id), "spawned": first }
                });
                value.insert("runs", runs.collect::<Vec<_>>());
            }
            Task::Correct => {
                value.insert("verb", CORRECT);
            }
            Task::Delete(seen) => {
                value.insert("verb", DELETE);
                value.extend(as_seen(*seen));
            }
        }
        value
    }

    /// A firework that it is about.
    pub fn fw_id(&self) -> Option<FwId> {
        match self {
            Task::Outcomes(runs) => runs.first().map(|run| run.fw_id),
            Task::Verb(step) => Some(step.fw_id),
            Task::Append(..) | Task::Correct | Task::Delete(_) => None,
        }
    }

    /// Reads what the holder of a lock was doing; nothing, for a lock it took for something that
    /// leaves no trace.
    pub fn read(value: &Document) -> Self {
        let id = |document: &Document, key| document.get(key).and_then(as_int);
        let seen = value.get_str(SEEN).ok().and_then(|state| state.parse().ok());
        if let (Some(verb), Some(fw_id)) = (Verb::from_document(value), id(value, "fw")) {
            return Task::Verb(Step { verb, fw_id, seen });
        }
        if let Ok(append) = value.get_document("append")
            && let (Some(first), Some(count)) = (id(append, "first"), id(append, "count"))
        {
            return Task::Append(first, usize::try_from(count).unwrap_or_default());
        }
        match value.get_str("verb") {
            Ok(CORRECT) => return Task::Correct,
            Ok(DELETE) => return Task::Delete(seen),
            _ => {}
        }
        let runs = value.get_array("runs").into_iter().flatten().filter_map(Bson::as_document);
        Task::Outcomes(
            runs.filter_map(|run| {
                Some(Run { fw_id: id(run, "fw")?, launch_id: id(run, "launch")?, spawned: id(run, "spawned") })
            })
            .collect(),
        )
    }
}

fn as_seen(state: Option<State>) -> Option<(String, Bson)> {
    state.map(|state| (SEEN.to_owned(), state.as_str().into()))
}

/// Whether locks for these tasks, and what is done under them, must survive a server that is killed: the
/// next one goes on with what comes, and without the lock nobody could finish what changes more than the
/// states of fireworks.
pub fn journal<'t>(mut tasks: impl Iterator<Item = &'t Task>) -> Journal {
    let is_simple = |task: &Task| matches!(task, Task::Outcomes(runs) if runs.iter().all(|run| run.spawned.is_none()));
    if tasks.all(is_simple) { Journal::No } else { Journal::Yes }
}

/// What came of trying to lock.
enum Attempt {
    Got(Box<Locked>),
    Busy(Wanted),
    /// It is over, and has not been noted.
    Over(Wanted),
    /// The workflow has been deleted.
    Gone,
}

impl MongoStore {
    /// Locks all of them; `work` is called with those that are ours, as soon as they are. Workflows
    /// that have been deleted are left out.
    pub(super) fn with_locks(&self, wanted: Vec<Wanted>, work: impl FnMut(Vec<Locked>) -> Result<()>) -> Result<()> {
        // Outcomes are those of workflows that are not over, and such are looked at by all who mend.
        let by_verb = wanted.iter().filter(|one| !matches!(one.task, Task::Outcomes(_)));
        let mut noted = by_verb.map(|one| one.workflow).collect();
        self.note_busy(&noted)?;
        let result = self.lock_all(wanted, &mut noted, work);
        // A lock may be left where the store does not answer.
        if !result.as_ref().is_err_and(StoreError::is_transient) {
            self.forget_busy(&noted)?;
        }
        result
    }

    fn lock_all(
        &self,
        mut wanted: Vec<Wanted>,
        noted: &mut BTreeSet<ObjectId>,
        mut work: impl FnMut(Vec<Locked>) -> Result<()>,
    ) -> Result<()> {
        let begun = Instant::now();
        loop {
            let (mut got, mut busy, mut over) = (Vec::new(), Vec::new(), Vec::new());
            for attempt in self.try_lock(wanted, noted)? {
                match attempt {
                    Attempt::Got(locked) => got.push(*locked),
                    Attempt::Busy(again) => busy.push(again),
                    Attempt::Over(again) => over.push(again),
                    Attempt::Gone => {}
                }
            }
            // Reported once more, perhaps: the server was restarted, or a result was found.
            let late: BTreeSet<ObjectId> = over.iter().map(|one| one.workflow).collect();
            self.note_busy(&late)?;
            noted.extend(late);
            if !got.is_empty() {
                self.forget_waits(&got);
                work(got)?;
            }
            if busy.is_empty() && over.is_empty() {
                return Ok(());
            }
            for one in &busy {
                self.attend(one, begun.elapsed())?;
            }
            if over.is_empty() {
                std::thread::sleep(pause(begun.elapsed()));
            }
            busy.extend(over);
            wanted = busy;
        }
    }

    fn try_lock(&self, wanted: Vec<Wanted>, noted: &BTreeSet<ObjectId>) -> Result<Vec<Attempt>> {
        let owner = uuid::Uuid::now_v7().to_string();
        let until = self.server_time()? + HOLD;
        let free = |one: &Wanted| {
            let mut free = doc! { "_id": one.workflow, "locked": { "$exists": false } };
            if !noted.contains(&one.workflow) {
                free.insert("state", doc! { "$nin": OVER.map(State::as_str).to_vec() });
            }
            free
        };
        let lock = |task: &Task| doc! { "$set": { "locked": task.value(&owner, until) } };
        let documents: Vec<Document> = if let [one] = wanted.as_slice() {
            let mut locked = self
                .workflows
                .find_one_and_update(free(one), lock(&one.task))
                .projection(one.projection.clone())
                .return_document(ReturnDocument::After);
            if journal(std::iter::once(&one.task)) == Journal::Yes {
                locked = locked.write_concern(journaled());
            }
            match self.ask(locked.run())? {
                Some(document) => vec![document],
                None => self.look_at(&wanted)?,
            }
        } else {
            let statements = wanted.iter().map(|one| update(free(one), lock(&one.task)));
            self.bulk("workflows", statements.collect(), journal(wanted.iter().map(|one| &one.task)))?;
            self.look_at(&wanted)?
        };
        let place = self.settings.place();
        let mut by_id = std::collections::HashMap::new();
        for document in documents {
            by_id.insert(view::object_id(&document, &place)?, document);
        }
        Ok(wanted
            .into_iter()
            .map(|one| match by_id.remove(&one.workflow) {
                None => Attempt::Gone,
                Some(document) if holder(&document) == Some(&owner) => Attempt::Got(Box::new(Locked {
                    workflow: one.workflow,
                    owner: owner.clone(),
                    task: one.task,
                    document,
                    taken_over: false,
                })),
                Some(document) if !document.contains_key("locked") && is_over(&document) => Attempt::Over(one),
                Some(_) => Attempt::Busy(one),
            })
            .collect())
    }

    /// Reads workflows with all their projections together; those of different workflows do not
    /// meet, since ids are unique.
    fn look_at(&self, wanted: &[Wanted]) -> Result<Vec<Document>> {
        let mut projection = doc! { "state": 1, "locked": 1 };
        for one in wanted {
            projection.extend(one.projection.clone());
        }
        // MongoDB refuses a field beside a part of itself.
        if projection.contains_key("fw_states") {
            projection = projection.into_iter().filter(|(key, _)| !key.starts_with("fw_states.")).collect();
        }
        let ids: Vec<ObjectId> = wanted.iter().map(|one| one.workflow).collect();
        self.collect(self.workflows.find(doc! { "_id": { "$in": ids } }).projection(projection).run())
    }

    /// Unlocks, if the lock is still ours.
    pub(super) fn unlock(&self, locked: &Locked) -> Result<()> {
        let filter = doc! { "_id": locked.workflow, "locked.owner": &locked.owner };
        self.ask(self.workflows.update_one(filter, doc! { "$unset": { "locked": "" } }).run())?;
        Ok(())
    }
}

/// States in which nobody would look for a lock.
const OVER: [State; 2] = [State::Completed, State::Archived];

fn is_over(document: &Document) -> bool {
    document.get_str("state").is_ok_and(|state| OVER.iter().any(|over| over.as_str() == state))
}

fn holder(document: &Document) -> Option<&str> {
    document.get_document("locked").ok()?.get_str("owner").ok()
}
