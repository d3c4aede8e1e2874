//! Many workers, many fireworks: everything runs once, and nobody sits on work.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use volley::workflow::State;

use crate::support::Launchpad;
use crate::support::run::wait_until;
use crate::support::site::Site;

fn file_write() -> Value {
    json!([{"_fw_name": "FileWriteTask", "files_to_write": [{"filename": "a", "contents": "1"}]}])
}

/// Eight workers drain 400 fireworks.
fn everything_runs_once(site: &Site) {
    let fws: Vec<Value> = (1..=400).map(|id| json!({"fw_id": id, "spec": {"_tasks": file_write()}})).collect();
    for part in fws.chunks(40) {
        site.add(json!({"fws": part}));
    }
    let workers: Vec<_> = (0..8).map(|_| site.start(&["rapidfire"])).collect();
    for worker in workers {
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
    }
    let fireworks = site.fireworks();
    assert_eq!(fireworks.len(), 400);
    let mut launches = Vec::new();
    for firework in &fireworks {
        assert_eq!(
            (firework.state, firework.launches.len(), firework.archived_launches.len()),
            (State::Completed, 1, 0)
        );
        launches.extend(&firework.launches);
    }
    let launches = site.launchpad.store.find_launches(&launches).expect("finds");
    let directories: BTreeSet<String> = launches.into_iter().map(|launch| launch.launch_dir).collect();
    assert_eq!(directories.len(), 400, "each in a directory of its own");
    assert_eq!(site.launchers().len(), 400, "none is left over");
}

#[test]
fn everything_runs_once_on_sqlite() {
    everything_runs_once(&Site::sqlite());
}

#[test]
fn everything_runs_once_on_mongodb() {
    if let Some(launchpad) = Launchpad::mongo() {
        everything_runs_once(&Site::on(launchpad));
    }
}

#[test]
fn a_long_task_does_not_hold_up_what_was_claimed_with_it() {
    let site = Site::sqlite();
    let add = |priority: i32, tasks: Value| site.add(json!({"spec": {"_tasks": tasks, "_priority": priority}}))[0];
    let wait = json!([{"_fw_name": "ScriptTask", "script": format!("until [ -e {} ]; do sleep 0.1; done", site.path().join("go").display())}]);
    // Claimed by one, by two, and then four at once.
    let quick: Vec<i64> = (0..4).map(|_| add(9, file_write())).collect();
    let long = add(5, wait);
    let held: Vec<i64> = (0..2).map(|_| add(1, file_write())).collect();
    let worker = site.start(&["rapidfire"]);
    wait_until("the long one runs", || site.state(long) == State::Running);
    wait_until("what ended before it is reported", || quick.iter().all(|&id| site.state(id) == State::Completed));
    wait_until("what waits behind it is handed back", || held.iter().all(|&id| site.state(id) == State::Ready));
    assert_eq!(site.state(long), State::Running);
    assert!(held.iter().all(|&id| site.firework(id).launches.is_empty()));
    site.write("go", "");
    let (code, log) = worker.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("handing back 2 fireworks"), "{log}");
    assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed && firework.launches.len() == 1));
    assert_eq!(site.launchers().len(), 7);
}

#[test]
fn a_worker_waits_for_what_a_running_firework_frees() {
    let site = Site::sqlite();
    let wait = format!("until [ -e {} ]; do sleep 0.1; done", site.path().join("go").display());
    let task = |script: &str| json!([{"_fw_name": "ScriptTask", "script": script}]);
    let ids = site.add(json!({
        "fws": [
            {"fw_id": 1, "spec": {"_tasks": task(&wait)}},
            {"fw_id": 2, "spec": {"_tasks": task("true")}},
            {"fw_id": 3, "spec": {"_tasks": task("true")}},
        ],
        "links": {"1": [2, 3]},
    }));
    let first = site.start(&["singleshot"]);
    wait_until("the parent runs", || site.state(ids[0]) == State::Running);
    let second = site.start(&["rapidfire"]);
    site.write("go", "");
    let (first, second) = (first.end(), second.end());
    assert_eq!((first.0, second.0), (Some(0), Some(0)), "{} {}", first.1, second.1);
    assert_eq!(site.state(ids[1]), State::Completed);
    assert_eq!(site.state(ids[2]), State::Completed);
}
