//! Slots that are free while others are busy: they find what there is to do, and nothing is forgotten.

use std::time::Duration;

use serde_json::{Value, json};
use volley::store::{Location, Verb};
use volley::workflow::{FwId, State};

use crate::support::processes::script;
use crate::support::run::wait_until;
use crate::support::site::Site;

/// Ends when there is such a file.
fn until(file: &str) -> Value {
    script(&format!("until [ -e $HOME/{file} ]; do sleep 0.02; done"))
}

fn add(site: &Site, tasks: Value, asks: Value) -> FwId {
    let mut spec = asks;
    spec["_tasks"] = tasks;
    site.add(json!({"spec": spec}))[0]
}

/// A firework ends while its worker looks for more for the other slot.
#[test]
fn what_ends_meanwhile_is_reported_before_there_is_nothing_to_do() {
    let site = Site::sqlite();
    let Location::Sqlite(path) = &site.launchpad.location else { return };
    let fws = json!([{"fw_id": 1, "spec": {"_tasks": until("go")}}, {"fw_id": 2, "spec": {"_tasks": script("true")}}]);
    let ids = site.add(json!({"fws": fws, "links": {"1": [2]}}));
    let worker = site.start(&["multi", "2", "--max_loops", "1", "--sleep", "0"]);
    let is_there = |file: &str| site.launchers().iter().any(|folder| folder.join(file).exists());
    wait_until("it runs", || is_there("FW.json"));
    let sql = rusqlite::Connection::open(path).expect("opens");
    sql.execute_batch("BEGIN IMMEDIATE").expect("locks");
    // The worker looks once a second: by then it waits for the lock.
    std::thread::sleep(Duration::from_secs(2));
    site.write("go", "");
    wait_until("it is done", || is_there("FW_result.json"));
    std::thread::sleep(Duration::from_millis(100));
    sql.execute_batch("ROLLBACK").expect("unlocks");
    let (code, log) = worker.end();
    assert_eq!((code, site.state(ids[0])), (Some(0), State::Completed), "{log}");
    assert_eq!(site.state(ids[1]), State::Completed, "its child was begun, too: {log}");
}

/// What was claimed with a large one is handed back, and the slot that waited for it has other work.
#[test]
fn a_slot_that_has_handed_work_back_looks_for_more() {
    for site in Site::on_every_store() {
        let first = add(&site, until("go"), json!({"_slots": 2, "_priority": 9}));
        let second = add(&site, script("true"), json!({"_slots": 2, "_priority": 8}));
        let small = add(&site, script("true"), json!({"_priority": 7}));
        let worker = site.start(&["multi", "3"]);
        wait_until("the first runs", || site.state(first) == State::Running);
        // Where they were not claimed together, the small one may have slipped in.
        let is_back = |id: FwId| site.state(id) == State::Ready;
        wait_until("the others are handed back", || {
            is_back(second) && (is_back(small) || site.state(small) == State::Completed)
        });
        site.launchpad.store.steer(Verb::Pause, second, jiff::Timestamp::now()).expect("pauses");
        wait_until("the small one has run", || site.state(small) == State::Completed);
        site.write("go", "");
        assert_eq!(worker.end().0, Some(0));
    }
}

#[test]
fn a_free_slot_runs_what_a_killed_worker_has_left() {
    for site in Site::on_every_store() {
        site.write("volley.yaml", "lease: 60s\nrenew: 0.5s\n");
        // On a busy machine the other may come late: until then a free slot would look less and less often.
        site.write("FW_config.yaml", "RAPIDFIRE_SLEEP_SECS: 2\n");
        let long = add(&site, until("go"), json!({"_priority": 9}));
        let worker = site.start(&["multi", "2"]);
        wait_until("the long one runs", || site.state(long) == State::Running);
        let lost = add(&site, until("again"), json!({"_fworker": "other"}));
        site.write("other.yaml", "name: other\n");
        let victim = site.start(&["-w", "other.yaml", "singleshot"]);
        wait_until("the other runs", || site.state(lost) == State::Running);
        drop(victim);
        wait_until("it is READY again", || site.state(lost) == State::Ready);
        site.write("go", "");
        assert_eq!(worker.end().0, Some(0));
    }
}
