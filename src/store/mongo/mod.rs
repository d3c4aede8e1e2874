//! The shared store: FireWorks' collections in MongoDB, without transactions.
//!
//! Every transition is a fixed order of writes, so that whoever comes after a process that died
//! between two of them can see how far it came:
//!
//! - **claim**: launch ids; firework READY -> RUNNING with its launch id; the launch (journaled, and
//!   the firework with it); `fw_states` of the workflow.
//! - **finish**: the launch gets its outcome (journaled: *the commit*); the workflow is locked; one
//!   ordered bulk on `fireworks`, children first, the firework last; `fw_states`, the state and the
//!   unlocking in one update of the workflow.
//!
//! Inside the lock every edit names the state it expects. An edit that does not match stops the
//! bulk (see [`commands::expect`]), everything is read again, and the rest is decided anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bson::oid::ObjectId;
use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use mongodb::sync::{Client, Collection, Database};

use super::{
    Appendix, Claim, ClaimRequest, Finding, FireworkQuery, Give, Held, Mended, Outcome, Result, Seen, Steered, Store,
    StoreError, Take, Verb, Verdict, WorkerRecord, WorkflowQuery,
};
use crate::workflow::{Draft, FWorker, Firework, FwId, Launch, LaunchId, Lease};

mod apply;
mod claim;
mod clock;
mod commands;
mod correct;
mod delete;
mod detach;
mod duplicates;
mod examine;
mod find;
mod finish;
mod gridfs;
mod ids;
mod insert;
mod keep;
mod load;
mod lock;
mod mend;
mod schema;
mod settings;
mod sizes;
mod steer;
mod transfer;
mod view;
mod wait;
mod workers;
mod write;

pub use settings::MongoSettings;

/// A launchpad in a MongoDB database.
pub struct MongoStore {
    settings: MongoSettings,
    database: Database,
    fireworks: Collection<Document>,
    launches: Collection<Document>,
    workflows: Collection<Document>,
    /// Where the fireworks we claimed belong: saves a look-up at the end.
    places: Mutex<HashMap<FwId, Place>>,
    /// Launch ids taken and not yet used.
    launch_ids: Mutex<ids::Block>,
    clock: clock::Clock,
    /// Locks of others that somebody here waits for.
    waits: wait::Waits,
}

/// Where a firework stands in its workflow.
#[derive(Debug, Clone)]
struct Place {
    workflow: ObjectId,
    children: Vec<FwId>,
}

impl MongoStore {
    /// Prepares a connection; the server is contacted at the first operation.
    pub fn connect(settings: &MongoSettings) -> Result<Self> {
        let client = Client::with_options(settings.client_options()?)
            .map_err(|error| commands::error(&settings.place(), &error))?;
        let database = client.database(&settings.name);
        Ok(MongoStore {
            fireworks: database.collection("fireworks"),
            launches: database.collection("launches"),
            workflows: database.collection("workflows"),
            database,
            settings: settings.clone(),
            places: Mutex::default(),
            launch_ids: Mutex::default(),
            clock: Mutex::default(),
            waits: Mutex::default(),
        })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<FwId, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns the driver's errors into ours.
    fn ask<T>(&self, answer: mongodb::error::Result<T>) -> Result<T> {
        answer.map_err(|error| commands::error(&self.settings.place(), &error))
    }

    /// All documents of a cursor.
    fn collect(&self, cursor: mongodb::error::Result<mongodb::sync::Cursor<Document>>) -> Result<Vec<Document>> {
        self.ask(cursor.and_then(Iterator::collect))
    }
}

impl Store for MongoStore {
    fn describe(&self) -> String {
        format!("MongoDB {}", self.settings.place())
    }

    fn initialise(&self) -> Result<()> {
        self.initialise_database()
    }

    fn reset(&self) -> Result<()> {
        self.reset_database()
    }

    fn insert(&self, drafts: &[Draft], now: Timestamp) -> Result<Vec<Vec<(i64, FwId)>>> {
        self.insert_workflows(drafts, now)
    }

    fn claim(&self, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<Claim>> {
        self.claim_fireworks(request, limit)
    }

    fn renew(&self, held: &[Held], seen: &[Seen], lease: &Lease, now: Timestamp) -> Result<Vec<LaunchId>> {
        self.renew_leases(held, seen, lease, now)
    }

    fn checkpoint(&self, launch: &Launch, now: Timestamp) -> Result<bool> {
        self.write_checkpoint(launch, now)
    }

    fn release(&self, claims: &[Held], now: Timestamp) -> Result<()> {
        self.release_claims(claims, now)
    }

    fn finish(&self, outcomes: &[Outcome], now: Timestamp) -> Result<Vec<Verdict>> {
        self.finish_launches(outcomes, now)
    }

    fn give_back(&self, held: Held, reason: &str, now: Timestamp) -> Result<bool> {
        self.give_launch_back(held, reason, now)
    }

    fn steer(&self, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Steered> {
        self.steer_workflow(verb, fw_id, now)
    }

    fn append(&self, appendix: &Appendix, now: Timestamp) -> Result<Vec<(i64, FwId)>> {
        self.append_workflow(appendix, now)
    }

    fn update_specs(&self, fw_ids: &[FwId], set: &Document, now: Timestamp) -> Result<Vec<FwId>> {
        self.set_in_specs(fw_ids, set, now)
    }

    fn mend(&self, every: SignedDuration, now: Timestamp) -> Result<Vec<Mended>> {
        self.mend_some(every, now)
    }

    fn examine(&self, _now: Timestamp) -> Result<Vec<Finding>> {
        self.examine_database()
    }

    fn export(&self, take: &mut Take<'_>) -> Result<()> {
        self.export_database(take)
    }

    fn import(&self, give: &mut Give<'_>) -> Result<()> {
        self.import_database(give)
    }

    fn set_priority(&self, fw_ids: &[FwId], priority: i64) -> Result<u64> {
        let filter = doc! { "fw_id": { "$in": commands::ints(fw_ids) } };
        let update = doc! { "$set": { "spec._priority": crate::workflow::int(priority) } };
        Ok(self.ask(self.fireworks.update_many(filter, update).run())?.matched_count)
    }

    fn delete_workflows(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>> {
        self.delete_whole_workflows(fw_ids)
    }

    fn find_fireworks(&self, query: &FireworkQuery) -> Result<Vec<Firework>> {
        self.search_fireworks(query)
    }

    fn count_fireworks(&self, query: &FireworkQuery) -> Result<u64> {
        self.ask(self.fireworks.count_documents(find::firework_filter(query)).run())
    }

    fn count_claimable(&self, worker: &FWorker, limit: u64) -> Result<u64> {
        self.ask(self.fireworks.count_documents(claim::claimable(worker)).limit(limit).run())
    }

    fn find_launches(&self, ids: &[LaunchId]) -> Result<Vec<Launch>> {
        self.launches_with_actions(ids)
    }

    fn find_workflows(&self, query: &WorkflowQuery) -> Result<Vec<Document>> {
        self.search_workflows(query)
    }

    fn worker_records(&self) -> Result<Vec<WorkerRecord>> {
        self.search_workers()
    }

    fn record_worker(&self, record: &WorkerRecord) -> Result<()> {
        self.replace_worker(record)
    }
}

/// The same error for every document that cannot be read.
fn unreadable(place: &str, what: &str) -> StoreError {
    StoreError::Refused { place: place.to_owned(), reason: format!("{what} cannot be read") }
}
