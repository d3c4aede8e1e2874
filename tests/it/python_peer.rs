//! Together with Python FireWorks: it reads what we write, and we run what it adds.

use std::process::Command;

use bson::{Document, doc};
use serde_json::{Value, json};

use crate::support::Worker;
use crate::support::shared::Shared;

#[test]
fn python_reads_every_step_of_ours() {
    let Some(shared) = Shared::new() else { return };
    let site = &shared.site;
    let serial = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/guide/serial.yaml");
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
        let path = format!("{}/templates/guide/{name}", env!("CARGO_MANIFEST_DIR"));
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
