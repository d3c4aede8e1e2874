//! Files that are followed while a firework runs.

use bson::Bson;
use serde_json::{Value, json};
use volley::workflow::State;

use crate::support::run::wait_until;
use crate::support::site::Site;

/// What its trackers have seen; nothing before its launch is there.
fn contents(site: &Site, fw_id: i64) -> Vec<Option<String>> {
    let content = |tracker: &Bson| Some(tracker.as_document()?.get_str("content").ok()?.to_owned());
    let launches = site.launchpad.store.find_launches(&site.firework(fw_id).launches).expect("finds");
    launches.iter().flat_map(|launch| launch.trackers.iter().map(content)).collect()
}

fn add(site: &Site, trackers: Value, tasks: &[&str]) -> i64 {
    let tasks: Vec<Value> = tasks.iter().map(|text| json!({"_fw_name": "ScriptTask", "script": text})).collect();
    site.add(json!({"spec": {"_tasks": tasks, "_trackers": trackers}}))[0]
}

const WAIT: &str = "until [ -e go ]; do sleep 0.02; done";

#[test]
fn the_last_lines_are_seen_while_it_runs() {
    for site in Site::on_every_store() {
        site.write("volley.yaml", "renew: 0.1\nlease: 60\n");
        let write = format!("printf '1\\n2\\n3\\n' > log; touch begun; {WAIT}; echo 4 >> log; rm other");
        let trackers = json!([{"filename": "log", "nlines": 2}, {"filename": "other"}, {"filename": "none"}]);
        let fw_id = add(&site, trackers, &[&write]);
        site.write("other", "kept\n");
        let worker = site.start(&["singleshot"]);
        wait_until("it runs", || site.path().join("begun").exists());
        let seen = [Some("2\n3".to_owned()), Some("kept".to_owned()), None];
        wait_until("the leases are renewed", || contents(&site, fw_id) == seen);
        site.write("go", "");
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        assert_eq!(contents(&site, fw_id), [Some("3\n4".to_owned()), Some("kept".to_owned()), None]);
    }
}

#[test]
fn with_every_checkpoint_they_are_seen_too() {
    for site in Site::on_every_store() {
        let fw_id = add(&site, json!([{"filename": "log", "nlines": 1}]), &["echo first > log", WAIT]);
        let worker = site.start(&["singleshot"]);
        wait_until("the second task begins", || contents(&site, fw_id) == [Some("first".to_owned())]);
        site.write("go", "");
        assert_eq!(worker.end().0, Some(0));
    }
}

#[test]
fn trackers_that_fireworks_refuses_are_left_out() {
    let site = Site::sqlite();
    let trackers = json!([{"filename": "log", "nlines": 5000}, "log", {"filename": "log"}, {"filename": "."}]);
    let fw_id = add(&site, trackers, &["echo x > log"]);
    let log = site.run_well(&["singleshot"]);
    assert!(log.contains("tracker of `log`: `nlines` must be a number, and at most 1000"), "{log}");
    assert!(log.contains("a tracker is a mapping with a `filename`"), "{log}");
    assert!(log.contains("cannot follow .: "), "{log}");
    assert_eq!(site.state(fw_id), State::Completed);
    assert_eq!(contents(&site, fw_id), [Some("x".to_owned()), None]);
}
