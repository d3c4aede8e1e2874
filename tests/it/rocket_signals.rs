//! What interrupts a run: signals and lost leases. Nothing stays RUNNING, no child survives.

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use volley::store::Verb;
use volley::workflow::State;

use crate::support::run::wait_until;
use crate::support::site::Site;

/// Starts two processes, and tells their ids.
const SCRIPT: &str = "sleep 1000 & echo $! > child; echo $$ > leader; wait";
/// The same, and deaf to SIGTERM.
const DEAF: &str = "trap '' TERM; sleep 1000 & echo $! > child; echo $$ > leader; while true; do sleep 1000; done";

fn script(text: &str) -> Value {
    json!([{"_fw_name": "ScriptTask", "script": text}])
}

/// The processes of the script, once they are there.
fn processes(site: &Site) -> [i32; 2] {
    let read = |name: &str| std::fs::read_to_string(site.path().join(name)).ok()?.trim().parse().ok();
    wait_until("the script runs", || read("leader").is_some());
    [read("leader").expect("is written"), read("child").expect("is written")]
}

/// Whether a process is there, and not only waits to be reaped.
fn is_alive(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

fn assert_given_back(site: &Site, fw_id: i64, reason: &str) {
    let firework = site.firework(fw_id);
    assert_eq!((firework.state, firework.launches.len()), (State::Ready, 0));
    let launch = site.launchpad.store.find_launches(&firework.archived_launches).expect("finds").pop().expect("exists");
    let last = launch.state_history.last().expect("has a history");
    assert_eq!((launch.state, last.get_str("lost").ok()), (State::Fizzled, Some(reason)));
}

#[test]
fn signals_give_the_firework_back_and_end_its_processes() {
    for (signal, name) in
        [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT"), (Signal::HUP, "SIGHUP"), (Signal::USR1, "SIGUSR1")]
    {
        for site in Site::on_every_store() {
            one_signal(&site, signal, name);
        }
    }
}

fn one_signal(site: &Site, signal: Signal, name: &str) {
    let fw_id = site.add(json!({"spec": {"_tasks": script(SCRIPT), "_launch_dir": "."}}))[0];
    let other = site.add_tasks(script("touch never"));
    let worker = site.start(&["rapidfire"]);
    let processes = processes(site);
    worker.signal(signal);
    let (code, log) = worker.end();
    assert_eq!(code, Some(128 + signal.as_raw()), "{log}");
    assert_given_back(site, fw_id, name);
    assert!(log.contains("it is READY again"), "{log}");
    assert_eq!(site.firework(other).launches.len(), 0, "nothing more was begun");
    for pid in processes {
        wait_until("the processes of the script are gone", || !is_alive(pid));
    }
    assert!(site.launchers().is_empty());
}

#[test]
fn a_second_signal_ends_what_is_deaf_at_once() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(script(DEAF));
    let worker = site.start(&["singleshot"]);
    let processes = processes(&site);
    worker.signal(Signal::INT);
    // Two signals in a row may arrive as one.
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(is_alive(processes[0]));
    worker.signal(Signal::INT);
    let (code, log) = worker.end();
    assert_eq!(code, Some(130), "{log}");
    assert_given_back(&site, fw_id, "SIGINT");
    for pid in processes {
        wait_until("the processes of the script are gone", || !is_alive(pid));
    }
}

#[test]
fn what_is_deaf_is_killed_in_the_end() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(script(DEAF));
    let worker = site.start(&["singleshot"]);
    let processes = processes(&site);
    worker.signal(Signal::TERM);
    let (code, log) = worker.end();
    assert_eq!(code, Some(143), "{log}");
    assert_given_back(&site, fw_id, "SIGTERM");
    for pid in processes {
        wait_until("the processes of the script are gone", || !is_alive(pid));
    }
}

/// Slurm signals every process of a job: the command may die before the worker hears of it.
#[test]
fn a_command_that_hears_the_signal_first_has_not_failed() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(script("(sleep 0.05; kill -TERM $PPID) & kill -TERM $$"));
    let (code, log) = site.start(&["singleshot"]).end();
    assert_eq!(code, Some(143), "{log}");
    assert_given_back(&site, fw_id, "SIGTERM");
    let alone = site.add_tasks(script("kill -TERM $$"));
    site.run_well(&["singleshot", "-f", &alone.to_string()]);
    assert!(site.stacktrace(alone).contains("Return code: [-15]"), "{}", site.stacktrace(alone));
}

#[test]
fn an_idle_worker_stops_at_once() {
    let site = Site::sqlite();
    let worker = site.start(&["rapidfire", "--nlaunches", "infinite", "--sleep", "1000"]);
    let pid = worker.pid();
    wait_until("it catches signals", || catches_term(pid));
    worker.signal(Signal::TERM);
    let (code, log) = worker.end();
    assert_eq!(code, Some(143), "{log}");
}

fn catches_term(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|mask| mask & (1 << 14) != 0)
}

#[test]
fn a_relaxation_can_be_interrupted() {
    let site = Site::sqlite();
    // Never done: atoms far from each other feel no force, but the wanted one is smaller still.
    let structure = json!({"bulk": {"name": "Cu", "cubic": true}});
    let task = json!([{"_fw_name": "EmtRelaxTask", "structure": structure, "opt_params": {"fmax": 1e-300, "max_steps": 1_000_000_000}}]);
    let fw_id = site.add_tasks(task);
    let worker = site.start(&["singleshot"]);
    wait_until("it runs", || site.path().join("FW.json").exists());
    worker.signal(Signal::TERM);
    let (code, log) = worker.end();
    assert_eq!(code, Some(143), "{log}");
    assert_given_back(&site, fw_id, "SIGTERM");
}

#[test]
fn a_run_whose_lease_is_lost_is_ended_and_not_reported() {
    for site in Site::on_every_store() {
        lease_lost(&site);
    }
}

fn lease_lost(site: &Site) {
    site.write("volley.yaml", "lease: 60s\nrenew: 0.1s\n");
    let fw_id = site.add_tasks(script(SCRIPT));
    let worker = site.start(&["singleshot"]);
    let processes = processes(site);
    site.launchpad.store.steer(Verb::Rerun, fw_id, jiff::Timestamp::now()).expect("reruns");
    let (code, log) = worker.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("is no longer ours") && log.contains("is not reported"), "{log}");
    assert_eq!((site.state(fw_id), site.firework(fw_id).launches.len()), (State::Ready, 0));
    for pid in processes {
        wait_until("the processes of the script are gone", || !is_alive(pid));
    }
}
