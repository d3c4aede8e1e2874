//! Counts of a large launchpad, which all who look share.

use std::collections::BTreeMap;

use bson::{Document, doc};
use jiff::Timestamp;
use volley::store::history::Deed;
use volley::workflow::State;

use crate::support::Launchpad;

/// READY fireworks, as far as counting goes.
fn add_ready(pad: &Launchpad, ids: std::ops::Range<i32>) {
    let ready = ids.map(|id| doc! {"fw_id": id, "state": "READY"});
    pad.database().collection::<Document>("fireworks").insert_many(ready).run().expect("inserts");
}

#[test]
fn counts_of_a_large_launchpad_are_shared_until_somebody_changes_something() {
    let Some(pad) = Launchpad::mongo() else { return };
    let ready = |count: u64| BTreeMap::from([(State::Ready, count)]);
    add_ready(&pad, 1..101);
    assert_eq!(pad.store.counts().expect("counts").fireworks, ready(100));
    let shared = pad.database().collection::<Document>("volley_counts");
    assert_eq!(shared.count_documents(doc! {}).run().expect("counts"), 0, "a small one is counted each time");

    add_ready(&pad, 101..20_101);
    let counted = pad.store.counts().expect("counts");
    assert_eq!((&counted.fireworks, &counted.workflows), (&ready(20_100), &BTreeMap::new()));
    // What workers do shows after a while; to all at once.
    add_ready(&pad, 20_101..20_201);
    let other = volley::store::open(&pad.location).expect("opens");
    assert_eq!(other.counts().expect("counts"), counted);
    // What people do shows at once.
    let deed = Deed { what: "rerun_fws".into(), fw_ids: vec![1], ..Deed::default() };
    pad.store.record(&deed, Timestamp::now()).expect("records");
    assert_eq!(other.counts().expect("counts").fireworks, ready(20_200));

    // Old ones are used while somebody counts, and counted anew where that one has died.
    add_ready(&pad, 20_201..20_301);
    let old = (Timestamp::now() - jiff::SignedDuration::from_secs(20)).to_string();
    let until = |seconds: i64| {
        let until = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        bson::DateTime::from_millis(until.as_millisecond())
    };
    let set = |set: Document| {
        shared.update_one(doc! {}, doc! {"$set": set}).run().expect("updates");
        other.counts().expect("counts").fireworks
    };
    assert_eq!(set(doc! {"counts.at": &old, "renewal": until(10)}), ready(20_200));
    assert_eq!(set(doc! {"counts.at": &old, "renewal": until(-1)}), ready(20_300));
    // Another server took over, whose clock is an hour behind.
    add_ready(&pad, 20_301..20_401);
    let ahead = (Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    assert_eq!(set(doc! {"counts.at": &ahead, "renewal": until(3_600)}), ready(20_400));
    let document = shared.find_one(doc! {}).run().expect("reads").expect("is there");
    assert!(!document.contains_key("renewal"), "{document}");
}

#[test]
fn who_may_not_write_counts_alone() {
    let Some(pad) = Launchpad::mongo() else { return };
    add_ready(&pad, 1..20_001);
    // Nobody can write to a view.
    let database = pad.database();
    let view = doc! {"create": "volley_counts", "viewOn": "workflows", "pipeline": []};
    database.run_command(view).run().expect("makes");
    assert_eq!(pad.store.counts().expect("counts").fireworks, [(State::Ready, 20_000)].into());
}
