//! The cases of FireWorks' own tests of its command line: `tests/cmd_line_test.sh` and
//! `scripts/tests/test_lpad_run.py`.

use crate::support::cli::Cli;
use crate::support::run::{Ran, VOLLEY};

/// A firework.
const FIREWORK: &str = "
spec:
  _tasks:
  - _fw_name: ScriptTask
    script: 'true'
";

#[test]
fn the_smoke_test_of_the_command_line() {
    for cli in Cli::everywhere() {
        let today = jiff::Zoned::now().date().to_string();
        cli.lpad(&["reset", "--password", &today]).done();
        cli.write("fw_adder.yaml", FIREWORK);
        cli.lpad(&["add", "fw_adder.yaml"]).done();
        for mode in ["more", "less", "all"] {
            assert_eq!(cli.lpad(&["get_wfs", "-d", mode]).json()["name"], "Unnamed FW--1");
            assert_eq!(cli.lpad(&["get_fws", "-d", mode]).json()["fw_id"], 1);
        }
        cli.volley(&["rlaunch", "singleshot"]).done();
        assert_eq!(cli.states(), ["COMPLETED"]);
    }
}

#[test]
fn counts_and_ids_of_none_and_one() {
    for cli in Cli::everywhere() {
        let printed = |detail| cli.lpad(&["get_fws", "-d", detail]).done().stdout;
        assert_eq!((printed("count"), printed("ids")), ("0\n".to_owned(), "[]\n".to_owned()));
        cli.write("fw.yaml", FIREWORK);
        cli.lpad(&["add", "fw.yaml"]).done();
        assert_eq!((printed("count"), printed("ids")), ("1\n".to_owned(), "1\n".to_owned()));
    }
}

#[test]
fn the_version_is_told_without_a_launchpad() {
    let cli = Cli::unconfigured();
    let lpad = cli.folder().join("lpad");
    std::os::unix::fs::symlink(VOLLEY, &lpad).expect("links");
    for arg in ["-v", "--version"] {
        let ran = Ran::of(cli.command(&lpad).arg(arg)).done();
        assert!(ran.stdout.starts_with("lpad ") && ran.stderr.is_empty(), "{ran:?}");
    }
}

#[test]
fn files_that_are_not_there_are_named() {
    let cli = Cli::unconfigured();
    cli.lpad(&["-l", "", "get_fws"]).failed(2, "--launchpad");
    cli.lpad(&["-l", "missing_file.yaml", "get_fws"]).failed(1, "missing_file.yaml");
    cli.lpad(&["recover_offline", "-w", "missing_file"]).failed(1, "missing_file");
}
