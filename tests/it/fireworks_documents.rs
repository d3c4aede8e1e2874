//! The documents of our MongoDB store against those that Python FireWorks wrote in the same
//! scenario (`tests/fixtures/fireworks`, recorded with FireWorks 2.1.4): keys, types, values and
//! the order of keys.
//!
//! Left out: ids of MongoDB, dates, places, run times; `checkpoint` (the rocket's, not the
//! store's) and our own keys in history entries; and orders that mean nothing, as of the maps that
//! are keyed by firework and of a firework's own fields, which in Python depends on its state.

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use volley::store::{Order, Verb};
use volley::workflow::{Draft, FwAction, State, as_int};

use crate::support::samples::{documents, read};
use crate::support::{Launchpad, Worker, outcome};

/// Tells the scenario of a sample to our store and compares.
fn compare(sample: &str, rerun: bool) {
    let Some(pad) = Launchpad::mongo() else { return };
    let sample = read(sample);
    tell(&pad, &sample, rerun);
    for collection in ["workflows", "fireworks", "launches"] {
        let stored = pad.database().collection::<Document>(collection);
        let key = if collection == "launches" { "launch_id" } else { "fw_id" };
        let ours = stored.find(doc! {}).sort(doc! {key: 1}).run().expect("finds");
        let ours: Vec<Bson> = ours.map(|one| Bson::Document(one.expect("reads"))).collect();
        let theirs = sample.get_array(collection).cloned().unwrap_or_default();
        assert_eq!(lines(collection, ours), lines(collection, theirs), "{collection}");
    }
    let counters = pad.database().collection::<Document>("fw_id_assigner").find_one(doc! {}).run();
    let counters = counters.expect("finds").expect("exists");
    let theirs = documents(&sample, "fw_id_assigner").remove(0);
    assert_eq!(counters.get("next_fw_id"), theirs.get("next_fw_id"));
    assert!(matches!(counters.get("next_launch_id"), Some(Bson::Int32(_))), "{counters}");
    assert!(counters.keys().eq(theirs.keys()));
}

/// The workflow of all samples, its launches, and what became of them.
fn tell(pad: &Launchpad, sample: &Document, rerun: bool) {
    let store = &*pad.store;
    let fireworks = documents(sample, "fireworks");
    let of = |id: i32| fireworks.iter().find(|fw| fw.get_i32("fw_id").ok() == Some(id)).expect("a firework");
    let workflow = documents(sample, "workflows").remove(0);
    let relax = doc! {"fw_id": -1, "name": "relax", "spec": of(2).get("spec")};
    let task = doc! {"script": ["echo static"], "use_shell": true, "_fw_name": "ScriptTask"};
    let spec = doc! {"formula": "Si2", "_tasks": [task]};
    let draft = doc! {
        "fws": [relax, {"fw_id": -2, "name": "static", "spec": spec}],
        "links": {"-1": [-2]},
        "name": workflow.get("name"),
        "metadata": workflow.get("metadata"),
    };
    store.insert(&[Draft::from_document(&draft).expect("a workflow")], Timestamp::now()).expect("inserts");
    let mut worker = Worker::new("studyworker");
    worker.fworker.env = doc! {"vasp_cmd": "srun vasp_std"};
    for launch in documents(sample, "launches") {
        let fw_id = launch.get("fw_id").and_then(as_int);
        let claim = worker.claim_as(store, 1, fw_id, Order::Fifo).pop().expect("is ready");
        let action = FwAction::from_document(launch.get_document("action").expect("an action")).expect("an action");
        let state: State = launch.get_str("state").expect("a state").parse().expect("a state");
        store.finish(&[outcome(&claim, state, action)], Timestamp::now()).expect("finishes");
    }
    if rerun {
        store.steer(Verb::Rerun, 2, Timestamp::now()).expect("reruns");
    }
}

/// The documents one field a line, without what may differ.
fn lines(collection: &str, documents: Vec<Bson>) -> String {
    let mut text = String::new();
    for document in documents {
        let mut document = plain("", document).as_document().cloned().expect("a document");
        if collection == "fireworks" {
            document = sorted(document);
        }
        if collection == "workflows" {
            for map in ["links", "parent_links", "fw_states"] {
                document.insert(map, sorted(document.get_document(map).expect("a map").clone()));
            }
        }
        for (key, value) in document {
            text.push_str(&format!("{key}: {}\n", value.into_canonical_extjson()));
        }
        text.push('\n');
    }
    text
}

fn sorted(document: Document) -> Document {
    let mut fields: Vec<(String, Bson)> = document.into_iter().collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields.into_iter().collect()
}

/// A value without dates and places; their types stay.
fn plain(key: &str, value: Bson) -> Bson {
    match (key, value) {
        ("created_on" | "updated_on" | "time_start" | "time_end", Bson::String(date)) => {
            assert_eq!((date.len(), &date[26..]), (32, "+00:00"), "FireWorks' form of {date}");
            "a date".into()
        }
        ("launch_dir" | "host" | "ip", Bson::String(_)) => "a place".into(),
        (_, Bson::DateTime(_)) => Bson::DateTime(bson::DateTime::from_millis(0)),
        ("runtime_secs", Bson::Double(_)) => Bson::Double(0.0),
        (_, Bson::Array(items)) => items.into_iter().map(|item| plain("", item)).collect(),
        (_, Bson::Document(document)) => {
            let own = ["_id", "checkpoint", "lease", "owner", "lost", "spawned"];
            let kept = document.into_iter().filter(|(key, _)| !own.contains(&key.as_str()));
            Bson::Document(kept.map(|(key, value)| (key.clone(), plain(&key, value))).collect())
        }
        (_, other) => other,
    }
}

macro_rules! samples {
    ($($name:ident $sample:literal $rerun:literal)*) => {
        $(#[test] fn $name() { compare($sample, $rerun); })*
    };
}

samples! {
    added "01_added_READY_WAITING" false
    first_completed "04_COMPLETED_then_READY" false
    all_completed "05_COMPLETED_all" false
    rerun_of_a_parent "05b_after_rerun_of_COMPLETED_root" true
    fizzled "06_FIZZLED_ScriptTask_nonzero_rc" false
    rerun "06b_FIZZLED_then_rerun" true
    stored_data "11a_FWAction_stored_data" false
    update_spec "11b_FWAction_update_spec" false
    mod_spec "11c_FWAction_mod_spec" false
    additions "11e_FWAction_additions" false
    detours "11f_FWAction_detours" false
    all_detours_completed "11f2_FWAction_detours_all_COMPLETED" false
    detour_and_addition "11g_FWAction_detour_and_addition" false
    defuse_children "11i_FWAction_defuse_children" false
    defuse_workflow "11j_FWAction_defuse_workflow" false
    exit "11k_FWAction_exit" false
}
