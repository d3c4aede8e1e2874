//! `lpad append_wflow`.

use crate::support::cli::Cli;

const MORE: &str = "
fws:
- {fw_id: 1, name: third, spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}}
- {fw_id: 2, name: fourth, spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}}
links: {1: [2]}
";

/// Leaves an action that changes the specs of children.
const GIVES: &str = r#"
spec:
  _tasks:
  - _fw_name: ScriptTask
    script: 'echo "{\"update_spec\": {\"given\": 5}, \"mod_spec\": [{\"_push\": {\"l\": 1}}]}" > FWAction.json'
"#;

#[test]
fn goes_below_what_has_ended_or_waits() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.write("more.yaml", MORE);
        let ran = cli.lpad(&["append_wflow", "-i", "2", "-f", "more.yaml"]).done();
        assert_eq!(ran.json(), serde_json::json!({"1": 6, "2": 7}));
        assert_eq!(cli.states()[5..], ["WAITING", "WAITING"]);
        cli.rapidfire();
        assert_eq!(cli.states()[5..], ["COMPLETED", "COMPLETED"]);
        cli.lpad(&["append_wflow", "-i", "1,7", "-f", "more.yaml"]).done();
        assert_eq!(cli.states()[7..], ["READY", "WAITING"]);
        assert_eq!(cli.lpad(&["get_wflows", "-i", "1"]).json()["state"], "RUNNING");
        cli.rapidfire();
        assert_eq!(cli.lpad(&["get_wflows", "-i", "9"]).json()["state"], "COMPLETED");
    }
}

#[test]
fn takes_over_what_parents_have_asked_for() {
    for cli in Cli::everywhere() {
        cli.write("gives.yaml", GIVES);
        cli.write("more.yaml", MORE);
        cli.lpad(&["add", "gives.yaml"]).done();
        cli.rapidfire();
        cli.lpad(&["append_wflow", "-i", "1", "-f", "more.yaml"]).done();
        cli.lpad(&["append_wflow", "-i", "1", "-f", "more.yaml", "--no_pull_spec_mods"]).done();
        let spec = |id: &str| cli.lpad(&["get_fws", "-i", id, "-d", "all"]).json()["spec"].clone();
        assert_eq!((&spec("2")["given"], &spec("2")["l"]), (&5.into(), &serde_json::json!([1])));
        assert!(spec("3")["given"].is_null() && spec("4")["given"].is_null(), "roots only, and only if wanted");
    }
}

#[test]
fn children_wait_for_a_detour() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.write("more.yaml", MORE);
        cli.lpad(&["append_wflow", "-i", "1", "-f", "more.yaml", "--detour"]).done();
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "1"]).done();
        assert_eq!(cli.states(), ["COMPLETED", "WAITING", "READY", "WAITING", "READY", "READY", "WAITING"]);
        cli.rapidfire();
        assert_eq!(cli.states()[..2], ["COMPLETED", "COMPLETED"]);
    }
}

#[test]
fn what_is_wrong_is_said_and_changes_nothing() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.write("more.yaml", MORE);
        cli.write("two.yaml", &format!("{MORE}---\n{MORE}"));
        cli.write("bad.yaml", "fws: []");
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "1"]).done();
        let before = cli.lpad(&["get_wflows", "-d", "all"]).done().stdout;
        cli.lpad(&["append_wflow", "-i", "99", "-f", "more.yaml"]).failed(4, "there is no firework 99");
        cli.lpad(&["append_wflow", "-i", "1,3", "-f", "more.yaml"])
            .failed(1, "firework 3 does not belong to this workflow");
        cli.lpad(&["append_wflow", "-i", "1", "-f", "more.yaml", "-d"]).failed(1, "its child 2 is READY");
        cli.lpad(&["append_wflow", "-i", "1", "-f", "two.yaml"]).failed(1, "several workflows");
        cli.lpad(&["append_wflow", "-i", "1", "-f", "bad.yaml"]).failed(1, "bad.yaml");
        cli.lpad(&["append_wflow", "-f", "more.yaml"]).failed(2, "required");
        assert_eq!(cli.lpad(&["get_wflows", "-d", "all"]).done().stdout, before);
        assert_eq!(cli.states().len(), 5);
        cli.lpad(&["archive_wflows", "-i", "1"]).done();
        cli.lpad(&["append_wflow", "-i", "1", "-f", "more.yaml"])
            .failed(1, "firework 1 is ARCHIVED: nothing can be appended");
    }
}
