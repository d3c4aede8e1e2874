//! Launchers that go on: their records, `--detach`, `-d`, `qlaunch status` and `qlaunch stop`.

use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::support::cli::Cli;
use crate::support::run::{VOLLEY, wait_until};

/// A place on each store, whose queue is this machine.
fn places() -> Vec<Cli> {
    let places = Cli::everywhere();
    for place in &places {
        place.write("my_qadapter.yaml", "_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
        place.write("one.yaml", "name: one\nspec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}\n");
    }
    places
}

fn qlaunch(place: &Cli, words: &[&str]) -> crate::support::run::Ran {
    place.volley(&[&["qlaunch", "-s"], words].concat())
}

fn launchers(place: &Cli) -> Vec<Value> {
    qlaunch(place, &["status"]).json()["launchers"].as_array().expect("a list").clone()
}

fn spawn(place: &Cli, words: &[&str]) -> Child {
    let mut command = place.command(Path::new(VOLLEY));
    command.arg("qlaunch").args(words).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("starts");
    wait_until("it is recorded", || !launchers(place).is_empty());
    child
}

fn add_and_wait(place: &Cli) {
    place.lpad(&["add", "one.yaml"]).done();
    wait_until("all fireworks are COMPLETED", || place.states().iter().all(|state| state == "COMPLETED"));
}

/// Ends a detached launcher when a test fails.
struct Reaper<'a>(&'a Cli);

impl Drop for Reaper<'_> {
    fn drop(&mut self) {
        qlaunch(self.0, &["stop", "--all"]);
    }
}

#[test]
fn a_detached_launcher_goes_on_until_it_is_asked_to_stop() {
    for place in places() {
        let _reaper = Reaper(&place);
        let words = ["--detach", "rapidfire", "--nlaunches", "infinite", "--sleep", "1"];
        let said = qlaunch(&place, &words).done().stdout;
        assert!(said.contains("goes on as process"), "{said}");

        let known = launchers(&place);
        let [launcher] = known.as_slice() else { panic!("{known:?}") };
        let id = launcher["id"].as_str().expect("named");
        assert!(said.contains(id), "{said}");
        assert_eq!(launcher["command"], "qlaunch -s rapidfire --nlaunches infinite --sleep 1");
        assert_eq!((launcher["presence"].as_str(), launcher["stopping"].as_bool()), (Some("alive"), Some(false)));
        let log = place.folder().canonicalize().expect("is there").join(format!("qlaunch-{id}.log"));
        assert_eq!(Path::new(launcher["log"].as_str().expect("a log")).canonicalize().expect("is there"), log);
        let pid = Pid::from_raw(launcher["pid"].as_i64().expect("a number") as i32);
        assert_eq!(rustix::process::getsid(pid).ok(), pid, "it leads a session");

        // What comes later is found, too.
        add_and_wait(&place);
        add_and_wait(&place);
        let table = qlaunch(&place, &["status", "-o", "table"]).done().stdout;
        assert!(table.contains("alive") && table.contains("rapidfire --nlaunches infinite"), "{table}");
        // One of a kind is enough.
        qlaunch(&place, &words).failed(1, "does the same already");
        assert_eq!(launchers(&place).len(), 1);

        let said = qlaunch(&place, &["stop", id]).done().stdout;
        assert!(said.contains("has stopped"), "{said}");
        assert_eq!(launchers(&place), Vec::<Value>::new());
        let log = std::fs::read_to_string(log).expect("a log");
        assert!(log.ends_with("; stopped\n"), "{log}");
        qlaunch(&place, &["stop"]).failed(4, "no launcher of yours goes on");
        qlaunch(&place, &["stop", id]).failed(4, id);
    }
}

#[test]
fn a_detached_launcher_that_cannot_begin_says_why() {
    let places = places();
    let place = &places[0];
    qlaunch(place, &["-r", "--detach", "--log", "my.log", "-q", "my_qadapter.yaml", "rapidfire", "--array-size", "2"])
        .failed(2, "--array-size needs jobs of one script");
    assert!(!place.folder().join("my.log").exists());
    let said = qlaunch(place, &["--detach", "singleshot"]).done().stdout;
    assert!(said.contains("ended already") || said.contains("goes on"), "{said}");
    wait_until("it has ended", || launchers(place).is_empty());
}

#[test]
fn signals_leave_no_record() {
    let places = places();
    for (signal, code, place) in [
        (Signal::TERM, 143, &places[0]),
        (Signal::HUP, 129, &places[0]),
        (Signal::INT, 130, places.last().expect("there is one")),
    ] {
        let mut launcher = spawn(place, &["rapidfire", "--nlaunches", "infinite"]);
        rustix::process::kill_process(Pid::from_child(&launcher), signal).expect("is there");
        assert_eq!(launcher.wait().expect("waited for").code(), Some(code));
        assert_eq!(launchers(place), Vec::<Value>::new());
    }
    // Who is killed cannot say so, and others see it.
    let place = &places[0];
    let mut launcher = spawn(place, &["rapidfire", "--nlaunches", "infinite"]);
    launcher.kill().and_then(|()| launcher.wait()).expect("ends");
    assert_eq!(launchers(place)[0]["presence"], "dead");
    let said = qlaunch(place, &["stop"]).done().stdout;
    assert!(said.contains("its process is gone"), "{said}");
    assert_eq!(launchers(place), Vec::<Value>::new());
}

#[test]
fn one_of_several_is_named() {
    let place = &places()[0];
    let mut all = Vec::new();
    for words in [["-d", "1", "singleshot"], ["-d", "2", "singleshot"]] {
        all.push(spawn(place, &words));
    }
    wait_until("both are recorded", || launchers(place).len() == 2);
    qlaunch(place, &["stop"]).failed(2, "which one, or --all?");
    // Both do it again and again.
    add_and_wait(place);
    add_and_wait(place);
    let said = qlaunch(place, &["stop", "--all"]).done().stdout;
    assert_eq!(said.matches("has stopped").count(), 2, "{said}");
    for mut launcher in all {
        assert!(launcher.wait().expect("waited for").success());
    }
}
