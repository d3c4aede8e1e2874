//! A real Slurm: submit, list, cancel; only our own jobs count.

use std::process::Command;

use tempfile::TempDir;
use volley::queue::slurm::Slurm;
use volley::queue::{Job, JobState, LaunchpadId, Queue};
use volley::store::Location;

use crate::support::place::{Cleanup, slurm};
use crate::support::run::wait_until;
use crate::support::service;

fn queue_of(folder: &TempDir, launchpad: &str, conf: &str) -> Cleanup<Slurm> {
    Cleanup(slurm(&LaunchpadId::of(&Location::Sqlite(folder.path().join(launchpad))), conf))
}

fn job(folder: &TempDir, options: &str) -> Job {
    let script = format!("#!/bin/bash\n#SBATCH --output=/dev/null\n{options}\nsleep 1000\n");
    std::fs::write(folder.path().join("job.sh"), script).expect("written");
    Job { dir: folder.path().to_owned(), script: "job.sh".into() }
}

#[test]
fn submits_lists_and_cancels() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let ours = queue_of(&folder, "ours.db", &conf);
    let theirs = queue_of(&folder, "theirs.db", &conf);
    let id = ours.0.submit(&job(&folder, "")).expect("submitted");
    theirs.0.submit(&job(&folder, "")).expect("submitted");

    wait_until("the job runs", || {
        let jobs = ours.0.list().expect("listed");
        assert_eq!(jobs.iter().map(|job| &job.id).collect::<Vec<_>>(), [&id]);
        jobs[0].state == JobState::Running && jobs[0].running_for.is_some()
    });
    ours.0.cancel(&[id]).expect("cancelled");
    wait_until("the job is gone", || ours.0.list().expect("listed").is_empty());
    assert_eq!(theirs.0.list().expect("listed").len(), 1);
}

#[test]
fn counts_the_elements_of_a_pending_array() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let queue = queue_of(&folder, "array.db", &conf);
    queue.0.submit(&job(&folder, "#SBATCH --array=1-5 --hold")).expect("submitted");
    let jobs = queue.0.list().expect("listed");
    assert_eq!(jobs.len(), 5);
    assert!(jobs.iter().all(|job| job.state == JobState::Waiting));
}

#[test]
fn shows_what_sbatch_says() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let queue = queue_of(&folder, "bad.db", &conf);
    let error = queue.0.submit(&job(&folder, "#SBATCH --partition=nosuch")).expect_err("fails");
    assert_eq!(error.busy(), None);
    let said = error.to_string();
    for part in ["sbatch --parsable", "job.sh", "exit code 1", "Invalid partition name specified"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_listing_that_fails_is_not_an_empty_queue() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(&conf).expect("read");
    // Nobody listens on port 1.
    let lines = text.lines().map(|line| if line.starts_with("SlurmctldPort=") { "SlurmctldPort=1" } else { line });
    let broken = folder.path().join("slurm.conf");
    std::fs::write(&broken, lines.chain(["MessageTimeout=2"]).collect::<Vec<_>>().join("\n")).expect("written");
    let queue =
        slurm(&LaunchpadId::of(&Location::Sqlite(folder.path().join("x.db"))), broken.to_str().expect("is text"));
    let error = queue.list().expect_err("fails");
    assert!(error.busy().is_some(), "{error}");
    // The real one is untouched.
    assert!(Command::new("squeue").env("SLURM_CONF", &conf).output().expect("runs").status.success());
}
