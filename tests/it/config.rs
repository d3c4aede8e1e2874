//! Settings: which file is found, what is read from it, and what is said about mistakes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use volley::config::{ConfigError, Flags, Loaded, Origin, Surroundings, load};
use volley::store::{Location, MongoSettings, Order};
use volley::workflow::fworker::Category;

use crate::support::cli::Cli;

/// A machine of its own: a current folder, a home, nothing else.
struct Machine {
    folder: TempDir,
    flags: Flags,
    around: Surroundings,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).expect("makes a folder");
            path
        };
        let around = Surroundings {
            cwd: at("cwd"),
            home: at("home"),
            data: at("data"),
            config: at("config"),
            launchpad: None,
            fw_config_file: None,
        };
        Machine { folder, flags: Flags::default(), around }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("makes folders");
        std::fs::write(&path, text).expect("writes");
        path
    }

    fn load(&self) -> Loaded {
        load(&self.flags, &self.around).expect("loads")
    }

    fn refuses(&self, reason: &str) {
        let error: ConfigError = load(&self.flags, &self.around).expect_err("is refused");
        assert!(error.to_string().contains(reason), "no `{reason}` in `{error}`");
    }

    fn mongo(&self) -> MongoSettings {
        match self.load().settings.location {
            Location::Mongo(mongo) => *mongo,
            Location::Sqlite(path) => panic!("an SQLite file {}", path.display()),
        }
    }

    fn sqlite(&self) -> PathBuf {
        match self.load().settings.location {
            Location::Sqlite(path) => path,
            Location::Mongo(mongo) => panic!("{}", mongo.place()),
        }
    }
}

#[test]
fn without_any_file_the_launchpad_is_in_the_data_folder() {
    let machine = Machine::new();
    assert_eq!(machine.sqlite(), machine.around.data.join("volley/launchpad.db"));
    assert_eq!(machine.load().settings.location_origin, Origin::Default);
}

#[test]
fn fireworks_order_of_folders() {
    let mut machine = Machine::new();
    let name = |machine: &Machine| machine.mongo().name;
    machine.write("home/.fireworks/my_launchpad.yaml", "{host: h, name: home}");
    assert_eq!(name(&machine), "home");
    machine.write("loc/config/my_launchpad.yaml", "{host: h, name: config_dir}");
    machine.write("cwd/FW_config.yaml", "CONFIG_FILE_DIR: ../loc/config\n");
    assert_eq!(name(&machine), "config_dir");
    machine.write("loc/pad.yaml", "{host: h, name: loc}");
    machine.write("cwd/FW_config.yaml", "LAUNCHPAD_LOC: ../loc/pad.yaml\n");
    assert_eq!(name(&machine), "loc");
    machine.write("cwd/my_launchpad.yaml", "{host: h, name: cwd}");
    assert_eq!(name(&machine), "cwd");
    machine.write("other/my_launchpad.yaml", "{host: h, name: other}");
    machine.flags.config_dir = Some("../other".into());
    assert_eq!(name(&machine), "other");
    machine.around.launchpad = Some("mongodb://h/variable".into());
    assert_eq!(name(&machine), "variable");
    machine.flags.launchpad = Some("../loc/pad.yaml".into());
    assert_eq!(name(&machine), "loc");
    assert_eq!(machine.load().settings.location_origin, Origin::Flag);
}

#[test]
fn what_is_asked_for_must_exist() {
    let mut machine = Machine::new();
    machine.flags.launchpad = Some("nofile.yaml".into());
    machine.refuses("launchpad file");
    machine.refuses("named by the command line, does not exist");
    machine.flags = Flags { config_dir: Some("/no/such/folder".into()), ..Flags::default() };
    machine.refuses("folder /no/such/folder");
    machine.flags = Flags { fworker_file: Some("nobody.yaml".into()), ..Flags::default() };
    machine.refuses("worker file");
    machine.flags = Flags { queueadapter_file: Some("noqueue.yaml".into()), ..Flags::default() };
    machine.refuses("queue adapter file");
    machine.flags = Flags::default();
    machine.around.fw_config_file = Some("nowhere.yaml".into());
    machine.refuses("named by $FW_CONFIG_FILE, does not exist");
    machine.write("cwd/FW_config.yaml", "LAUNCHPAD_LOC: gone.yaml\n");
    machine.refuses("gone.yaml, named by");
}

#[test]
fn a_launchpad_is_a_file_a_uri_or_an_sqlite_path() {
    let mut machine = Machine::new();
    machine.flags.launchpad = Some("pads/mine.db".into());
    assert_eq!(machine.sqlite(), machine.around.cwd.join("pads/mine.db"));
    machine.flags.launchpad = Some("mongodb+srv://u:secret@h.example.org/db".into());
    let mongo = machine.mongo();
    assert_eq!((mongo.host.as_str(), mongo.name.as_str()), ("mongodb+srv://u:secret@h.example.org/db", "db"));
    assert!(!format!("{mongo:?}").contains("secret"));
    machine.flags.launchpad = Some("pad.json".into());
    machine.write("cwd/pad.json", r#"{"host": "sqlite:///abs/pad.db"}"#);
    assert_eq!(machine.sqlite(), Path::new("/abs/pad.db"));
    machine.write("cwd/pad.json", r#"{"host": "sqlite://rel.db"}"#);
    assert_eq!(machine.sqlite(), machine.around.cwd.join("rel.db"), "relative to the file");
}

#[test]
fn my_launchpad_as_fireworks_writes_it() {
    let machine = Machine::new();
    let text = "\u{feff}authsource: admin\r\nhost: 127.0.0.1\r\nlogdir: null\r\nmongoclient_kwargs:\r\n  tls: true\r\n\
                name: fwx\r\npassword: 1234\r\nport: 27018\r\nstrm_lvl: ERROR\r\nuri_mode: false\r\nuser_indices: [spec.a]\r\n\
                username: user\r\nwf_user_indices: []\r\nssl_ca_file: /ca.pem\r\n";
    let path = machine.write("cwd/my_launchpad.yaml", text);
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, owner_only).expect("changes the mode");
    let loaded = machine.load();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    assert_eq!(loaded.settings.log_level, Some(volley::config::LogLevel::Error));
    let mongo = machine.mongo();
    assert_eq!((mongo.host.as_str(), mongo.port, mongo.name.as_str()), ("127.0.0.1", 27018, "fwx"));
    assert_eq!(mongo.username.as_deref(), Some("user"));
    assert_eq!(mongo.password.as_deref(), Some("1234"), "a password of digits is one");
    assert_eq!(mongo.authsource.as_deref(), Some("admin"));
    assert_eq!(mongo.options["tlsCAFile"], "/ca.pem");
    assert_eq!(mongo.user_indices, ["spec.a"]);
}

#[test]
fn mistakes_in_my_launchpad() {
    let machine = Machine::new();
    machine.write("cwd/my_launchpad.yaml", "hots: h\nname: x\n");
    let warnings = machine.load().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("unknown key `hots` (did you mean `host`?), ignored"), "{warnings:?}");
    for (text, reason) in [
        ("host: h\nport: many\n", "`port` must be a port number"),
        ("host: h\nport: 99999\n", "`port` must be a port number"),
        ("host: [h]\n", "`host` must be a string"),
        ("host: h\nuri_mode: true\n", "`host` must be a mongodb:// URI"),
        ("host: h\nuser_indices: a\n", "`user_indices` must be a list of strings"),
        ("host: h\nmongoclient_kwargs: 3\n", "`mongoclient_kwargs` must be a mapping"),
        ("host: h\nstrm_lvl: LOUD\n", "`strm_lvl` must be DEBUG, INFO"),
        ("- host\n", "must be a mapping"),
        ("host: h\nname: \"x\n", "my_launchpad.yaml:2: unclosed quote"),
    ] {
        machine.write("cwd/my_launchpad.yaml", text);
        machine.refuses(reason);
    }
}

#[test]
fn no_complaint_shows_a_password() {
    let machine = Machine::new();
    for text in [
        "password: SECRET\nhost: a: b\n",
        "host: h\npassword: \"SECRET\n",
        "host: h\npassword:SECRET\n",
        "host: h\npassword: SECRET\npassword: SECRET\n",
        "host: h\npassword: [SECRET]\n",
        "host: h\npassword: *SECRET\n",
        "host: h\npassword: !SECRET x\n\ty: 1\n",
        "SECRET\n",
    ] {
        machine.write("cwd/my_launchpad.yaml", text);
        let Err(error) = load(&machine.flags, &machine.around) else { continue };
        assert!(!error.to_string().contains("SECRET"), "{text}: {error}");
    }
}

#[test]
fn workers_and_their_categories() {
    let machine = Machine::new();
    let worker = |text: &str| {
        machine.write("cwd/my_fworker.yaml", text);
        machine.load().settings.fworker
    };
    let read = worker("name: w\ncategory: dft\nquery: '{\"spec.size\": 3}'\nenv: {vasp_cmd: srun vasp}\n");
    assert_eq!((read.name.as_str(), read.category), ("w", Category::OneOf(vec!["dft".into()])));
    assert_eq!(read.query, bson::doc! {"spec.size": 3});
    assert_eq!(read.env, bson::doc! {"vasp_cmd": "srun vasp"});
    assert_eq!(worker("name: w\ncategory: ''\nquery: '{}'\n").category, Category::Any);
    assert_eq!(worker("name: w\ncategory: __none__\n").category, Category::Without);
    assert_eq!(worker("category: [a, b]\n").category, Category::OneOf(vec!["a".into(), "b".into()]));
    machine.write("cwd/my_fworker.yaml", "query: spec.size is 3\n");
    machine.refuses("`query` must be a MongoDB query as a JSON string");
}

#[test]
fn the_python_of_a_worker_is_a_command_line() {
    let machine = Machine::new();
    assert_eq!(machine.load().settings.python, ["python3"]);
    let python = |line: &str| {
        machine.write("cwd/my_fworker.yaml", &format!("name: w\npython: {line}\n"));
        let loaded = machine.load();
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        loaded.settings.python
    };
    assert_eq!(python("null"), ["python3"]);
    assert_eq!(python("conda run -n q python"), ["conda", "run", "-n", "q", "python"]);
    assert_eq!(python("\"'/my env/bin/python' -X dev\""), ["/my env/bin/python", "-X", "dev"]);
    for line in ["''", "[python]", "\"'open\""] {
        machine.write("cwd/my_fworker.yaml", &format!("python: {line}\n"));
        machine.refuses("`python` must be a");
    }
}

#[test]
fn fw_config_is_heeded() {
    let machine = Machine::new();
    let text =
        "SORT_FWS: FILO\nRAPIDFIRE_SLEEP_SECS: 5\nPW_CHECK_NUM: 20\nPRINT_FW_JSON: false\nSORT_FW: x\nECHO_TEST: hi\n";
    machine.write("home/.fireworks/FW_config.yaml", text);
    let loaded = machine.load();
    let config = &loaded.settings.fw_config;
    assert_eq!((config.order, config.pw_check_num, config.print_fw_json), (Order::Filo, 20, false));
    assert_eq!(config.rapidfire_sleep, Duration::from_secs(5));
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("`SORT_FW` (did you mean `SORT_FWS`?)"), "{:?}", loaded.warnings);
    assert!(
        loaded.settings.origins.iter().any(|(key, origin)| *key == "SORT_FWS" && matches!(origin, Origin::File(_)))
    );
    for (text, reason) in [
        ("SORT_FWS: SIDEWAYS\n", "`SORT_FWS` must be FIFO, FILO or empty"),
        ("SUBMIT_SCRIPT_NAME: ../run.sh\n", "`SUBMIT_SCRIPT_NAME` must be the name of a file"),
        ("SUBMIT_SCRIPT_NAME: ''\n", "`SUBMIT_SCRIPT_NAME` must be the name of a file"),
    ] {
        machine.write("home/.fireworks/FW_config.yaml", text);
        machine.refuses(reason);
    }
}

#[test]
fn volley_yaml_forgives_nothing() {
    let machine = Machine::new();
    machine.write("config/volley/volley.yaml", "lease: 10m\nrenew: 90s\n");
    let volley = machine.load().settings.volley;
    assert_eq!((volley.lease, volley.renew), (Duration::from_secs(600), Duration::from_secs(90)));
    machine.write("cwd/volley.yaml", "lease: 60\n");
    assert_eq!(machine.load().settings.volley.lease, Duration::from_secs(60), "the nearer file counts");
    machine.write("cwd/volley.yaml", "leese: 60\n");
    machine.refuses("unknown key `leese` (did you mean `lease`?)");
    machine.write("cwd/volley.yaml", "lease: soon\n");
    machine.refuses("`lease` must be a duration");
    machine.write("cwd/volley.yaml", "lease: 20s\n");
    machine.refuses("`renew` must be more than zero and at most half of `lease` (20 s)");
}

#[test]
fn people_are_told_which_launchpad_was_chosen_for_them() {
    let cli = Cli::unconfigured();
    let place = "data/volley/launchpad.db";
    let first = cli.lpad(&["get_fws"]).done();
    assert!(first.stderr.contains("made a new launchpad") && first.stderr.contains(place), "{first:?}");
    let second = cli.lpad(&["get_fws"]).done();
    assert!(second.stderr.contains("no my_launchpad.yaml was found"), "{second:?}");
    assert_eq!((first.stderr.lines().count(), second.stderr.lines().count()), (1, 1));
    assert_eq!(cli.lpad(&["-s", "get_fws"]).done().stderr, "");
    let made = cli.lpad(&["-l", "new.db", "get_fws"]).done();
    assert!(made.stderr.contains("made a new launchpad"), "{made:?}");
    assert_eq!(cli.lpad(&["-l", "new.db", "get_fws"]).done().stderr, "");
    cli.write("my_launchpad.yaml", "host: sqlite://new.db\nnmae: x\n");
    let warned = cli.lpad(&["get_fws"]).done();
    assert!(warned.stderr.contains("WARNING") && warned.stderr.contains("`nmae` (did you mean `name`?)"), "{warned:?}");
}
