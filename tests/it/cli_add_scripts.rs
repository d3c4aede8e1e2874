//! `lpad add_scripts`.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn scripts_run_one_after_the_other() {
    for cli in Cli::everywhere() {
        let ran = cli.lpad(&["add_scripts", "echo one > a", "cat a > b", "-n", "write", "copy", "-w", "both"]);
        assert_eq!(ran.json(), json!({"0": 1, "1": 2}));
        let workflow = cli.lpad(&["get_wflows", "-i", "1", "-d", "all"]).json();
        assert_eq!(workflow["name"], "both--1");
        assert_eq!(workflow["links"], json!({"write--1": ["copy--2"], "copy--2": []}));
        let task = cli.lpad(&["get_fws", "-i", "2", "-d", "all"]).json()["spec"]["_tasks"][0].clone();
        assert_eq!(task, json!({"_fw_name": "ScriptTask", "script": "cat a > b", "use_shell": true}));
        for _ in 0..2 {
            cli.volley(&["rlaunch", "-s", "singleshot"]).done();
        }
        assert_eq!(std::fs::read_to_string(cli.folder().join("b")).expect("is written"), "one\n");
        cli.lpad(&["add_scripts", "true", "-n", "alone"]).done();
        assert_eq!(cli.lpad(&["get_wflows", "-i", "3"]).json()["name"], "alone--3", "after the first firework");
        cli.lpad(&["add_scripts", "true", "true", "-n", "one"]).failed(2, "2 scripts and 1 names");
        cli.lpad(&["add_scripts"]).failed(2, "SCRIPT");
        assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 3);
    }
}
