//! The history: what is added is noted with it, entries are found by what they are about, and they go
//! along with a copy.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::launchpad::copy::copy;
use volley::store::history::{ADD, Deed, Event, EventQuery, RESET};
use volley::store::{Author, Location, Store, WorkflowQuery};

use crate::support::{Launchpad, draft};

fn what(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.deed.what.as_str()).collect()
}

#[test]
fn the_history_tells_who_did_what() {
    for pad in [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten() {
        tells_who_did_what(&*pad.store);
    }
}

fn tells_who_did_what(store: &dyn Store) {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    let pair = || draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}));
    let begun = Timestamp::now();
    store.insert(&[pair(), pair()], begun).expect("inserts");
    store.insert(&[], begun).expect("inserts nothing");
    let later = begun + SignedDuration::from_secs(60);
    let rerun = Deed { what: "rerun_fws".into(), fw_ids: vec![2, 4], note: Some("group 2".into()), ..Deed::default() };
    store.record(&rerun, later).expect("records");
    let events = |query: EventQuery| store.events(&query).expect("reads");
    let all = events(EventQuery::default());
    assert_eq!(what(&all), [ADD, "rerun_fws"]);
    assert_eq!((&all[0].deed.workflows, &all[1].deed), (&vec![1, 3], &rerun));
    let me = Author::here();
    assert!(!me.user.is_empty() && all.iter().all(|event| (&event.user, &event.host) == (&me.user, &me.host)));
    let about = |fireworks: &[i64], workflows: &[i64]| {
        events(EventQuery { about: Some((fireworks.to_vec(), workflows.to_vec())), ..EventQuery::default() })
    };
    assert_eq!(what(&about(&[2], &[])), ["rerun_fws"]);
    assert_eq!(what(&about(&[4], &[3])), [ADD, "rerun_fws"]);
    assert_eq!(what(&about(&[1], &[9])), [""; 0]);
    assert_eq!(what(&events(EventQuery { limit: 1, ..EventQuery::default() })), ["rerun_fws"], "the newest");
    assert_eq!(what(&events(EventQuery { since: Some(later), ..EventQuery::default() })), ["rerun_fws"]);
    assert_eq!(what(&events(EventQuery { user: Some("nobody else".into()), ..EventQuery::default() })), [""; 0]);

    assert_eq!(
        store.owners(&[1, 2, 3]).expect("reads").into_iter().collect::<Vec<_>>(),
        [(1, me.user.clone()), (3, me.user.clone())]
    );
    let of = |owner: &str| {
        let query = WorkflowQuery { owner: Some(owner.to_owned()), ..WorkflowQuery::default() };
        store.count_workflows(&query).expect("counts")
    };
    assert_eq!((of(&me.user), of("nobody else")), (2, 0));

    store.delete_workflows(&[3]).expect("deletes");
    assert_eq!(what(&events(EventQuery::default())), [ADD, "rerun_fws"], "what is gone is still told of");
    let folder = tempfile::tempdir().expect("a folder");
    let copied = Location::Sqlite(folder.path().join("copy.db"));
    copy(store, &copied, &mut |_| {}).expect("copies");
    let there = volley::store::open(&copied).expect("opens");
    assert_eq!(there.events(&EventQuery::default()).expect("reads"), all);
    assert_eq!(there.owners(&[1]).expect("reads").len(), 1);

    store.reset().expect("resets");
    assert_eq!(what(&events(EventQuery::default())), [RESET]);
    store.insert(&[pair()], begun).expect("inserts");
    assert_eq!(of(&me.user), 1);
}
