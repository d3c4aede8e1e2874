//! `lpad defuse_fws`, `reignite_fws`, `pause_fws`, `resume_fws`, and the same for workflows.

use crate::support::cli::Cli;

#[test]
fn fireworks_are_held_and_let_go() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let ran = cli.lpad(&["pause_fws", "-i", "1,2"]).done();
        assert!(ran.stderr.contains("Finished pausing 2 FWs"), "{ran:?}");
        cli.lpad(&["defuse_fws", "-i", "3"]).done();
        assert_eq!(cli.states(), ["PAUSED", "PAUSED", "DEFUSED", "WAITING", "READY"]);
        cli.rapidfire();
        assert_eq!(cli.states(), ["PAUSED", "PAUSED", "DEFUSED", "WAITING", "FIZZLED"]);
        cli.lpad(&["resume_fws", "-s", "PAUSED"]).done();
        cli.lpad(&["reignite_fws", "-i", "3"]).done();
        assert_eq!(cli.states(), ["READY", "WAITING", "READY", "WAITING", "FIZZLED"]);
        cli.rapidfire();
        assert_eq!(cli.states()[..4], ["COMPLETED"; 4]);
        cli.lpad(&["defuse_fws", "-i", "1"]).done();
        assert_eq!(cli.states()[..2], ["DEFUSED", "WAITING"], "what had run is reset with what depends on it");
    }
}

#[test]
fn whole_workflows_are_held_and_let_go() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let ran = cli.lpad(&["pause_wflows", "-i", "2"]).done();
        assert!(ran.stderr.contains("Finished pausing 1 WFs"), "{ran:?}");
        assert_eq!(cli.states()[..3], ["PAUSED", "PAUSED", "READY"]);
        cli.lpad(&["resume_wfs", "-i", "1"]).done();
        assert_eq!(cli.states()[..2], ["READY", "WAITING"]);
        cli.lpad(&["defuse_wflows", "-i", "1,3"]).done();
        assert_eq!(cli.states()[..4], ["DEFUSED"; 4], "and not PAUSED, as FireWorks has it");
        cli.lpad(&["reignite_wflows", "-s", "DEFUSED"]).done();
        assert_eq!(cli.states()[..4], ["READY", "WAITING", "READY", "WAITING"]);
        cli.rapidfire();
        cli.lpad(&["archive_wflows", "-n", "pair"]).done();
        assert_eq!(cli.states(), ["ARCHIVED", "ARCHIVED", "ARCHIVED", "ARCHIVED", "FIZZLED"]);
        cli.lpad(&["rerun_fws", "-i", "1"])
            .failed(1, "firework 1 is ARCHIVED: an archived firework cannot be run again");
    }
}

#[test]
fn what_cannot_be_done_is_said_and_changes_nothing() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        let before = cli.lpad(&["get_fws", "-d", "all"]).done().stdout;
        cli.lpad(&["pause_fws", "-i", "1"]).failed(1, "firework 1 is COMPLETED: only a WAITING, READY or RESERVED");
        cli.lpad(&["resume_fws", "-i", "5"]).failed(1, "firework 5 is FIZZLED: only a paused firework can be resumed");
        cli.lpad(&["reignite_fws", "-i", "5"]).failed(1, "firework 5 is FIZZLED: only a defused firework");
        cli.lpad(&["defuse_wflows", "-n", "nobody"]).failed(4, "is called `nobody`");
        cli.lpad(&["archive_wflows"]).failed(2, "say which: -i IDS");
        assert_eq!(cli.lpad(&["get_fws", "-d", "all"]).done().stdout, before);
    }
}

#[test]
fn a_task_level_rerun_needs_a_checkpoint() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.lpad(&["rerun_fws", "--task-level", "-i", "1"]).failed(1, "it has no launches");
        cli.lpad(&["rerun_fws", "-i", "1", "-cp"]).failed(2, "--task-level");
        cli.lpad(&["rerun_fws", "-i", "1", "--task-level", "-cp", "-pd"]).failed(2, "cannot be used with");
        cli.rapidfire();
        cli.lpad(&["rerun_fws", "--task-level", "-i", "1", "-lid", "99"])
            .failed(1, "launch 99 is none of the launches of these fireworks");
        assert_eq!(cli.states()[0], "COMPLETED");
    }
}

#[test]
fn what_has_ended_is_defused_when_that_is_asked_for() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "1"]).done();
        cli.lpad(&["defuse_wflows", "-i", "1"]).done();
        assert_eq!(cli.states()[..2], ["COMPLETED", "DEFUSED"]);
        let ran = cli.lpad(&["defuse_wflows", "-i", "1", "--defuse_all_states"]).done();
        assert!(ran.stderr.contains("Finished defusing 1 WFs"), "{ran:?}");
        assert_eq!(cli.states()[..3], ["DEFUSED", "DEFUSED", "READY"]);
        let ran = cli.lpad(&["reignite_wflows", "-i", "1"]).done();
        assert!(ran.stderr.contains("Finished reigniting 1 Workflows"), "{ran:?}");
        assert_eq!(cli.states()[..2], ["READY", "WAITING"]);
    }
}

#[test]
fn each_firework_goes_on_from_a_launch_of_its_own() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        let rerun = |words: &[&str]| cli.lpad(&[&["rerun_fws", "--task-level"], words].concat());
        let launch = |fw_id: &str| {
            let firework = cli.lpad(&["get_fws", "-i", fw_id, "-d", "all"]).json();
            firework["launches"][0]["launch_id"].as_i64().expect("an id").to_string()
        };
        let (first, fifth) = (launch("1"), launch("5"));
        rerun(&["-i", "1,5", "-lid", &first]).failed(1, "firework 5: --launch_id names none of its launches");
        rerun(&["-i", "5", "-lid", &first]).failed(1, "is none of the launches of these fireworks");
        rerun(&["-i", "1", "-lid", &first, &first]).failed(1, "name one");
        assert_eq!(cli.states()[0], "COMPLETED");
        // 5 has a checkpoint, and 1 has none any more.
        let ran = rerun(&["-i", "5", "-lid", &fifth, "-pd"]).done();
        assert!(ran.stderr.contains("Finished setting 1 FWs to rerun"), "{ran:?}");
        let spec = cli.lpad(&["get_fws", "-i", "5", "-d", "all"]).json()["spec"].clone();
        assert_eq!(spec["_recovery"]["_launch_id"].to_string(), fifth);
    }
}
