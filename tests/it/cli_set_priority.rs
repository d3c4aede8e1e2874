//! `lpad set_priority`.

use crate::support::cli::Cli;

#[test]
fn the_higher_priority_runs_first() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.lpad(&["set_priority", "-3", "-i", "1"]).done();
        let ran = cli.lpad(&["set_priority", "10", "-n", "fails"]).done();
        assert!(ran.stderr.contains("Finished setting priorities of 1 FWs"), "{ran:?}");
        assert_eq!(cli.lpad(&["get_fws", "-i", "1", "-d", "all"]).json()["spec"]["_priority"], -3);
        cli.volley(&["rlaunch", "-s", "singleshot"]).done();
        assert_eq!(cli.states(), ["READY", "WAITING", "READY", "WAITING", "FIZZLED"]);
    }
}

#[test]
fn a_wrong_selection_changes_nothing() {
    let cli = Cli::sqlite().with_five_fireworks();
    cli.lpad(&["set_priority", "10"]).failed(2, "say which: -i IDS");
    cli.lpad(&["set_priority", "high", "-i", "1"]).failed(2, "high");
    cli.lpad(&["set_priority", "10", "-i", "77"]).failed(4, "there is no firework 77");
    assert_eq!(cli.lpad(&["get_fws", "-i", "1", "-d", "all"]).json()["spec"]["_priority"], serde_json::Value::Null);
}
