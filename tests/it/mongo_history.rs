//! The history in MongoDB: nothing is added without its owner, entries are found by what they are about, and a
//! reset leaves its own.

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::launchpad::copy::copy;
use volley::store::history::{Deed, EventQuery};
use volley::store::{Author, Location, Store, WorkflowQuery};

use crate::support::{Launchpad, draft};

fn two() -> volley::workflow::Draft {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}))
}

fn whats(store: &dyn Store, query: &EventQuery) -> Vec<String> {
    store.events(query).expect("reads").into_iter().map(|event| event.deed.what).collect()
}

#[test]
fn entries_are_found_by_what_they_are_about() {
    let Some(pad) = Launchpad::mongo() else { return };
    let store = &*pad.store;
    let begun = Timestamp::now();
    store.insert(&[two(), two()], begun).expect("inserts");
    let deed = |what: &str, fw_ids: &[i64], note: Option<&str>| Deed {
        what: what.to_owned(),
        fw_ids: fw_ids.to_vec(),
        workflows: Vec::new(),
        note: note.map(str::to_owned),
    };
    let later = |seconds: i64| begun + SignedDuration::from_secs(seconds);
    store.record(&deed("set_priority", &[2], Some("to 5")), later(1)).expect("records");
    store.record(&deed("rerun_fws", &[3, 4], None), later(2)).expect("records");

    let me = Author::here();
    let about = |fw_ids: &[i64], workflows: &[i64]| EventQuery {
        about: Some((fw_ids.to_vec(), workflows.to_vec())),
        ..EventQuery::default()
    };
    assert_eq!(whats(store, &EventQuery::default()), ["add", "set_priority", "rerun_fws"]);
    assert_eq!(whats(store, &about(&[2], &[1])), ["add", "set_priority"]);
    assert_eq!(whats(store, &about(&[4], &[])), ["rerun_fws"]);
    assert_eq!(whats(store, &EventQuery { limit: 2, ..EventQuery::default() }), ["set_priority", "rerun_fws"]);
    assert_eq!(whats(store, &EventQuery { since: Some(later(2)), ..EventQuery::default() }), ["rerun_fws"]);
    let by = |user: &str| EventQuery { user: Some(user.to_owned()), ..EventQuery::default() };
    assert_eq!(whats(store, &by(&me.user)).len(), 3);
    assert_eq!(whats(store, &by("nobody else")), Vec::<String>::new());
    let first = store.events(&about(&[2], &[])).expect("reads").swap_remove(0);
    assert_eq!((first.user, first.host, first.deed.note.as_deref()), (me.user.clone(), me.host.clone(), Some("to 5")));

    store.reset().expect("resets");
    assert_eq!(whats(store, &EventQuery::default()), ["reset"]);
}

#[test]
fn workflows_have_owners_unless_python_has_added_them() {
    let Some(pad) = Launchpad::mongo() else { return };
    let store = &*pad.store;
    store.insert(&[two(), two()], Timestamp::now()).expect("inserts");
    store.insert(&[two()], Timestamp::now()).expect("inserts");
    // Between them somebody else has, and Python, which notes nothing.
    let events = pad.database().collection::<Document>("volley_events");
    let workflows = pad.database().collection::<Document>("workflows");
    for nodes in [[7, 8], [9, 10]] {
        workflows
            .insert_one(doc! {"nodes": nodes.to_vec(), "name": "theirs", "state": "READY"})
            .run()
            .expect("inserts");
    }
    let theirs = doc! {"at": volley::workflow::time::to_iso(Timestamp::now()), "user": "ada", "host": "h", "what": "add", "fw_ids": [], "workflows": [7]};
    events.insert_one(theirs).run().expect("inserts");

    let me = &Author::here().user;
    let owners = store.owners(&[1, 3, 5, 7, 9]).expect("reads");
    let owners: Vec<(i64, &str)> = owners.iter().map(|(id, user)| (*id, user.as_str())).collect();
    assert_eq!(owners, [(1, me.as_str()), (3, me.as_str()), (5, me.as_str()), (7, "ada")]);
    let of = |user: &str| {
        let query = WorkflowQuery { owner: Some(user.to_owned()), ..WorkflowQuery::default() };
        store.count_workflows(&query).expect("counts")
    };
    assert_eq!((of(me), of("ada"), of("nobody")), (3, 1, 0));

    // The history goes with a copy.
    let Some(other) = Launchpad::mongo() else { return };
    copy(store, &other.location, &mut |_| {}).expect("copies");
    assert_eq!(other.store.owners(&[7, 9]).expect("reads"), [(7, "ada".to_owned())].into());
}

#[test]
fn who_had_the_ids_before_a_reset_of_python_owns_nothing() {
    let Some(pad) = Launchpad::mongo() else { return };
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    pad.store.insert(&[two(), two()], before).expect("inserts");
    let me = &Author::here().user;
    let mine = |pad: &Launchpad| {
        let query = WorkflowQuery { owner: Some(me.clone()), ..WorkflowQuery::default() };
        (pad.store.count_workflows(&query).expect("counts"), pad.store.owners(&[1, 3]).expect("reads").len())
    };
    assert_eq!(mine(&pad), (2, 2));
    // What is left of a batch is still its owner's.
    pad.store.delete_workflows(&[1]).expect("deletes");
    assert_eq!(mine(&pad).0, 1);

    // The same as in FireWorks' own reset, and what others add then.
    let database = pad.database();
    for collection in ["fireworks", "launches", "workflows"] {
        database.collection::<Document>(collection).delete_many(doc! {}).run().expect("deletes");
    }
    let add = |created_on: bson::Bson| {
        let workflow = doc! {"nodes": [1, 2, 3, 4], "name": "theirs", "state": "READY", "created_on": created_on};
        database.collection::<Document>("workflows").insert_one(workflow).run().expect("inserts");
    };
    add(volley::workflow::time::to_bson_date(Timestamp::now()));
    assert_eq!(mine(&pad), (0, 0));
    let about = EventQuery { about: Some((vec![2], vec![1])), ..EventQuery::default() };
    assert_eq!(whats(&*pad.store, &about), Vec::<String>::new());
    assert_eq!(whats(&*pad.store, &EventQuery::default()), ["add"], "the history is never cut");
    let folder = tempfile::tempdir().expect("a folder");
    let file = Location::Sqlite(folder.path().join("copy.db"));
    copy(&*pad.store, &file, &mut |_| {}).expect("copies");
    let there = volley::store::open(&file).expect("opens");
    assert_eq!(there.owners(&[1, 3]).expect("reads").len(), 0);
    assert_eq!((whats(&*there, &about), whats(&*there, &EventQuery::default())), (vec![], vec!["add".to_owned()]));

    // A copy into a launchpad that has been emptied so brings its own history.
    let Some(origin) = Launchpad::mongo() else { return };
    origin.store.insert(&[two(), two()], before - SignedDuration::from_hours(1)).expect("inserts");
    origin.database().collection::<Document>("volley_events").drop().run().expect("drops");
    database.collection::<Document>("workflows").delete_many(doc! {}).run().expect("deletes");
    copy(&*origin.store, &pad.location, &mut |_| {}).expect("copies");
    assert_eq!(mine(&pad), (0, 0));
}

#[test]
fn what_cannot_be_noted_is_not_added() {
    let Some(pad) = Launchpad::mongo() else { return };
    let database = pad.database();
    // Nobody can write to a view.
    database.collection::<Document>("volley_events").drop().run().expect("drops");
    database.run_command(doc! {"create": "volley_events", "viewOn": "workflows", "pipeline": []}).run().expect("makes");
    pad.store.insert(&[two()], Timestamp::now()).expect_err("there is no history");
    for collection in ["fireworks", "workflows"] {
        let left = database.collection::<Document>(collection).count_documents(doc! {}).run().expect("counts");
        assert_eq!(left, 0, "{collection}");
    }
}
