//! The embedded store: one SQLite file, safe for many processes of one machine.
//!
//! Documents are JSON text (MongoDB's relaxed extended JSON), so that any SQLite client can read
//! the file for ever; what is searched or sorted by stands in columns beside them. Every transition
//! is one IMMEDIATE transaction, synced before it is acknowledged.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bson::Document;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    Appendix, Claim, ClaimRequest, Finding, FireworkQuery, Give, Held, Mended, Outcome, Result, Seen, Steered, Store,
    StoreError, Take, Verb, Verdict, WorkerRecord, WorkflowQuery,
};
use crate::workflow::{Draft, FWorker, Firework, FwId, Launch, LaunchId, Lease};

mod apply;
mod claim;
mod delete;
mod examine;
mod extra;
mod find;
mod finish;
mod graph;
mod insert;
mod json;
mod keep;
mod mend;
mod network;
mod schema;
mod state;
mod transfer;
mod workers;

/// A launchpad in an SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens the file, and makes it and its folders when they do not exist.
    pub fn open(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Io { path: folder.to_owned(), source })?;
        }
        let connection = schema::open(&path)?;
        Ok(SqliteStore { path, connection: Mutex::new(connection) })
    }

    /// The connection. A panic in another thread rolled its transaction back, so the connection
    /// is as good as before.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on the connection.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, SqlError>) -> Result<T> {
        work(&self.lock()).map_err(|error| error.at(&self.path))
    }

    /// Runs `work` in a transaction that is committed when it succeeds, and undone otherwise.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, SqlError>) -> Result<T> {
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

    fn initialise(&self) -> Result<()> {
        // Opening has made everything already.
        Ok(())
    }

    fn reset(&self) -> Result<()> {
        self.write(schema::clear)
    }

    fn insert(&self, drafts: &[Draft], now: Timestamp) -> Result<Vec<Vec<(i64, FwId)>>> {
        self.write(|tx| super::birthdays(drafts, now).map(|(draft, born)| insert::workflow(tx, draft, born)).collect())
    }

    fn claim(&self, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<Claim>> {
        claim::check(&request.worker.query).map_err(StoreError::Query)?;
        self.write(|tx| claim::claim(tx, request, limit))
    }

    fn renew(&self, held: &[Held], seen: &[Seen], lease: &Lease, now: Timestamp) -> Result<Vec<LaunchId>> {
        self.write(|tx| keep::renew(tx, held, seen, lease, now))
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

    fn give_back(&self, held: Held, reason: &str, now: Timestamp) -> Result<bool> {
        self.write(|tx| finish::give_back(tx, held, reason, now))
    }

    fn steer(&self, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Steered> {
        self.write(|tx| finish::steer(tx, verb, fw_id, now))
    }

    fn append(&self, appendix: &Appendix, now: Timestamp) -> Result<Vec<(i64, FwId)>> {
        self.write(|tx| finish::append(tx, appendix, now))
    }

    fn update_specs(&self, fw_ids: &[FwId], set: &Document, now: Timestamp) -> Result<Vec<FwId>> {
        self.write(|tx| insert::update_specs(tx, fw_ids, set, now))
    }

    fn mend(&self, _every: SignedDuration, now: Timestamp) -> Result<Vec<Mended>> {
        self.write(|tx| mend::mend(tx, now))
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

    fn delete_workflows(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>> {
        self.write(|tx| delete::workflows(tx, fw_ids))
    }

    fn find_fireworks(&self, query: &FireworkQuery) -> Result<Vec<Firework>> {
        self.read(|sql| find::fireworks(sql, query))
    }

    fn count_fireworks(&self, query: &FireworkQuery) -> Result<u64> {
        self.read(|sql| find::count(sql, query))
    }

    fn count_claimable(&self, worker: &FWorker, limit: u64) -> Result<u64> {
        claim::check(&worker.query).map_err(StoreError::Query)?;
        self.read(|sql| claim::count(sql, worker, limit))
    }

    fn find_launches(&self, ids: &[LaunchId]) -> Result<Vec<Launch>> {
        self.read(|sql| find::launches(sql, ids))
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
                use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
                // A full disk is somebody's to mend: what waits to be stored must wait, too.
                let may_pass = matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked | DiskFull));
                let reason = error.to_string();
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
