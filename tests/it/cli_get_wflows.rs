//! `lpad get_wflows`.

use serde_json::json;

use crate::support::cli::{Cli, TWO};

#[test]
fn less_is_what_fireworks_prints() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "1"]).done();
        let expected = r#"{
    "state": "RUNNING",
    "name": "pair--1",
    "created_on": "DATE",
    "states_list": "C-REA"
}"#;
        assert_eq!(cli.lpad(&["get_wflows", "-i", "1"]).redacted(), expected);
        assert_eq!(cli.lpad(&["get_wfs", "-i", "2"]).redacted(), expected, "any firework names its workflow");
    }
}

#[test]
fn workflows_come_in_the_order_of_their_fireworks() {
    for cli in Cli::everywhere() {
        cli.write("two.yaml", TWO);
        for _ in 0..6 {
            // By processes of their own, within a second.
            cli.lpad(&["add", "two.yaml"]).done();
        }
        assert_eq!(cli.lpad(&["get_wflows", "-d", "ids"]).json(), json!([1, 3, 5, 7, 9, 11]));
        let newest = ["get_wflows", "-d", "ids", "--rsort", "created_on", "-m", "2"];
        assert_eq!(cli.lpad(&newest).json(), json!([11, 9]));
    }
}

#[test]
fn all_has_links_metadata_states_and_directories() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "1"]).done();
        let dir = cli.lpad(&["get_launchdir", "1"]).done().stdout.trim().to_owned();
        let expected = r#"{
    "links": {
        "first--1": [
            "second--2"
        ],
        "second--2": []
    },
    "parent_links": {
        "second--2": [
            "first--1"
        ]
    },
    "metadata": {
        "project": "test"
    },
    "state": "RUNNING",
    "name": "pair--1",
    "created_on": "DATE",
    "updated_on": "DATE",
    "states": {
        "first--1": "COMPLETED",
        "second--2": "READY"
    },
    "launch_dirs": {
        "first--1": [
            "DIR"
        ],
        "second--2": []
    }
}"#;
        assert_eq!(cli.lpad(&["get_wflows", "-i", "1", "-d", "all"]).redacted().replace(&dir, "DIR"), expected);
        let more = cli.lpad(&["get_wflows", "-i", "1", "-d", "more"]).json();
        let keys: Vec<&String> = more.as_object().expect("a map").keys().collect();
        assert_eq!(keys, ["state", "name", "created_on", "updated_on", "states", "launch_dirs"]);
    }
}

#[test]
fn ids_count_and_conditions() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let lpad = |args: &[&str]| cli.lpad(&[&["get_wflows"], args].concat()).json();
        assert_eq!(lpad(&["-d", "ids"]), json!([1, 3, 5]));
        assert_eq!(lpad(&["-d", "count"]), 3);
        assert_eq!(lpad(&["-n", "pair", "-d", "ids"]), json!([1, 3]));
        assert_eq!(lpad(&["-n", "no such name"]), json!([]));
        assert_eq!(lpad(&["-d", "ids", "--rsort", "created_on", "-m", "1"]), 5);
        cli.rapidfire();
        assert_eq!(lpad(&["-s", "FIZZLED", "-d", "ids"]), 5);
        assert_eq!(lpad(&["-s", "COMPLETED", "-d", "ids"]), json!([1, 3]));
    }
}

#[test]
fn a_terminal_gets_counts_of_states() {
    let cli = Cli::sqlite().with_five_fireworks();
    let Some(ran) = cli.on_a_terminal("get_wflows -i 1", "") else { return };
    let ran = ran.done();
    assert!(ran.stdout.contains("1 WAITI") && ran.stdout.contains("pair"), "{ran:?}");
    let members = cli.on_a_terminal("get_wflows -i 1 -d more", "").expect("is installed").done();
    assert!(members.stdout.contains("first") && members.stdout.contains("second"), "{members:?}");
}
