//! Where a launchpad is kept. One trait, two stores: an SQLite file and MongoDB.
//!
//! The trait speaks in transitions (insert, claim, renew, finish, ...), not in rows: each one is
//! atomic, or can be finished by whoever comes next. *What* changes is decided by
//! [`crate::workflow::decide`]; a store only applies it.

use std::ops::ControlFlow;
use std::path::PathBuf;

use bson::{Bson, Document};
use jiff::{SignedDuration, Timestamp};

pub use crate::workflow::decide::Verb;
use crate::workflow::launch::Place;
use crate::workflow::reserved::fixed_directory;
use crate::workflow::{
    Draft, FWorker, Firework, FwAction, FwId, Launch, LaunchId, Lease, Loss, RetryPolicy, SpecChange, State,
};

mod author;
pub mod brief;
pub mod counts;
mod error;
pub mod examine;
pub mod failures;
pub mod filter;
mod guard;
pub mod history;
mod jitter;
pub mod ledger;
pub mod mend;
pub mod mongo;
mod offline;
pub mod orphans;
pub mod query;
pub mod sqlite;
pub mod tally;
pub mod transfer;
pub mod watch;
pub mod window;
mod workers;

pub use author::Author;
pub use error::StoreError;
pub use examine::{Finding, Trouble};
pub use guard::{Deleted, Priority, Step};
pub use jitter::jitter;
pub use mend::{Blind, Mend, Mended, Mending, Witness};
pub use mongo::MongoSettings;
pub use offline::{OfflineEnd, OfflineRun};
pub use query::{Direction, Fields, FireworkQuery, NamePattern, Order, SortKey, WorkflowQuery};
pub use transfer::{Batch, Give, Kind, Take};
pub use workers::WorkerRecord;

/// Result of every store operation.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Where a launchpad is, before it is opened.
#[derive(Debug, Clone, PartialEq)]
pub enum Location {
    /// An SQLite file; made when it does not exist.
    Sqlite(PathBuf),
    /// A database of a MongoDB server.
    Mongo(Box<MongoSettings>),
}

/// Opens a store. MongoDB is contacted at the first operation, SQLite at once.
pub fn open(location: &Location) -> Result<Box<dyn Store>> {
    open_ahead(location, SignedDuration::ZERO)
}

/// Opens a store whose clock shows what it will show after so long: how it looks to those who come
/// by then. Leases, locks and whatever else expires is judged by the store's clock.
pub fn open_ahead(location: &Location, ahead: SignedDuration) -> Result<Box<dyn Store>> {
    match location {
        Location::Sqlite(path) => Ok(Box::new(sqlite::SqliteStore::open(path, ahead)?)),
        Location::Mongo(settings) => Ok(Box::new(mongo::MongoStore::connect(settings, ahead)?)),
    }
}

/// So many READY fireworks are looked at where all of them would take too long.
const MANY_READY: i64 = 10_000;

/// The name of a workflow that keeps what a rerun has replaced in the workflow `name`.
fn replaced_name(name: &str) -> String {
    format!("{name} (replaced)")
}

/// Its metadata: a firework of the workflow that it was taken from.
fn replaced_in(fw_id: Option<FwId>) -> Document {
    bson::doc! { "replaced_in": fw_id.map_or(bson::Bson::Null, crate::workflow::int) }
}

/// The drafts with the date of creation of their first firework. Every firework is a microsecond
/// younger than the one before, so that the queue keeps their order.
fn birthdays(drafts: &[Draft], now: Timestamp) -> impl Iterator<Item = (&Draft, Timestamp)> {
    drafts.iter().scan(now, |next, draft| {
        let born = *next;
        *next += SignedDuration::from_micros(draft.fireworks().len() as i64);
        Some((draft, born))
    })
}

/// Takes some of what was found; nobody holds the store meanwhile.
pub type TakeSome<'a, T> = dyn FnMut(Vec<T>) -> ControlFlow<()> + 'a;

/// A launchpad's store.
pub trait Store:
    ledger::Ledgers
    + history::Histories
    + counts::Countings
    + failures::Failures
    + brief::Briefs
    + tally::Tallies
    + orphans::Orphans
    + watch::Watching
    + window::Windows
    + Send
    + Sync
{
    /// Where it is, for people: `SQLite file PATH` or `MongoDB HOST:PORT/NAME`. No password.
    fn describe(&self) -> String;

    /// The time it is by the clock that leases and locks are judged by.
    fn clock(&self) -> Result<Timestamp>;

    /// Makes collections and indexes where they are missing, and sets counters of ids above what is
    /// in use; changes no data.
    fn initialise(&self) -> Result<()>;

    /// The same, and has the store look anew at how its data are spread; with `full` also gives room
    /// back that nothing uses, during which others may have to wait.
    fn tune(&self, full: bool) -> Result<()>;

    /// Deletes every workflow, firework and launch, and starts the ids again from 1.
    fn reset(&self) -> Result<()>;

    /// Stores workflows. Returns for each the pairs (local id, id), in the order of the draft.
    fn insert(&self, drafts: &[Draft], now: Timestamp) -> Result<Vec<Vec<(i64, FwId)>>>;

    /// Takes up to `limit` READY fireworks, best first, and makes them RUNNING.
    fn claim(&self, claim: &ClaimRequest<'_>, limit: usize) -> Result<Vec<Claim>>;

    /// Takes the best READY firework, or the one asked for, for a queue job: RESERVED, with a launch
    /// that `claim` takes up when it is asked for this firework. The lease is not used.
    fn reserve(&self, request: &ClaimRequest<'_>) -> Result<Option<Claim>>;

    /// Notes the queue job of a reservation, and its cluster where a queue has several, also when that has begun already. `false` when there is
    /// no such reservation.
    fn note_job(&self, launch_id: LaunchId, job: &str, cluster: Option<&str>) -> Result<bool>;

    /// Undoes a reservation: the firework is READY again. `false` when its job has begun, or somebody
    /// else has changed it.
    fn cancel_reservation(&self, held: Held, now: Timestamp) -> Result<bool>;

    /// Undoes a reservation that somebody died over while making it for the place of this token; the
    /// firework is READY again. `false` when there is none.
    fn cancel_begun(&self, token: &str, now: Timestamp) -> Result<bool>;

    /// Notes that a reserved launch runs where the launchpad is not reached.
    fn add_offline_run(&self, run: &OfflineRun, now: Timestamp) -> Result<()>;

    /// The offline runs that are not over, by launch.
    fn offline_runs(&self) -> Result<Vec<OfflineRun>>;

    /// Shows how far an offline run has come: the launch, RUNNING, replaces the one that is stored.
    /// `false` when that is not open any more.
    fn show_offline(&self, launch: &Launch, now: Timestamp) -> Result<bool>;

    /// Notes that an offline run is over. `false` when it was.
    fn close_offline_run(&self, launch_id: LaunchId, end: OfflineEnd, now: Timestamp) -> Result<bool>;

    /// Extends the leases of running launches, and shows what their trackers have seen. `until` is by
    /// the clock of `now`, and is stored by the store's. Returns those that are no longer the worker's.
    fn renew(&self, held: &[Held], seen: &[Seen], lease: &Lease, now: Timestamp) -> Result<Vec<LaunchId>>;

    /// Records how far a running launch has come: its checkpoint, and what its trackers have seen.
    /// `false` when it is no longer the worker's.
    fn checkpoint(&self, launch: &Launch, now: Timestamp) -> Result<bool>;

    /// Undoes claims that nothing was done with, as if they had not been made.
    fn release(&self, claims: &[Held], now: Timestamp) -> Result<()>;

    /// Records outcomes, applies them to the children, and frees what they free.
    fn finish(&self, outcomes: &[Outcome], now: Timestamp) -> Result<Vec<Verdict>>;

    /// Makes sure that what was made of outcomes survives the server: for a worker that leaves, and
    /// cannot do it again.
    fn sync(&self) -> Result<()>;

    /// Puts away a launch that was interrupted: its firework is READY again. `false` when the
    /// launch was no longer running.
    fn give_back(&self, held: Held, loss: &Loss, now: Timestamp) -> Result<bool>;

    /// Ends a launch that is lost, if it still is as it was read: its firework may be claimed again,
    /// or is FIZZLED when this is the last of `max_lost` losses in a row that count. `false` when it
    /// has been heard of meanwhile.
    fn lose(&self, launch: &Launch, loss: &Loss, max_lost: u64, now: Timestamp) -> Result<bool>;

    /// Changes a workflow as `verb` says. Every launch that runs in a firework that is reset
    /// loses its lease.
    fn steer(&self, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Steered> {
        self.steer_one(&Step::from((verb, fw_id)), now)
    }

    /// The same, as long as what it is about is in the state in which it was seen.
    fn steer_one(&self, step: &Step, now: Timestamp) -> Result<Steered>;

    /// The same with many, one after the other: what became of each, as far as the store answered.
    /// Workflows are changed together where the store gains by it.
    fn steer_many(&self, steps: &[Step], now: Timestamp) -> Vec<Result<Steered>> {
        let mut results: Vec<Result<Steered>> = Vec::with_capacity(steps.len());
        for step in steps {
            results.push(self.steer_one(step, now));
            if matches!(results.last(), Some(Err(StoreError::Unreachable { .. }))) {
                break;
            }
        }
        results
    }

    /// Appends a workflow to one that is there. Returns the pairs (local id, id).
    fn append(&self, appendix: &Appendix, now: Timestamp) -> Result<Vec<(i64, FwId)>>;

    /// Changes parts of the specs of fireworks that have not begun or have FIZZLED. Returns the fireworks
    /// that were changed.
    fn update_specs(&self, fw_ids: &[FwId], change: &SpecChange, now: Timestamp) -> Result<Vec<FwId>>;

    /// Puts right what the dead have left behind, some of it at a time.
    fn mend(&self, mending: &Mending<'_>, now: Timestamp) -> Result<Vec<Mended>>;

    /// Derives anew what follows from a workflow's fireworks: launches that have ended are applied,
    /// what waits for nothing becomes READY, what is READY too early waits, and the states of the
    /// workflow are those of its fireworks. Returns the fireworks of which something was wrong.
    fn refresh(&self, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>>;

    /// Takes the lock of a workflow from whoever holds it, and finishes what that one was about as
    /// far as the lock says; with `force` also from a process that may be alive.
    fn unlock(&self, fw_id: FwId, force: bool, now: Timestamp) -> Result<Unlocking>;

    /// Ends launches that no firework waits for. A firework that lists one, and is neither RESERVED
    /// nor RUNNING, puts it away first. Returns those that were ended.
    fn retire(&self, launches: &[LaunchId], loss: &Loss, now: Timestamp) -> Result<Vec<LaunchId>>;

    /// Has launches go on to their end, or no longer, when what they run for is reset.
    fn mark_kept(&self, launches: &[LaunchId], kept: bool) -> Result<()>;

    /// Looks at everything for what is not as it should be, and changes nothing.
    fn examine(&self, now: Timestamp) -> Result<Vec<Finding>>;

    /// Gives everything away, to be taken by another store.
    fn export(&self, take: &mut Take<'_>) -> Result<()>;

    /// Takes everything from another store, which `give` has do so. This one must be empty, and is
    /// so again when anything fails.
    fn import(&self, give: &mut Give<'_>) -> Result<()>;

    /// Sets `spec._priority`. Returns how many fireworks there were.
    fn set_priority(&self, fw_ids: &[FwId], priority: i64) -> Result<u64>;

    /// Sets `spec._priority` where it is what was seen. Returns the fireworks that have the new one.
    fn set_priorities(&self, priorities: &[Priority]) -> Result<Vec<FwId>>;

    /// Deletes the whole workflows that these fireworks belong to, with their launches. Returns
    /// the ids of all fireworks deleted.
    fn delete_workflows(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>> {
        let workflows: Vec<(FwId, Option<State>)> = fw_ids.iter().map(|&fw_id| (fw_id, None)).collect();
        Ok(self.delete_as_seen(&workflows)?.gone)
    }

    /// The same with each that still is in the state in which it was seen, where one is given.
    fn delete_as_seen(&self, workflows: &[(FwId, Option<State>)]) -> Result<Deleted>;

    /// Fireworks that match, sorted.
    fn find_fireworks(&self, query: &FireworkQuery) -> Result<Vec<Firework>>;

    /// How many fireworks match. Where states alone are asked for, and more than 20 000 are in them, as of
    /// at most ten seconds ago.
    fn count_fireworks(&self, query: &FireworkQuery) -> Result<u64>;

    /// How many fireworks this worker could claim by `when`, if nothing else happened; counting stops
    /// at `limit`.
    fn count_claimable(&self, worker: &FWorker, when: Timestamp, limit: u64) -> Result<u64>;

    /// What the best firework that this worker could claim now asks for: a spec with its `_slots`,
    /// `_nodes` and `_walltime`, and perhaps more.
    fn best_claimable(&self, worker: &FWorker, order: Order, now: Timestamp) -> Result<Option<Document>>;

    /// What the fireworks that this worker could claim now have as `spec._walltime`, each value once; of
    /// very many fireworks only some are looked at.
    fn claimable_walltimes(&self, worker: &FWorker) -> Result<Vec<Bson>>;

    /// How much room the fireworks would fill that this worker could claim now, by the resources that
    /// they ask for; of very many fireworks only some are looked at.
    fn claimable_by_resources(&self, worker: &FWorker) -> Result<Vec<Demand>>;

    /// Launches by id, in the order asked for; those that do not exist are left out.
    fn find_launches(&self, ids: &[LaunchId]) -> Result<Vec<Launch>>;

    /// Launches that are reserved or run, by id, without their actions and trackers.
    fn open_launches(&self) -> Result<Vec<Launch>>;

    /// Launches of a queue job, in whatever mode, or of the elements of an array, by id, without their
    /// actions and trackers.
    fn launches_of_job(&self, job: &str) -> Result<Vec<Launch>>;

    /// The ids of fireworks that match, sorted.
    fn firework_ids(&self, query: &FireworkQuery) -> Result<Vec<FwId>>;

    /// Fireworks that match, sorted, some at a time, until `take` breaks off. Memory does not grow with
    /// their number.
    fn each_firework(&self, query: &FireworkQuery, fields: Fields, take: &mut TakeSome<'_, Firework>) -> Result<()>;

    /// Workflows that match, as FireWorks stores them, likewise.
    fn each_workflow(&self, query: &WorkflowQuery, take: &mut TakeSome<'_, Document>) -> Result<()>;

    /// How many workflows match.
    fn count_workflows(&self, query: &WorkflowQuery) -> Result<u64>;

    /// Launches that match a query in MongoDB's language.
    fn matching_launches(&self, query: &Document) -> Result<Vec<LaunchId>>;

    /// Workflows that match, as FireWorks stores them, sorted.
    fn find_workflows(&self, query: &WorkflowQuery) -> Result<Vec<Document>>;

    /// What workers say of themselves, by name and host.
    fn worker_records(&self) -> Result<Vec<WorkerRecord>>;

    /// Replaces what a worker says of itself; a record that says nothing is removed.
    fn record_worker(&self, record: &WorkerRecord) -> Result<()>;
}

/// Who wants to run what.
pub struct ClaimRequest<'a> {
    /// The worker; its name, category and query select what it takes.
    pub worker: &'a FWorker,
    /// Only this firework (READY or RESERVED), whatever the worker takes otherwise.
    pub fw_id: Option<FwId>,
    /// What is tried again where a spec does not say.
    pub retry: Option<&'a RetryPolicy>,
    /// Which of two fireworks of the same priority comes first.
    pub order: Order,
    /// The lease every claimed launch begins with; `until` is by the clock of `now`, and is stored
    /// by the store's.
    pub lease: &'a Lease,
    /// Host name and address, as FireWorks records them.
    pub host: (&'a str, &'a str),
    /// The place in a queue of the job that is submitted for it, where one is.
    pub token: Option<&'a str>,
    /// Names the directory a firework will run in, from its spec.
    pub directory: &'a dyn Fn(&Document) -> PathBuf,
    /// The time it is.
    pub now: Timestamp,
}

impl ClaimRequest<'_> {
    /// Where a firework is to run.
    fn place(&self, firework: &Firework) -> Place {
        Place {
            fworker: self.worker.to_document(),
            launch_dir: (self.directory)(&firework.spec).to_string_lossy().into_owned(),
            host: self.host.0.to_owned(),
            ip: self.host.1.to_owned(),
            token: self.token.map(str::to_owned),
            ..Place::default()
        }
        .for_spec(&firework.spec, self.retry)
    }

    /// Where a firework is to run that was reserved before: a directory that it names itself, which
    /// may depend on where one stands, is that of the reservation, unless it has variables for the worker.
    fn reserved_place(&self, firework: &Firework, launch: &Launch) -> Place {
        let mut place = self.place(firework);
        if fixed_directory(&firework.spec).is_some() && std::path::Path::new(&launch.launch_dir).is_absolute() {
            place.launch_dir.clone_from(&launch.launch_dir);
        }
        place
    }
}

/// Fireworks that ask for the same resources.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Their `spec._queueadapter`; null where they have none.
    pub resources: Bson,
    /// How many slots they would fill all together.
    pub slots: u64,
}

/// A firework that has been claimed, and its launch.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The firework, RUNNING.
    pub firework: Firework,
    /// The launch, RUNNING, with its lease.
    pub launch: Launch,
}

impl Claim {
    /// The claim as the store needs it to renew, release or give back.
    pub fn held(&self) -> Held {
        Held { fw_id: self.firework.fw_id, launch_id: self.launch.launch_id }
    }
}

/// A launch that a worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its firework.
    pub fw_id: FwId,
    /// The launch.
    pub launch_id: LaunchId,
}

/// What the trackers of a running launch have seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The launch.
    pub launch_id: LaunchId,
    /// All its trackers, as they are stored.
    pub trackers: Vec<Bson>,
}

/// How a launch ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The launch as it was claimed.
    pub launch: Launch,
    /// COMPLETED or FIZZLED.
    pub state: State,
    /// What it reports and asks for.
    pub action: FwAction,
    /// When it ended.
    pub ended: Timestamp,
    /// Duplicates of the firework may follow its launch (its spec has a `_dupefinder`).
    pub followed: bool,
}

impl Outcome {
    /// The launch as it is once the outcome is recorded.
    fn ended_launch(&self) -> Launch {
        let mut launch = self.launch.clone();
        let owner = launch.lease().map(|lease| lease.owner).unwrap_or_default();
        launch.finish(self.state, &self.action, &owner, self.ended);
        launch
    }
}

/// What became of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is recorded, and its children know; in its launch alone, where that was to go on though its
    /// firework goes other ways.
    Recorded,
    /// The launch was no longer this worker's: somebody reran, deleted or took it.
    LeaseLost,
}

/// What a verb has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steered {
    /// The fireworks that changed.
    pub changed: Vec<FwId>,
    /// Those among them that have left the workflow, because they come once more when a firework
    /// above them has run again.
    pub replaced: Vec<FwId>,
}

/// What became of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlocking {
    /// There is none.
    Free,
    /// It was taken from this one, and is gone.
    Taken(String),
    /// This one holds it, and may be alive.
    Held(String),
}

/// A workflow to be appended to another.
#[derive(Debug, Clone)]
pub struct Appendix {
    /// What is appended.
    pub draft: Draft,
    /// The fireworks below which it goes; all of one workflow.
    pub parents: Vec<FwId>,
    /// The children of the parents wait for it.
    pub detour: bool,
    /// Its roots take over the spec changes that COMPLETED parents ask of their children.
    pub pull_spec_mods: bool,
}
