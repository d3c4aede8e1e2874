//! `rlaunch` from claim to outcome: directories, files, actions, failures.

use std::process::Command;

use serde_json::{Value, json};
use volley::workflow::State;

use crate::support::site::Site;
use crate::support::{Launchpad, service};

/// A script that leaves this action behind.
fn leaves(action: &Value) -> Value {
    json!({"_fw_name": "ScriptTask", "script": format!("cat > FWAction.json <<'END'\n{action}\nEND")})
}

fn script(text: &str) -> Value {
    json!({"_fw_name": "ScriptTask", "script": text})
}

#[test]
fn singleshot_runs_one_in_this_directory() {
    let site = Site::sqlite();
    let fw_id =
        site.add(json!({"name": "one", "spec": {"_tasks": [script("pwd > where")], "_priority": 2, "x": 1.5}}))[0];
    let other = site.add_tasks(json!([script("true")]));
    let log = site.run_well(&["singleshot"]);
    let here = site.path().canonicalize().expect("exists").display().to_string();
    for line in [
        "Launching Rocket",
        &format!("RUNNING fw_id: {fw_id} in directory: {here}"),
        "Task started: ScriptTask.",
        "Task completed: ScriptTask",
        "Rocket finished",
    ] {
        assert!(log.contains(line), "{line} in {log}");
    }
    assert_eq!((site.state(fw_id), site.state(other)), (State::Completed, State::Ready));
    assert_eq!(site.launch(fw_id).launch_dir, here);
    assert_eq!(std::fs::read_to_string(site.path().join("where")).expect("exists").trim(), here);
    assert!(site.launchers().is_empty());
}

#[test]
fn fw_json_is_fireworks() {
    let site = Site::sqlite();
    let fw_id = site.add(json!({"name": "one", "spec": {"_tasks": [script("true")], "x": 1.5}}))[0];
    site.run_well(&["singleshot"]);
    let text = std::fs::read_to_string(site.path().join("FW.json")).expect("exists");
    assert!(text.starts_with("{\n    \"spec\": {\n        \"_tasks\": ["), "{text}");
    let written: Value = serde_json::from_str(&text).expect("is JSON");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&written), "spec fw_id created_on updated_on launches state name");
    let launch = &written["launches"][0];
    let expected = "fworker fw_id launch_dir host ip trackers action state state_history launch_id";
    assert_eq!(keys(launch), expected);
    assert_eq!(
        (&written["fw_id"], &written["state"], &launch["state"]),
        (&json!(fw_id), &json!("RUNNING"), &json!("RUNNING"))
    );
    if let Some(python) = service("VOLLEY_TEST_PYTHON", "python") {
        let read = "from fireworks import Firework; print(Firework.from_file('FW.json').launches[0].state)";
        let output = Command::new(python).args(["-c", read]).current_dir(site.path()).output().expect("runs");
        // FireWorks may warn of extras that are not installed, on the same stream.
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed.lines().last(), Some("RUNNING"), "{output:?}");
    }
    assert!(!site.path().join("FW_result.json").exists(), "the store has it");
}

#[test]
fn singleshot_takes_the_one_asked_for() {
    let site = Site::sqlite();
    let first = site.add_tasks(json!([script("true")]));
    let second = site.add(json!({"spec": {"_tasks": [script("true")], "_category": "other", "_fworker": "other"}}))[0];
    site.run_well(&["singleshot", "-f", &second.to_string()]);
    assert_eq!((site.state(first), site.state(second)), (State::Ready, State::Completed));
    let log = site.run_well(&["singleshot", "--fw_id", &second.to_string()]);
    assert!(log.contains(&format!("No FireWorks are ready to run and match query! {{\"fw_id\": {second}}}")), "{log}");
    assert_eq!(site.firework(second).launches.len(), 1);
}

#[test]
fn rapidfire_runs_all_and_leaves_only_directories_that_were_used() {
    let site = Site::sqlite();
    let log = site.run_well(&["rapidfire"]);
    assert!(site.launchers().is_empty(), "{log}");
    let named = site.add(json!({"spec": {"_tasks": [script("touch here")], "_launch_dir": "$HOME/mine"}}))[0];
    let ids: Vec<i64> = (0..9).map(|_| site.add_tasks(json!([script("touch here")]))).collect();
    site.run_well(&["rapidfire"]);
    assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed));
    assert_eq!(site.launchers().len(), ids.len());
    assert!(site.path().join("mine/here").exists());
    assert!(site.launch(named).launch_dir.ends_with("/mine"));
    for fw_id in ids {
        let directory = std::path::PathBuf::from(site.launch(fw_id).launch_dir);
        assert!(directory.join("here").exists(), "{}", directory.display());
    }
}

#[test]
fn nlaunches_timeout_and_max_loops_limit_rapidfire() {
    let site = Site::sqlite();
    for _ in 0..8 {
        site.add_tasks(json!([script("true")]));
    }
    let completed = || site.fireworks().iter().filter(|firework| firework.state == State::Completed).count();
    site.run_well(&["rapidfire", "--nlaunches", "5"]);
    assert_eq!(completed(), 5);
    site.run_well(&["rapidfire", "--timeout", "0"]);
    assert_eq!(completed(), 5);
    site.run_well(&["rapidfire", "--nlaunches", "infinite", "--max_loops", "2", "--sleep", "0.1"]);
    assert_eq!(completed(), 8);
    let wrong = site.run(&["rapidfire", "--nlaunches", "many"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_failure_fizzles_and_siblings_go_on() {
    let site = Site::sqlite();
    let fail = json!([script("true"), script("echo first >&2; echo last words >&2; exit 3"), script("touch never")]);
    let ids = site.add(json!({
        "fws": [
            {"fw_id": 1, "name": "root", "spec": {"_tasks": [script("true")]}},
            {"fw_id": 2, "name": "bad", "spec": {"_tasks": fail}},
            {"fw_id": 3, "spec": {"_tasks": [script("true")]}},
            {"fw_id": 4, "spec": {"_tasks": [script("true")]}},
            {"fw_id": 5, "spec": {"_tasks": [script("true")]}},
        ],
        "links": {"1": [2, 3], "2": [4], "3": [5]},
    }));
    site.run_well(&["rapidfire"]);
    let states: Vec<State> = ids.iter().map(|&id| site.state(id)).collect();
    use State::*;
    assert_eq!(states, [Completed, Fizzled, Completed, Waiting, Completed]);
    let trace = site.stacktrace(ids[1]);
    for part in [
        &format!("firework {} (bad), task 2 of 3: ScriptTask", ids[1]),
        "in directory /",
        "command: echo first",
        "first\n    last words",
        "ScriptTask fizzled! Return code: [3]",
    ] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
    let data = site.stored_data(ids[1]);
    assert_eq!(data.get_str("_message").ok(), Some("runtime error during task"));
    assert_eq!(data.get_document("_task").and_then(|task| task.get_str("_fw_name")).ok(), Some("ScriptTask"));
    assert!(!std::path::Path::new(&site.launch(ids[1]).launch_dir).join("never").exists());
}

#[test]
fn an_action_file_counts_once() {
    let site = Site::sqlite();
    let action =
        json!({"stored_data": {"a": 1}, "update_spec": {"text": "hello"}, "mod_spec": [{"_push": {"list": 7}}]});
    let cat = json!({"_fw_name": "ScriptTask", "script": "cat", "stdin_key": "text", "store_stdout": true});
    let ids = site.add(json!({
        "fws": [
            {"fw_id": 1, "spec": {"_tasks": [leaves(&action), cat]}},
            {"fw_id": 2, "spec": {"_tasks": [script("true")]}},
        ],
        "links": {"1": [2]},
    }));
    site.run_well(&["rapidfire", "--nlaunches", "1"]);
    let data = site.stored_data(ids[0]);
    assert_eq!((data.get_i32("a").ok(), data.get_str("stdout").ok()), (Some(1), Some("hello")));
    let child = site.firework(ids[1]).spec;
    assert_eq!(child.get_str("text").ok(), Some("hello"));
    assert_eq!(child.get_array("list").map(Vec::len).ok(), Some(1));
    let directory = std::path::PathBuf::from(site.launch(ids[0]).launch_dir);
    assert!(directory.join("FWAction_1.json").exists() && !directory.join("FWAction.json").exists());
}

#[test]
fn actions_change_the_workflow() {
    let new =
        |name: &str| json!({"fws": [{"fw_id": -1, "name": name, "spec": {"_tasks": [script("true")]}}], "links": {}});
    let pair = |action: &Value, more: &str| {
        json!({
            "fws": [
                {"fw_id": 1, "spec": {"_tasks": [leaves(action), script(more)]}},
                {"fw_id": 2, "spec": {"_tasks": [script("true")]}},
            ],
            "links": {"1": [2]},
        })
    };
    for (action, skips, expected) in [
        (json!({"detours": [new("detour")]}), true, vec![State::Completed, State::Completed, State::Completed]),
        (json!({"additions": new("addition")}), true, vec![State::Completed, State::Completed, State::Completed]),
        (json!({"defuse_children": true}), true, vec![State::Completed, State::Defused]),
        (json!({"exit": true}), true, vec![State::Completed, State::Completed]),
        (json!({"stored_data": {"x": 1}}), false, vec![State::Completed, State::Completed]),
    ] {
        for site in Site::on_every_store() {
            let ids = site.add(pair(&action, "touch next"));
            site.run_well(&["rapidfire"]);
            let states: Vec<State> = site.fireworks().iter().map(|firework| firework.state).collect();
            assert_eq!(states, expected, "{action}");
            let directory = std::path::PathBuf::from(site.launch(ids[0]).launch_dir);
            assert_eq!(directory.join("next").exists(), !skips, "{action}");
        }
    }
}

#[test]
fn an_action_that_cannot_be_applied_fizzles() {
    for (action, part) in [
        (
            json!({"append_wfs": [{"workflow": {}, "parents": [1]}]}),
            "FWAction: `append_wfs`: firework -1: `spec` must be",
        ),
        (json!({"append_wfs": [{"parents": [1]}]}), "`append_wfs` is a list of {workflow, parents: [ids], detour}"),
        (json!({"additions": [{"fws": []}]}), "`additions`: a workflow needs at least one firework"),
        (json!({"update_spec": 3}), "FWAction.json: FWAction: `update_spec` must be a mapping"),
        (json!([1]), "FWAction.json: an FWAction is a mapping"),
        (json!({"mod_spec": [{"_frob": {"a": 1}}]}), "mod_spec: unknown action `_frob`"),
    ] {
        let site = Site::sqlite();
        let fw_id = site.add_tasks(json!([leaves(&action)]));
        site.run_well(&["singleshot"]);
        let trace = site.stacktrace(fw_id);
        assert!(trace.contains(part), "{action}: {trace}");
    }
}

#[test]
fn an_outcome_that_is_too_large_for_a_document_is_kept_all_the_same() {
    let long = |megabytes| {
        let text = format!("head -c {megabytes}000000 /dev/zero | tr '\\0' a");
        json!([{"_fw_name": "ScriptTask", "script": text, "store_stdout": true}])
    };
    let Some(launchpad) = Launchpad::mongo() else { return };
    let site = Site::on(launchpad);
    // The server would refuse the first, and hang up on the second.
    let sizes = [20, 60, 1];
    let fireworks = sizes.map(|megabytes| site.add_tasks(long(megabytes)));
    site.run_well(&["rapidfire"]);
    for (fw_id, megabytes) in fireworks.into_iter().zip(sizes) {
        assert_eq!(site.state(fw_id), State::Completed);
        let stored = site.stored_data(fw_id);
        assert_eq!(stored.get_str("stdout").expect("is stored").len(), megabytes * 1_000_000);
    }
}

#[test]
fn a_relaxation_hands_its_atoms_to_a_static_calculation() {
    let site = Site::sqlite();
    let structure = json!({"symbols": "Cu2", "positions": [[0, 0, 0], [0, 0, 2.6]]});
    let ids = site.add(json!({
        "fws": [
            {"fw_id": 1, "spec": {"_tasks": [{"_fw_name": "EmtRelaxTask", "structure": structure}]}},
            {"fw_id": 2, "spec": {"_tasks": [{"_fw_name": "EmtStaticTask"}]}},
        ],
        "links": {"1": [2]},
    }));
    site.run_well(&["rapidfire"]);
    let energy =
        |fw_id| site.stored_data(fw_id).get_document("results").and_then(|r| r.get_f64("energy")).expect("is stored");
    assert_eq!(site.state(ids[1]), State::Completed);
    assert!((energy(ids[0]) - energy(ids[1])).abs() < 1e-12);
    let lonely = site.add_tasks(json!([{"_fw_name": "EmtStaticTask"}]));
    site.run_well(&["rapidfire"]);
    assert!(site.stacktrace(lonely).contains("EmtStaticTask has no `structure`"));
    let short = json!([{"_fw_name": "EmtRelaxTask", "structure": structure, "opt_params": {"max_steps": 1}}]);
    let short = site.add_tasks(short);
    site.run_well(&["rapidfire"]);
    assert!(site.stacktrace(short).contains("did not converge"), "{}", site.stacktrace(short));
}

#[test]
fn a_firework_that_asks_for_an_impossible_directory_stops_nobody() {
    let site = Site::sqlite();
    let ask = json!({"spec": {"_tasks": [script("true")], "_launch_dir": "my_launchpad.yaml/below", "_priority": 1}});
    let fw_id = site.add(ask)[0];
    let other = site.add_tasks(json!([script("true")]));
    site.run_well(&["rapidfire"]);
    assert!(site.stacktrace(fw_id).contains("my_launchpad.yaml/below"), "{}", site.stacktrace(fw_id));
    assert_eq!(site.state(other), State::Completed);
}

#[test]
fn a_full_disk_gives_the_firework_back() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([script("true")]));
    std::os::unix::fs::symlink("/dev/full", site.path().join("FW.json")).expect("links");
    let output = site.run(&["singleshot"]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("FW.json") && log.contains("the firework stays in the launchpad"), "{log}");
    assert_eq!(site.state(fw_id), State::Ready);
}
