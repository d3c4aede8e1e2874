//! How far a run has come, and going on from there: what Python does not define, and what goes
//! wrong. What it does define is compared in `rocket_documents`.

use std::path::Path;

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::{Value, json};
use volley::store::{Seen, Verb};
use volley::workflow::{FwAction, Launch, State};

use crate::support::run::wait_until;
use crate::support::site::Site;
use crate::support::{Worker, outcome, stopped};

fn script(text: &str) -> Value {
    json!({"_fw_name": "ScriptTask", "script": text})
}

/// Leaves its directory's `begun` behind, and waits for `go`.
fn waits() -> Value {
    script("touch begun; until [ -e go ]; do [ -e begun ] || exit 1; sleep 0.02; done")
}

/// The checkpoint in the last entry of a launch's history, and what it has in `_task_n`.
fn checkpoint(launch: &Launch) -> Option<(i32, Document)> {
    let checkpoint = launch.state_history.last()?.get_document("checkpoint").ok()?.clone();
    Some((checkpoint.get_i32("_task_n").ok()?, checkpoint))
}

fn newest(site: &Site, fw_id: i64) -> Launch {
    let firework = site.firework(fw_id);
    let ids = [&firework.archived_launches[..], &firework.launches].concat();
    site.launchpad.store.find_launches(&ids).expect("finds").pop().expect("has run")
}

#[test]
fn a_run_that_is_interrupted_keeps_its_checkpoint() {
    for site in Site::on_every_store() {
        let fw_id = site.add_tasks(json!([script("echo once >> log"), waits(), script("touch last")]));
        let worker = site.start(&["singleshot"]);
        wait_until("the second task runs", || site.path().join("begun").exists());
        worker.signal(Signal::TERM);
        assert_eq!(worker.end().0, Some(143));
        let launch = newest(&site, fw_id);
        let (task, gathered) = checkpoint(&launch).expect("has a checkpoint");
        assert_eq!((launch.state, task), (State::Fizzled, 1));
        assert_eq!(gathered.get_document("_all_stored_data").and_then(|data| data.get_i32("returncode")).ok(), Some(0));
        site.recover(fw_id, Some("--previous-dir"));
        site.write("go", "");
        let log = site.run_well(&["singleshot"]);
        assert!(log.contains("Recovering from task number 1 in folder /"), "{log}");
        assert_eq!(site.state(fw_id), State::Completed);
        assert_eq!(std::fs::read_to_string(site.path().join("log")).expect("reads"), "once\n");
        assert!(site.path().join("last").exists());
    }
}

#[test]
fn the_first_checkpoint_comes_with_the_claim() {
    for site in Site::on_every_store() {
        let fw_id = site.add_tasks(json!([waits(), script("true")]));
        let worker = site.start(&["singleshot"]);
        wait_until("it runs", || site.path().join("begun").exists());
        worker.signal(Signal::KILL);
        worker.end();
        let nothing = doc! {"_task_n": 0, "_all_stored_data": {}, "_all_update_spec": {}, "_all_mod_spec": []};
        assert_eq!(checkpoint(&site.launch(fw_id)), Some((0, nothing)));
    }
}

#[test]
fn tasks_that_go_on_see_what_the_earlier_ones_have_told() {
    let action = json!({"update_spec": {"text": "hello"}, "mod_spec": [{"_push": {"list": 1}}]});
    let tells = script(&format!("echo '{action}' > FWAction.json"));
    let reads = json!({
        "_fw_name": "ScriptTask", "script": "cat; [ -e fixed ]", "stdin_key": "text", "store_stdout": true
    });
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([tells, reads]));
    site.run_well(&["singleshot"]);
    assert_eq!(site.state(fw_id), State::Fizzled);
    site.recover(fw_id, None);
    site.write("fixed", "");
    site.run_well(&["singleshot"]);
    assert_eq!(site.stored_data(fw_id).get_str("stdout").ok(), Some("hello"));
    let action = site.launch(fw_id).action.expect("has an action");
    assert_eq!(action.get_document("update_spec").ok(), Some(&doc! {"text": "hello"}));
}

#[test]
fn a_run_that_is_somebody_elses_ends_before_its_next_task() {
    for site in Site::on_every_store() {
        let fw_id = site.add_tasks(json!([waits(), script("touch never")]));
        let worker = site.start(&["singleshot"]);
        wait_until("it runs", || site.path().join("begun").exists());
        site.launchpad.store.steer(Verb::Rerun, fw_id, Timestamp::now()).expect("reruns");
        site.write("go", "");
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("is no longer ours") && log.contains("was stopped, and is not reported"), "{log}");
        assert!(!site.path().join("never").exists());
        assert_eq!(site.state(fw_id), State::Ready);
    }
}

#[test]
fn a_checkpoint_that_is_too_large_is_not_kept() {
    let long = json!({
        "_fw_name": "ScriptTask", "script": "head -c 5000000 /dev/zero | tr '\\0' a", "store_stdout": true
    });
    for site in Site::on_every_store() {
        let fw_id = site.add_tasks(json!([script("true"), long, script("exit 1")]));
        let log = site.run_well(&["singleshot"]);
        assert!(log.contains("the checkpoint of task 2 is too large to keep"), "{log}");
        let (task, _) = checkpoint(&site.launch(fw_id)).expect("has the one before");
        assert_eq!((site.state(fw_id), task), (State::Fizzled, 1));
    }
}

#[test]
fn a_recovery_that_cannot_be_fizzles_and_says_why() {
    let gone = json!({"_task_n": 1, "_mode": "cp", "_prev_dir": "/nowhere/launcher_1"});
    for (recovery, part) in [
        (json!(3), "spec._recovery: `_recovery` must be a mapping"),
        (json!({"_task_n": "one"}), "spec._recovery: `_task_n` must be the number of a task, from 0"),
        (json!({"_task_n": 2}), "spec._recovery: `_task_n` is 2, and the firework has 2 tasks, counted from 0"),
        (json!({"_task_n": 1, "_all_mod_spec": [{"_pop": {"x": 1}}]}), "mod_spec: `_pop` of `x`"),
        (gone, "`_recovery`: cannot copy /nowhere/launcher_1, of the earlier run: No such file"),
    ] {
        let site = Site::sqlite();
        let spec = json!({"_tasks": [script("touch never"), script("touch never")], "_recovery": recovery});
        let fw_id = site.add(json!({"spec": spec}))[0];
        site.run_well(&["singleshot"]);
        let trace = site.stacktrace(fw_id);
        assert!(trace.contains(part) && trace.contains(&format!("firework {fw_id}")), "{trace}");
        assert!(!site.path().join("never").exists());
    }
}

#[test]
fn what_could_not_be_copied_can_be_tried_again() {
    let site = Site::sqlite();
    let recovery = json!({"_task_n": 1, "_all_stored_data": {"a": 1}, "_mode": "cp", "_prev_dir": "/nowhere"});
    let spec = json!({"_tasks": [script("touch never"), script("true")], "_recovery": recovery});
    let fw_id = site.add(json!({"spec": spec}))[0];
    site.run_well(&["singleshot"]);
    let (task, gathered) = checkpoint(&site.launch(fw_id)).expect("is kept");
    assert_eq!((task, gathered.get_document("_all_stored_data").ok()), (1, Some(&doc! {"a": 1})));
}

#[test]
fn only_a_worker_that_holds_a_launch_writes_into_it() {
    for site in Site::on_every_store() {
        let store = &*site.launchpad.store;
        let spec = json!({"_tasks": [script("true")], "_trackers": [{"filename": "log", "nlines": 1}]});
        for _ in 0..2 {
            site.add(json!({"spec": spec}));
        }
        let (worker, now) = (Worker::new("w"), Timestamp::now());
        let claims = worker.claim(store, 2);
        let stored = |launch: &Launch| store.find_launches(&[launch.launch_id]).expect("finds").remove(0);
        let tracker = |content: &str| -> Bson {
            doc! {"filename": "log", "nlines": 1, "allow_zipped": false, "content": content}.into()
        };
        let mut launch = claims[0].launch.clone();
        launch.reach(doc! {"_task_n": 1});
        launch.trackers = vec![tracker("a")];
        assert!(store.checkpoint(&launch, now).expect("writes"));
        assert_eq!(
            (stored(&launch).trackers, checkpoint(&stored(&launch)).map(|c| c.0)),
            (vec![tracker("a")], Some(1))
        );

        // With the leases comes what is seen, and only for the launch that it was seen in.
        let seen = [Seen { launch_id: launch.launch_id, trackers: vec![tracker("b")] }];
        let held = [claims[0].held(), claims[1].held()];
        assert_eq!(store.renew(&held, &seen, &worker.lease, now).expect("renews"), Vec::<i64>::new());
        assert_eq!(stored(&launch).trackers, [tracker("b")]);
        assert_eq!(
            stored(&claims[1].launch).trackers,
            [doc! {"filename": "log", "nlines": 1, "allow_zipped": false}.into()]
        );
        assert_eq!(checkpoint(&stored(&launch)).map(|c| c.0), Some(1), "stays");

        // A zombie, whose launch another took over.
        let mut stranger = launch.clone();
        let lease = Worker::new("other").lease.to_document();
        stranger.state_history[0].insert("lease", lease);
        assert!(!store.checkpoint(&stranger, now).expect("is asked"));
        let mut done = outcome(&claims[0], State::Fizzled, FwAction::default());
        done.launch = launch.clone();
        store.finish(&[done], now).expect("finishes");
        assert_eq!(
            (stored(&launch).trackers, checkpoint(&stored(&launch)).map(|c| c.0)),
            (vec![tracker("a")], Some(1))
        );
        launch.reach(doc! {"_task_n": 2});
        assert!(!store.checkpoint(&launch, now).expect("is asked"), "it has ended");
        assert!(store.give_back(claims[1].held(), &stopped("test"), now).expect("gives back"));
        assert!(!store.checkpoint(&claims[1].launch, now).expect("is asked"), "it has been given back");
        assert_eq!(checkpoint(&stored(&claims[1].launch)).map(|c| c.0), Some(0), "how far it had come");
    }
}

#[test]
fn fw_json_shows_earlier_launches() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([script("true"), script("[ -e fixed ]")]));
    site.run_well(&["singleshot"]);
    site.recover(fw_id, Some("--copy-data"));
    site.write("fixed", "");
    site.run_well(&["singleshot"]);
    assert_eq!(site.state(fw_id), State::Completed);
    let text = std::fs::read_to_string(Path::new(site.path()).join("FW.json")).expect("reads");
    let written: Value = serde_json::from_str(&text).expect("is JSON");
    let states = |key: &str| written[key].as_array().map(|all| all.iter().map(|one| one["state"].clone()).collect());
    assert_eq!(states("archived_launches"), Some(vec![json!("FIZZLED")]));
    assert_eq!(states("launches"), Some(vec![json!("RUNNING")]));
}
