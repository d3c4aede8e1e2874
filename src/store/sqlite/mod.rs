//! The embedded store: one SQLite file, safe for many processes of one machine.
//!
//! Documents are JSON text (MongoDB's relaxed extended JSON), so that any SQLite client can read
//! the file for ever; what is searched or sorted by stands in columns beside them. Every transition
//! is one IMMEDIATE transaction, synced before it is acknowledged.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bson::{Bson, Document};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use self::file_seen::FileSeen;
use super::history::{Deed, Event, RESET};
use super::{
    Appendix, Claim, ClaimRequest, Deleted, Demand, Fields, Finding, FireworkQuery, Give, Held, Mended, Mending,
    OfflineEnd, OfflineRun, Order, Outcome, Priority, Result, Seen, Steered, Step, Store, StoreError, Take, TakeSome,
    Unlocking, Verdict, WorkerRecord, WorkflowQuery,
};
use crate::workflow::{Draft, FWorker, Firework, FwId, Launch, LaunchId, Lease, Loss, SpecChange, State};

mod apply;
mod brief;
mod care;
mod claim;
mod clause;
mod counts;
mod delete;
mod examine;
mod extra;
mod failures;
mod file_seen;
mod find;
mod finish;
mod functions;
mod graph;
mod history;
mod insert;
mod json;
mod keep;
mod ledger;
mod mend;
mod narrow;
mod network;
mod orphans;
mod reserve;
mod retire;
mod schema;
mod state;
mod stream;
mod tally;
mod transfer;
mod watch;
mod window;
mod workers;

/// A launchpad in an SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    connection: Mutex<Connection>,
    /// Whether the file is still the one that was opened, for whoever watches it.
    file: Mutex<FileSeen>,
    /// How far its clock is taken to be ahead of this machine's.
    ahead: SignedDuration,
}

impl SqliteStore {
    /// Opens the file, and makes it and its folders when they do not exist. Its clock, that of this
    /// machine, is taken to be `ahead` of what it shows.
    pub fn open(path: &Path, ahead: SignedDuration) -> Result<Self> {
        let path = std::path::absolute(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Io { path: folder.to_owned(), source })?;
        }
        let connection = schema::open(&path)?;
        let file = FileSeen::new(&path);
        Ok(SqliteStore { path, connection: Mutex::new(connection), file: Mutex::new(file), ahead })
    }

    /// The connection. A panic in another thread rolled its transaction back, so the connection
    /// is as good as before.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store's clock.
    fn clock(&self) -> Timestamp {
        Timestamp::now() + self.ahead
    }

    /// A lease that was made at `now` by the clock of its owner, by the store's.
    fn by_its_clock(&self, lease: &Lease, now: Timestamp) -> Lease {
        let left = lease.until.duration_since(now);
        Lease { until: self.clock().checked_add(left).unwrap_or(Timestamp::MAX), ..lease.clone() }
    }

    /// Looks whether the file is still there. While it is not, nothing is read or written: whatever is in the
    /// old one may be lost with it.
    fn look_for_file(&self) -> Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).look(&self.path);
        self.check_file()
    }

    fn check_file(&self) -> Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).check(&self.path)
    }

    /// Runs `work` on the connection.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, SqlError>) -> Result<T> {
        self.check_file()?;
        work(&self.lock()).map_err(|error| error.at(&self.path))
    }

    /// Runs `work` in a transaction that is committed when it succeeds, and undone otherwise.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, SqlError>) -> Result<T> {
        self.check_file()?;
        let mut connection = self.lock();
        let run = || {
            // IMMEDIATE takes the write lock at the start: a transaction that reads first and
            // writes later could otherwise fail half way.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|error: SqlError| error.at(&self.path))
    }
}

impl Store for SqliteStore {
    fn describe(&self) -> String {
        format!("SQLite file {}", self.path.display())
    }

    fn clock(&self) -> Result<Timestamp> {
        Ok(Timestamp::now() + self.ahead)
    }

    fn initialise(&self) -> Result<()> {
        self.write(care::initialise)
    }

    fn tune(&self, full: bool) -> Result<()> {
        self.initialise()?;
        self.read(|sql| care::tune(sql, full))
    }

    fn reset(&self) -> Result<()> {
        let reset = Event::here(&Deed { what: RESET.to_owned(), ..Deed::default() }, self.clock());
        self.write(|tx| {
            schema::clear(tx)?;
            history::write(tx, &reset)
        })
    }

    fn insert(&self, drafts: &[Draft], now: Timestamp) -> Result<Vec<Vec<(i64, FwId)>>> {
        self.write(|tx| {
            let born = super::birthdays(drafts, now).map(|(draft, born)| insert::workflow(tx, draft, born));
            let ids = born.collect::<Result<Vec<_>, _>>()?;
            history::added(tx, &ids, now)?;
            Ok(ids)
        })
    }

    fn claim(&self, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<Claim>> {
        let request = &ClaimRequest { lease: &self.by_its_clock(request.lease, request.now), ..*request };
        self.write(|tx| claim::claim(tx, request, limit))
    }

    fn renew(&self, held: &[Held], seen: &[Seen], lease: &Lease, now: Timestamp) -> Result<Vec<LaunchId>> {
        let lease = self.by_its_clock(lease, now);
        self.write(|tx| keep::renew(tx, held, seen, &lease, now))
    }

    fn reserve(&self, request: &ClaimRequest<'_>) -> Result<Option<Claim>> {
        self.write(|tx| reserve::reserve(tx, request))
    }

    fn note_job(&self, launch_id: LaunchId, job: &str, cluster: Option<&str>) -> Result<bool> {
        self.write(|tx| reserve::note_job(tx, launch_id, job, cluster))
    }

    fn cancel_reservation(&self, held: Held, now: Timestamp) -> Result<bool> {
        self.write(|tx| reserve::cancel(tx, held, now))
    }

    fn cancel_begun(&self, _token: &str, _now: Timestamp) -> Result<bool> {
        // Reservations are made whole or not at all.
        Ok(false)
    }

    fn add_offline_run(&self, run: &OfflineRun, now: Timestamp) -> Result<()> {
        self.write(|tx| transfer::offline_run(tx, &run.to_document(now)))
    }

    fn offline_runs(&self) -> Result<Vec<OfflineRun>> {
        self.read(reserve::offline_runs)
    }

    fn show_offline(&self, launch: &Launch, now: Timestamp) -> Result<bool> {
        self.write(|tx| reserve::show_offline(tx, launch, now))
    }

    fn close_offline_run(&self, launch_id: LaunchId, end: OfflineEnd, now: Timestamp) -> Result<bool> {
        self.write(|tx| reserve::close_offline_run(tx, launch_id, end, now))
    }

    fn checkpoint(&self, launch: &Launch, now: Timestamp) -> Result<bool> {
        self.write(|tx| keep::checkpoint(tx, launch, now))
    }

    fn release(&self, claims: &[Held], now: Timestamp) -> Result<()> {
        self.write(|tx| claim::release(tx, claims, now))
    }

    fn finish(&self, outcomes: &[Outcome], now: Timestamp) -> Result<Vec<Verdict>> {
        self.write(|tx| outcomes.iter().map(|outcome| finish::finish(tx, outcome, now)).collect())
    }

    fn sync(&self) -> Result<()> {
        // Every transaction is synced.
        Ok(())
    }

    fn give_back(&self, held: Held, loss: &Loss, now: Timestamp) -> Result<bool> {
        self.write(|tx| finish::give_back(tx, held, loss, now))
    }

    fn lose(&self, launch: &Launch, loss: &Loss, max_lost: u64, now: Timestamp) -> Result<bool> {
        self.write(|tx| finish::lose_as_read(tx, launch, loss, max_lost, now))
    }

    fn steer_one(&self, step: &Step, now: Timestamp) -> Result<Steered> {
        self.write(|tx| finish::steer(tx, step, now))
    }

    fn append(&self, appendix: &Appendix, now: Timestamp) -> Result<Vec<(i64, FwId)>> {
        self.write(|tx| finish::append(tx, appendix, now))
    }

    fn update_specs(&self, fw_ids: &[FwId], change: &SpecChange, now: Timestamp) -> Result<Vec<FwId>> {
        self.write(|tx| insert::update_specs(tx, fw_ids, change, now))
    }

    fn mend(&self, mending: &Mending<'_>, now: Timestamp) -> Result<Vec<Mended>> {
        self.mend_some(mending, now)
    }

    fn refresh(&self, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>> {
        self.write(|tx| care::refresh(tx, fw_id, now))
    }

    fn unlock(&self, fw_id: FwId, _force: bool, _now: Timestamp) -> Result<Unlocking> {
        // A transaction is undone with the process that was about it.
        self.read(|sql| Ok(find::firework(sql, fw_id)?.ok_or(StoreError::UnknownFirework(fw_id))?))?;
        Ok(Unlocking::Free)
    }

    fn retire(&self, launches: &[LaunchId], loss: &Loss, now: Timestamp) -> Result<Vec<LaunchId>> {
        self.write(|tx| retire::retire(tx, launches, loss, now))
    }

    fn mark_kept(&self, launches: &[LaunchId], kept: bool) -> Result<()> {
        self.write(|tx| retire::mark_kept(tx, launches, kept))
    }

    fn examine(&self, now: Timestamp) -> Result<Vec<Finding>> {
        self.read(|sql| examine::examine(sql, now))
    }

    fn export(&self, take: &mut Take<'_>) -> Result<()> {
        self.read(|sql| transfer::export(sql, take))
    }

    fn import(&self, give: &mut Give<'_>) -> Result<()> {
        self.write(|tx| {
            transfer::begin(tx, &self.describe())?;
            give(&mut |batch| transfer::take(tx, batch).map_err(|error| error.at(&self.path)))?;
            transfer::end(tx)
        })
    }

    fn set_priority(&self, fw_ids: &[FwId], priority: i64) -> Result<u64> {
        self.write(|tx| insert::set_priority(tx, fw_ids, priority))
    }

    fn set_priorities(&self, priorities: &[Priority]) -> Result<Vec<FwId>> {
        self.write(|tx| insert::set_priorities(tx, priorities))
    }

    fn delete_as_seen(&self, workflows: &[(FwId, Option<State>)]) -> Result<Deleted> {
        self.write(|tx| delete::workflows(tx, workflows))
    }

    fn find_fireworks(&self, query: &FireworkQuery) -> Result<Vec<Firework>> {
        self.read(|sql| find::fireworks(sql, query))
    }

    fn count_fireworks(&self, query: &FireworkQuery) -> Result<u64> {
        self.read(|sql| find::count(sql, query))
    }

    fn count_claimable(&self, worker: &FWorker, when: Timestamp, limit: u64) -> Result<u64> {
        self.read(|sql| claim::count(sql, worker, when, limit))
    }

    fn best_claimable(&self, worker: &FWorker, order: Order, now: Timestamp) -> Result<Option<Document>> {
        self.read(|sql| claim::best_asks(sql, worker, order, now))
    }

    fn claimable_walltimes(&self, worker: &FWorker) -> Result<Vec<Bson>> {
        self.read(|sql| claim::walltimes(sql, worker))
    }

    fn claimable_by_resources(&self, worker: &FWorker) -> Result<Vec<Demand>> {
        self.read(|sql| claim::demand(sql, worker))
    }

    fn find_launches(&self, ids: &[LaunchId]) -> Result<Vec<Launch>> {
        self.read(|sql| find::launches(sql, ids))
    }

    fn open_launches(&self) -> Result<Vec<Launch>> {
        self.read(retire::open)
    }

    fn launches_of_job(&self, job: &str) -> Result<Vec<Launch>> {
        self.read(|sql| find::launches_of_job(sql, job))
    }

    fn firework_ids(&self, query: &FireworkQuery) -> Result<Vec<FwId>> {
        self.read(|sql| find::firework_ids(sql, query))
    }

    fn each_firework(&self, query: &FireworkQuery, fields: Fields, take: &mut TakeSome<'_, Firework>) -> Result<()> {
        self.stream_fireworks(query, fields, take)
    }

    fn each_workflow(&self, query: &WorkflowQuery, take: &mut TakeSome<'_, Document>) -> Result<()> {
        self.stream_workflows(query, take)
    }

    fn count_workflows(&self, query: &WorkflowQuery) -> Result<u64> {
        self.read(|sql| find::count_workflows(sql, query))
    }

    fn matching_launches(&self, query: &Document) -> Result<Vec<LaunchId>> {
        self.read(|sql| find::matching_launches(sql, query))
    }

    fn find_workflows(&self, query: &WorkflowQuery) -> Result<Vec<Document>> {
        self.read(|sql| find::workflows(sql, query))
    }

    fn worker_records(&self) -> Result<Vec<WorkerRecord>> {
        self.read(workers::all)
    }

    fn record_worker(&self, record: &WorkerRecord) -> Result<()> {
        self.write(|tx| workers::replace(tx, record))
    }
}

/// An error inside this store, before it knows its file.
enum SqlError {
    Sql(rusqlite::Error),
    Store(StoreError),
    /// A column does not hold what this program writes there.
    Broken(String),
}

impl SqlError {
    fn at(self, path: &Path) -> StoreError {
        let place = || format!("SQLite file {}", path.display());
        match self {
            SqlError::Store(error) => error,
            SqlError::Broken(reason) => StoreError::Refused { place: place(), reason },
            SqlError::Sql(error) => {
                use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure};
                // A full disk is somebody's to mend: what waits to be stored must wait, too.
                let may_pass = matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked | DiskFull));
                let reason = match error.sqlite_error_code() {
                    // Also to look at it: readers and writers agree in files next to it.
                    Some(ReadOnly) => "whoever uses it must be allowed to write the file and its folder".to_owned(),
                    // SQLite says no more when there is no room for the files next to it.
                    Some(SystemIoFailure) => format!("{error}; is the disk full, or gone?"),
                    _ => error.to_string(),
                };
                if may_pass {
                    StoreError::Unreachable { place: place(), reason }
                } else {
                    StoreError::Refused { place: place(), reason }
                }
            }
        }
    }
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        SqlError::Sql(error)
    }
}

impl From<StoreError> for SqlError {
    fn from(error: StoreError) -> Self {
        SqlError::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_to_do() {
        let said = |code| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            SqlError::Sql(error).at(Path::new("/a/b.db")).to_string()
        };
        let readonly = said(rusqlite::ffi::SQLITE_READONLY);
        assert!(readonly.contains("/a/b.db") && readonly.contains("allowed to write"), "{readonly}");
        assert!(said(rusqlite::ffi::SQLITE_IOERR).contains("is the disk full"));
    }
}
