//! `lpad get_fws`: FireWorks' shapes in a pipe, a table on a terminal.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn less_is_what_fireworks_prints() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let expected = r#"[
    {
        "fw_id": 1,
        "created_on": "DATE",
        "updated_on": "DATE",
        "state": "READY",
        "name": "first"
    },
    {
        "fw_id": 2,
        "created_on": "DATE",
        "updated_on": "DATE",
        "name": "second",
        "state": "WAITING"
    }
]"#;
        assert_eq!(cli.lpad(&["get_fws", "-i", "1,2"]).redacted(), expected);
    }
}

#[test]
fn a_single_result_stands_alone_and_none_is_an_empty_list() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let lpad = |args: &[&str]| cli.lpad(&[&["get_fws"], args].concat()).json();
        assert_eq!(lpad(&["-d", "ids"]), json!([1, 2, 3, 4, 5]));
        assert_eq!(lpad(&["-d", "count"]), 5);
        assert_eq!(lpad(&["-i", "1", "-d", "ids"]), 1);
        assert_eq!(lpad(&["-s", "COMPLETED"]), json!([]));
        assert_eq!(lpad(&["-s", "COMPLETED", "-d", "ids"]), json!([]));
        assert_eq!(lpad(&["-s", "COMPLETED", "-d", "count"]), 0);
        assert_eq!(lpad(&["-i", "99"]), json!([]));
    }
}

#[test]
fn conditions_and_order() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let ids = |args: &[&str]| cli.lpad(&[&["get_fws", "-d", "ids"], args].concat()).json();
        assert_eq!(ids(&["-s", "ready", "-m", "2", "--rsort", "created_on"]), json!([5, 3]));
        assert_eq!(ids(&["-n", "first", "--sort", "updated_on"]), json!([1, 3]));
        assert_eq!(ids(&["-i", "2-4,9"]), json!([2, 3, 4]));
        assert_eq!(ids(&["-s", "WAITING", "-n", "second", "-i", "1-2"]), 2);
        let shortened = cli.lpad(&["get_fws", "--disp", "ids", "--stat", "READY"]).json();
        assert_eq!(shortened, json!([1, 3, 5]), "as FireWorks allows it");
    }
}

#[test]
fn all_shows_the_spec_and_more_the_launches() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let expected = r#"{
    "spec": {
        "formula": "Si2",
        "_tasks": [
            {
                "_fw_name": "ScriptTask",
                "script": "true"
            }
        ]
    },
    "fw_id": 1,
    "created_on": "DATE",
    "updated_on": "DATE",
    "state": "READY",
    "name": "first"
}"#;
        assert_eq!(cli.lpad(&["get_fws", "-i", "1", "-d", "all"]).redacted(), expected);

        cli.rapidfire();
        let firework = cli.lpad(&["get_fws", "-i", "5", "-d", "more"]).json();
        let keys = |value: &serde_json::Value| value.as_object().expect("a map").keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&firework), ["fw_id", "created_on", "updated_on", "launches", "state", "name"]);
        let launch = &firework["launches"][0];
        let expected = [
            "fworker",
            "fw_id",
            "launch_dir",
            "host",
            "ip",
            "trackers",
            "action",
            "state",
            "state_history",
            "launch_id",
        ];
        assert_eq!(keys(launch), expected);
        assert_eq!(launch["state"], "FIZZLED");
        assert_eq!(launch["action"]["stored_data"]["_message"], "runtime error during task");

        cli.lpad(&["rerun_fws", "-i", "5"]).done();
        let firework = cli.lpad(&["get_fws", "-i", "5", "-d", "all"]).json();
        assert_eq!(
            keys(&firework),
            ["spec", "fw_id", "created_on", "updated_on", "archived_launches", "state", "name"]
        );
        assert_eq!(firework["archived_launches"][0]["launch_dir"], launch["launch_dir"]);
    }
}

#[test]
fn yaml_is_sorted_as_fireworks_has_it() {
    let cli = Cli::sqlite().with_five_fireworks();
    let ran = cli.lpad(&["-o", "yaml", "get_fws", "-i", "1"]).done();
    let keys: Vec<&str> = ran.stdout.lines().filter_map(|line| line.split_once(':')).map(|(key, _)| key).collect();
    assert_eq!(keys, ["created_on", "fw_id", "name", "state", "updated_on"]);
    assert!(ran.stdout.ends_with("\n\n"), "an empty line follows: {ran:?}");
}

#[test]
fn a_terminal_gets_a_table_that_fits() {
    let cli = Cli::sqlite().with_five_fireworks();
    let Some(ran) = cli.on_a_terminal("get_fws", "") else { return };
    let ran = ran.done();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("ID  STATE"), "{ran:?}");
    assert_eq!(lines.len(), 6, "{ran:?}");
    assert!(ran.stdout.contains("\u{1b}[34mREADY\u{1b}[0m"), "{ran:?}");
    let plain = |line: &str| line.replace("\u{1b}[34m", "").replace("\u{1b}[36m", "").replace("\u{1b}[0m", "");
    assert!(lines.iter().all(|line| plain(line).trim_end().chars().count() <= 60), "{ran:?}");
    let ids = cli.on_a_terminal("get_fws -d ids", "").expect("is installed").done();
    assert_eq!(ids.stdout.trim_end(), "1-5", "what -i takes");
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let cli = Cli::sqlite();
    for (args, reason) in [
        (["-i", "x"], "`x` is no list of ids"),
        (["-s", "DONE"], "unknown state `DONE`"),
        (["-d", "most"], "invalid value 'most'"),
        (["-m", "-1"], "-1"),
    ] {
        cli.lpad(&[&["get_fws"], args.as_slice()].concat()).failed(2, reason);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let cli = Cli::sqlite().with_five_fireworks();
    let line = format!("{} lpad get_fws -d all 2>err | true; cat err", crate::support::cli::shell_binary());
    let ran = crate::support::run::Ran::of(cli.command(std::path::Path::new("sh")).args(["-c", &line])).done();
    assert_eq!(ran.stdout, "", "{ran:?}");
}

#[test]
fn queries_select_on_both_stores() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let ids = |words: &[&str]| cli.lpad(&[words, &["-d", "ids"]].concat()).json();
        assert_eq!(ids(&["get_fws", "-q", "{'spec.formula': 'Si2'}"]), json!([1, 3]));
        assert_eq!(ids(&["get_fws", "-i", "3-5", "-q", r#"{"spec.formula": "Si2"}"#]), json!(3));
        assert_eq!(ids(&["get_wflows", "-q", "{'metadata.project': 'test'}", "-i", "4,5"]), json!(3));
        assert_eq!(ids(&["get_fws", "-q", "{'fw_id': 99}"]), json!([]));
        cli.lpad(&["pause_wflows", "-q", "{'name': 'nobody'}"]).failed(4, "matches {");
        cli.lpad(&["admin", "refresh", "-q", "{'name': 'pair'}"]).done();
        cli.lpad(&["pause_wflows", "-q", "{'nodes': 2}"]).done();
        assert_eq!(cli.states()[..3], ["PAUSED", "PAUSED", "READY"]);
        cli.lpad(&["get_fws", "-q", "{'$nonsense': 1}"]).failed(1, "$nonsense");
    }
}
