//! What tests share: private launchpads, and the services that `scripts/test` provides.

pub mod chapters;
pub mod cli;
pub mod desk;
pub mod jobs;
pub mod line;
pub mod mongod;
pub mod own_slurm;
pub mod peer;
pub mod place;
pub mod processes;
pub mod python;
pub mod random;
pub mod raw;
pub mod relaxation;
pub mod rows;
pub mod run;
pub mod samples;
pub mod screen;
pub mod shared;
pub mod site;
pub mod story;
pub mod tmux;

use std::ops::Range;
use std::path::PathBuf;

use bson::Document;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use volley::store::{self, Claim, ClaimRequest, Location, MongoSettings, Order, Outcome, Store};
use volley::workflow::{Cause, Draft, FWorker, FwAction, Lease, Loss, State};

/// The address in `variable`, or none: then the test says that it is skipped. Where
/// `VOLLEY_TEST_REQUIRE` names the service, its absence is a failure.
pub fn service(variable: &str, name: &str) -> Option<String> {
    let found = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if found.is_none() {
        let required = std::env::var("VOLLEY_TEST_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|one| one == name), "{name} is required, but {variable} is not set");
        let test = std::thread::current().name().unwrap_or("?").to_owned();
        eprintln!("SKIPPED {test}: needs {name} ({variable})");
    }
    found
}

/// The seeds of random comparisons: VOLLEY_TEST_SEEDS, as FIRST..END, or the few that always run.
pub fn seeds(few: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("VOLLEY_TEST_SEEDS") else { return few };
    let bounds = text.split_once("..").and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    bounds.expect("VOLLEY_TEST_SEEDS is FIRST..END")
}

/// Whether the long comparisons are wished for, as of `scripts/conformance`.
pub fn is_long() -> bool {
    std::env::var_os("VOLLEY_TEST_SEEDS").is_some()
}

/// A launchpad of its own, gone when the test ends.
pub struct Launchpad {
    pub store: Box<dyn Store>,
    pub location: Location,
    mongo: Option<(String, String)>,
    _folder: TempDir,
}

impl Launchpad {
    /// In an SQLite file.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let location = Location::Sqlite(folder.path().join("launchpad.db"));
        let store = store::open(&location).expect("opens");
        Launchpad { store, location, mongo: None, _folder: folder }
    }

    /// In a database of the private mongod, when there is one.
    pub fn mongo() -> Option<Self> {
        service("VOLLEY_TEST_MONGO", "mongo").map(|uri| Launchpad::on_server(&uri))
    }

    /// In a database of a server.
    pub fn on_server(uri: &str) -> Self {
        let uri = uri.to_owned();
        let name = format!("volley_test_{}", uuid::Uuid::now_v7().simple());
        let settings = MongoSettings { host: uri.clone(), name: name.clone(), ..MongoSettings::default() };
        let location = Location::Mongo(Box::new(settings));
        let store = store::open(&location).expect("connects");
        store.initialise().expect("makes indexes");
        let folder = tempfile::tempdir().expect("a temporary folder");
        Launchpad { store, location, mongo: Some((uri, name)), _folder: folder }
    }

    /// Whether it is one on a server.
    pub fn is_mongo(&self) -> bool {
        self.mongo.is_some()
    }

    /// The raw database, to look behind the store's back.
    pub fn database(&self) -> mongodb::sync::Database {
        let (uri, name) = self.mongo.as_ref().expect("a MongoDB launchpad");
        mongodb::sync::Client::with_uri_str(uri).expect("connects").database(name)
    }
}

impl Drop for Launchpad {
    fn drop(&mut self) {
        if self.mongo.is_some() {
            let _ = self.database().drop().run();
        }
    }
}

/// Reads a workflow from JSON.
pub fn draft(json: serde_json::Value) -> Draft {
    let map = json.as_object().expect("an object");
    Draft::from_document(&volley::workflow::json::to_document(map)).expect("a workflow")
}

/// That a worker was told to end.
pub fn stopped(signal: &str) -> Loss {
    Loss::new(Cause::Stopped, signal)
}

/// A worker in a test: claims and finishes without running anything.
pub struct Worker {
    pub fworker: FWorker,
    pub lease: Lease,
}

impl Worker {
    pub fn new(name: &str) -> Self {
        Worker {
            fworker: FWorker { name: name.to_owned(), ..FWorker::default() },
            lease: Lease {
                owner: uuid::Uuid::now_v7().to_string(),
                host: "testhost".into(),
                boot_id: "boot".into(),
                pid: std::process::id(),
                until: Timestamp::now() + SignedDuration::from_secs(120),
                ..Lease::default()
            },
        }
    }

    pub fn claim(&self, store: &dyn Store, limit: usize) -> Vec<Claim> {
        self.claim_as(store, limit, None, Order::Fifo)
    }

    pub fn claim_as(&self, store: &dyn Store, limit: usize, fw_id: Option<i64>, order: Order) -> Vec<Claim> {
        self.try_claim(store, limit, fw_id, order).expect("claims")
    }

    pub fn try_claim(
        &self,
        store: &dyn Store,
        limit: usize,
        fw_id: Option<i64>,
        order: Order,
    ) -> store::Result<Vec<Claim>> {
        self.claim_when(store, limit, fw_id, order, Timestamp::now())
    }

    /// Claims one when its clock says so.
    pub fn claim_at(&self, store: &dyn Store, now: Timestamp) -> Vec<Claim> {
        self.claim_when(store, 1, None, Order::Fifo, now).expect("claims")
    }

    fn claim_when(
        &self,
        store: &dyn Store,
        limit: usize,
        fw_id: Option<i64>,
        order: Order,
        now: Timestamp,
    ) -> store::Result<Vec<Claim>> {
        let directory = |spec: &Document| PathBuf::from(spec.get_str("_launch_dir").unwrap_or("/launches/here"));
        let request = ClaimRequest {
            retry: None,
            worker: &self.fworker,
            fw_id,
            order,
            lease: &self.lease,
            host: ("testhost", "127.0.0.1"),
            token: None,
            directory: &directory,
            now,
        };
        store.claim(&request, limit)
    }
}

/// An outcome of a claim.
pub fn outcome(claim: &Claim, state: State, action: FwAction) -> Outcome {
    let followed = claim.firework.looks_for_duplicates();
    Outcome { launch: claim.launch.clone(), state, action, ended: Timestamp::now(), followed }
}
