//! One binary, three names: `volley link`, help, version, usage errors, logs.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::cli::Cli;
use crate::support::run::Ran;

#[test]
fn links_make_the_names_of_fireworks() {
    let cli = Cli::sqlite();
    std::fs::create_dir(cli.folder().join("bin")).expect("makes a folder");
    let ran = cli.volley(&["link", "--dir", "bin"]).done();
    assert_eq!(ran.stdout.lines().count(), 3, "it says what it made: {ran:?}");
    let lpad = cli.folder().join("bin/lpad");
    let run = |args: &[&str]| Ran::of(cli.command(&lpad).args(args));
    assert_eq!(run(&["get_fws", "-d", "count"]).json(), 0);
    assert_eq!(run(&["--version"]).done().stdout, format!("lpad {}\n", env!("CARGO_PKG_VERSION")));
    assert!(run(&["--help"]).done().stdout.starts_with("The launchpad: "), "each name has its own description");
    assert!(run(&["get_fws", "--help"]).done().stdout.contains("Usage: lpad get_fws"));
    cli.volley(&["link", "--dir", "bin"]).done();
    std::fs::remove_file(&lpad).expect("removes");
    symlink("/bin/true", &lpad).expect("links");
    cli.volley(&["link", "--dir", "bin"]).failed(1, "bin/lpad exists and is no link to Volley");
    assert_eq!(std::fs::read_link(&lpad).expect("is a link"), Path::new("/bin/true"));
    cli.volley(&["link", "--dir", "nowhere"]).failed(1, "nowhere is no folder");
}

#[test]
fn version_help_and_usage() {
    let cli = Cli::sqlite();
    let version = env!("CARGO_PKG_VERSION");
    for args in [["--version"].as_slice(), &["-v"], &["-V"]] {
        assert_eq!(cli.volley(args).done().stdout, format!("volley {version}\n"), "{args:?}");
    }
    assert_eq!(cli.lpad(&["version"]).done().stdout, format!("lpad {version}\n"));
    let help = cli.volley(&["--help"]).done().stdout;
    assert!(["lpad", "rlaunch", "link"].iter().all(|face| help.contains(face)), "{help}");
    for (face, does) in [("lpad", "The launchpad"), ("rlaunch", "Run fireworks"), ("qlaunch", "Have a queue")] {
        let said = cli.volley(&[face, "--help"]).done().stdout;
        assert!(said.starts_with(does) && help.contains(does), "{said}{help}");
    }
    cli.volley(&["lpad", "frobnicate"]).failed(2, "frobnicate");
    let without_a_verb = cli.volley(&["lpad"]).done().stdout;
    assert!(without_a_verb.contains("Usage: lpad") && without_a_verb.contains("get_fws"), "{without_a_verb}");
    assert_eq!(cli.volley(&[]).code, 2);
}

#[test]
fn nobody_has_to_listen() {
    let cli = Cli::sqlite().with_five_fireworks();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("is there");
    let deaf = |args: &[&str]| {
        let status = cli.command(Path::new(env!("CARGO_BIN_EXE_volley"))).args(args).stderr(full()).status();
        status.expect("runs").code()
    };
    // A log that cannot be written is no reason to leave a firework behind.
    assert_eq!(deaf(&["rlaunch", "singleshot", "-f", "1"]), Some(0));
    assert_eq!(cli.states()[0], "COMPLETED");
    assert_eq!(deaf(&["lpad", "-l", "nowhere.yaml", "get_fws"]), Some(1));
    assert_eq!(deaf(&["lpad", "-l", "new.db", "get_fws"]), Some(0));

    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = cli.command(Path::new(env!("CARGO_BIN_EXE_volley")));
    let status = command.args(["link", "--dir", "."]).stdout(writer).status().expect("runs");
    assert_eq!(status.code(), Some(0), "as in `volley link | head`");
}

#[test]
fn common_options_stand_before_and_after_the_verb() {
    let cli = Cli::unconfigured();
    cli.lpad(&["-l", "a.db", "get_fws"]).done();
    cli.lpad(&["get_fws", "-l", "b.db"]).done();
    cli.lpad(&["get_fws", "--launchpad_file", "c.db", "-o", "json"]).done();
    for file in ["a.db", "b.db", "c.db"] {
        assert!(cli.folder().join(file).exists(), "{file}");
    }
    let ran = cli.lpad(&["-s", "get_fws", "-s", "READY"]).done();
    assert_eq!(ran.stderr, "", "the first -s is for silence, the second selects");
}

#[test]
fn the_log_goes_to_stderr_in_fireworks_form() {
    let cli = Cli::sqlite().with_five_fireworks();
    let ran = cli.lpad(&["set_priority", "1", "-i", "1"]).done();
    let line = ran.stderr.trim_end();
    assert!(line.ends_with(" INFO Finished setting priorities of 1 FWs"), "{ran:?}");
    assert_eq!(line.find(" INFO"), Some("2026-11-22 15:04:08,655".len()), "{ran:?}");
    assert_eq!(cli.lpad(&["--loglvl", "WARNING", "set_priority", "1", "-i", "1"]).done().stderr, "");
    assert_eq!(cli.lpad(&["-s", "set_priority", "1", "-i", "1"]).done().stderr, "");
    assert!(cli.lpad(&["--loglvl", "debug", "get_fws"]).done().stderr.contains("DEBUG launchpad: $VOLLEY_LAUNCHPAD"));
    cli.lpad(&["--loglvl", "LOUD", "get_fws"]).failed(2, "unknown log level `LOUD`");
}

#[test]
fn a_launchpad_in_a_folder_that_is_not_there_is_a_slip() {
    let cli = Cli::unconfigured();
    cli.lpad(&["-l", "no/such/folder/lp.db", "get_fws"]).failed(1, "there is no folder");
    assert!(!cli.folder().join("no").exists());
}
