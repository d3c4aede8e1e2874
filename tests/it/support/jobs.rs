//! Job scripts for a queue, and what it says became of them.

use std::process::Command;

use tempfile::TempDir;
use volley::queue::{Fate, Job, JobId, LaunchpadId, Queue};
use volley::store::Location;
use volley::workflow::{Cause, Loss};

/// A launchpad in a folder, in name only.
pub fn launchpad(folder: &TempDir) -> LaunchpadId {
    LaunchpadId::of(&Location::Sqlite(folder.path().join("pad.db")))
}

/// A job with these `#SBATCH` lines.
pub fn job(folder: &TempDir, options: &str, script: &str) -> Job {
    let name = format!("{}.sh", uuid::Uuid::now_v7());
    std::fs::write(folder.path().join(&name), format!("#!/bin/bash\n{options}\n{script}\n")).expect("written");
    Job::new(folder.path().canonicalize().expect("is there"), name)
}

/// What has become of one.
pub fn fate(queue: &dyn Queue, job: &JobId) -> Fate {
    queue.fates(std::slice::from_ref(job)).expect("answers").pop().expect("one for each").fate
}

/// It is over, for a reason.
pub fn over(cause: Cause, text: &str) -> Fate {
    Fate::Over(Loss::new(cause, text))
}

/// `scontrol WORDS…`, which must succeed.
pub fn scontrol(conf: &str, words: &[&str]) {
    assert!(Command::new("scontrol").args(words).env("SLURM_CONF", conf).status().expect("runs").success());
}
