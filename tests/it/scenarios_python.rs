//! The scenarios of the samples whose tasks are in Python: what they leave when our worker has them
//! run in the user's Python, against what FireWorks' own worker leaves.

use serde_json::{Value, json};

use crate::support::story::{pair, script, stories};

fn below(task: Value) -> Value {
    let [mut above, below] = [json!([script("echo before"), task]), json!([script("true")])]
        .map(|tasks| json!({"_tasks": tasks, "list": [0], "n": 1, "gone": 2}));
    above["told"] = json!(0);
    pair(above, below)
}

fn fails() -> Value {
    below(json!({"_fw_name": "PyTask", "func": "user_package.functions.fail", "args": ["no"]}))
}

/// One of the actions of user_package.
fn act(kind: &str) -> Value {
    below(json!({"_fw_name": "Act Task", "kind": kind}))
}

fn surroundings() -> Value {
    let bg = json!({
        "tasks": [script("echo bg >> bg.log")], "num_launches": 1, "sleep_time": 0.02, "run_on_finish": true,
        "_fw_name": "BackgroundTask",
    });
    let spec = json!({
        "_add_launchpad_and_fw_id": true, "_add_fworker": true, "_background_tasks": [bg],
        "_tasks": [{"_fw_name": "{{user_package.tasks.Surroundings}}"}, script("until [ -e bg.log ]; do sleep 0.02; done")],
    });
    json!({"fws": [{"fw_id": 1, "name": "bgjob", "spec": spec}], "links": {}, "name": "bgjob", "metadata": {}})
}

stories! {
    a_function_that_fails_is_run_again [
        ["add", fails()], ["run", "a"], ["dump"],
        ["lpad", "rerun_fws", "-i", "1", "--task-level", "--previous-dir"], ["dump"], ["run", "b"], ["dump"],
        ["lpad", "rerun_fws", "-i", "1", "--task-level", "--copy-data"], ["dump"]
    ]
    objects_become_fireworks [
        ["add", act("detours")], ["add", act("additions")], ["fire", "a", 2], ["dump"], ["fire", "b"], ["dump"]
    ]
    actions_of_other_kinds [
        ["add", act("mods")], ["add", act("leave")], ["add", act("defuse_children")], ["fire", "a", 3], ["dump"]
    ]
    tasks_are_given_what_they_ask_for [["on_mongodb"], ["add", surroundings()], ["run", "a"], ["dump"]]
    a_flow_of_jobflow_grows_and_completes [
        ["python", "flow", "functions"], ["dump"], ["run", "a"], ["dump"], ["fire", "b"], ["dump"]
    ]
}
