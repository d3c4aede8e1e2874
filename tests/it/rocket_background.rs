//! Tasks that run beside those of a firework.

use rustix::process::Signal;
use serde_json::{Value, json};
use volley::workflow::State;

use crate::support::run::wait_until;
use crate::support::service;
use crate::support::site::Site;

fn script(text: &str) -> Value {
    json!({"_fw_name": "ScriptTask", "script": text})
}

fn add(site: &Site, background: Value, task: &str) -> i64 {
    site.add(json!({"spec": {"_tasks": [script(task)], "_background_tasks": background}}))[0]
}

/// Waits for a file.
fn until(file: &str) -> String {
    format!("until [ -e {file} ]; do sleep 0.02; done")
}

#[test]
fn a_pause_ends_with_the_firework() {
    for site in Site::on_every_store() {
        let beside = json!([{"tasks": [script("echo x >> log; touch seen")], "sleep_time": 1000}, {"tasks": script("touch one")}]);
        let fw_id = add(&site, beside, &format!("{}; {}", until("seen"), until("one")));
        site.run_well(&["singleshot"]);
        assert_eq!(site.state(fw_id), State::Completed);
        assert_eq!(std::fs::read_to_string(site.path().join("log")).expect("reads"), "x\n");
    }
}

#[test]
fn a_round_without_end_is_ended() {
    let site = Site::sqlite();
    let endless = json!([{"tasks": [script("echo $$ > pid; exec sleep 1000")]}]);
    let fw_id = add(&site, endless, &until("pid"));
    site.run_well(&["singleshot"]);
    assert_eq!(site.state(fw_id), State::Completed);
    let pid = std::fs::read_to_string(site.path().join("pid")).expect("reads");
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn a_round_that_has_begun_may_end() {
    let site = Site::sqlite();
    let slow = json!([{"tasks": [script("touch begun; sleep 0.3; touch ended")]}]);
    add(&site, slow, &until("begun"));
    site.run_well(&["singleshot"]);
    assert!(site.path().join("ended").exists());
}

#[test]
fn a_signal_ends_them_with_the_firework() {
    let site = Site::sqlite();
    let fw_id = add(&site, json!([{"tasks": [script("echo $$ > pid; exec sleep 1000")]}]), "sleep 1000");
    let worker = site.start(&["singleshot"]);
    wait_until("both run", || std::fs::read_to_string(site.path().join("pid")).is_ok_and(|pid| !pid.is_empty()));
    worker.signal(Signal::TERM);
    let (code, log) = worker.end();
    assert_eq!((code, site.state(fw_id)), (Some(143), State::Ready), "{log}");
    let pid = std::fs::read_to_string(site.path().join("pid")).expect("reads");
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn one_that_fails_or_is_unknown_harms_nobody() {
    let site = Site::sqlite();
    let beside = json!([
        {"tasks": [script("echo x >> log; exit 3")], "sleep_time": 0},
        {"tasks": [{"_fw_name": "{{my.Monitor}}"}]},
        {"task": []},
    ]);
    let fw_id = add(&site, beside, &until("log"));
    let log = site.run_well(&["singleshot"]);
    for part in [
        "background task ScriptTask has failed, and is not repeated: ScriptTask fizzled! Return code: [3]",
        "background task {{my.Monitor}} has failed, and is not repeated: ",
        "`_background_tasks`: must be a list of mappings with `tasks`",
    ] {
        assert!(log.contains(part), "{part} in {log}");
    }
    assert_eq!(site.state(fw_id), State::Completed);
    assert_eq!(std::fs::read_to_string(site.path().join("log")).expect("reads"), "x\n");
}

#[test]
fn tasks_in_python_run_beside_one_in_python() {
    let Some(python) = service("VOLLEY_TEST_PYTHON", "python") else { return };
    let site = Site::sqlite();
    site.write("my_fworker.yaml", &json!({"python": python}).to_string());
    let call = |func: &str, argument: Value| json!({"_fw_name": "PyTask", "func": func, "args": [argument]});
    let waits = call("subprocess.check_call", json!(["sh", "-c", until("seen")]));
    let beside = json!([{"tasks": [call("os.mkdir", json!("seen"))], "num_launches": 1}]);
    let fw_id = site.add(json!({"spec": {"_tasks": [waits], "_background_tasks": beside}}))[0];
    let log = site.run_well(&["singleshot"]);
    assert_eq!(site.state(fw_id), State::Completed, "{log}");
}

#[test]
fn one_that_fails_at_the_end_fizzles_the_firework() {
    let site = Site::sqlite();
    let last = json!([{"tasks": [script("[ ! -e done ]")], "num_launches": 1, "run_on_finish": true}]);
    let fw_id = add(&site, last, "touch done");
    let log = site.run_well(&["singleshot"]);
    let trace = site.stacktrace(fw_id);
    assert!(trace.contains("a background task has failed at the end (`run_on_finish`)"), "{trace} {log}");
    assert!(trace.contains("Return code: [1]"), "{trace}");
}
