//! `lpad update_fws`.

use crate::support::cli::Cli;

#[test]
fn sets_parts_of_specs() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let update = r#"{"_tasks.0.script": "echo hi", "new.deep": [1, 2.5], "_priority": 7, "_category": "big"}"#;
        let ran = cli.lpad(&["update_fws", "-i", "1,5", "-u", update]).done();
        assert!(ran.stderr.contains("Finished updating 2 FWs"), "{ran:?}");
        let spec = cli.lpad(&["get_fws", "-i", "5", "-d", "all"]).json()["spec"].clone();
        assert_eq!(spec["_tasks"][0]["script"], "echo hi");
        assert_eq!(spec["new"], serde_json::json!({"deep": [1, 2.5]}));
        // Workers see it, too.
        cli.write("my_fworker.yaml", "name: w\ncategory: big\nquery: '{}'\n");
        cli.rapidfire();
        assert_eq!(cli.states(), ["COMPLETED", "READY", "READY", "WAITING", "COMPLETED"]);
    }
}

#[test]
fn an_update_of_mongodb_means_the_same_on_both_stores() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let update =
            "{'$set': {'spec.a.b': 1, 'spec._tasks.0.script': 'exit 0'}, '$unset': {'spec.formula': '', 'spec.z': 1}}";
        let ran = cli.lpad(&["update_fws", "-n", "first", "--mongo", "-u", update]).done();
        assert!(ran.stderr.contains("Finished updating 2 FWs"), "{ran:?}");
        let spec = cli.lpad(&["get_fws", "-i", "3", "-d", "all"]).json()["spec"].clone();
        let task = serde_json::json!({"_fw_name": "ScriptTask", "script": "exit 0"});
        assert_eq!(spec, serde_json::json!({"_tasks": [task], "a": {"b": 1}}));
    }
}

#[test]
fn what_cannot_be_changed_is_left_alone() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "1"]).done();
        cli.lpad(&["update_fws", "-i", "5", "-u", r#"{"n": {"b": null}}"#]).done();
        let before = cli.lpad(&["get_fws", "-d", "all"]).done().stdout;
        cli.lpad(&["update_fws", "-i", "1", "-u", r#"{"a": 1}"#])
            .failed(1, "unchanged: firework 1: a spec can be changed");
        cli.lpad(&["update_fws", "-i", "3", "-u", r#"{"_tasks.x": 1}"#])
            .failed(1, "firework 3: `_tasks.x` leads into the list");
        cli.lpad(&["update_fws", "-i", "3,5", "-u", r#"{"n.b.c": 1}"#])
            .failed(1, "firework 5: `n.b.c` leads through `n.b`");
        cli.lpad(&["update_fws", "-i", "3", "-u", r#"{"_tasks.4000000000": 1}"#]).failed(1, "too far beyond");
        cli.lpad(&["update_fws", "-i", "3", "-u", r#"{"$set": 1}"#]).failed(1, "no path into a spec");
        cli.lpad(&["update_fws", "-i", "3", "-u", "{a: 1}"]).failed(2, "at character 2: a key in quotes");
        cli.lpad(&["update_fws", "-i", "3", "-u", "[]"]).failed(2, "at character 1: a dictionary is expected");
        cli.lpad(&["update_fws", "-i", "3", "-u", "{}"]).failed(1, "--update: it changes nothing");
        let mongo = |update: &str| cli.lpad(&["update_fws", "-i", "3", "--mongo", "-u", update]);
        mongo("{'$inc': {'spec.a': 1}}").failed(1, "`$inc` is not supported here; $set and $unset are");
        mongo("{'$set': {'state': 'COMPLETED'}}").failed(1, "`state` is outside the spec");
        mongo("{'$set': {'spec._tasks.x': 1}}").failed(1, "firework 3: `_tasks.x` leads into the list");
        cli.lpad(&["update_fws", "-i", "3"]).failed(2, "--update");
        assert_eq!(cli.lpad(&["get_fws", "-d", "all"]).done().stdout, before);
        cli.lpad(&["update_fws", "-i", "1,3", "-u", r#"{"a": 1}"#]).failed(5, "unchanged: firework 1");
    }
}
