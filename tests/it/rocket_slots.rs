//! One worker that runs several fireworks side by side.

use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::{Value, json};
use volley::store::Verb;
use volley::workflow::{Cause, FwId, State};

use crate::support::processes::{script, wait_until_gone};
use crate::support::python::PythonSite;
use crate::support::run::wait_until;
use crate::support::site::{Running, Site};

/// Ends only when so many of these run at once.
fn meeting(count: usize) -> Value {
    script(&format!("touch $HOME/met.$VOLLEY_SLOT; until [ $(ls $HOME/met.* | wc -l) = {count} ]; do sleep 0.02; done"))
}

/// Sleeps, and tells its id; ends at once when it is run once more.
const SLEEPER: &str = "[ -e $HOME/again ] && exit; sleep 1000 & echo $! > $HOME/pid.$VOLLEY_SLOT; wait";

/// Four of them, in the slots of one worker. Returns it, the fireworks and the processes.
fn four_sleepers(site: &Site) -> (Running, Vec<FwId>, Vec<i32>) {
    let ids = (0..4).map(|_| site.add_tasks(script(SLEEPER))).collect();
    let worker = site.start(&["multi", "4"]);
    let pid = |slot: usize| -> Option<i32> {
        std::fs::read_to_string(site.path().join(format!("pid.{slot}"))).ok()?.trim().parse().ok()
    };
    wait_until("all four run", || (0..4).all(|slot| pid(slot).is_some()));
    (worker, ids, (0..4).filter_map(pid).collect())
}

#[test]
fn four_slots_run_four_at_once() {
    for site in Site::on_every_store() {
        for _ in 0..4 {
            site.add_tasks(meeting(4));
        }
        site.run_well(&["rapidfire", "--slots", "4"]);
        assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed));
        assert_eq!(site.launchers().len(), 4, "each in a directory of its own");
    }
}

#[test]
fn what_a_killed_worker_had_in_its_slots_runs_again() {
    for site in Site::on_every_store() {
        let (worker, ids, processes) = four_sleepers(&site);
        worker.signal(Signal::KILL);
        wait_until_gone(processes);
        site.write("again", "");
        site.run_well(&["multi", "4"]);
        for fw_id in ids {
            let firework = site.firework(fw_id);
            assert_eq!((firework.state, firework.archived_launches.len()), (State::Completed, 1));
        }
    }
}

#[test]
fn a_signal_gives_all_slots_back() {
    for site in Site::on_every_store() {
        let (worker, ids, processes) = four_sleepers(&site);
        worker.signal(Signal::TERM);
        let (code, log) = worker.end();
        assert_eq!(code, Some(143), "{log}");
        wait_until_gone(processes);
        for fw_id in ids {
            assert_eq!(site.given_back(fw_id).loss().map(|loss| loss.cause), Some(Cause::Stopped));
        }
    }
}

#[test]
fn a_lost_lease_ends_one_slot_and_leaves_the_others() {
    for site in Site::on_every_store() {
        site.write("volley.yaml", "lease: 60s\nrenew: 0.1s\n");
        let wait = "echo $$ > $HOME/pid.$VOLLEY_SLOT.$$; until [ -e $HOME/go ]; do sleep 0.02; done";
        let ids: Vec<FwId> = (0..3).map(|_| site.add_tasks(script(wait))).collect();
        let worker = site.start(&["multi", "3"]);
        let begun = || {
            let names = std::fs::read_dir(site.path()).expect("reads").map(|entry| entry.expect("reads").file_name());
            names.filter(|name| name.to_string_lossy().starts_with("pid.")).count()
        };
        wait_until("all run", || begun() == 3);
        site.launchpad.store.steer(Verb::Rerun, ids[1], Timestamp::now()).expect("reruns");
        wait_until("it runs again in its slot", || begun() == 4);
        site.write("go", "");
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("is no longer ours"), "{log}");
        let runs = |fw_id: FwId| {
            let firework = site.firework(fw_id);
            (firework.state, firework.launches.len(), firework.archived_launches.len())
        };
        assert_eq!(
            ids.iter().map(|&id| runs(id)).collect::<Vec<_>>()[..],
            [(State::Completed, 1, 0), (State::Completed, 1, 1), (State::Completed, 1, 0),]
        );
    }
}

#[test]
fn launches_are_counted_over_all_slots() {
    let site = Site::sqlite();
    for _ in 0..7 {
        site.add_tasks(script("true"));
    }
    site.run_well(&["multi", "3", "--nlaunches", "5"]);
    let completed = site.fireworks().iter().filter(|firework| firework.state == State::Completed).count();
    assert_eq!(completed, 5);
    assert!(site.fireworks().iter().all(|firework| firework.archived_launches.is_empty()));
}

#[test]
fn a_free_slot_takes_what_becomes_ready_while_others_are_busy() {
    for site in Site::on_every_store() {
        let wait = |file: &str| script(&format!("until [ -e $HOME/{file} ]; do sleep 0.02; done"));
        site.add_tasks(wait("freed"));
        site.add(json!({
            "fws": [
                {"fw_id": 1, "spec": {"_tasks": wait("first")}},
                {"fw_id": 2, "spec": {"_tasks": script("touch $HOME/second")}},
            ],
            "links": {"1": [2]},
        }));
        let worker = site.start(&["multi", "3"]);
        wait_until("two run", || site.launchers().iter().filter(|folder| folder.join("FW.json").exists()).count() == 2);
        // Another one comes from elsewhere, and its child from the slot beside.
        site.write("first", "");
        wait_until("the child has run", || site.path().join("second").exists());
        site.add_tasks(script("touch $HOME/freed"));
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed));
    }
}

#[test]
fn every_slot_has_a_python_of_its_own() {
    let Some(site) = PythonSite::sqlite() else { return };
    let code = "import os, time, glob; s = os.environ['VOLLEY_SLOT']; open('../met.' + s, 'w').close()\n\
                while len(glob.glob('../met.*')) < 2: time.sleep(0.02)";
    for _ in 0..2 {
        site.site.add_tasks(json!([{"_fw_name": "PyTask", "func": "builtins.exec", "args": [code]}]));
    }
    site.run_well(&["multi", "2"]);
    assert!(site.site.fireworks().iter().all(|firework| firework.state == State::Completed));
}

#[test]
fn checkpoints_and_limits_are_those_of_each_launch() {
    let site = Site::sqlite();
    let long = site.add(json!({"spec": {"_tasks": script("sleep 1000"), "_max_runtime": "0.3s"}}))[0];
    let tasks = json!([
        {"_fw_name": "ScriptTask", "script": "true"},
        {"_fw_name": "ScriptTask", "script": "until [ -e $HOME/go ]; do sleep 0.02; done"},
    ]);
    let two = site.add_tasks(tasks);
    let worker = site.start(&["multi", "2"]);
    wait_until("the long one is over", || site.state(long) == State::Fizzled);
    let checkpoint = site.launch(two).checkpoint().cloned().expect("is kept");
    assert_eq!(checkpoint.get("_task_n").and_then(volley::workflow::as_int), Some(1));
    site.write("go", "");
    assert_eq!(worker.end().0, Some(0));
    assert_eq!(site.state(two), State::Completed);
}

#[test]
fn options_of_multi_that_mean_nothing_are_taken_with_a_warning() {
    let site = Site::sqlite();
    site.add_tasks(script("true"));
    let log = site.run_well(&["multi", "2", "--ppn", "4", "--local_redirect", "--timeout", "60", "--max_loops", "1"]);
    assert!(log.contains("--ppn has no effect") && log.contains("--local_redirect has no effect"), "{log}");
    let refused = site.run(&["multi", "0"]);
    assert_eq!(refused.status.code(), Some(2));
    let refused = site.run(&["multi", "2", "--nodefile", "nowhere"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("node file nowhere"), "{said}");
    let begun = std::time::Instant::now();
    site.add_tasks(script("true"));
    site.run_well(&["rapidfire", "--slots", "auto", "--nlaunches", "1"]);
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn the_log_says_whose_each_line_is() {
    let site = Site::sqlite();
    let ids = [script("true"), script("true")].map(|tasks| site.add_tasks(tasks));
    let log = site.run_well(&["multi", "2"]);
    for fw_id in ids {
        assert!(log.contains(&format!("INFO [fw_id={fw_id}] Task started: ScriptTask.")), "{log}");
    }
    site.add_tasks(script("true"));
    assert!(site.run_well(&["rapidfire"]).contains("INFO Task started: ScriptTask."));
}
