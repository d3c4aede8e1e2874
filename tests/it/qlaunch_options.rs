//! FireWorks' global options of `qlaunch`, and what they do not go with.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use volley::queue::Queue;

use crate::support::draft;
use crate::support::place::{Cleanup, Place};
use crate::support::run::wait_until;

/// A place whose queue is this machine.
fn place() -> Place {
    Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: 'true'\n")
}

#[test]
fn fill_mode_submits_although_nothing_is_ready() {
    let place = place();
    place.store();
    let queue = Cleanup(place.local());
    let ran = place.run(&["qlaunch", "-fm", "singleshot"]).done();
    assert!(ran.stdout.contains("submitted job 1"), "{}", ran.stdout);
    let ran = place.run(&["qlaunch", "--fill_mode", "rapidfire", "--nlaunches", "2"]).done();
    assert!(ran.stdout.contains("submitted 2 jobs"), "{}", ran.stdout);
    wait_until("the jobs have ended", || queue.0.list().expect("listed").is_empty());
}

#[test]
fn a_block_may_be_named() {
    let place = place();
    let queue = Cleanup(place.local());
    place.add_scripts(1, "true");
    place.run(&["qlaunch", "--launch_dir", "deep", "--block_dir", "mine", "rapidfire", "--nlaunches", "1"]).done();
    let names = std::fs::read_dir(place.path().join("deep/mine")).expect("listed");
    let names: Vec<_> = names.map(|entry| entry.expect("listed").file_name()).collect();
    assert!(names.len() == 1 && names[0].to_string_lossy().starts_with("launcher_"), "{names:?}");
    wait_until("the jobs have ended", || queue.0.list().expect("listed").is_empty());
}

/// Otherwise one job after the other would find nothing to run.
#[test]
fn what_asks_for_more_than_a_job_has_is_submitted_for_nothing() {
    for (command, asks, expected) in [
        ("rlaunch singleshot", json!({"_slots": 2}), "no job"),
        ("rlaunch multi 2 --nlaunches 1", json!({"_slots": 3}), "no job"),
        ("rlaunch multi 2 --nlaunches 1", json!({"_slots": 2}), "submitted 1 job "),
        ("rlaunch singleshot", json!({"_nodes": 2}), "no job"),
    ] {
        let place = Place::with_adapter(&format!("_fw_q_type: LOCAL\nrocket_launch: {command}\n"));
        let queue = Cleanup(place.local());
        let mut spec = asks;
        spec["_tasks"] = json!([]);
        place.store().insert(&[draft(json!({"spec": &spec}))], jiff::Timestamp::now()).expect("inserts");
        let ran = place.run(&["qlaunch", "rapidfire"]).done();
        assert!(ran.stdout.contains(expected), "{command} {spec}: {}", ran.stdout);
        wait_until("the jobs have ended", || queue.0.list().expect("listed").is_empty());
    }
}

/// What is reserved runs whatever it asks for.
#[test]
fn a_large_firework_gets_a_job_of_its_own_where_it_is_reserved() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    let _queue = Cleanup(place.local());
    let large = json!({"spec": {"_slots": 4, "_nodes": null, "_tasks": []}});
    place.store().insert(&[draft(large)], jiff::Timestamp::now()).expect("inserts");
    place.run(&["qlaunch", "-r", "rapidfire"]).done();
    place.wait_until_completed();
}

/// As cron calls it.
#[test]
fn one_pass_waits_for_nothing() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.local());
    place.add_scripts(2, "sleep 1");
    let pass = ["qlaunch", "rapidfire", "-m", "1", "--timeout", "0"];
    let ran = place.run(&pass).done();
    assert!(ran.stdout.contains("submitted 1 job"), "{}", ran.stdout);
    let ran = place.run(&pass).done();
    assert!(ran.stdout.contains("submitted 0 jobs"), "{}", ran.stdout);
    wait_until("the job has ended", || queue.0.list().expect("listed").is_empty());
    place.run(&pass).done();
    place.wait_until_completed();
    place.assert_each_ran_once();
}

/// Jobs of the last time are none of this time, though the same process has submitted them.
#[test]
fn each_time_has_its_own_number_of_launches() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.local());
    let go = place.path().join("go");
    place.add_scripts(4, &format!("until [ -e '{}' ]; do sleep 0.1; done", go.display()));
    let mut launcher = place.spawn(&["qlaunch", "-d", "1", "rapidfire", "--nlaunches", "2", "-m", "9"]);
    wait_until("there are four jobs", || queue.0.list().expect("listed").len() == 4);
    place.write("go", "");
    place.wait_until_completed();
    launcher.kill().expect("ends");
    launcher.wait().expect("ends");
    place.assert_each_ran_once();
}

#[test]
fn what_does_not_go_together_is_refused() {
    let place = place();
    place.add_scripts(1, "true");
    for (words, reason) in [
        (&["-fm", "-r", "rapidfire"][..], "one for each READY firework"),
        (&["-r", "rapidfire", "--array-size", "3"], "--array-size needs jobs of one script"),
        (&["-rh", "login1", "rapidfire"], "ssh HOST"),
        (&["-rs", "module load x", "singleshot"], "ssh HOST"),
        (&["--detach", "status"], "--detach is for what goes on"),
        (&["-d", "5", "preview"], "--daemon repeats"),
        (&["--log", "a.log", "rapidfire"], "--log is where --detach writes"),
    ] {
        let ran = place.run(&[&["qlaunch"], words].concat());
        assert_eq!((ran.code, ran.stderr.matches("error: ").count()), (2, 1), "{words:?} {ran:?}");
        assert!(ran.stderr.contains(reason), "{words:?} {}", ran.stderr);
    }
    assert_eq!(place.run(&["qlaunch"]).code, 2, "there is nothing to do");
    place.write("my_qadapter.yaml", "_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot --offline\n");
    place.run(&["qlaunch", "-s", "rapidfire"]).failed(2, "needs qlaunch -r");
    assert_eq!(place.launchers().len(), 0);
}

/// Each job would be several, of which only one was counted.
#[test]
fn arrays_of_ones_own_are_not_counted_as_one() {
    let place = Place::with_adapter("_fw_q_type: SLURM\narray: 0-3\n").set("PATH", "/nowhere");
    place.add_scripts(1, "true");
    for words in [
        &["rapidfire", "-m", "2"][..],
        &["rapidfire", "--nlaunches", "2"],
        &["rapidfire", "--array-size", "2"],
        &["-r", "rapidfire"],
        &["-r", "singleshot"],
        &["elastic", "--max", "2"],
    ] {
        place.run(&[&["qlaunch", "-s"], words].concat()).failed(2, "array");
    }
    assert_eq!(place.launchers().len(), 0);
}

/// A launchpad in a file is for one host; what Slurm says of its nodes is played by a script.
#[test]
fn a_file_is_not_opened_on_other_hosts() {
    let place = Place::with_adapter("_fw_q_type: SLURM\nqueue: long\n");
    let place = {
        let path = format!("{}:{}", place.path().display(), std::env::var("PATH").expect("is set"));
        place.set("PATH", &path)
    };
    place.add_scripts(1, "true");
    place.write("sinfo", "#!/bin/sh\nprintf '%s\\n' 'debug|n9|10.0.0.9|debug*' 'long|n1|10.0.0.1|long'\n");
    std::fs::set_permissions(place.path().join("sinfo"), PermissionsExt::from_mode(0o755)).expect("made executable");
    for verb in [&["rapidfire"][..], &["singleshot"], &["elastic", "--max", "2"]] {
        place.run(&[&["qlaunch", "-s"], verb].concat()).failed(2, "would run on others (n1)");
    }
    // What is reserved may run without the launchpad.
    place.write("my_qadapter.yaml", "_fw_q_type: SLURM\nqueue: long\nrocket_launch: rlaunch singleshot --offline\n");
    let ran = place.run(&["qlaunch", "-s", "-r", "singleshot"]);
    assert!(!ran.stderr.contains("on others"), "{}", ran.stderr);
}
