//! Fireworks of no workflow in MongoDB, where a workflow comes after its fireworks.

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use volley::store::FireworkQuery;
use volley::workflow::time;

use crate::support::Launchpad;

#[test]
fn what_is_just_being_added_is_no_orphan() {
    let Some(pad) = Launchpad::mongo() else { return };
    let firework = |fw_id: i32, age: i64, launches: &[i32]| {
        let born = time::to_iso(Timestamp::now() - SignedDuration::from_mins(age));
        doc! {"fw_id": fw_id, "name": "f", "state": "WAITING", "spec": {}, "created_on": born, "launches": launches.to_vec()}
    };
    let fireworks = [firework(1, 0, &[]), firework(2, 60, &[]), firework(3, 0, &[1])];
    pad.database().collection::<Document>("fireworks").insert_many(fireworks).run().expect("inserts");
    let all = [1, 2, 3];
    assert_eq!(pad.store.orphans(&all).expect("finds"), [2, 3]);
    assert_eq!(pad.store.delete_orphans(&all).expect("deletes"), [2, 3]);
    assert_eq!(pad.store.firework_ids(&FireworkQuery::default()).expect("finds"), [1]);
}
