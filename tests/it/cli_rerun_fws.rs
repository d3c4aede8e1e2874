//! `lpad rerun_fws`.

use crate::support::cli::Cli;

#[test]
fn runs_again_what_failed() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        assert_eq!(cli.states(), ["COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED", "FIZZLED"]);
        let ran = cli.lpad(&["rerun_fws", "-s", "FIZZLED"]).done();
        assert!(ran.stderr.contains("Finished setting 1 FWs to rerun"), "{ran:?}");
        assert_eq!(ran.stdout, "");
        assert_eq!(cli.states()[4], "READY");
        cli.lpad(&["rerun_fws", "-i", "1"]).done();
        assert_eq!(cli.states()[..2], ["READY", "WAITING"], "what depends on it is run again, too");
        assert_eq!(cli.states()[2..4], ["COMPLETED", "COMPLETED"]);
    }
}

#[test]
fn a_wrong_selection_changes_nothing() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        let before = cli.lpad(&["get_fws", "-d", "all"]).done().stdout;
        cli.lpad(&["rerun_fws"]).failed(2, "say which: -i IDS");
        cli.lpad(&["rerun_fws", "-s", "PAUSED"]).failed(4, "is PAUSED");
        cli.lpad(&["rerun_fws", "-n", "nobody"]).failed(4, "is called `nobody`");
        cli.lpad(&["rerun_fws", "-i", "99"]).failed(4, "there is no firework 99");
        cli.lpad(&["rerun_fws", "-i", "1,98,99"]).failed(4, "there is no firework 98, 99; nothing was changed");
        cli.lpad(&["rerun_fws", "-i", "1", "-s", "FIZZLED"]).failed(4, "is one of 1 and is FIZZLED");
        assert_eq!(cli.lpad(&["get_fws", "-d", "all"]).done().stdout, before);
    }
}

#[test]
fn a_defused_firework_refuses_and_the_others_go_on() {
    let cli = Cli::sqlite();
    let held = "fws:\n- {fw_id: 1, spec: {_tasks: [{_fw_name: X}]}, state: DEFUSED}\n- {fw_id: 2, spec: {_tasks: [{_fw_name: X}]}}\n";
    cli.write("held.yaml", held);
    cli.lpad(&["add", "held.yaml"]).done();
    cli.lpad(&["rerun_fws", "-i", "1,2"]).failed(5, "firework 1 is DEFUSED: reignite it first");
    cli.lpad(&["rerun_fws", "-i", "1"]).failed(1, "firework 1 is DEFUSED: reignite it first");
}

#[test]
fn details_of_exceptions_are_shown_where_that_is_asked_for() {
    for cli in Cli::everywhere() {
        let stale = "spec: {_exception_details: old, _tasks: [{_fw_name: ScriptTask, script: 'exit 3'}]}";
        cli.write("stale.yaml", stale);
        cli.lpad(&["add", "stale.yaml", "stale.yaml"]).done();
        let shown =
            |id: &str| cli.lpad(&["get_fws", "-i", id, "-d", "all"]).json()["spec"]["_exception_details"].clone();
        cli.rapidfire();
        cli.lpad(&["rerun_fws", "-i", "1"]).done();
        assert_eq!((shown("1"), shown("2")), (serde_json::Value::Null, "old".into()), "stale details go");
        let failed = cli.lpad(&["get_fws", "-i", "2", "-d", "more"]).json();
        let details = failed["launches"][0]["action"]["stored_data"]["_exception"]["_details"].clone();
        assert!(details.is_object(), "{failed}");
        cli.write("FW_config.yaml", "EXCEPT_DETAILS_ON_RERUN: true\n");
        cli.lpad(&["rerun_fws", "-i", "2"]).done();
        assert_eq!(shown("2"), details, "those of the run that failed");
    }
}

#[test]
fn a_group_of_failures_is_run_again() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.write("other.yaml", "name: other\nspec: {_tasks: [{_fw_name: ScriptTask, script: 'exit 4'}]}\n");
        cli.lpad(&["add", "other.yaml", "other.yaml"]).done();
        cli.rapidfire();
        cli.lpad(&["rerun_fws", "--error-group", "9"]).failed(4, "there is no group 9: they go from 1 to 2");
        cli.lpad(&["rerun_fws", "--error-group", "1", "-n", "first"])
            .failed(4, "there is no group 1: nothing that is selected has failed");
        let group = cli.lpad(&["errors", "--group", "1", "-o", "json"]).json();
        assert_eq!(group["fw_ids"], serde_json::json!([6, 7]), "the largest group comes first");
        let ran = cli.lpad(&["rerun_fws", "--error-group", "1"]).done();
        assert!(ran.stderr.contains("Finished setting 2 FWs to rerun"), "{ran:?}");
        assert_eq!(cli.states()[4..], ["FIZZLED", "READY", "READY"]);
    }
}
