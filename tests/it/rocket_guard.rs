//! A worker that is killed leaves no process behind.

use bson::doc;
use rustix::process::Signal;
use volley::workflow::State;

use crate::support::processes::{DEAF, SCRIPT, catches_term, children, is_alive, processes, script, wait_until_gone};
use crate::support::python::PythonSite;
use crate::support::run::{VOLLEY, private, wait_until};
use crate::support::site::{Running, Site};

fn id(worker: &Running) -> i32 {
    worker.pid().as_raw_nonzero().get()
}

fn is_guard(pid: &i32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.ends_with(b"\0guard\0"))
}

#[test]
fn nothing_of_a_script_outlives_a_killed_worker() {
    for text in [SCRIPT, DEAF] {
        let site = Site::sqlite();
        site.add_tasks(script(text));
        let worker = site.start(&["singleshot"]);
        let mut all = Vec::from(processes(site.path()));
        assert!(all.iter().all(|&pid| is_alive(pid)));
        all.extend(children(id(&worker)));
        worker.signal(Signal::KILL);
        wait_until_gone(all);
    }
}

#[test]
fn nothing_of_a_python_outlives_a_killed_worker() {
    let Some(site) = PythonSite::sqlite() else { return };
    let code = "open('up', 'w').close(); import time; time.sleep(1000)";
    site.site.add_tasks(bson_tasks(doc! {"_fw_name": "PyTask", "func": "builtins.exec", "args": [code]}));
    let worker = Running::of(&mut site.volley(&["rlaunch", "singleshot"]));
    wait_until("the task runs", || site.site.path().join("up").exists());
    let all = children(id(&worker));
    assert!(all.len() >= 2, "an interpreter and a guard: {all:?}");
    worker.signal(Signal::KILL);
    wait_until_gone(all);
}

fn bson_tasks(task: bson::Document) -> serde_json::Value {
    serde_json::json!([volley::workflow::json::from_document(&task)])
}

#[test]
fn one_guard_stands_as_long_as_the_worker() {
    let site = Site::sqlite();
    for _ in 0..3 {
        site.add_tasks(script("true"));
    }
    site.add_tasks(script("sleep 1000 & echo $! > child; echo $$ > leader; wait"));
    let worker = site.start(&["rapidfire"]);
    let launcher = || site.launchers().into_iter().find(|folder| folder.join("leader").exists());
    wait_until("the last script runs", || launcher().is_some());
    let processes = processes(&launcher().expect("is there"));
    let guards: Vec<i32> = children(id(&worker)).into_iter().filter(is_guard).collect();
    assert_eq!(guards.len(), 1);
    // What is told to a whole job is not for it.
    let pid = rustix::process::Pid::from_raw(guards[0]).expect("is one");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1] {
        rustix::process::kill_process(pid, signal).expect("is there");
    }
    assert!(is_alive(guards[0]));
    worker.signal(Signal::TERM);
    assert_eq!(worker.end().0, Some(143));
    wait_until_gone(guards.into_iter().chain(processes));
}

#[test]
fn a_worker_without_a_guard_works_all_the_same() {
    let site = Site::sqlite();
    let program = site.path().join("volley");
    std::fs::copy(VOLLEY, &program).expect("copies");
    let mut command = private(&program, site.path());
    let worker = Running::of(command.args(["rlaunch", "rapidfire", "--nlaunches", "2", "--sleep", "1000"]));
    let pid = worker.pid();
    wait_until("it is up", || catches_term(pid));
    std::fs::remove_file(&program).expect("is there");
    let both = [site.add_tasks(script("true")), site.add_tasks(script("true"))];
    let (code, log) = worker.end();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(both.map(|fw_id| site.state(fw_id)), [State::Completed; 2]);
    assert_eq!(log.matches("is not guarded").count(), 1, "{log}");
}
