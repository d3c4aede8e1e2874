//! Time limits: of the job that a worker runs in, and of fireworks.

use std::process::Command;

use bson::Bson;
use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::{Value, json};
use volley::store::{Held, Verb};
use volley::workflow::{Cause, FWorker, Loss, State};

use crate::support::Worker;
use crate::support::processes::{SCRIPT, processes, script, wait_until_gone};
use crate::support::relaxation::{never_done, opt_steps};
use crate::support::run::wait_until;
use crate::support::site::{Running, Site};

/// `rlaunch` in a Slurm job that ends so many seconds from now.
fn in_a_job(site: &Site, seconds: i64, arguments: &[&str]) -> Command {
    let end = Timestamp::now().as_second() + seconds;
    let mut command = site.rlaunch(arguments);
    command.env("SLURM_JOB_ID", "12").env("SLURM_JOB_END_TIME", end.to_string());
    command
}

fn add(site: &Site, text: &str, spec: Value) -> i64 {
    let mut firework = json!({"spec": {"_tasks": script(text)}});
    firework["spec"].as_object_mut().expect("an object").extend(spec.as_object().cloned().expect("an object"));
    site.add(firework)[0]
}

/// Neither while it has no room.
#[test]
fn no_room_is_kept_for_what_takes_too_long() {
    for site in Site::on_every_store() {
        let until = "until [ -e $HOME/go ]; do sleep 0.02; done";
        let running = add(&site, until, json!({}));
        let worker = Running::of(&mut in_a_job(&site, 3600, &["multi", "2", "--nlaunches", "infinite"]));
        wait_until("it runs", || site.state(running) == State::Running);
        let large = add(&site, "true", json!({"_slots": 2, "_walltime": "2h", "_priority": 9}));
        let small = add(&site, "true", json!({}));
        wait_until("the small one has run beside it", || site.state(small) == State::Completed);
        site.write("go", "");
        let (code, log) = worker.end();
        assert_eq!((code, site.state(large)), (Some(0), State::Ready), "{log}");
        assert!(log.contains("it needs 7200 s, and Slurm job 12 has 35"), "{log}");
    }
}

#[test]
fn what_takes_too_long_is_left_to_others() {
    for site in Site::on_every_store() {
        let long: Vec<i64> = (0..5).map(|_| add(&site, "true", json!({"_walltime": "2h", "_priority": 9}))).collect();
        let number = add(&site, "true", json!({"_walltime": 7200, "_priority": 9}));
        let short = add(&site, "true", json!({"_walltime": "10m"}));
        let any = add(&site, "true", json!({}));
        let mut asked = site.launchpad.store.claimable_walltimes(&FWorker::default()).expect("finds");
        asked.sort_by_key(ToString::to_string);
        assert_eq!(asked, ["10m".into(), "2h".into(), Bson::Int32(7200)]);
        let worker = Running::of(&mut in_a_job(&site, 3600, &["rapidfire", "--nlaunches", "infinite"]));
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        assert_eq!([site.state(short), site.state(any)], [State::Completed; 2]);
        for fw_id in long.iter().copied().chain([number]) {
            let firework = site.firework(fw_id);
            assert_eq!(firework.state, State::Ready);
            assert!(firework.launches.is_empty() && firework.archived_launches.is_empty(), "never begun");
        }
        assert_eq!(log.matches("it needs 7200 s, and Slurm job 12 has 35").count(), 2, "once for each form: {log}");
        assert!(log.contains("leaving it to others"), "{log}");
        assert_eq!(site.launchers().len(), 2);

        let output = in_a_job(&site, 3600, &["singleshot", "-f", &long[0].to_string()]).output().expect("runs");
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains("stays READY: it needs 7200 s"), "{log}");
        // Without a limit it does not matter.
        site.run_well(&["rapidfire"]);
        assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed));
    }
}

#[test]
fn what_was_cut_short_needs_more() {
    for site in Site::on_every_store() {
        let fw_id = add(&site, "true", json!({}));
        let cut_short = |seconds: i64| {
            let at = Timestamp::now();
            let claim = Worker::new("w").claim(&*site.launchpad.store, 1).remove(0);
            let mut launch = claim.launch.clone();
            launch.reach(bson::doc! {"_task_n": 0});
            let later = at + jiff::SignedDuration::from_secs(seconds);
            assert!(site.launchpad.store.checkpoint(&launch, later).expect("writes"), "moves the last sign of life");
            let held = Held { fw_id, launch_id: claim.launch.launch_id };
            let loss = Loss::new(Cause::Timeout, "near the end of Slurm job 11");
            assert!(site.launchpad.store.give_back(held, &loss, later).expect("gives back"));
        };
        cut_short(3580);
        let output = in_a_job(&site, 3600, &["rapidfire"]).output().expect("runs");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("it has been cut short after 35"), "{log}");
        assert_eq!(site.state(fw_id), State::Ready);
        in_a_job(&site, 7200, &["rapidfire"]).output().expect("runs");
        assert_eq!(site.state(fw_id), State::Completed);
    }
}

#[test]
fn what_runs_when_the_time_is_over_is_given_back() {
    let start = |site: Site| {
        let done = add(&site, "true", json!({"_priority": 2}));
        let fw_id = add(&site, SCRIPT, json!({"_launch_dir": ".", "_priority": 1}));
        let worker = Running::of(&mut in_a_job(&site, 20, &["rapidfire"]));
        (site, done, fw_id, worker)
    };
    let all: Vec<_> = Site::on_every_store().into_iter().map(start).collect();
    for (site, done, fw_id, worker) in all {
        let processes = processes(site.path());
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        let loss = site.given_back(fw_id).loss().expect("was lost");
        assert_eq!((loss.cause, loss.text.as_str()), (Cause::Timeout, "near the end of Slurm job 12"));
        assert_eq!(site.state(done), State::Completed, "what was done is reported");
        wait_until_gone(processes);
    }
}

#[test]
fn slurms_warning_is_no_other_signal() {
    let site = Site::sqlite();
    let fw_id = add(&site, SCRIPT, json!({"_launch_dir": "."}));
    let worker = Running::of(&mut in_a_job(&site, 120, &["rapidfire"]));
    processes(site.path());
    worker.signal(Signal::USR1);
    let (code, log) = worker.end();
    assert_eq!(code, Some(138), "{log}");
    assert_eq!(site.given_back(fw_id).loss().map(|loss| loss.cause), Some(Cause::Timeout));
}

#[test]
fn a_worker_that_cannot_ask_slurm_works_on() {
    let site = Site::sqlite();
    let fw_id = add(&site, "true", json!({"_walltime": "1000d"}));
    let mut command = site.rlaunch(&["rapidfire"]);
    let output = command.env("SLURM_JOB_ID", "12").env("SLURM_CONF", "/nowhere").output().expect("runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(log.matches("cannot tell when Slurm job 12 ends").count(), 1, "{log}");
    assert_eq!((output.status.code(), site.state(fw_id)), (Some(0), State::Completed), "{log}");
}

#[test]
fn a_firework_that_runs_too_long_fizzles() {
    for site in Site::on_every_store() {
        let fw_id = add(&site, SCRIPT, json!({"_launch_dir": ".", "_max_runtime": "3s"}));
        let other = add(&site, "true", json!({"_max_runtime": "1d"}));
        let log = site.run_well(&["rapidfire"]);
        let message = site.stacktrace(fw_id);
        assert!(message.contains("longer than its `_max_runtime`, \"3s\""), "{message}");
        assert!(log.contains("`_max_runtime`"), "{log}");
        let data = site.stored_data(fw_id);
        let details = data.get_document("_exception").and_then(|one| one.get_document("_details")).expect("are there");
        assert_eq!(details.get_str("cause").ok(), Some("timeout"));
        assert_eq!(site.state(other), State::Completed, "the worker goes on");
        wait_until_gone(processes(site.path()));
    }
}

#[test]
fn a_relaxation_that_ran_too_long_can_go_on() {
    let site = Site::sqlite();
    let fw_id = site.add(json!({"spec": {"_tasks": never_done(2, json!({})), "_max_runtime": 3}}))[0];
    site.run_well(&["singleshot"]);
    assert!(site.stacktrace(fw_id).contains("`_max_runtime`, 3"));
    assert!(site.launch(fw_id).progress().is_some() && opt_steps(site.path()) > 1);
    site.launchpad.store.steer(Verb::Rerun, fw_id, Timestamp::now()).expect("reruns");
    let log = site.run_well(&["singleshot"]);
    assert!(log.contains("going on from its last geometry"), "{log}");
}

#[test]
fn limits_that_are_none_are_named() {
    let site = Site::sqlite();
    for (spec, part) in [
        (json!({"_max_runtime": "soon"}), "`_max_runtime`: `soon` is no duration"),
        (json!({"_walltime": [1]}), "`_walltime`: "),
    ] {
        let fw_id = add(&site, "touch ran", spec);
        site.run_well(&["singleshot"]);
        assert!(site.stacktrace(fw_id).contains(part), "{}", site.stacktrace(fw_id));
        assert!(!site.path().join("ran").exists());
    }
}
