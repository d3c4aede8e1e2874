//! Jobs of a real Slurm that are ended: what they ran is READY again, and has kept how far it was.

use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use serde_json::json;
use volley::queue::Queue;
use volley::workflow::{Launch, State};

use crate::support::draft;
use crate::support::place::{Cleanup, Place};
use crate::support::processes::{SCRIPT, processes, script, wait_until_gone};
use crate::support::relaxation::{last_energy, never_done, opt_steps};
use crate::support::run::wait_until;
use crate::support::service;

fn place(conf: &str, more: &str) -> Place {
    let adapter = "_fw_q_type: SLURM\nqueue: debug\nrocket_launch: rlaunch singleshot\n";
    Place::with_adapter(&format!("{adapter}{more}")).set("SLURM_CONF", conf)
}

fn add(place: &Place, tasks: serde_json::Value) {
    place.store().insert(&[draft(json!({"spec": {"_tasks": tasks}}))], Timestamp::now()).expect("added");
}

/// The launch that was given back last.
fn given_back(place: &Place) -> Launch {
    wait_until("the firework is READY again", || place.fireworks()[0].state == State::Ready);
    let firework = place.fireworks().remove(0);
    let last = firework.archived_launches.last().expect("was launched");
    place.store().find_launches(&[*last]).expect("finds").pop().expect("exists")
}

/// Submits a job, and returns its launch folder.
fn submit(place: &Place, folder: &str) -> PathBuf {
    let dir = place.path().join(folder);
    place.run(&["qlaunch", "--launch_dir", folder, "singleshot"]).done();
    dir
}

fn cancel(queue: &dyn Queue) {
    let jobs: Vec<_> = queue.list().expect("lists").into_iter().map(|job| job.id).collect();
    queue.cancel(&jobs).expect("cancels");
}

#[test]
fn a_cancelled_relaxation_goes_on_from_its_last_geometry() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place(&conf, "");
    let queue = Cleanup(place.slurm(&conf));
    add(&place, never_done(2, json!({})));
    let first = submit(&place, "first");
    wait_until("it has made some steps", || opt_steps(&first) > 3);
    cancel(&queue.0);
    let launch = given_back(&place);
    assert_eq!(launch.loss().map(|loss| loss.text), Some("SIGTERM".to_owned()));
    let (_, progress) = launch.progress().expect("is kept");
    let steps = progress.get("steps").and_then(volley::workflow::as_int).expect("is a number");
    wait_until("the job is gone", || queue.0.list().expect("lists").is_empty());
    assert_eq!(usize::try_from(steps).expect("is positive") + 1, opt_steps(&first));

    let second = submit(&place, "second");
    wait_until("it goes on", || opt_steps(&second) > 0);
    let log = std::fs::read_to_string(second.join("opt.log")).expect("is there");
    assert!(log.lines().nth(1).is_some_and(|line| line.contains(&last_energy(&first))), "{log}");
    cancel(&queue.0);
    given_back(&place);
}

#[test]
fn nothing_of_a_cancelled_script_is_left() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    // What comes after the worker waits for it, and sees how it ended.
    let place = place(
        &conf,
        "pre_rocket: |\n  BEFORE=3\n  echo begun\npost_rocket: |\n  echo $? > after\n  echo $BEFORE >> after\n",
    );
    let queue = Cleanup(place.slurm(&conf));
    add(&place, script(SCRIPT));
    let dir = submit(&place, "job");
    let processes = processes(&dir);
    // The shell alone, as at the end of a job's time.
    let job = queue.0.list().expect("lists").remove(0).id;
    let told = Command::new("scancel").args(["-b", "-s", "USR1", &job.id]).env("SLURM_CONF", &conf).status();
    assert!(told.expect("runs").success());
    assert_eq!(given_back(&place).loss().map(|loss| loss.text), Some("SIGUSR1".to_owned()));
    wait_until_gone(processes);
    wait_until("the job is gone", || queue.0.list().expect("lists").is_empty());
    assert_eq!(std::fs::read_to_string(dir.join("after")).expect("is written"), "138\n3\n");

    let dir = submit(&place, "other");
    let processes = self::processes(&dir);
    cancel(&queue.0);
    assert_eq!(given_back(&place).loss().map(|loss| loss.text), Some("SIGTERM".to_owned()));
    wait_until_gone(processes);
    wait_until("the job is gone", || queue.0.list().expect("lists").is_empty());
}

/// The worker asks Slurm when its job ends.
#[test]
fn a_job_takes_only_what_fits() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place(&conf, "walltime: '00:10:00'\n");
    let queue = Cleanup(place.slurm(&conf));
    let tasks = script("true");
    let long = json!({"name": "long", "spec": {"_tasks": tasks, "_walltime": "20m", "_priority": 1}});
    let short = json!({"name": "short", "spec": {"_tasks": tasks, "_walltime": "5m"}});
    place.store().insert(&[draft(long), draft(short)], Timestamp::now()).expect("added");
    submit(&place, "job");
    wait_until("the short one is COMPLETED", || place.fireworks()[1].state == State::Completed);
    assert_eq!((place.fireworks()[0].state, place.fireworks()[0].launches.len()), (State::Ready, 0));
    wait_until("the job is gone", || queue.0.list().expect("lists").is_empty());
    let ran = place.run(&["qlaunch", "singleshot"]).done();
    assert!(ran.stdout.contains("no job submitted"), "it would do nothing: {}", ran.stdout);
}
