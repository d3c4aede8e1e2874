//! What interrupts a run: signals and lost leases. Nothing stays RUNNING, no child survives.

use rustix::process::Signal;
use serde_json::json;
use volley::store::{Held, Verb};
use volley::workflow::{Cause, Loss, State};

use crate::support::processes::{DEAF, SCRIPT, catches_term, is_alive, processes, script, wait_until_gone};
use crate::support::run::wait_until;
use crate::support::site::Site;

fn assert_given_back(site: &Site, fw_id: i64, reason: &str) {
    let loss = site.given_back(fw_id).loss().expect("was lost");
    assert_eq!((loss.cause, loss.text.as_str()), (Cause::Stopped, reason));
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
    let processes = processes(site.path());
    worker.signal(signal);
    let (code, log) = worker.end();
    assert_eq!(code, Some(128 + signal.as_raw()), "{log}");
    assert_given_back(site, fw_id, name);
    assert!(log.contains("it is READY again"), "{log}");
    assert_eq!(site.firework(other).launches.len(), 0, "nothing more was begun");
    wait_until_gone(processes);
    assert!(site.launchers().is_empty());
}

#[test]
fn a_second_signal_ends_what_is_deaf_at_once() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(script(DEAF));
    let worker = site.start(&["singleshot"]);
    let processes = processes(site.path());
    worker.signal(Signal::INT);
    // Two signals in a row may arrive as one.
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(is_alive(processes[0]));
    worker.signal(Signal::INT);
    let (code, log) = worker.end();
    assert_eq!(code, Some(130), "{log}");
    assert_given_back(&site, fw_id, "SIGINT");
    wait_until_gone(processes);
}

#[test]
fn what_is_deaf_is_killed_in_the_end() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(script(DEAF));
    let worker = site.start(&["singleshot"]);
    let processes = processes(site.path());
    worker.signal(Signal::TERM);
    let (code, log) = worker.end();
    assert_eq!(code, Some(143), "{log}");
    assert_given_back(&site, fw_id, "SIGTERM");
    wait_until_gone(processes);
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
    let processes = processes(site.path());
    site.launchpad.store.steer(Verb::Rerun, fw_id, jiff::Timestamp::now()).expect("reruns");
    let (code, log) = worker.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("is no longer ours") && log.contains("is not reported"), "{log}");
    assert_eq!((site.state(fw_id), site.firework(fw_id).launches.len()), (State::Ready, 0));
    wait_until_gone(processes);
}

/// Frozen, it cannot renew its lease, and others may take the firework; awake, it hears of that.
#[test]
fn a_frozen_worker_that_lost_its_launch_ends_its_processes() {
    for rerun in [false, true] {
        for site in Site::on_every_store() {
            frozen(&site, rerun);
        }
    }
}

fn frozen(site: &Site, rerun: bool) {
    site.write("volley.yaml", "lease: 60s\nrenew: 0.1s\n");
    let fw_id = site.add(json!({"spec": {"_tasks": script(SCRIPT), "_launch_dir": "."}}))[0];
    let worker = site.start(&["singleshot"]);
    let processes = processes(site.path());
    worker.signal(Signal::STOP);
    let (store, now) = (&site.launchpad.store, jiff::Timestamp::now());
    if rerun {
        store.steer(Verb::Rerun, fw_id, now).expect("reruns");
    } else {
        let held = Held { fw_id, launch_id: site.launch(fw_id).launch_id };
        assert!(store.give_back(held, &Loss::new(Cause::Unexplained, "not heard of"), now).expect("gives back"));
    }
    let before = (site.firework(fw_id), site.given_back(fw_id));
    worker.signal(Signal::CONT);
    let (code, log) = worker.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("is no longer ours") && log.contains("is not reported"), "{log}");
    wait_until_gone(processes);
    assert_eq!((site.firework(fw_id), site.given_back(fw_id)), before, "nothing of it has reached the store");
}
