//! `qlaunch elastic`: as many pilots as there is work for, and no more.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use volley::queue::Queue;

use crate::support::cli::Cli;
use crate::support::draft;
use crate::support::place::{Cleanup, Place};
use crate::support::run::{VOLLEY, wait_until};
use crate::support::service;

/// A launcher that is ended with the test.
struct Launcher(Child);

impl Launcher {
    fn start(place: &Place, words: &[&str]) -> Self {
        Launcher(place.spawn(&[&["qlaunch", "--poll", "2s", "elastic", "--sleep", "1s"], words].concat()))
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        drop(self.0.kill().and_then(|()| self.0.wait()));
    }
}

fn status(place: &Place) -> Value {
    place.run(&["qlaunch", "-s", "status"]).json()
}

/// How many places are in one of these states.
fn places(place: &Place, states: &[&str]) -> u64 {
    let status = status(place);
    let all = status["places"].as_array().expect("a list");
    all.iter().flat_map(|one| states.iter().map(|state| one[*state].as_u64().expect("a number"))).sum()
}

const ALL: [&str; 5] = ["submitting", "queued", "running", "idle", "ending"];

#[test]
fn pilots_come_with_the_work_and_go_without() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = Place::with_adapter("_fw_q_type: SLURM\nqueue: debug\n").set("SLURM_CONF", &conf);
    let queue = Cleanup(place.slurm(&conf));
    place.store();
    let _launcher = Launcher::start(&place, &["--max", "4", "--max-idle", "3s"]);
    wait_until("it is recorded", || !status(&place)["launchers"].as_array().expect("a list").is_empty());
    assert_eq!(queue.0.list().expect("lists"), [], "there is nothing to do");
    place.add_scripts(12, "sleep 1");
    let mut most = 0;
    wait_until("all fireworks are COMPLETED", || {
        most = most.max(queue.0.list().expect("lists").len());
        place.fireworks().iter().all(|firework| firework.state == volley::workflow::State::Completed)
    });
    assert_eq!(most, 4);
    place.assert_each_ran_once();
    wait_until("the pilots have ended", || queue.0.list().expect("lists").is_empty());
    wait_until("their places are free", || places(&place, &ALL) == 0);
    let before = place.launchers().len();
    assert!(before < 12, "a pilot runs several: {before}");
    place.add_scripts(1, "true");
    place.wait_until_completed();
    assert_eq!(place.launchers().len(), before + 1);
}

/// What is wrong with one kind of work is no reason not to do the other.
#[test]
fn a_refusal_ends_it_or_pauses_what_it_is_about() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = Place::with_adapter("_fw_q_type: SLURM\nqueue: nosuch\n").set("SLURM_CONF", &conf);
    let _queue = Cleanup(place.slurm(&conf));
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "-s", "elastic", "--max", "2"]);
    assert!(ran.code == 3 && ran.stderr.contains("Invalid partition name specified"), "{ran:?}");
    assert_eq!(status(&place)["launchers"], json!([]));

    place.write("my_qadapter.yaml", "_fw_q_type: SLURM\nqueue: debug\n");
    let task = json!({"_fw_name": "ScriptTask", "script": "true"});
    let other = draft(json!({"spec": {"_tasks": [task], "_queueadapter": {"queue": "nosuch"}}}));
    place.store().insert(&[other], jiff::Timestamp::now()).expect("added");
    let _launcher = Launcher::start(&place, &["--max", "2", "--max-idle", "1s"]);
    let words = || status(&place)["launchers"][0]["status"].as_str().unwrap_or_default().to_owned();
    wait_until("it pauses", || words().contains("paused for") && words().contains("nosuch"));
    assert!(words().contains("Invalid partition name"), "{}", words());
    wait_until("the other is COMPLETED", || place.fireworks()[0].state == volley::workflow::State::Completed);
}

#[test]
fn pilots_have_the_resources_that_their_work_asks_for() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    let queue = Cleanup(place.local());
    let firework = |resources: Value| {
        let task = json!({"_fw_name": "ScriptTask", "script": "true"});
        draft(json!({"name": "one", "spec": {"_tasks": [task], "_queueadapter": resources}}))
    };
    let big = json!({"job_name": "big", "ntasks": 2});
    let drafts = [big.clone(), Value::Null, big, json!({"mem": {"much": 1}})].map(firework);
    place.store().insert(&drafts, jiff::Timestamp::now()).expect("added");
    let _launcher = Launcher::start(&place, &["--max", "3", "--max-idle", "1s"]);
    let states =
        || place.fireworks().into_iter().map(|firework| firework.state.as_str().to_owned()).collect::<Vec<_>>();
    // No template can take a mapping: others do not wait for it.
    wait_until("what can run has run", || states() == ["COMPLETED", "COMPLETED", "COMPLETED", "READY"]);
    let script = |path: &std::path::PathBuf| std::fs::read_to_string(path.join("FW_submit.script")).expect("a script");
    let scripts: Vec<String> = place.launchers().iter().map(script).collect();
    let named = scripts.iter().filter(|script| script.contains("#SBATCH --job-name=big\n")).count();
    assert!((1..=2).contains(&named) && named < scripts.len(), "{scripts:?}");
    wait_until("the pilots have ended", || queue.0.list().expect("lists").is_empty());
}

#[test]
fn no_pilot_comes_for_what_needs_more_nodes_than_it_has() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    let queue = Cleanup(place.local());
    let large = draft(json!({"spec": {"_tasks": [], "_nodes": 2}}));
    place.store().insert(&[large], jiff::Timestamp::now()).expect("added");
    place.add_scripts(1, "true");
    let _launcher = Launcher::start(&place, &["--max", "3", "--max-idle", "1s"]);
    wait_until("the small one has run", || {
        place.fireworks().iter().any(|firework| firework.state == volley::workflow::State::Completed)
    });
    wait_until("its pilot has ended", || queue.0.list().expect("lists").is_empty());
    wait_until("its place is free", || places(&place, &ALL) == 0);
    assert_eq!(place.launchers().len(), 1);
}

/// On MongoDB, two at a time in one pilot.
#[test]
fn pilots_have_slots() {
    let Some(place) = Cli::mongo() else { return };
    place.write("my_qadapter.yaml", "_fw_q_type: LOCAL\n");
    let task = json!({"_fw_name": "ScriptTask", "script": "sleep 0.2"});
    let fireworks: Vec<Value> = (0..6)
        .map(|id| {
            let resources = if id < 4 { Value::Null } else { json!({"job_name": "own", "ntasks": 2}) };
            json!({"fw_id": id, "spec": {"_tasks": [task], "_queueadapter": resources}})
        })
        .collect();
    place.write("all.json", &json!({"fws": fireworks, "links": {}}).to_string());
    place.lpad(&["add", "all.json"]).done();
    let mut command = place.command(Path::new(VOLLEY));
    command.args(["qlaunch", "-s", "elastic", "--max", "3", "--slots", "2", "--max-idle", "1s", "--sleep", "1s"]);
    let _launcher = Launcher(command.stdout(Stdio::null()).spawn().expect("starts"));
    wait_until("all fireworks are COMPLETED", || place.states().iter().all(|state| state == "COMPLETED"));
    let blocks = std::fs::read_dir(place.folder()).expect("listed").map(|entry| entry.expect("listed").path());
    let block = blocks.into_iter().find(|path| path.to_string_lossy().contains("block_")).expect("a block");
    assert_eq!(std::fs::read_dir(block).expect("listed").count(), 3, "two for four, and one of the other kind");
    let ended = || place.volley(&["qlaunch", "-s", "status"]).json()["places"] == json!([]);
    wait_until("the pilots have ended", ended);
}

/// A Slurm that is away for a while, played by a script.
#[test]
fn a_sick_queue_is_waited_for() {
    let place = Place::new();
    let squeue = "#!/bin/sh\n[ -e \"$(dirname \"$0\")/down\" ] || exit 0\n\
                  echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1\n";
    place.write("squeue", squeue);
    std::fs::set_permissions(place.path().join("squeue"), PermissionsExt::from_mode(0o755)).expect("made executable");
    let commands = format!("{{submit_cmd: 'false', status_cmd: \"'{}/squeue'\"}}", place.path().display());
    place.write("my_qadapter.yaml", &format!("_fw_q_type: SLURM\n_q_commands_override: {commands}\n"));
    place.store();
    let mut launcher = Launcher::start(&place, &["--max", "1"]);
    let words = || status(&place)["launchers"][0]["status"].as_str().unwrap_or_default().to_owned();
    wait_until("it works", || words().starts_with("0 pilots"));
    place.write("down", "");
    wait_until("it waits", || words().starts_with("waits:") && words().contains("Unable to contact"));
    std::fs::remove_file(place.path().join("down")).expect("is there");
    wait_until("it works again", || words().starts_with("0 pilots"));
    place.run(&["qlaunch", "-s", "stop"]).done();
    assert!(launcher.0.wait().expect("waited for").success());
}

#[test]
fn so_many_are_kept_without_work() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    let _queue = Cleanup(place.local());
    place.store();
    let _launcher = Launcher::start(&place, &["--min", "1", "--max", "2", "--max-idle", "1s"]);
    wait_until("it has nothing to do", || places(&place, &["idle"]) == 1);
    place.add_scripts(1, "true");
    place.wait_until_completed();
    assert_eq!(place.launchers().len(), 1, "the same one has run it");
    assert_eq!(places(&place, &ALL), 1);
}

#[test]
fn pilots_that_fail_are_not_submitted_for_ever() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: exit 1; rlaunch rapidfire\n");
    let _queue = Cleanup(place.local());
    place.add_scripts(5, "true");
    let mut launcher = Launcher::start(&place, &["--max", "1"]);
    let words = || status(&place)["launchers"][0]["status"].as_str().unwrap_or_default().to_owned();
    wait_until("it pauses", || words().contains("paused for"));
    assert!(words().contains("ended before the pilot began"), "{}", words());
    assert_eq!(place.launchers().len(), 3);
    place.run(&["qlaunch", "-s", "stop"]).done();
    assert!(launcher.0.wait().expect("waited for").success());
}

#[test]
fn what_is_no_pilot_is_refused() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    place.add_scripts(1, "true");
    for (words, reason) in [
        (&["elastic", "--min", "3", "--max", "2"][..], "--min 3 is more than --max 2"),
        (&["-r", "elastic", "--max", "2"], "pilots take what is READY"),
        (&["-d", "3", "elastic", "--max", "2"], "--daemon repeats"),
        (&["elastic"], "--max"),
    ] {
        let ran = place.run(&[&["qlaunch", "-s"], words].concat());
        assert!(ran.code == 2 && ran.stderr.contains(reason), "{words:?} {ran:?}");
    }
    for (command, reason) in
        [("rlaunch singleshot", "with rapidfire"), ("rlaunch rapidfire --nlaunches 2", "leave it out")]
    {
        place.write("my_qadapter.yaml", &format!("_fw_q_type: LOCAL\nrocket_launch: {command}\n"));
        place.run(&["qlaunch", "-s", "elastic", "--max", "1"]).failed(2, reason);
    }
    assert_eq!(place.launchers().len(), 0);
}
