//! `lpad add`.

use serde_json::json;

use crate::support::cli::{Cli, TWO};

#[test]
fn prints_the_id_map_of_each_workflow() {
    for cli in Cli::everywhere() {
        cli.write("one.yaml", "spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}\n");
        cli.write("two.yml", TWO);
        assert_eq!(cli.lpad(&["add", "one.yaml"]).json(), json!({"-1": 1}));
        assert_eq!(cli.lpad(&["add_wf", "two.yml", "one.yaml"]).json(), json!([{"1": 2, "2": 3}, {"-1": 4}]));
        assert_eq!(cli.states(), ["READY", "READY", "WAITING", "READY"]);
        assert_eq!(cli.lpad(&["get_fws", "-i", "1", "-d", "all"]).json()["name"], "Unnamed FW");
    }
}

#[test]
fn one_file_may_hold_several_workflows_in_yaml_or_json() {
    let cli = Cli::sqlite();
    cli.write("several.yaml", &format!("{TWO}---\n{TWO}---\n"));
    assert_eq!(cli.lpad(&["add", "several.yaml"]).json(), json!([{"1": 1, "2": 2}, {"1": 3, "2": 4}]));
    let text = r#"{"fws": [{"fw_id": -1, "spec": {"s": "\ud83d\ude00", "_tasks": [{"_fw_name": "X"}]}},
                           {"fw_id": -2, "spec": {"_tasks": [{"_fw_name": "X"}]}}], "links": {"-1": [-2]}}"#;
    cli.write("dump.json", text);
    assert_eq!(cli.lpad(&["add", "dump.json"]).json(), json!({"-2": 5, "-1": 6}), "the lowest local id comes first");
    assert_eq!(cli.lpad(&["get_fws", "-i", "6", "-d", "all"]).json()["spec"]["s"], "\u{1f600}");
}

#[test]
fn files_with_a_byte_order_mark_and_windows_line_ends_are_read() {
    let cli = Cli::sqlite();
    cli.write("windows.yaml", &format!("\u{feff}{}", TWO.replace('\n', "\r\n")));
    assert_eq!(cli.lpad(&["add", "windows.yaml"]).json(), json!({"1": 1, "2": 2}));
    assert_eq!(cli.lpad(&["get_wflows", "-n", "pair", "-d", "count"]).json(), 1);
}

#[test]
fn every_workflow_file_of_a_folder_is_added() {
    let cli = Cli::sqlite();
    for name in ["wfs/b.yaml", "wfs/a.yml", "wfs/c.json"] {
        cli.write(name, "{\"name\": \"x\", \"spec\": {\"_tasks\": [{\"_fw_name\": \"X\"}]}}");
    }
    cli.write("wfs/README.txt", "not a workflow");
    assert_eq!(cli.lpad(&["add", "-d", "wfs"]).json(), json!([{"-1": 1}, {"-1": 2}, {"-1": 3}]));
    std::fs::create_dir(cli.folder().join("none")).expect("makes a folder");
    cli.lpad(&["add", "-d", "none"]).failed(1, "no workflow file (.yaml, .yml, .json) in none");
    cli.lpad(&["add", "-d", "nowhere"]).failed(1, "cannot read the folder nowhere");
}

#[test]
fn one_wrong_file_keeps_all_of_them_out() {
    for cli in Cli::everywhere() {
        cli.write("good.yaml", TWO);
        cli.write("bad.yaml", "fws: []\n");
        let ran = cli.lpad(&["add", "good.yaml", "bad.yaml", "missing.yaml"]);
        let ran = ran.failed(1, "bad.yaml:1: a workflow needs at least one firework in `fws`");
        assert!(ran.stderr.contains("missing.yaml: No such file"), "every mistake is said: {ran:?}");
        assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 0);
    }
}

#[test]
fn tasks_that_are_not_native_are_named() {
    let cli = Cli::sqlite();
    let tasks = "[{_fw_name: ScriptTas}, {_fw_name: my.Task}, {_fw_name: my.Task}, {_fw_name: PyTask, func: abs}]";
    cli.write("wf.yaml", &format!("spec: {{_tasks: {tasks}}}\n"));
    let stderr = cli.lpad(&["add", "wf.yaml"]).done().stderr;
    let misspelt = "WARNING no native task is called `ScriptTas` (did you mean `ScriptTask`?): workers look for it";
    assert!(stderr.contains(misspelt), "{stderr}");
    assert_eq!(stderr.matches("INFO `my.Task` is no native task: workers look for it").count(), 1, "{stderr}");
    assert!(!stderr.contains("PyTask"), "{stderr}");
}

#[test]
fn a_structure_in_a_file_is_read_where_the_workflow_file_is() {
    let cli = Cli::sqlite();
    cli.write(
        "project/cu.xyz",
        "1\nLattice=\"0 1.8 1.8 1.8 0 1.8 1.8 1.8 0\" Properties=species:S:1:pos:R:3\nCu 0 0 0\n",
    );
    cli.write("project/wf.yaml", "spec: {_tasks: [{_fw_name: EmtStaticTask, structure: {file: cu.xyz}}]}\n");
    cli.lpad(&["add", "project/wf.yaml"]).done();
    std::fs::remove_dir_all(cli.folder().join("project")).expect("removes");
    cli.rapidfire();
    assert_eq!(cli.states(), ["COMPLETED"], "no worker needs the file");
}

#[test]
fn a_workflow_may_come_from_standard_input() {
    for cli in Cli::everywhere() {
        cli.write("two.yaml", TWO);
        let add = |text: &str| {
            let line = format!("printf '%s' '{text}' | {} lpad add -", crate::support::cli::shell_binary());
            crate::support::run::Ran::of(cli.command(std::path::Path::new("sh")).args(["-c", &line]))
        };
        assert_eq!(add("{\"spec\": {\"_tasks\": [{\"_fw_name\": \"X\"}]}}").json(), json!({"-1": 1}));
        assert_eq!(add("spec: {_tasks: [{_fw_name: X}]}").json(), json!({"-1": 2}));
        let wrong = add("fws: 1\n");
        assert!(wrong.code == 1 && wrong.stderr.contains("-:1: "), "{wrong:?}");
        assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 2);
    }
}
