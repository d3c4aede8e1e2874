//! A real Slurm: submit, list, cancel; only our own jobs count.

use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use volley::launcher::{Boarding, Script};
use volley::queue::slurm::Slurm;
use volley::queue::{Job, JobId, JobState, Kind, LaunchpadId, Queue, Template};
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
    Job::new(folder.path().to_owned(), "job.sh")
}

#[test]
fn submits_lists_and_cancels() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let ours = queue_of(&folder, "ours.db", &conf);
    let theirs = queue_of(&folder, "theirs.db", &conf);
    // What the script says of itself stays, and so does a lock as long as sbatch needs it.
    let wanted = Job {
        token: "/scratch/my runs/launcher_1".into(),
        held_open: Some(Arc::new(tempfile::tempfile().expect("a file"))),
        ..job(&folder, "#SBATCH --comment='|~| of mine'")
    };
    let id = ours.0.submit(&wanted).expect("submitted");
    theirs.0.submit(&job(&folder, "")).expect("submitted");

    wait_until("the job runs", || {
        let jobs = ours.0.list().expect("listed");
        assert_eq!(jobs.iter().map(|job| &job.id).collect::<Vec<_>>(), [&id]);
        assert_eq!(jobs[0].token.as_deref(), Some("/scratch/my runs/launcher_1"));
        assert_eq!(jobs[0].dir.as_deref(), Some(folder.path()));
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
    let array = Job { elements: Some(5), ..job(&folder, "#SBATCH --hold") };
    let id = queue.0.submit(&array).expect("submitted").id;
    let jobs = queue.0.list().expect("listed");
    assert!(jobs.iter().all(|job| job.state == JobState::Waiting && job.token.as_ref() == Some(&array.token)));
    let mut names: Vec<_> = jobs.into_iter().map(|job| job.id.id).collect();
    names.sort();
    assert_eq!(names, (0..5).map(|element| format!("{id}_{element}")).collect::<Vec<_>>());
    queue.0.cancel(&[JobId::new(format!("{id}_3"))]).expect("cancelled");
    wait_until("one is gone", || queue.0.list().expect("listed").len() == 4);
}

#[test]
fn shows_what_sbatch_says() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let queue = queue_of(&folder, "bad.db", &conf);
    let error = queue.0.submit(&job(&folder, "#SBATCH --partition=nosuch")).expect_err("fails");
    assert_eq!((error.kind(), error.may_have_submitted()), (Kind::Wrong, false));
    let said = error.to_string();
    for part in ["sbatch --parsable", "job.sh", "exit code 1", "Invalid partition name specified"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_script_is_looked_at_before() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let queue = queue_of(&folder, "check.db", &conf);
    queue.0.check(&job(&folder, "")).expect("would be taken");
    queue.0.check(&Job { elements: Some(3), ..job(&folder, "#SBATCH --hold") }).expect("would be taken");
    // Slurm takes it, and lets it wait.
    queue.0.check(&job(&folder, "#SBATCH --nodes=1000")).expect("would be taken");
    for (options, elements, said) in [
        ("#SBATCH --partition=nosuch", None, "Invalid partition name specified"),
        ("#SBATCH --constraint=nosuch", None, "Invalid feature specification"),
        ("", Some(100_000), "Invalid job array specification"),
    ] {
        let error = queue.0.check(&Job { elements, ..job(&folder, options) }).expect_err("would be refused");
        assert_eq!((error.kind(), error.may_have_submitted()), (Kind::Wrong, false));
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(queue.0.list().expect("listed").is_empty(), "nothing is submitted");
}

#[test]
fn tells_what_the_site_is_like() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let queue = queue_of(&folder, "site.db", &conf);
    assert_eq!(queue.0.most_elements().expect("answers"), Some(1001));
    assert_eq!(queue.0.other_hosts(&job(&folder, "")).expect("answers"), Vec::<String>::new());
    queue.0.other_hosts(&job(&folder, "#SBATCH -p nosuch")).expect_err("has no nodes");
}

#[test]
fn elements_have_folders_and_say_that_they_have_begun() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::Builder::new().prefix("it's $HOME ").tempdir().expect("a folder");
    let dir = folder.path().canonicalize().expect("is there");
    let queue = queue_of(&folder, "elements.db", &conf);
    let template = include_str!("../../templates/queue/SLURM_template.txt");
    let keys = [("requeue".to_owned(), "True".to_owned()), ("comment".to_owned(), "mine".to_owned())].into();
    let script = Script::new("job.sh", Template::new(template), &keys, "pwd > where".into());
    let token = dir.display().to_string();
    script.write(&dir, &Boarding { token: token.clone(), ledger: "a/b".into(), elements: true }).expect("written");
    let id = queue.0.submit(&Job { elements: Some(3), ..Job::new(dir.clone(), "job.sh") }).expect("submitted").id;
    wait_until("they have run", || queue.0.list().expect("listed").is_empty());
    for element in 0..3 {
        let task = dir.join(format!("task_{element}"));
        let read = |path: std::path::PathBuf| std::fs::read_to_string(path).expect("is there");
        assert_eq!(read(dir.join(format!("volley.started.{id}_{element}"))), format!("{token}\n"));
        assert_eq!(read(task.join("where")), format!("{}\n", task.display()));
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
    assert_eq!(error.kind(), Kind::Sick, "{error}");
    // The real one is untouched.
    assert!(Command::new("squeue").env("SLURM_CONF", &conf).output().expect("runs").status.success());
}
