//! Bad input for every verb that changes something: one clear error, and nothing is changed.

use crate::support::cli::Cli;

/// Every verb on a selection, with what else it needs.
const VERBS: [&[&str]; 18] = [
    &["rerun_fws"],
    &["defuse_fws"],
    &["reignite_fws"],
    &["pause_fws"],
    &["resume_fws"],
    &["update_fws", "-u", "{\"a\": 1}"],
    &["set_priority", "7"],
    &["forget_offline"],
    &["defuse_wflows"],
    &["pause_wflows"],
    &["pause_wfs"],
    &["resume_wflows"],
    &["reignite_wflows"],
    &["archive_wflows"],
    &["delete_wflows"],
    &["delete_wfs", "--ldirs"],
    &["admin", "refresh"],
    &["admin", "unlock"],
];

fn everything(cli: &Cli) -> (String, String) {
    let shown = |verb| cli.lpad(&[verb, "-d", "all"]).done().stdout;
    (shown("get_fws"), shown("get_wflows"))
}

#[test]
fn a_selection_of_nothing_changes_nothing() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let before = everything(&cli);
        for verb in VERBS {
            let run = |more: &[&str]| cli.lpad(&[verb, more, &["--yes"]].concat());
            run(&["-i", "1,98,99"]).failed(4, "there is no firework 98, 99; nothing was changed");
            run(&["-n", "no such name"]).failed(4, "is called `no such name`; nothing was changed");
            run(&["-i", "1", "-s", "archived"]).failed(4, "is one of 1 and is ARCHIVED");
        }
        assert_eq!(everything(&cli), before);
    }
}

#[test]
fn what_cannot_be_understood_is_a_usage_error() {
    let cli = Cli::sqlite().with_five_fireworks();
    let before = everything(&cli);
    for verb in VERBS {
        let run = |more: &[&str]| cli.lpad(&[verb, more].concat());
        run(&[]).failed(2, "say which: -i IDS");
        run(&["-i", "1-"]).failed(2, "`1-` is no list of ids");
        run(&["-q", "{'state': "]).failed(2, "at character 11: the text ends where a value is expected");
    }
    let run = |more: &[&str]| cli.lpad(&[&["rerun_fws"], more].concat());
    run(&["-s", "DONE"]).failed(2, "DONE");
    run(&["-n", "re:("]).failed(2, "unclosed group");
    run(&["--failed-with", "["]).failed(2, "unclosed character class");
    run(&["--since", "yesterday"]).failed(2, "is neither a time that has passed");
    run(&["-lm", "-i", "1"]).failed(2, "--query");
    run(&["-m", "1"]).failed(2, "say which: -i IDS");
    cli.lpad(&["detect_lostruns", "--time", "soon"]).failed(2, "`soon` is no duration");
    cli.lpad(&["update_fws", "-i", "1", "-u", "{'a'"]).failed(2, "at character 5");
    cli.lpad(&["append_wflow", "-i", "1,99", "-f", "two.yaml"]).failed(4, "there is no firework 99");
    assert_eq!(everything(&cli), before);
}

#[test]
fn a_launchpad_that_cannot_be_used_is_named() {
    let cli = Cli::sqlite();
    cli.write("folder.db/x", "");
    cli.write("text.db", "no database at all, but a text that is long enough to be read as a page of one");
    for verb in VERBS {
        let run = |launchpad: &str| cli.lpad(&[&["-l", launchpad], verb, &["-i", "1"]].concat());
        run("none/launchpad.db").failed(1, "/none");
        run("text.db").failed(1, "text.db");
        run("folder.db").failed(1, "folder.db");
    }
}

#[test]
fn a_wrong_state_is_refused_by_each_verb() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.lpad(&["archive_wflows", "-i", "1"]).done();
        let before = everything(&cli);
        let refused = [
            ("rerun_fws", "an archived firework cannot be run again"),
            ("defuse_fws", "an archived firework cannot be defused"),
            ("reignite_fws", "only a defused firework can be reignited"),
            ("pause_fws", "only a WAITING, READY or RESERVED firework can be paused"),
            ("resume_fws", "only a paused firework can be resumed"),
        ];
        for (verb, why) in refused {
            cli.lpad(&[verb, "-i", "2"]).failed(1, why);
        }
        cli.lpad(&["update_fws", "-i", "2", "-u", "{\"a\": 1}"]).failed(1, "unchanged: firework 2");
        cli.lpad(&["forget_offline", "-i", "2"]).failed(4, "without an offline run");
        cli.lpad(&["admin", "unlock", "-i", "2"]).failed(4, "none of 1 workflow is locked");
        assert_eq!(everything(&cli), before);
    }
}

#[test]
fn what_was_probably_meant_is_said() {
    let cli = Cli::unconfigured();
    for (args, tip) in [
        (&["get_fw", "-i", "3"][..], "'get_fws', 'get_wfs'"),
        (&["unlock"], "say `lpad admin unlock`"),
        (&["get_fws", "3"], "say `-i 3`"),
        (&["get_fws", "-i", "1", "2", "3"], "say `-i 1,2,3`"),
        (&["get_fws", "-s", "READY", "FIZZLED"], "say `-s READY,FIZZLED`"),
        (&["set_priority", "10", "4"], "say `-i 4`"),
        (&["set_priority", "high", "-i", "4"], "a whole number is expected"),
        (&["rerun_fws"], "say which: -i IDS, "),
        (&["set_priority", "10"], "say which: -i IDS, "),
        (&["get_launchdir"], "say which firework"),
        (&["get_wflows", "-t", "-o", "json"], "leave one of them out"),
    ] {
        let ran = cli.lpad(args).failed(2, "error: ");
        assert!(ran.stderr.replace("volley lpad", "lpad").contains(tip), "{ran:?}");
    }
    cli.lpad(&["config", "leese"]).failed(1, "did you mean `lease`?");
}

#[test]
fn no_ids_are_no_fireworks() {
    let cli = Cli::sqlite();
    cli.write("wf.yaml", crate::support::cli::TWO);
    cli.lpad(&["add", "wf.yaml"]).done();
    for none in [&["-i"][..], &["-i", ""]] {
        cli.lpad(&[&["defuse_fws"], none].concat()).failed(4, "no ids are given; nothing was changed");
        cli.lpad(&[&["delete_wflows"], none].concat()).failed(4, "no ids are given; nothing was changed");
        assert_eq!(cli.lpad(&[&["get_fws"], none].concat()).done().stdout, "[]\n");
        assert_eq!(cli.lpad(&[&["get_wflows"], none].concat()).done().stdout, "[]\n");
    }
    assert_eq!(cli.lpad(&["get_launchdir", "-i", "1"]).done().stdout, cli.lpad(&["get_launchdir", "1"]).done().stdout);
}
