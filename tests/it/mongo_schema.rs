//! The version of the collections that only Volley has: what an older one wrote is read and carried on, what a
//! newer one wrote is left alone.

use bson::{Document, doc};
use jiff::Timestamp;
use serde_json::json;
use volley::store::StoreError;
use volley::store::history::EventQuery;
use volley::store::ledger::Key;

use crate::support::{Launchpad, draft, samples};

/// Dumps of what earlier versions wrote.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/volley");

fn version(pad: &Launchpad) -> Option<i32> {
    let found = pad.database().collection::<Document>("volley_schema").find_one(doc! {}).run().expect("reads");
    found.and_then(|document| document.get_i32("version").ok())
}

#[test]
fn what_an_older_version_wrote_is_carried_on() {
    let Some(pad) = Launchpad::mongo() else { return };
    let database = pad.database();
    for own in ["volley_schema", "volley_events"] {
        database.collection::<Document>(own).drop().run().expect("drops");
    }
    let sample = samples::read_in(FOLDER, "collections_0");
    for collection in ["volley_mend", "volley_queue", "volley_workers"] {
        let documents = samples::documents(&sample, collection);
        database.collection::<Document>(collection).insert_many(documents).run().expect("inserts");
    }
    // Opened anew: it is looked at once by a process.
    let store = volley::store::open(&pad.location).expect("opens");
    let (key, ledger) = store.ledgers().expect("reads").swap_remove(0);
    assert_eq!((key, ledger.jobs.len()), (Key { cluster: "@vm".into(), user: "0".into() }, 1));
    assert_eq!(ledger.jobs[0].job.as_ref().map(|job| job.id.as_str()), Some("1"));
    assert_eq!(store.worker_records().expect("reads").len(), 1);
    assert_eq!(version(&pad), None, "whoever only reads changes nothing");

    store.insert(&[draft(json!({"spec": {"_tasks": []}}))], Timestamp::now()).expect("inserts");
    assert_eq!(version(&pad), Some(1));
    assert_eq!(store.events(&EventQuery::default()).expect("reads").len(), 1);
    let indexes = database.collection::<Document>("volley_events").list_index_names().run().expect("lists");
    assert!(indexes.contains(&"fw_ids_1".to_owned()), "{indexes:?}");
}

#[test]
fn what_a_newer_version_wrote_is_left_alone() {
    let Some(pad) = Launchpad::mongo() else { return };
    let schema = pad.database().collection::<Document>("volley_schema");
    schema.update_one(doc! {}, doc! {"$set": {"version": 99}}).run().expect("updates");
    let store = volley::store::open(&pad.location).expect("opens");
    let one = || draft(json!({"spec": {"_tasks": []}}));
    let refused = [
        store.insert(&[one()], Timestamp::now()).expect_err("is refused"),
        store.initialise().expect_err("is refused"),
        store.reset().expect_err("is refused"),
        store.examine(Timestamp::now()).expect_err("is refused"),
    ];
    for error in refused {
        assert!(matches!(error, StoreError::NewerSchema { found: 99, .. }), "{error}");
    }
    assert_eq!(version(&pad), Some(99));
    assert_eq!(store.find_fireworks(&Default::default()).expect("reads"), [], "reading is no harm");
}
