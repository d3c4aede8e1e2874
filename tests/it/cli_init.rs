//! `lpad init`.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::cli::Cli;
use crate::support::service;

#[test]
fn flags_make_a_file_for_its_owner_only() {
    let cli = Cli::unconfigured();
    let host = format!("sqlite://{}/pad.db", cli.folder().display());
    cli.lpad(&["init", "--host", &host]).done();
    let path = cli.folder().join("my_launchpad.yaml");
    assert_eq!(std::fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
    assert!(cli.folder().join("pad.db").exists());
    let ran = cli.lpad(&["get_fws", "-d", "count"]).done();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("0\n", ""), "what is configured needs no word");
    cli.lpad(&["init", "--host", &host]).failed(1, "my_launchpad.yaml exists");
}

#[test]
fn a_server_that_is_away_is_named() {
    let cli = Cli::unconfigured();
    let args = ["init", "--host", "127.0.0.1", "--port", "1", "--config-file", "other.yaml"];
    cli.lpad(&args).failed(1, "127.0.0.1:1");
    assert!(cli.folder().join("other.yaml").exists());
    cli.lpad(&["init", "--port", "99999"]).failed(2, "99999");
}

#[test]
fn python_fireworks_reads_the_file() {
    let Some(uri) = service("VOLLEY_TEST_MONGO", "mongo") else { return };
    let Some(python) = service("VOLLEY_TEST_PYTHON", "python") else { return };
    let cli = Cli::unconfigured();
    let (host, port) = uri.trim_start_matches("mongodb://").split_once(':').expect("a port");
    let name = format!("volley_test_{}", uuid::Uuid::now_v7().simple());
    cli.lpad(&["init", "--host", host, "--port", port, "--name", &name]).done();
    cli.write("wf.yaml", crate::support::cli::TWO);
    cli.lpad(&["add", "wf.yaml"]).done();
    let code = "from fireworks import LaunchPad; lp = LaunchPad.from_file('my_launchpad.yaml'); \
                print(lp.get_fw_ids(), lp.get_wf_by_fw_id(1).state); lp.connection.drop_database(lp.name)";
    let mut command = cli.command(std::path::Path::new(&python));
    let ran = crate::support::run::Ran::of(command.args(["-c", code])).done();
    assert!(ran.stdout.contains("[1, 2] READY"), "{ran:?}");
}

#[test]
fn on_a_terminal_it_asks() {
    let cli = Cli::unconfigured();
    let host = format!("sqlite://{}/asked.db", cli.folder().display());
    let Some(ran) = cli.on_a_terminal("init", &format!("{host}\n")) else { return };
    let ran = ran.done();
    assert!(ran.stdout.contains("host (") && ran.stdout.contains("[localhost]"), "{ran:?}");
    assert!(cli.folder().join("asked.db").exists());
}

#[test]
fn what_does_not_work_is_written_only_when_that_is_wanted() {
    let cli = Cli::unconfigured();
    let path = cli.folder().join("my_launchpad.yaml");
    let Some(ran) = cli.on_a_terminal("init", "127.0.0.1\n1\npad\n\nn\n") else { return };
    assert!(ran.stdout.contains("all the same? [y/N]") && ran.stdout.contains("nothing was written"), "{ran:?}");
    assert!(!path.exists(), "{ran:?}");
    let Some(ran) = cli.on_a_terminal("init", "127.0.0.1\n1\npad\n\ny\n") else { return };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let expected = json!({"host": "127.0.0.1", "port": 1, "name": "pad"});
    assert_eq!(serde_saphyr::from_str::<Value>(&text).expect("is YAML"), expected);
}

#[test]
fn a_place_may_be_written_in_one_word() {
    let cli = Cli::unconfigured();
    for (args, expected) in [
        (&["--host", "127.0.0.1:1", "--name", "pad"][..], json!({"host": "127.0.0.1", "port": 1, "name": "pad"})),
        (
            &["--host", "mongodb://127.0.0.1:1/pad"],
            json!({"host": "mongodb://127.0.0.1:1/pad", "uri_mode": true, "name": "pad"}),
        ),
    ] {
        cli.lpad(&[&["init"], args].concat()).failed(1, "cannot be used yet");
        let path = cli.folder().join("my_launchpad.yaml");
        let text = std::fs::read_to_string(&path).expect("is written");
        assert_eq!(serde_saphyr::from_str::<Value>(&text).expect("is YAML"), expected);
        std::fs::remove_file(path).expect("is gone");
    }
    for (args, reason) in [
        (&["--host", "h:x"][..], "no port number"),
        (&["-u", "--host", "h"], "no mongodb:// URI"),
        (&["-u"], "give --host mongodb://"),
        (&["--host", "sqlite://pad.db", "--config-file", "no/such/pad.yaml"], "cannot write no/such/pad.yaml"),
    ] {
        cli.lpad(&[&["init"], args].concat()).failed(1, reason);
        assert!(!cli.folder().join("my_launchpad.yaml").exists());
    }
}

#[test]
fn without_a_terminal_it_says_what_it_took() {
    let cli = Cli::unconfigured();
    let ran = cli.lpad(&["init", "--port", "1"]).failed(1, "cannot be used yet");
    assert!(ran.stderr.contains("nothing was asked"), "{ran:?}");
}
