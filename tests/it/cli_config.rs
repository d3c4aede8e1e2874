//! `lpad config`: every setting, and where it comes from; what secrets are kept.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::cli::Cli;

#[test]
fn every_value_has_its_origin() {
    let cli = Cli::unconfigured();
    cli.write("my_launchpad.yaml", "{host: 'sqlite://pad.db', strm_lvl: WARNING}");
    cli.write("my_fworker.yaml", "{name: here, category: [a, b], wrap: 'srun -N {nodes}'}");
    cli.write(".fireworks/FW_config.yaml", "SORT_FWS: FILO\nPW_CHECK_NUM: 3\n");
    cli.write(".config/volley/volley.yaml", "lease: 4m\nretry: {max: 2, on: [lost]}\n");
    cli.write(".config/volley/my_qadapter.yaml", "{_fw_q_type: local, job_name: x}");
    let all = cli.lpad(&["config"]).json();
    let path = |name: &str| cli.folder().join(name).display().to_string();
    let said = |key: &str| (all[key]["value"].clone(), all[key]["from"].as_str().unwrap_or_default().to_owned());
    assert_eq!(said("launchpad"), (path("pad.db").into(), path("my_launchpad.yaml")));
    assert_eq!(said("loglvl"), ("WARNING".into(), path("my_launchpad.yaml")));
    assert_eq!(said("fworker.name"), ("here".into(), path("my_fworker.yaml")));
    assert_eq!(said("fworker.category"), (json!(["a", "b"]), path("my_fworker.yaml")));
    assert_eq!(said("fworker.wrap"), ("srun -N '{nodes}'".into(), path("my_fworker.yaml")));
    assert_eq!(said("fworker.python"), ("python3".into(), "default".into()));
    assert_eq!(said("SORT_FWS"), ("FILO".into(), path(".fireworks/FW_config.yaml")));
    assert_eq!(said("lease"), (240.into(), path(".config/volley/volley.yaml")));
    assert_eq!(said("retry").0["max"], 2);
    assert_eq!(said("queueadapter.job_name"), ("x".into(), path(".config/volley/my_qadapter.yaml")));
    let asked = cli.lpad(&["--loglvl", "ERROR", "config", "loglvl"]).json();
    assert_eq!(asked, json!({"loglvl": {"value": "ERROR", "from": "the command line"}}));
    assert!(!cli.folder().join("pad.db").exists(), "showing settings makes no launchpad");
}

#[test]
fn folders_are_searched_in_their_order() {
    let cli = Cli::unconfigured();
    let from = |cli: &Cli| cli.lpad(&["config", "launchpad"]).json()["launchpad"]["from"].clone();
    let mut expected = Value::from("default");
    for folder in [".config/volley", ".fireworks", "."] {
        assert_eq!(from(&cli), expected);
        let path = cli.write(&format!("{folder}/my_launchpad.yaml"), "{host: 'sqlite://pad.db'}");
        expected = path.display().to_string().replace("/./", "/").into();
    }
    assert_eq!(from(&cli), expected);
}

#[test]
fn a_password_is_never_shown() {
    let cli = Cli::unconfigured();
    let file = "host: 127.0.0.1\nport: 1\nusername: anna\npassword: hunter2\nmongoclient_kwargs: {tlsCertificateKeyFilePassword: hunter2}\n";
    let path = cli.write("my_launchpad.yaml", file);
    let readable_by = |mode: u32| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("changes the mode");
    };
    for (mode, warned) in [(0o600, false), (0o640, false), (0o644, true)] {
        readable_by(mode);
        let ran = cli.lpad(&["--loglvl", "DEBUG", "config"]).done();
        assert!(ran.stdout.contains("anna") && ran.stdout.contains("(set; not shown)"), "{ran:?}");
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
        assert_eq!(ran.stderr.contains("everybody on this machine can read the password"), warned, "{mode:o}: {ran:?}");
    }
    readable_by(0o600);
    for args in [["get_fws", "-i", "1"], ["--loglvl", "DEBUG", "doctor"]] {
        let ran = cli.lpad(&args);
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    }
    let uri = "mongodb://anna:hunter2@127.0.0.1:1/pad";
    for args in [&["config", "launchpad"][..], &["get_fws"]] {
        let ran = cli.lpad(&[&["-l", uri, "--loglvl", "DEBUG"], args].concat());
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    }
}

#[test]
fn mistakes_are_named_with_their_file() {
    let cli = Cli::unconfigured();
    cli.write("volley.yaml", "laese: 2m\n");
    let path = cli.folder().join("volley.yaml");
    let ran = cli.lpad(&["config"]).failed(1, "unknown key `laese` (did you mean `lease`?)");
    assert!(ran.stderr.contains(path.to_str().expect("is text")), "{ran:?}");
    std::fs::remove_file(path).expect("is gone");
    cli.write("FW_config.yaml", "PW_CHECK_NUN: 3\n");
    let ran = cli.lpad(&["config"]).done();
    assert!(ran.stderr.contains("unknown key `PW_CHECK_NUN` (did you mean `PW_CHECK_NUM`?)"), "{ran:?}");
    cli.write("my_launchpad.yaml", "host: [a\n");
    cli.lpad(&["config"]).failed(1, "my_launchpad.yaml");
}

#[test]
fn there_are_no_web_pages() {
    let cli = Cli::unconfigured();
    cli.lpad(&["webgui", "--port", "5000", "-s"]).failed(2, "lpad monitor");
}
