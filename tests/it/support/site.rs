//! A launchpad and a folder of its own, in which the real `rlaunch` runs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use bson::Document;
use serde_json::{Value, json};
use tempfile::TempDir;
use volley::store::{FireworkQuery, Location};
use volley::workflow::{Firework, FwId, Launch, State};

use crate::support::run::{VOLLEY, private};
use crate::support::{Launchpad, draft};

/// Where a test runs.
pub struct Site {
    pub launchpad: Launchpad,
    folder: TempDir,
}

impl Site {
    /// On an SQLite file.
    pub fn sqlite() -> Self {
        Site::on(Launchpad::sqlite())
    }

    /// On a given launchpad.
    pub fn on(launchpad: Launchpad) -> Self {
        let site = Site { launchpad, folder: tempfile::tempdir().expect("a temporary folder") };
        let config = match &site.launchpad.location {
            Location::Sqlite(path) => json!({"host": format!("sqlite://{}", path.display())}),
            Location::Mongo(settings) => {
                let address = settings.host.trim_start_matches("mongodb://").trim_end_matches('/');
                let (host, port) = address.rsplit_once(':').expect("HOST:PORT");
                json!({"host": host, "port": port.parse::<u16>().expect("a port"), "name": settings.name})
            }
        };
        site.write("my_launchpad.yaml", &config.to_string());
        site
    }

    /// One on each store there is.
    pub fn on_every_store() -> Vec<Self> {
        let mongo = Launchpad::mongo().map(Site::on);
        std::iter::once(Site::sqlite()).chain(mongo).collect()
    }

    /// Whether Python FireWorks can share the launchpad.
    pub fn is_mongo(&self) -> bool {
        matches!(self.launchpad.location, Location::Mongo(_))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("writes");
    }

    /// Stores a workflow; the ids are those of the fireworks in the order of their local ids.
    pub fn add(&self, workflow: Value) -> Vec<FwId> {
        let ids = self.launchpad.store.insert(&[draft(workflow)], jiff::Timestamp::now()).expect("inserts");
        ids[0].iter().map(|(_, id)| *id).collect()
    }

    /// Stores one firework of these tasks.
    pub fn add_tasks(&self, tasks: Value) -> FwId {
        self.add(json!({"spec": {"_tasks": tasks}}))[0]
    }

    /// `volley` with the folder as home and working directory.
    pub fn volley(&self, arguments: &[&str]) -> Command {
        let mut command = private(Path::new(VOLLEY), self.path());
        command.args(arguments);
        command
    }

    /// `volley rlaunch`.
    pub fn rlaunch(&self, arguments: &[&str]) -> Command {
        self.volley(&[&["rlaunch"], arguments].concat())
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.rlaunch(arguments).output().expect("runs")
    }

    /// Runs it to its end, which must be a good one. Returns the log.
    pub fn run_well(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{:?}: {log}", output.status);
        log
    }

    /// Starts it; what it logs can be read when it has ended.
    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_in(self.path(), arguments)
    }

    /// Starts it in another folder.
    pub fn start_in(&self, folder: &Path, arguments: &[&str]) -> Running {
        let mut command = self.rlaunch(arguments);
        Running::of(command.current_dir(folder))
    }

    /// A firework.
    pub fn firework(&self, fw_id: FwId) -> Firework {
        let query = FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() };
        self.launchpad.store.find_fireworks(&query).expect("finds").pop().expect("exists")
    }

    /// All fireworks, by id.
    pub fn fireworks(&self) -> Vec<Firework> {
        self.launchpad.store.find_fireworks(&FireworkQuery::default()).expect("finds")
    }

    /// Its state.
    pub fn state(&self, fw_id: FwId) -> State {
        self.firework(fw_id).state
    }

    /// Its only launch.
    pub fn launch(&self, fw_id: FwId) -> Launch {
        let ids = self.firework(fw_id).launches;
        assert_eq!(ids.len(), 1, "launches of firework {fw_id}");
        self.launchpad.store.find_launches(&ids).expect("finds").pop().expect("exists")
    }

    /// The last launch of a firework that was interrupted, and is READY again.
    pub fn given_back(&self, fw_id: FwId) -> Launch {
        let firework = self.firework(fw_id);
        assert_eq!((firework.state, firework.launches.len()), (State::Ready, 0));
        let last = firework.archived_launches.last().expect("was launched");
        let launch = self.launchpad.store.find_launches(&[*last]).expect("finds").pop().expect("exists");
        assert_eq!(launch.state, State::Fizzled);
        launch
    }

    /// What its launch stored.
    pub fn stored_data(&self, fw_id: FwId) -> Document {
        let action = self.launch(fw_id).action.expect("has an action");
        action.get_document("stored_data").expect("is stored").clone()
    }

    /// The message of a firework that fizzled.
    pub fn stacktrace(&self, fw_id: FwId) -> String {
        assert_eq!(self.state(fw_id), State::Fizzled);
        let data = self.stored_data(fw_id);
        data.get_document("_exception").and_then(|e| e.get_str("_stacktrace")).expect("is recorded").to_owned()
    }

    /// `lpad rerun_fws --task-level`, with another flag or none.
    pub fn recover(&self, fw_id: FwId, flag: Option<&str>) {
        let id = fw_id.to_string();
        let words = ["lpad", "rerun_fws", "-i", id.as_str(), "--task-level"];
        let arguments: Vec<&str> = words.into_iter().chain(flag).collect();
        let output = self.volley(&arguments).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The directories that were made for launches.
    pub fn launchers(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path()).expect("reads").map(|entry| entry.expect("reads").path());
        entries.filter(|path| path.is_dir() && path.to_string_lossy().contains("launcher_")).collect()
    }
}

/// A worker that runs; killed when the test gives up.
pub struct Running(Option<Child>);

impl Running {
    /// Starts a command.
    pub fn of(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Running(Some(command.spawn().expect("starts")))
    }

    /// Whether it has not ended.
    pub fn is_there(&mut self) -> bool {
        self.0.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Its process.
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(self.0.as_ref().expect("runs"))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("is there");
    }

    /// Waits for its end. Returns the exit code and the log.
    pub fn end(mut self) -> (Option<i32>, String) {
        let child = self.0.take().expect("runs");
        let output = child.wait_with_output().expect("ends");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
