//! What every state and change leaves in the collections, against Python FireWorks: the scenarios in
//! which the samples of its documents (`tests/fixtures/fireworks`) were taken, lived by both.
//!
//! Elsewhere are: a run half way, its checkpoints, reruns of tasks, and what is handed on
//! (`rocket_documents`); Jobflow (`scenarios_python`); a locked workflow (`mongo_python_lock`); and
//! what we do otherwise on purpose: a rerun of a firework that has spawned others replaces them
//! (`replaced_detours`), and a launch that was lost changes nothing any more (`store_story`).

use serde_json::{Value, json};

use crate::support::story::{leaves, script, stories};

/// `relax`, which becomes 2, and below it `static`, which becomes 1.
fn study(relax: Value) -> Value {
    above(relax, json!({"formula": "Si2", "_tasks": [script("echo static")]}))
}

fn above(tasks: Value, static_: Value) -> Value {
    let relax = json!({"_priority": 5, "_category": "dft", "formula": "Si2", "encut": 520.0, "_tasks": tasks});
    json!({
        "fws": [{"fw_id": -1, "name": "relax", "spec": relax}, {"fw_id": -2, "name": "static", "spec": static_}],
        "links": {"-1": [-2]},
        "name": "relax-static Si",
        "metadata": {"formula": "Si2", "project": "study", "nsites": 2},
    })
}

/// The same with an action of `relax`.
fn acts(action: Value) -> Value {
    study(json!([leaves(&action)]))
}

fn firework(id: i64, name: &str, task: Value) -> Value {
    json!({"fw_id": id, "name": name, "spec": {"_tasks": [task]}})
}

/// A chain that an action adds.
fn chain(first: i64, name: &str) -> Value {
    let [one, two] = [first, first - 1].map(|id| firework(id, &format!("{name}{id}"), script("true")));
    json!({"fws": [one, two], "links": {first.to_string(): [first - 1]}, "name": name, "metadata": {}})
}

fn lone(id: i64, name: &str) -> Value {
    json!({"fws": [firework(id, name, script("true"))], "links": {}, "name": name, "metadata": {}})
}

/// A firework that acts, its two children and their child.
fn diamond(action: Value) -> Value {
    let fws = json!([
        firework(1, "a", leaves(&action)),
        firework(2, "b", script("true")),
        firework(3, "c", script("true")),
        firework(4, "d", script("true")),
    ]);
    json!({"fws": fws, "links": {"1": [2, 3], "2": [4], "3": [4]}, "name": "diamond", "metadata": {}})
}

/// Two without a link; the second makes something of both.
fn appending() -> Value {
    let more = json!({"workflow": lone(-9, "appended"), "parents": [1], "detour": false});
    let action = json!({"append_wfs": [more], "mod_spec": [{"_push": {"from": 2}}]});
    let first = leaves(&json!({"update_spec": {"of": 1}, "mod_spec": [{"_push": {"from": 1}}]}));
    let fws = json!([firework(1, "a", first), firework(2, "b", leaves(&action)), firework(3, "c", script("true"))]);
    json!({"fws": fws, "links": {"2": [3]}, "name": "appending", "metadata": {}})
}

/// One that looks for a duplicate, and runs until it is told to end.
fn duplicate() -> Value {
    let wait = script("touch begun; until [ -e go ]; do [ -e begun ] || exit 1; sleep 0.02; done");
    let spec = json!({"_dupefinder": {"_fw_name": "DupeFinderExact"}, "n": 1, "_tasks": [wait]});
    json!({"fws": [{"fw_id": -1, "name": "dup", "spec": spec}], "links": {}, "name": "dup", "metadata": {}})
}

/// An action of 17 MB.
fn large() -> Value {
    let rest = "\"exit\": false, \"update_spec\": {\"u\": 1}, \"mod_spec\": [], \"additions\": [], \"detours\": [], \"defuse_children\": false";
    let blob = "head -c 17000000 /dev/zero | tr '\\0' x";
    let write =
        format!("{{ printf '{{\"stored_data\": {{\"blob\": \"'; {blob}; printf '\"}}, {rest}}}'; }} > FWAction.json");
    study(json!([script(&write)]))
}

fn not_failing() -> Value {
    json!({"formula": "Si2", "_allow_fizzled_parents": true, "_tasks": [script("echo static")]})
}

fn three() -> Value {
    study(json!([script("echo start"), script("true"), script("echo end")]))
}

stories! {
    added_run_and_run_again [
        ["add", three()], ["dump"], ["run", "a"], ["dump"], ["run", "b"], ["dump"],
        ["lpad", "rerun_fws", "-i", "2"], ["dump"], ["fire", "c"], ["dump"]
    ]
    reserved_by_python_and_run [
        ["add", three()], ["python", "reserve", 2, "123456"], ["dump"], ["run", "a", 2], ["dump"], ["run", "b"], ["dump"]
    ]
    reserved_and_cancelled_by_python [
        ["add", three()], ["python", "reserve", 2, "123456"], ["python", "cancel", "123456"], ["dump"],
        ["run", "a"], ["dump"]
    ]
    reserved_by_python_paused_and_resumed [
        ["add", three()], ["python", "reserve", 2, "123456"], ["lpad", "pause_fws", "-i", "2"], ["dump"],
        ["lpad", "resume_fws", "-i", "2"], ["dump"]
    ]
    lost_by_python_and_run_again [
        ["add", three()], ["python", "lose", 2], ["python", "detect"], ["dump"],
        ["lpad", "rerun_fws", "-i", "2"], ["dump"], ["run", "a"], ["dump"]
    ]
    a_script_that_fails [
        ["add", study(json!([script("echo before"), script("exit 3")]))], ["run", "a"], ["dump"],
        ["lpad", "rerun_fws", "-i", "2"], ["dump"]
    ]
    recovered_and_then_run_from_the_start [
        ["add", study(json!([script("echo before"), script("exit 3")]))], ["run", "a"],
        ["lpad", "rerun_fws", "-i", "2", "--task-level", "--previous-dir"], ["dump"], ["run", "b"], ["dump"],
        ["lpad", "rerun_fws", "-i", "2", "--task-level", "--copy-data"], ["dump"],
        ["lpad", "rerun_fws", "-i", "2"], ["dump"]
    ]
    defused_and_reignited [
        ["add", three()], ["lpad", "defuse_fws", "-i", "1"], ["dump"], ["lpad", "reignite_fws", "-i", "1"], ["dump"],
        ["lpad", "defuse_wflows", "-i", "2"], ["dump"], ["lpad", "reignite_wflows", "-i", "2"], ["dump"],
        ["run", "a"], ["lpad", "defuse_fws", "-i", "2"], ["dump"]
    ]
    paused_and_resumed [
        ["add", three()], ["lpad", "pause_fws", "-i", "2"], ["dump"], ["lpad", "resume_fws", "-i", "2"], ["dump"],
        ["lpad", "pause_wflows", "-i", "2"], ["dump"], ["lpad", "resume_fws", "-i", "1,2"], ["dump"]
    ]
    archived [["add", three()], ["run", "a"], ["lpad", "archive_wflows", "-i", "2"], ["dump"]]
    deleted [
        ["add", three()], ["add", three()], ["run", "a"], ["lpad", "delete_wflows", "-i", "2"], ["dump"]
    ]
    changed_by_users [
        ["add", three()], ["lpad", "set_priority", "42", "-i", "1"],
        ["lpad", "update_fws", "-i", "1", "-u", r#"{"_tasks.0.script": ["echo patched"], "new": {"nested": 1}}"#],
        ["dump"]
    ]
    appended_by_users [
        ["add", acts(json!({"update_spec": {"u": 1}}))], ["write", "FW_below.json", chain(-1, "below")],
        ["lpad", "append_wflow", "-i", "2", "-f", "FW_below.json", "-d"], ["dump"], ["run", "a"], ["dump"],
        ["lpad", "append_wflow", "-i", "2", "-f", "FW_below.json"], ["dump"],
        ["lpad", "append_wflow", "-i", "2", "-f", "FW_below.json", "--no_pull_spec_mods"], ["dump"]
    ]
    data_are_stored [
        ["add", acts(json!({"stored_data": {
            "energy": -10.84, "nested": {"list": [1, 2.5, "x", null, true]}, "big": 1_099_511_627_776_i64
        }}))],
        ["run", "a"], ["dump"]
    ]
    children_are_told [
        ["add", acts(json!({"update_spec": {"prev_energy": -10.84, "relaxed": {"a": 3.9}, "formula": "Si"}}))],
        ["run", "a"], ["dump"]
    ]
    specs_of_children_are_changed [
        ["add", acts(json!({"mod_spec": [
            {"_push": {"energies": -10.84}}, {"_set": {"a->b->c": 1}}, {"_inc": {"counter": 5}},
            {"_push_all": {"files": ["a", "b"]}}, {"_unset": {"formula": ""}}, {"_add_to_set": {"set": [1]}},
            {"_rename": {"counter": "count"}}, {"_pull": {"files": "a"}}, {"_pop": {"energies": 1}}
        ]}))],
        ["run", "a"], ["dump"]
    ]
    fireworks_are_added [
        ["add", acts(json!({"additions": [chain(-8, "addition")], "stored_data": {"k": 1}}))],
        ["run", "a"], ["dump"], ["fire", "b"], ["dump"]
    ]
    detours_come_between [
        ["add", acts(json!({"detours": [chain(-8, "detour")], "update_spec": {"u": 1}}))],
        ["run", "a"], ["dump"], ["fire", "b"], ["dump"]
    ]
    both_at_once [
        ["add", acts(json!({"detours": [lone(-8, "detour")], "additions": [lone(-9, "addition")]}))],
        ["run", "a"], ["dump"], ["run", "b", 4], ["dump"], ["run", "c", 3], ["run", "d", 1], ["dump"]
    ]
    all_descendants_are_told [
        ["add", diamond(json!({
            "update_spec": {"propagated": true}, "mod_spec": [{"_push": {"trail": "relax"}}], "propagate": true
        }))],
        ["run", "a"], ["dump"], ["fire", "b"], ["dump"]
    ]
    children_are_defused [["add", acts(json!({"defuse_children": true}))], ["run", "a"], ["dump"]]
    the_workflow_is_defused [["add", diamond(json!({"defuse_workflow": true}))], ["run", "a"], ["dump"]]
    the_rest_is_left_out [
        ["add", study(json!([leaves(&json!({"exit": true, "stored_data": {"exited": true}})), script("echo never")]))],
        ["run", "a"], ["dump"]
    ]
    workflows_are_appended [
        ["add", appending()], ["run", "a", 1], ["run", "b", 2], ["dump"], ["fire", "c"], ["dump"]
    ]
    a_failed_parent_is_shown [
        ["add", above(json!([script("exit 1")]), not_failing())], ["run", "a"], ["dump"], ["run", "b"], ["dump"]
    ]
    duplicates_share_a_launch [
        ["add", duplicate()], ["add", duplicate()], ["dump"], ["start", "a"], ["wait", "a/begun"], ["run", "b"], ["dump"],
        ["touch", "a/go"], ["join"], ["dump"], ["lpad", "rerun_fws", "-i", "1"], ["dump"]
    ]
    a_large_action_goes_to_gridfs [["on_mongodb"], ["add", large()], ["run", "a"], ["dump"], ["run", "b"], ["dump"]]
}
