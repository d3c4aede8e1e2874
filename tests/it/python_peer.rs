//! Together with Python FireWorks: it reads what we write, we run what it adds, and both drain one
//! launchpad.

use std::process::Command;

use bson::{Document, doc};
use serde_json::{Value, json};
use volley::store::Location;
use volley::workflow::State;

use crate::support::run::wait_until;
use crate::support::site::Site;
use crate::support::{Launchpad, Worker, service};

/// A MongoDB launchpad and the Python that shares it.
struct Shared {
    site: Site,
    python: String,
    address: [String; 3],
}

impl Shared {
    fn new() -> Option<Self> {
        let python = service("VOLLEY_TEST_PYTHON", "python")?;
        let launchpad = Launchpad::mongo()?;
        let Location::Mongo(settings) = &launchpad.location else { unreachable!("it is MongoDB") };
        let hosts = settings.host.trim_start_matches("mongodb://").trim_end_matches('/');
        let (host, port) = hosts.rsplit_once(':').expect("HOST:PORT");
        let address = [host.to_owned(), port.to_owned(), settings.name.clone()];
        let site = Site::on(launchpad);
        site.write("FW_config.yaml", "ADD_USER_PACKAGES: [volley_firetasks]\n");
        Some(Shared { site, python, address })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python/peer.py"));
        command.args(&self.address).args(arguments);
        self.at_home(&mut command);
        command
    }

    /// Where FireWorks finds its settings and the classes of our tasks.
    fn at_home(&self, command: &mut Command) {
        let classes = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/python");
        command.current_dir(self.site.path()).env("HOME", self.site.path()).env("PYTHONPATH", classes);
    }

    fn python(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(text.lines().last().expect("prints")).expect("is JSON")
    }

    /// What FireWorks' own `lpad` prints.
    fn lpad(&self, arguments: &[&str]) -> Value {
        let lpad = std::path::Path::new(&self.python).with_file_name("lpad");
        let mut command = Command::new(lpad);
        self.at_home(&mut command);
        let output = command.args(arguments).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        // Its log goes to the same stream.
        let log = text.lines().take_while(|line| !line.starts_with(['{', '['])).map(|line| line.len() + 1).sum();
        serde_json::from_str::<Value>(&text[log..]).expect("is JSON")
    }

    fn states(&self, fw_id: i64) -> Value {
        let read = self.python(&["read", &fw_id.to_string()]);
        json!([read["state"], read["states"]])
    }
}

#[test]
fn python_reads_every_step_of_ours() {
    let Some(shared) = Shared::new() else { return };
    let site = &shared.site;
    let serial = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/workflows/serial.yaml");
    let added = site.volley(&["lpad", "add", serial]).output().expect("runs");
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    assert_eq!(shared.states(1), json!(["READY", {"1": "READY", "2": "WAITING"}]));

    let worker = Worker::new("w");
    let claim = worker.claim(&*site.launchpad.store, 1).pop().expect("claims");
    assert_eq!(shared.states(1), json!(["RUNNING", {"1": "RUNNING", "2": "WAITING"}]));
    site.launchpad.store.release(&[claim.held()], jiff::Timestamp::now()).expect("releases");

    site.run_well(&["singleshot"]);
    assert_eq!(shared.states(1), json!(["RUNNING", {"1": "COMPLETED", "2": "READY"}]));
    site.run_well(&["singleshot"]);
    let read = shared.python(&["read", "2"]);
    assert_eq!(read["states"], json!({"1": "COMPLETED", "2": "COMPLETED"}));
    assert_eq!((&read["state"], &read["summary"]), (&json!("COMPLETED"), &json!("COMPLETED")));
    let energy = read["stored"]["1"]["results"]["energy"].as_f64().expect("an energy");
    assert!((energy + 0.005_681_511_358_581_304).abs() < 1e-9, "{energy}");

    // The listing of the real `lpad` is ours, key for key.
    for arguments in [&["get_fws", "-i", "1"][..], &["get_fws", "-d", "more"], &["get_wflows", "-d", "all"]] {
        let mut ours = site.volley(&[&["lpad"], arguments].concat());
        let ours = ours.output().expect("runs").stdout;
        let ours: Value = serde_json::from_slice(&ours).expect("is JSON");
        let theirs = shared.lpad(arguments);
        assert_eq!(shape(&ours), shape(&theirs), "{arguments:?}");
    }
}

/// Keys and values, without what Python rewrites when it loads a launch.
fn shape(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(map) => {
            let own = ["_id", "lease", "owner", "updated_on"];
            map.iter()
                .filter(|(key, _)| !own.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), shape(value)))
                .collect()
        }
        other => other.clone(),
    }
}

#[test]
fn python_reads_failures_and_reruns_of_ours() {
    let Some(shared) = Shared::new() else { return };
    let site = &shared.site;
    site.add(json!({
        "fws": [
            {"fw_id": 1, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "exit 3"}]}},
            {"fw_id": 2, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}},
        ],
        "links": {"1": [2]},
    }));
    site.run_well(&["rapidfire"]);
    let read = shared.python(&["read", "1"]);
    assert_eq!(read["states"], json!({"1": "FIZZLED", "2": "WAITING"}));
    assert_eq!((&read["state"], &read["launches"]["1"]), (&json!("FIZZLED"), &json!(["FIZZLED"])));
    let rerun = site.volley(&["lpad", "rerun_fws", "-i", "1"]).output().expect("runs");
    assert!(rerun.status.success(), "{}", String::from_utf8_lossy(&rerun.stderr));
    assert_eq!(shared.states(1), json!(["READY", {"1": "READY", "2": "WAITING"}]));
}

#[test]
fn our_worker_runs_what_python_adds() {
    let Some(shared) = Shared::new() else { return };
    shared.python(&["reset"]);
    let ids = shared.python(&["add"]);
    let log = shared.site.run_well(&["rapidfire"]);
    assert!(log.contains("ScriptTask"), "{log}");
    let read = shared.python(&["read", &ids["first"].to_string()]);
    assert_eq!(read["state"], "COMPLETED");
    assert!(read["states"].as_object().is_some_and(|states| states.values().all(|state| state == "COMPLETED")));
    for stored in read["stored"].as_object().expect("stored").values() {
        assert_eq!(stored["returncode"], 0);
    }
}

#[test]
fn python_adds_every_example_and_reads_what_grew_of_it() {
    let Some(shared) = Shared::new() else { return };
    for name in ["serial.yaml", "parallel.yaml", "slabs.yaml"] {
        let path = format!("{}/templates/workflows/{name}", env!("CARGO_MANIFEST_DIR"));
        let lpad = std::path::Path::new(&shared.python).with_file_name("lpad");
        let mut command = Command::new(lpad);
        shared.at_home(&mut command);
        let added = command.args(["add", &path]).output().expect("runs");
        assert!(added.status.success(), "{name}: {}", String::from_utf8_lossy(&added.stderr));
    }
    // The last one: 5 relaxes the bulk, 6 cuts the slabs, 7 is the table.
    for _ in 0..6 {
        shared.site.run_well(&["singleshot"]);
    }
    let states = &shared.python(&["read", "7"])["states"];
    assert_eq!((&states["7"], states["8"].is_string()), (&json!("WAITING"), true), "{states}");
    shared.site.run_well(&["rapidfire"]);
    let read = shared.python(&["read", "7"]);
    assert_eq!((&read["state"], &read["stored"]["7"]["count"]), (&json!("COMPLETED"), &json!(3)), "{read}");
}

#[test]
fn indexes_are_those_of_python() {
    let Some(shared) = Shared::new() else { return };
    let database = shared.site.launchpad.database();
    let indexes = || -> Vec<Vec<Document>> {
        let of = |name: &&str| {
            let answer = database.run_command(doc! {"listIndexes": *name}).run().expect("lists");
            let batch = answer.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
            let mut list: Vec<Document> =
                batch.expect("a batch").iter().filter_map(|index| index.as_document().cloned()).collect();
            list.sort_by_key(|index| index.get_str("name").unwrap_or_default().to_owned());
            list
        };
        ["fireworks", "launches", "workflows", "fw_gridfs.files"].iter().map(of).collect()
    };
    let ours = indexes();
    database.drop().run().expect("drops");
    shared.python(&["reset"]);
    assert_eq!(ours, indexes());
}

#[test]
fn both_drain_one_launchpad() {
    let Some(shared) = Shared::new() else { return };
    let site = &shared.site;
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    // A fan of 16 between two: everybody reports to one workflow.
    let fws: Vec<Value> = (1..=18).map(fw).collect();
    let mut links = serde_json::Map::from_iter([("1".to_owned(), (2..=17).collect::<Vec<i64>>().into())]);
    links.extend((2..=17).map(|id: i64| (id.to_string(), json!([18]))));
    site.add(json!({"fws": fws, "links": links}));
    let mut python = shared.command(&["rapidfire"]).spawn().expect("starts");
    wait_until("all is done", || {
        site.run_well(&["rapidfire"]);
        site.fireworks().iter().all(|firework| firework.state == State::Completed)
    });
    assert!(python.wait().expect("ends").success());
    assert!(site.fireworks().iter().all(|firework| firework.launches.len() == 1), "each exactly once");
    assert_eq!(shared.states(1)[0], "COMPLETED");
}
