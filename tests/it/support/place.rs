//! A place for `qlaunch`: a folder with a launchpad and an adapter file, where the binary runs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use volley::queue::local::Local;
use volley::queue::slurm::{Programs, Slurm};
use volley::queue::{LaunchpadId, Queue};
use volley::store::{self, FireworkQuery, Location, Store};
use volley::workflow::{Firework, State};

use crate::support::draft;
use crate::support::run::{Ran, VOLLEY, private, wait_until};

/// A folder with a launchpad.
pub struct Place {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Place {
    /// Without an adapter file, under a name that a shell has to quote.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("a place ").tempdir().expect("a folder");
        Place { folder, environment: Vec::new() }
    }

    /// With an adapter file.
    pub fn with_adapter(text: &str) -> Self {
        let place = Place::new();
        place.write("my_qadapter.yaml", text);
        place
    }

    /// Sets a variable for the binary.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("is there")
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    pub fn location(&self) -> Location {
        Location::Sqlite(self.path().join("launchpad.db"))
    }

    pub fn store(&self) -> Box<dyn Store> {
        store::open(&self.location()).expect("opens")
    }

    /// Adds `count` workflows of one firework that runs a command.
    pub fn add_scripts(&self, count: usize, script: &str) {
        let one = json!({"name": "one", "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": script}]}});
        let drafts: Vec<_> = (0..count).map(|_| draft(one.clone())).collect();
        self.store().insert(&drafts, Timestamp::now()).expect("added");
    }

    /// Adds a firework that does nothing, and asks for something.
    pub fn add_tasks(&self, asked: &serde_json::Value) {
        let mut spec = json!({"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]});
        spec.as_object_mut().expect("an object").extend(asked.as_object().expect("an object").clone());
        self.store().insert(&[draft(json!({"name": "one", "spec": spec}))], Timestamp::now()).expect("added");
    }

    pub fn fireworks(&self) -> Vec<Firework> {
        self.store().find_fireworks(&FireworkQuery::default()).expect("found")
    }

    /// Every firework COMPLETED, and launched once.
    pub fn assert_each_ran_once(&self) {
        for firework in self.fireworks() {
            let launches = firework.launches.len() + firework.archived_launches.len();
            assert_eq!((firework.state, launches), (State::Completed, 1), "firework {}", firework.fw_id);
        }
    }

    /// Waits until no firework is in another state than COMPLETED.
    pub fn wait_until_completed(&self) {
        wait_until("all fireworks are COMPLETED", || {
            self.fireworks().iter().all(|firework| firework.state == State::Completed)
        });
    }

    /// `volley WORDS…`, in this folder, on this launchpad.
    pub fn volley(&self, words: &[&str]) -> Command {
        let mut command = private(Path::new(VOLLEY), &self.path());
        command
            .args(words)
            .env("VOLLEY_LAUNCHPAD", self.path().join("launchpad.db"))
            .env("VOLLEY_LOCAL_QUEUE", self.path().join("queue"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&mut self.volley(words))
    }

    pub fn spawn(&self, words: &[&str]) -> Child {
        self.volley(words).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("starts")
    }

    /// The local queue that the binary uses here.
    pub fn local(&self) -> Local {
        local(&self.path().join("queue"), &LaunchpadId::of(&self.location()))
    }

    /// The Slurm that the binary uses here.
    pub fn slurm(&self, conf: &str) -> Slurm {
        slurm(&LaunchpadId::of(&self.location()), conf)
    }

    /// Launch folders, in the order they were made.
    pub fn launchers(&self) -> Vec<PathBuf> {
        let inside = |folder: &Path, prefix: &str| {
            let entries = std::fs::read_dir(folder).expect("listed").map(|entry| entry.expect("listed").path());
            let named =
                |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
            let mut found: Vec<PathBuf> = entries.filter(named).collect();
            found.sort();
            found
        };
        inside(&self.path(), "block_").iter().flat_map(|block| inside(block, "launcher_")).collect()
    }
}

pub fn local(state: &Path, launchpad: &LaunchpadId) -> Local {
    Local::new(state, launchpad, vec![VOLLEY.into(), "qlaunch".into(), "local-job".into()], Vec::new())
}

pub fn slurm(launchpad: &LaunchpadId, conf: &str) -> Slurm {
    let words = |program: &str| vec!["env".into(), format!("SLURM_CONF={conf}"), program.to_owned()];
    let programs = Programs {
        submit: words("sbatch"),
        status: words("squeue"),
        cancel: words("scancel"),
        control: words("scontrol"),
        accounting: words("sacct"),
        nodes: words("sinfo"),
    };
    Slurm::new(launchpad.clone(), programs, Vec::new(), Duration::from_secs(60))
}

/// Counts the jobs in `queue` until a launcher has ended; returns the greatest number.
pub fn most_jobs_while(launcher: &mut Child, queue: &dyn Queue) -> usize {
    let mut most = 0;
    wait_until("qlaunch has ended", || {
        most = most.max(queue.list().expect("lists").len());
        launcher.try_wait().expect("waited for").is_some()
    });
    assert!(launcher.wait().expect("waited for").success());
    most
}

/// Ends what is left of a test's jobs, also when it fails.
pub struct Cleanup<Q: Queue>(pub Q);

impl<Q: Queue> Drop for Cleanup<Q> {
    fn drop(&mut self) {
        let jobs: Vec<_> = self.0.list().unwrap_or_default().into_iter().map(|job| job.id).collect();
        if !jobs.is_empty() {
            drop(self.0.cancel(&jobs));
        }
    }
}
