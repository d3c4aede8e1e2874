//! Fireworks of no workflow in MongoDB, where a workflow comes after its fireworks.

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use volley::store::FireworkQuery;
use volley::workflow::{FwId, State, time};

use crate::support::line::Line;
use crate::support::run::Ran;
use crate::support::site::Site;
use crate::support::{Launchpad, Worker, draft};

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

/// The line to MongoDB is cut after every command of an addition.
#[test]
fn what_a_killed_addition_leaves_is_told_and_stays() {
    let Some(pad) = Launchpad::mongo() else { return };
    let site = Site::on(pad);
    let pad = &site.launchpad;
    let fw = |id: i64| json!({"fw_id": id, "name": "half", "spec": {"_tasks": []}});
    let fork = draft(json!({"fws": [fw(1), fw(2), fw(3)], "links": {"1": [2, 3]}}));
    let mut told = 0;
    for commands in 0.. {
        pad.store.reset().expect("resets");
        let (line, mortal) = Line::store(pad);
        let fork = fork.clone();
        let sufficed = line.die_after(commands, &mortal, move |store| drop(store.insert(&[fork], Timestamp::now())));
        let fireworks = || pad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
        let all: Vec<FwId> = fireworks().iter().map(|firework| firework.fw_id).collect();
        let is_orphan = !all.is_empty()
            && pad.database().collection::<Document>("workflows").count_documents(doc! {}).run().expect("counts") == 0;
        let orphans = |arguments: &[&str]| {
            let ran = Ran::of(&mut site.volley(arguments));
            let found: Vec<Value> = serde_json::from_str(&ran.stdout).expect("a list");
            let orphans = found.iter().filter(|one| one["finding"] == "orphan");
            orphans.filter_map(|one| one["fw_id"].as_i64()).collect::<Vec<FwId>>()
        };
        // Whoever adds them may be about to write their workflow.
        assert_eq!(orphans(&["lpad", "doctor"]), [0; 0], "{commands}");
        let old = doc! {"$set": {"created_on": time::to_iso(Timestamp::now() - SignedDuration::from_mins(11))}};
        pad.database().collection::<Document>("fireworks").update_many(doc! {}, old).run().expect("updates");
        let expected = if is_orphan { all.clone() } else { Vec::new() };
        assert_eq!(orphans(&["lpad", "doctor"]), expected, "{commands}");
        if is_orphan {
            told += 1;
            assert_eq!(orphans(&["lpad", "doctor", "--fix"]), all);
            assert_eq!(Worker::new("w").claim(&*pad.store, 3).len(), 0);
            assert!(fireworks().iter().all(|firework| firework.state == State::Waiting));
            let ran = Ran::of(&mut site.volley(&["lpad", "doctor"]));
            assert!(ran.stdout.contains("`lpad admin orphaned` shows what is left"), "{ran:?}");
            Ran::of(&mut site.volley(&["lpad", "admin", "orphaned", "--remove", "--yes"])).done();
            assert_eq!(fireworks().len(), 0);
        }
        if sufficed {
            break;
        }
    }
    assert!(told > 0, "no addition died between fireworks and workflow");
}
