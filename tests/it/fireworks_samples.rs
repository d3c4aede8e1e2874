//! Readers take every form that FireWorks has written: all samples of its documents, and the forms
//! of older releases. What a user has put into a document beside FireWorks' own fields survives
//! whatever we do.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use serde_json::{Map, Value};
use volley::launchpad::listing::{self, Detail};
use volley::launchpad::results;
use volley::store::{FireworkQuery, Order, Store, Verb, Verdict, WorkflowQuery};
use volley::workflow::json::{from_bson, from_document};
use volley::workflow::{FwAction, State, as_int, int_list};

use crate::support::samples::{documents, load, names, read};
use crate::support::{Launchpad, Worker, outcome};

/// Documents by an id.
fn by_id(documents: Vec<Document>, key: &str) -> BTreeMap<i64, Document> {
    documents.into_iter().map(|one| (one.get(key).and_then(as_int).expect("an id"), one)).collect()
}

/// A stored launch as FireWorks shows it: without what follows from its history.
fn shown_launch(launch: &Document) -> Map<String, Value> {
    let derived = ["_id", "time_start", "time_end", "runtime_secs", "reservedtime_secs"];
    from_document(launch).into_iter().filter(|(key, _)| !derived.contains(&key.as_str())).collect()
}

/// Compares what is listed with what stands in the sample.
fn check_fireworks(store: &dyn Store, sample: &Document) {
    let fireworks = by_id(documents(sample, "fireworks"), "fw_id");
    let launches = by_id(documents(sample, "launches"), "launch_id");
    let found = store.find_fireworks(&FireworkQuery::default()).expect("finds");
    let shown = listing::fireworks(store, &found, Detail::All).expect("lists");
    assert_eq!(shown.len(), fireworks.len());
    for (stored, shown) in fireworks.values().zip(shown) {
        let mut expected = Map::new();
        for key in ["spec", "fw_id", "created_on", "updated_on", "state", "name"] {
            expected.insert(key.to_owned(), from_bson(stored.get(key).expect("a field")));
        }
        for key in ["launches", "archived_launches"] {
            let ids = int_list(stored.get(key));
            let list: Vec<Value> = ids.iter().map(|id| Value::Object(shown_launch(&launches[id]))).collect();
            if !list.is_empty() {
                expected.insert(key.to_owned(), list.into());
            }
        }
        assert_eq!(shown, Value::Object(expected));
    }
}

fn check_workflows(store: &dyn Store, sample: &Document) {
    let workflows = documents(sample, "workflows");
    let fireworks = by_id(documents(sample, "fireworks"), "fw_id");
    let found = store.find_workflows(&WorkflowQuery::default()).expect("finds");
    let shown = listing::workflows(store, &found, Detail::All).expect("lists");
    assert_eq!(shown.len(), workflows.len());
    for shown in shown {
        let id: i64 = shown["name"].as_str().and_then(|name| name.rsplit_once("--")?.1.parse().ok()).expect("NAME--ID");
        let stored = workflows.iter().find(|one| int_list(one.get("nodes")).contains(&id)).expect("the workflow");
        for key in ["state", "created_on", "updated_on", "metadata"] {
            assert_eq!(shown[key], from_bson(stored.get(key).expect("a field")), "{key}");
        }
        let states = int_list(stored.get("nodes")).into_iter().filter_map(|node| {
            let firework = fireworks.get(&node)?;
            let name = format!("{}--{node}", firework.get_str("name").expect("a name"));
            Some((name, from_bson(firework.get("state").expect("a state"))))
        });
        assert_eq!(shown["states"], Value::Object(states.collect()));
        assert_eq!(results_of(store, id), int_list(stored.get("nodes")).len());
    }
}

/// How many fireworks of a workflow are told of.
fn results_of(store: &dyn volley::store::Store, id: i64) -> usize {
    let workflow = volley::launchpad::Selection { ids: Some(vec![id]), ..Default::default() };
    let mut count = 0;
    let mut take = |some: Vec<results::FireworkResult>| {
        count += some.len();
        std::ops::ControlFlow::Continue(())
    };
    results::each(store, &workflow, &mut take).expect("reads");
    count
}

#[test]
fn every_sample_is_read() {
    let Some(pad) = Launchpad::mongo() else { return };
    let mut wrong = Vec::new();
    for name in names() {
        let sample = read(&name);
        load(&pad.database(), &sample);
        check_fireworks(&*pad.store, &sample);
        check_workflows(&*pad.store, &sample);
        for finding in pad.store.examine(Timestamp::now()).expect("examines") {
            wrong.push((name.clone(), finding.trouble.as_str(), finding.fw_id));
        }
    }
    // What had been running when the dump was taken has not been heard of since.
    let silent = |name: &str, fw_id| (name.to_owned(), "running", Some(fw_id));
    let nothing = || ("16_gridfs_fallback_action".to_owned(), "counter", None);
    let expected = [
        silent("03_RUNNING_mid_task", 2),
        silent("13b_dupefinder_first_RUNNING_second_stole_launch", 1),
        silent("13b_dupefinder_first_RUNNING_second_stole_launch", 2),
        nothing(),
        nothing(),
        ("17_workflow_locked".to_owned(), "locked", Some(1)),
        silent("18b_zombie_launch_completed_after_rerun", 2),
    ];
    assert_eq!(wrong, expected);
}

#[test]
fn a_sample_without_its_file_shows_where_that_was() {
    let Some(pad) = Launchpad::mongo() else { return };
    load(&pad.database(), &read("16_gridfs_fallback_action"));
    let launch = pad.store.find_launches(&[1]).expect("reads").pop().expect("exists");
    assert_eq!(launch.action, Some(doc! {"gridfs_id": "6b0303fabb07a2d91e17fed7"}));
}

/// The forms that older releases, and others, have written.
fn old_forms(collection: &str, mut document: Document) -> Document {
    let naive = |value: &Bson| value.as_str().map(|date| Bson::from(date.split('.').next().expect("a date")));
    let wide = |value: &Bson| as_int(value).map(Bson::Int64);
    let float = |value: &Bson| as_int(value).map(|id| Bson::Double(id as f64));
    let mut set = |key: &str, to: &dyn Fn(&Bson) -> Option<Bson>| {
        if let Some(value) = document.get(key).and_then(to) {
            document.insert(key, value);
        }
    };
    match collection {
        "fireworks" => {
            set("fw_id", &wide);
            set("created_on", &naive);
            document.remove("updated_on");
            document.remove("archived_launches");
        }
        "launches" => {
            set("launch_id", &float);
            set("time_start", &naive);
            document.insert("fworker", Bson::Null);
            for field in ["ip", "trackers", "runtime_secs"] {
                document.remove(field);
            }
            for entry in document.get_array_mut("state_history").expect("a history") {
                let entry = entry.as_document_mut().expect("an entry");
                let date = entry.get("created_on").and_then(volley::workflow::time::from_bson).expect("a date");
                entry.insert("created_on", volley::workflow::time::to_bson_date(date));
            }
        }
        _ => {
            let nodes = document.get_array_mut("nodes").expect("nodes");
            nodes.reverse();
            nodes.iter_mut().for_each(|node| *node = wide(node).expect("an id"));
        }
    }
    document
}

#[test]
fn older_forms_are_read_and_run_on() {
    let Some(pad) = Launchpad::mongo() else { return };
    let database = pad.database();
    let old = |sample: &str| {
        let mut sample = read(sample);
        for collection in ["workflows", "fireworks", "launches"] {
            let documents = documents(&sample, collection).into_iter();
            let old: Vec<Document> = documents.map(|document| old_forms(collection, document)).collect();
            sample.insert(collection, old);
        }
        load(&database, &sample);
    };
    old("05_COMPLETED_all");
    let found = pad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
    let shown = listing::fireworks(&*pad.store, &found, Detail::All).expect("lists");
    assert_eq!((&shown[0]["fw_id"], &shown[0]["updated_on"]), (&1.into(), &Value::Null));
    assert_eq!(shown[0]["created_on"].as_str().map(str::len), Some(19), "as it is written");
    let launch = &shown[0]["launches"][0];
    assert_eq!(
        (&launch["fworker"], &launch["state"], &launch["trackers"]),
        (&Value::Null, &"COMPLETED".into(), &Value::Array(vec![]))
    );
    assert_eq!(results_of(&*pad.store, 2), 2);
    let found = pad.store.find_workflows(&WorkflowQuery::default()).expect("finds");
    let workflow = &listing::workflows(&*pad.store, &found, Detail::All).expect("lists")[0];
    assert_eq!(workflow["state"], "COMPLETED");

    old("04_COMPLETED_then_READY");
    let worker = Worker::new("w");
    let claim = worker.claim(&*pad.store, 1).pop().expect("is ready");
    let done = outcome(&claim, State::Completed, FwAction::default());
    assert_eq!(pad.store.finish(&[done], Timestamp::now()).expect("finishes"), [Verdict::Recorded]);
    let found = pad.store.find_workflows(&WorkflowQuery::default()).expect("finds").pop().expect("exists");
    assert_eq!(found.get_str("state").ok(), Some("COMPLETED"));
    pad.store.steer(Verb::Rerun, 2, Timestamp::now()).expect("reruns");
    let states: Vec<State> =
        pad.store.find_fireworks(&FireworkQuery::default()).expect("finds").iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Waiting, State::Ready]);
}

#[test]
fn what_users_keep_in_documents_survives() {
    let Some(pad) = Launchpad::mongo() else { return };
    let database = pad.database();
    load(&database, &read("01_added_READY_WAITING"));
    let all = |name: &str| database.collection::<Document>(name);
    let own = doc! {"mine": {"z": 1, "a": [true]}};
    let keep = |name: &str, filter: Document, key: &str| {
        let kept = all(name).update_many(filter, doc! {"$set": {key: own.clone()}}).run().expect("updates");
        assert!(kept.matched_count > 0);
    };
    keep("fireworks", doc! {}, "project");
    keep("fireworks", doc! {}, "spec.project");
    keep("workflows", doc! {}, "project");
    keep("workflows", doc! {}, "metadata.more");
    let survives = |when: &str| {
        let of = |name: &str| all(name).find(doc! {}).run().expect("finds").map(|one| one.expect("reads"));
        for firework in of("fireworks") {
            assert_eq!(firework.get_document("project").ok(), Some(&own), "{when}: {firework}");
            let spec = firework.get_document("spec").expect("a spec");
            assert_eq!(spec.get_document("project").ok(), Some(&own), "{when}: {firework}");
        }
        for workflow in of("workflows") {
            assert_eq!(workflow.get_document("project").ok(), Some(&own), "{when}: {workflow}");
            let metadata = workflow.get_document("metadata").expect("metadata");
            assert_eq!(metadata.get_document("more").ok(), Some(&own), "{when}: {workflow}");
        }
        for launch in of("launches") {
            assert_eq!(launch.get_document("project").ok(), Some(&own), "{when}: {launch}");
            let history = launch.get_array("state_history").expect("a history");
            assert_eq!(
                history[0].as_document().and_then(|entry| entry.get_document("project").ok()),
                Some(&own),
                "{when}: {launch}"
            );
        }
    };
    let store = &*pad.store;
    let worker = Worker::new("w");
    for round in 0..2 {
        let claim = worker.claim_as(store, 1, Some(2), Order::Fifo).pop().expect("is ready");
        let mine = doc! {"launch_id": claim.launch.launch_id};
        keep("launches", mine.clone(), "project");
        keep("launches", mine, "state_history.0.project");
        survives("claimed");
        store.renew(&[claim.held()], &[], &worker.lease, Timestamp::now()).expect("renews");
        survives("renewed");
        let push = FwAction { mod_spec: vec![doc! {"_push": {"list": round}}], ..FwAction::default() };
        store.finish(&[outcome(&claim, State::Completed, push)], Timestamp::now()).expect("finishes");
        survives("finished");
        store.steer(Verb::Rerun, 2, Timestamp::now()).expect("reruns");
        survives("rerun");
    }
    store.set_priority(&[1, 2], 7).expect("sets it");
    let other = crate::support::draft(serde_json::json!({"spec": {"_tasks": []}}));
    let ids = store.insert(&[other], Timestamp::now()).expect("inserts");
    store.delete_workflows(&[ids[0][0].1]).expect("deletes");
    survives("set_priority, and a deletion elsewhere");
}
