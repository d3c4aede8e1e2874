//! Selections: what the selectors mean, alone and together, of fireworks and of workflows.

use serde_json::{Value, json};

use crate::support::cli::Cli;

/// What is selected, by id.
fn ids(cli: &Cli, words: &[&str]) -> Vec<i64> {
    match cli.lpad(&[words, &["-d", "ids"]].concat()).json() {
        Value::Array(ids) => ids.iter().filter_map(Value::as_i64).collect(),
        one => one.as_i64().into_iter().collect(),
    }
}

#[test]
fn all_that_is_said_must_hold() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let fws = |words: &[&str]| ids(&cli, &[&["get_fws"], words].concat());
        let wfs = |words: &[&str]| ids(&cli, &[&["get_wflows"], words].concat());
        assert_eq!(fws(&["-i", "1-3", "-i", "5"]), [1, 2, 3, 5]);
        assert_eq!(fws(&["-s", "waiting", "-s", "RUNNING,COMPLETED"]), [2, 4]);
        assert_eq!(fws(&["-n", "first", "-i", "2-5"]), [3]);
        assert_eq!(fws(&["-n", "re:^(first|fails)$", "-s", "READY"]), [1, 3, 5]);
        assert_eq!(fws(&["-q", "{'spec.formula': 'Si2'}", "-i", "3-5"]), [3]);
        assert_eq!(fws(&["-q", r#"{"spec.formula": null, "state": "READY"}"#]), [5]);
        assert_eq!(fws(&["--since", "2h"]), [1, 2, 3, 4, 5]);
        assert_eq!(fws(&["--since", "2099-01-01"]), [] as [i64; 0]);
        assert_eq!(fws(&["--mine", "-s", "WAITING"]), [2, 4]);
        assert_eq!(fws(&["-s", "READY", "-m", "2"]), [1, 3]);
        assert_eq!(fws(&["-wf", "-i", "2,5"]), [1, 2, 5]);
        assert_eq!(fws(&["-wf", "-n", "pair", "-m", "3"]), [1, 2, 3]);
        assert_eq!(wfs(&["-i", "2,5"]), [1, 5]);
        assert_eq!(wfs(&["-n", "re:a.r", "-q", "{'metadata.project': 'test'}", "--mine", "-m", "1"]), [1]);
        cli.lpad(&["get_fws", "-q", "{'$nonsense': 1}"]).failed(1, "$nonsense");
        // The owner is who added it.
        cli.lpad(&["pause_fws", "-n", "first", "-i", "1"]).done();
        assert_eq!(cli.states()[..3], ["PAUSED", "WAITING", "READY"]);
        cli.lpad(&["pause_fws", "-wf", "-n", "pair", "-m", "3"]).done();
        assert_eq!(cli.states(), ["PAUSED", "PAUSED", "PAUSED", "WAITING", "READY"]);
    }
}

#[test]
fn launches_and_errors_select_fireworks_and_their_workflows() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let bad = "name: other\nspec: {_tasks: [{_fw_name: ScriptTask, script: 'exit 4'}]}\n";
        cli.write("other.yaml", bad);
        cli.lpad(&["add", "other.yaml", "two.yaml"]).done();
        cli.lpad(&["pause_fws", "-i", "7"]).done();
        cli.rapidfire();
        let fws = |words: &[&str]| ids(&cli, &[&["get_fws"], words].concat());
        let wfs = |words: &[&str]| ids(&cli, &[&["get_wflows"], words].concat());
        assert_eq!(fws(&["--failed-with", "ode: .[34]"]), [5, 6]);
        assert_eq!(fws(&["--failed-with", r"Return code: \[4\]"]), [6]);
        assert_eq!(fws(&["--failed-with", "code", "-n", "fails"]), [5]);
        assert_eq!(fws(&["--failed-with", "code", "-s", "COMPLETED"]), [] as [i64; 0]);
        assert_eq!(wfs(&["--failed-with", r"Return code: \[4\]"]), [6]);
        let launch = |fw_id: &str| {
            let firework = cli.lpad(&["get_fws", "-i", fw_id, "-d", "all"]).json();
            firework["launches"][0]["launch_id"].as_i64().expect("an id").to_string()
        };
        let query = format!("{{'launch_id': {}}}", launch("2"));
        assert_eq!(fws(&["-lm", "-q", &query]), [2], "and not all that have launches, as FireWorks has it");
        assert_eq!(fws(&["-lm", "-q", "{'state': 'FIZZLED'}", "-n", "other"]), [6], "nor is the name ignored");
        assert_eq!(wfs(&["-lm", "-q", &query]), [1]);
        assert_eq!(wfs(&["-lm", "-q", &query, "-i", "1"]), [1], "another firework of it than the named one");
        // What a rerun has put away was another time.
        cli.lpad(&["rerun_fws", "--failed-with", "code", "-m", "1"]).done();
        assert_eq!(cli.states()[4..6], ["READY", "FIZZLED"]);
        assert_eq!(fws(&["--failed-with", "code"]), [6]);
        cli.lpad(&["rerun_fws", "--failed-with", "segmentation"])
            .failed(4, "FIZZLED with an error like `segmentation`");
        cli.lpad(&["defuse_wflows", "--failed-with", "code"]).done();
        cli.lpad(&["delete_wflows", "-lm", "-q", "{'state': 'FIZZLED'}"]).done();
        assert_eq!(fws(&[]), [1, 2, 3, 4, 5, 7, 8]);
    }
}

#[test]
fn the_history_says_what_was_done_to_what() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        for words in [
            &["set_priority", "5", "-i", "1,2"][..],
            &["pause_wflows", "-i", "4"],
            &["update_fws", "-i", "5", "-u", "{'secret': 'x', 'other.key': 1}"],
            &["delete_wflows", "-i", "2"],
        ] {
            cli.lpad(words).done();
        }
        cli.lpad(&["pause_fws", "-i", "5,3"]).done();
        let store = volley::store::open(&cli.location()).expect("opens");
        let events = store.events(&volley::store::history::EventQuery::default()).expect("reads");
        let said: Vec<Value> = events
            .iter()
            .filter(|event| event.deed.what != "add")
            .map(|event| json!([event.deed.what, event.deed.fw_ids, event.deed.workflows, event.deed.note]))
            .collect();
        let expected = [
            json!(["set_priority", [1, 2], [], "to 5"]),
            json!(["pause_wflows", [], [3], null]),
            json!(["update_fws", [5], [], "other.key, secret"]),
            json!(["delete_wflows", [], [1], null]),
            json!(["pause_fws", [5], [], null]),
        ];
        assert_eq!(said, expected);
    }
}
