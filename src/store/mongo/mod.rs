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
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use mongodb::sync::{Client, Collection, Database};

use super::{
    Appendix, Claim, ClaimRequest, Deleted, Demand, Fields, Finding, FireworkQuery, Give, Held, Mended, Mending,
    OfflineEnd, OfflineRun, Order, Outcome, Priority, Result, Seen, Steered, Step, Store, StoreError, Take, TakeSome,
    Unlocking, Verdict, WorkerRecord, WorkflowQuery,
};
use crate::workflow::{Draft, FWorker, Firework, FwId, Launch, LaunchId, Lease, Loss, SpecChange, State, as_int};

mod apply;
mod brief;
mod busy;
mod care;
mod claim;
mod clock;
mod commands;
mod correct;
mod counts;
mod delete;
mod detach;
mod duplicates;
mod examine;
mod failures;
mod find;
mod finish;
mod gridfs;
mod history;
mod ids;
mod insert;
mod keep;
mod ledger;
mod load;
mod lock;
mod mend;
mod offline;
mod orphans;
mod priority;
mod reserve;
mod restart;
mod retire;
mod schema;
mod settings;
mod sizes;
mod steer;
mod steer_many;
mod stream;
mod tally;
mod transfer;
mod view;
mod wait;
mod watch;
mod window;
mod workers;
mod write;

pub use settings::MongoSettings;

/// A launchpad in a MongoDB database.
pub struct MongoStore {
    settings: MongoSettings,
    client: Client,
    database: Database,
    fireworks: Collection<Document>,
    launches: Collection<Document>,
    workflows: Collection<Document>,
    /// Where the fireworks we claimed belong: saves a look-up at the end.
    places: Mutex<HashMap<FwId, Place>>,
    /// Launch ids taken and not yet used.
    launch_ids: Mutex<ids::Block>,
    /// Launch ids of claims that the server did not answer: it may have made them.
    unanswered: Mutex<Vec<LaunchId>>,
    /// How far the clock is taken to be ahead of what the server says.
    ahead: SignedDuration,
    clock: clock::Clock,
    server: restart::Server,
    /// That Volley's own collections have been looked at.
    schema: OnceLock<()>,
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
    /// Prepares a connection; the server is contacted at the first operation. Its clock is taken to be
    /// `ahead` of what it shows.
    pub fn connect(settings: &MongoSettings, ahead: SignedDuration) -> Result<Self> {
        let server = restart::Server::default();
        let mut options = settings.client_options()?;
        let clock = clock::Clock::default();
        options.sdam_event_handler = Some(server.listener(clock::listener(&clock, ahead)));
        let client = Client::with_options(options).map_err(|error| commands::error(&settings.place(), &error))?;
        let database = client.database(&settings.name);
        Ok(MongoStore {
            fireworks: database.collection("fireworks"),
            launches: database.collection("launches"),
            workflows: database.collection("workflows"),
            database,
            client,
            settings: settings.clone(),
            places: Mutex::default(),
            launch_ids: Mutex::default(),
            unanswered: Mutex::default(),
            ahead,
            clock,
            server,
            schema: OnceLock::new(),
            waits: Mutex::default(),
        })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<FwId, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns the driver's errors into ours.
    fn ask<T>(&self, answer: mongodb::error::Result<T>) -> Result<T> {
        answer.map_err(|error| {
            let error = commands::error(&self.settings.place(), &error);
            if matches!(error, StoreError::Unreachable { .. }) {
                self.server.doubt();
            }
            error
        })
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

    fn clock(&self) -> Result<Timestamp> {
        self.server_time()
    }

    fn initialise(&self) -> Result<()> {
        self.initialise_database()
    }

    fn tune(&self, full: bool) -> Result<()> {
        self.tune_database(full)
    }

    fn reset(&self) -> Result<()> {
        self.reset_database(Timestamp::now())
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

    fn reserve(&self, request: &ClaimRequest<'_>) -> Result<Option<Claim>> {
        self.reserve_firework(request)
    }

    fn note_job(&self, launch_id: LaunchId, job: &str, cluster: Option<&str>) -> Result<bool> {
        self.write_reservation_id(launch_id, job, cluster)
    }

    fn cancel_reservation(&self, held: Held, now: Timestamp) -> Result<bool> {
        self.cancel_reserved(held, now)
    }

    fn cancel_begun(&self, token: &str, now: Timestamp) -> Result<bool> {
        self.cancel_begun_reservation(token, now)
    }

    fn add_offline_run(&self, run: &OfflineRun, now: Timestamp) -> Result<()> {
        self.insert_offline_run(run, now)
    }

    fn offline_runs(&self) -> Result<Vec<OfflineRun>> {
        self.open_offline_runs()
    }

    fn show_offline(&self, launch: &Launch, now: Timestamp) -> Result<bool> {
        self.write_offline_launch(launch, now)
    }

    fn close_offline_run(&self, launch_id: LaunchId, end: OfflineEnd, now: Timestamp) -> Result<bool> {
        self.end_offline_run(launch_id, end, now)
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

    fn sync(&self) -> Result<()> {
        self.write_down()
    }

    fn give_back(&self, held: Held, loss: &Loss, now: Timestamp) -> Result<bool> {
        self.give_launch_back(held, loss, now)
    }

    fn lose(&self, launch: &Launch, loss: &Loss, max_lost: u64, now: Timestamp) -> Result<bool> {
        self.lose_launch(launch.fw_id, launch.clone(), loss, max_lost, now)
    }

    fn steer_one(&self, step: &Step, now: Timestamp) -> Result<Steered> {
        self.steer_workflow(step, now)
    }

    fn steer_many(&self, steps: &[Step], now: Timestamp) -> Vec<Result<Steered>> {
        self.steer_workflows(steps, now)
    }

    fn append(&self, appendix: &Appendix, now: Timestamp) -> Result<Vec<(i64, FwId)>> {
        self.append_workflow(appendix, now)
    }

    fn update_specs(&self, fw_ids: &[FwId], change: &SpecChange, now: Timestamp) -> Result<Vec<FwId>> {
        self.change_specs(fw_ids, change, now)
    }

    fn mend(&self, mending: &Mending<'_>, now: Timestamp) -> Result<Vec<Mended>> {
        self.mend_some(mending, now)
    }

    fn refresh(&self, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>> {
        self.refresh_workflow(fw_id, now)
    }

    fn unlock(&self, fw_id: FwId, force: bool, now: Timestamp) -> Result<Unlocking> {
        self.unlock_workflow(fw_id, force, now)
    }

    fn retire(&self, launches: &[LaunchId], loss: &Loss, now: Timestamp) -> Result<Vec<LaunchId>> {
        self.retire_launches(launches, loss, now)
    }

    fn mark_kept(&self, launches: &[LaunchId], kept: bool) -> Result<()> {
        self.mark_launches(launches, kept)
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
        self.change_priority(fw_ids, priority)
    }

    fn set_priorities(&self, priorities: &[Priority]) -> Result<Vec<FwId>> {
        self.change_priorities(priorities)
    }

    fn delete_as_seen(&self, workflows: &[(FwId, Option<State>)]) -> Result<Deleted> {
        self.delete_whole_workflows(workflows)
    }

    fn find_fireworks(&self, query: &FireworkQuery) -> Result<Vec<Firework>> {
        self.search_fireworks(query)
    }

    fn count_fireworks(&self, query: &FireworkQuery) -> Result<u64> {
        let only_states = FireworkQuery {
            states: query.states.clone(),
            sort: query.sort,
            limit: query.limit,
            ..FireworkQuery::default()
        };
        if *query == only_states {
            return self.count_in_states("fireworks", &query.states);
        }
        let filter = self.firework_filter(query)?;
        self.ask_query(self.fireworks.count_documents(filter).run())
    }

    fn count_claimable(&self, worker: &FWorker, when: Timestamp, limit: u64) -> Result<u64> {
        self.ask(self.fireworks.count_documents(claim::claimable(worker, when)).limit(limit).run())
    }

    fn best_claimable(&self, worker: &FWorker, order: Order, now: Timestamp) -> Result<Option<Document>> {
        self.best_asks(worker, order, now)
    }

    fn claimable_walltimes(&self, worker: &FWorker) -> Result<Vec<Bson>> {
        let some = doc! { "$limit": super::MANY_READY };
        let values = doc! { "$group": { "_id": "$spec._walltime" } };
        let pipeline = [doc! { "$match": claim::claimable(worker, Timestamp::now()) }, some, values];
        let found = self.collect(self.fireworks.aggregate(pipeline).run())?;
        Ok(found.into_iter().filter_map(|mut one| one.remove("_id")).filter(|value| *value != Bson::Null).collect())
    }

    fn claimable_by_resources(&self, worker: &FWorker) -> Result<Vec<Demand>> {
        let some = doc! { "$limit": super::MANY_READY };
        let is_number = doc! { "$in": [{ "$type": "$spec._slots" }, ["int", "long", "double"]] };
        let slots = doc! { "$sum": { "$cond": [is_number, "$spec._slots", 1] } };
        let sums = doc! { "$group": { "_id": { "$ifNull": ["$spec._queueadapter", null] }, "slots": slots } };
        let pipeline = [doc! { "$match": claim::claimable(worker, Timestamp::now()) }, some, sums];
        let found = self.collect(self.fireworks.aggregate(pipeline).run())?.into_iter();
        let demand = |mut one: Document| {
            let slots = one.get("slots").and_then(as_int).and_then(|slots| slots.try_into().ok()).unwrap_or_default();
            Demand { resources: one.remove("_id").unwrap_or_default(), slots }
        };
        // What is no mapping is for no pilot.
        let is_known = |one: &Demand| matches!(one.resources, Bson::Null | Bson::Document(_));
        Ok(found.map(demand).filter(is_known).collect())
    }

    fn find_launches(&self, ids: &[LaunchId]) -> Result<Vec<Launch>> {
        self.launches_with_actions(ids)
    }

    fn open_launches(&self) -> Result<Vec<Launch>> {
        self.search_open_launches()
    }

    fn launches_of_job(&self, job: &str) -> Result<Vec<Launch>> {
        self.search_launches_of_job(job)
    }

    fn firework_ids(&self, query: &FireworkQuery) -> Result<Vec<FwId>> {
        self.search_firework_ids(query)
    }

    fn each_firework(&self, query: &FireworkQuery, fields: Fields, take: &mut TakeSome<'_, Firework>) -> Result<()> {
        self.stream_fireworks(query, fields, take)
    }

    fn each_workflow(&self, query: &WorkflowQuery, take: &mut TakeSome<'_, Document>) -> Result<()> {
        self.stream_workflows(query, take)
    }

    fn count_workflows(&self, query: &WorkflowQuery) -> Result<u64> {
        let only_states = WorkflowQuery {
            states: query.states.clone(),
            sort: query.sort,
            limit: query.limit,
            ..WorkflowQuery::default()
        };
        if !query.states.is_empty() && *query == only_states {
            return self.count_in_states("workflows", &query.states);
        }
        let filter = self.workflow_filter(query)?;
        self.ask_query(self.workflows.count_documents(filter).run())
    }

    fn matching_launches(&self, query: &Document) -> Result<Vec<LaunchId>> {
        self.matching(&self.launches, "launch_id", query)
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
