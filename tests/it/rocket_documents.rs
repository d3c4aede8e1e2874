//! What one run leaves in the documents and directories, against Python FireWorks: the same stories
//! are lived by Python's rocket and by our `rlaunch`, on both stores.

use serde_json::{Value, json};

use crate::support::story::{leaves, pair, script, stories};

const FORGET: &str = "rm -f FWAction.json";

/// A firework whose third task fails until a file `fixed` is beside its directory.
fn fails_once() -> Value {
    let action = json!({"stored_data": {"a": 1}, "update_spec": {"b": {"c": 2}}, "mod_spec": [{"_push": {"l": 3}}]});
    let second = script(&format!("{FORGET}; echo first > log"));
    let tasks =
        json!([leaves(&action), second, script("echo again >> log; [ -e ../fixed ]"), script("cat log > last")]);
    pair(json!({"_tasks": tasks}), json!({"_tasks": [script("true")], "l": [0]}))
}

fn running() -> Value {
    let wait = script("touch begun; until [ -e go ]; do [ -e begun ] || exit 1; sleep 0.02; done");
    let tasks = json!([script("echo start > start"), wait, script("echo end")]);
    pair(json!({"_priority": 5, "encut": 520.0, "_tasks": tasks}), json!({"_tasks": [script("echo static")]}))
}

fn handing_on() -> Value {
    let relax = json!({
        "_trackers": [{"filename": "out.log", "nlines": 2, "allow_zipped": false}],
        "_preserve_fworker": true,
        "_pass_job_info": true,
        "_files_out": {"chg": "CHGCAR*", "none": "WAVECAR"},
        "_tasks": [script("for i in 1 2 3 4; do echo line$i >> out.log; done; echo data > CHGCAR; echo 2 > CHGCAR2")],
    });
    let static_ = json!({
        "_files_in": {"chg": "CHGCAR.prev", "other": "x"},
        "_pass_job_info": true,
        "_tasks": [script("cat CHGCAR.prev")],
    });
    pair(relax, static_)
}

fn compressed() -> Value {
    let relax = json!({
        "_trackers": [{"filename": "log", "nlines": 2, "allow_zipped": true}, {"filename": "no", "nlines": 3}],
        "_files_out": {"log": "log.*"},
        "_tasks": [script("printf 'a\\nb\\rc\\r\\n' > log; gzip -n log")],
    });
    pair(relax, json!({"_files_in": {"log": "plain"}, "_tasks": [script("true")]}))
}

fn diamond() -> Value {
    let spec = |priority: i64| json!({"_pass_job_info": true, "_priority": priority, "_tasks": [script("true")]});
    let fws = (1..=4).map(|id| json!({"fw_id": id, "name": format!("fw {id}"), "spec": spec(9 - id)}));
    let links = json!({"1": [2, 3], "2": [4], "3": [4]});
    json!({"fws": fws.collect::<Vec<_>>(), "links": links, "name": "diamond", "metadata": {}})
}

fn several_actions() -> Value {
    let first = json!({"stored_data": {"a": 1, "b": 1}, "update_spec": {"_pass_job_info": true}, "propagate": true});
    let second = json!({
        "stored_data": {"b": 2}, "update_spec": {"x": 1}, "mod_spec": [{"_set": {"_files_out->f": "l*"}}], "exit": true
    });
    let tasks = json!([leaves(&first), leaves(&second), script("touch never")]);
    pair(json!({"_tasks": tasks}), json!({"_tasks": [script("true")]}))
}

fn failing() -> Value {
    let spec = json!({
        "_pass_job_info": true, "_preserve_fworker": true, "_files_out": {"o": "out"},
        "_trackers": [{"filename": "out", "nlines": 1}],
        "_tasks": [script("echo so far > out"), script("exit 3")],
    });
    pair(spec, json!({"_tasks": [script("true")]}))
}

fn background() -> Value {
    let beside = |text: &str, rounds: i64, finish: bool| {
        json!({
            "tasks": [script(text)], "num_launches": rounds, "sleep_time": 0.02, "run_on_finish": finish,
            "_fw_name": "BackgroundTask",
        })
    };
    let background = json!([beside("echo bg >> bg.log", 2, true), beside("echo x > other", 1, false)]);
    let wait = script("until [ -e other ] && [ $(wc -l < bg.log) = 2 ]; do sleep 0.02; done");
    let spec = json!({"_background_tasks": background, "_tasks": [wait]});
    json!({"fws": [{"fw_id": 1, "name": "one", "spec": spec}], "links": {}, "name": "one", "metadata": {}})
}

stories! {
    a_running_firework_shows_its_checkpoint [
        ["add", running()], ["start", "a"], ["wait", "a/begun"], ["dump"], ["touch", "a/go"], ["join"], ["dump"]
    ]
    a_rerun_in_the_previous_directory_goes_on_there [
        ["add", fails_once()], ["run", "a"], ["dump"], ["rerun", 1, "prev_dir"], ["dump"], ["run", "b"], ["dump"],
        ["touch", "fixed"], ["rerun", 1, "prev_dir"], ["run", "c"], ["dump"], ["run", "d"], ["dump"]
    ]
    a_rerun_with_copied_data_goes_on_elsewhere [
        ["add", fails_once()], ["run", "a"], ["rerun", 1, "cp"], ["dump"], ["run", "b"], ["dump"],
        ["touch", "fixed"], ["rerun", 1, "cp"], ["run", "c"], ["dump"]
    ]
    a_rerun_by_python_goes_on_from_where_ours_came_to [
        ["add", fails_once()], ["run", "a"], ["touch", "fixed"], ["python", "rerun", 1, "cp"], ["run", "b"], ["dump"]
    ]
    a_rerun_of_tasks_alone_starts_in_an_empty_directory [
        ["add", fails_once()], ["run", "a"], ["touch", "fixed"], ["rerun", 1, null], ["run", "b"], ["dump"]
    ]
    files_job_info_worker_and_trackers_are_handed_on [
        ["add", handing_on()], ["run", "a"], ["dump"], ["run", "b"], ["dump"]
    ]
    compressed_files_are_opened_and_followed [["add", compressed()], ["run", "a"], ["run", "b"], ["dump"]]
    with_two_parents_job_info_comes_twice [
        ["add", diamond()], ["run", "a"], ["run", "b"], ["run", "c"], ["run", "d"], ["dump"]
    ]
    the_last_action_counts_with_the_data_of_all [["add", several_actions()], ["run", "a"], ["dump"]]
    a_failure_is_decorated_like_a_success [["add", failing()], ["run", "a"], ["dump"]]
    background_tasks_run_beside_and_once_more [["add", background()], ["run", "a"], ["dump"]]
}
