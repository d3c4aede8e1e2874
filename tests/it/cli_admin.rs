//! `lpad admin`: maintain, refresh, unlock, tuneup.

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use volley::store::Order;
use volley::workflow::{State, time};

use crate::support::Worker;
use crate::support::peer::Peer;
use crate::support::raw::{expire, orphan, reserve, set_state, suspect};
use crate::support::run::Ran;
use crate::support::site::Site;

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

/// A chain of two on a launchpad of its own.
fn chain(site: &Site) -> Vec<i64> {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    site.add(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}, "name": "chain"}))
}

fn admin(site: &Site, words: &[&str]) -> Ran {
    Ran::of(&mut site.volley(&[&["lpad", "admin"], words].concat()))
}

fn states(site: &Site) -> Vec<State> {
    site.fireworks().iter().map(|firework| firework.state).collect()
}

#[test]
fn a_pass_of_maintenance_frees_what_nobody_is_about() {
    for site in Site::on_every_store() {
        site.write("my_qadapter.yaml", "_fw_q_type: local\n");
        for _ in 0..2 {
            site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
        }
        let claim = Worker::new("w").claim_as(&*site.launchpad.store, 1, Some(1), Order::Fifo).remove(0);
        let location = &site.launchpad.location;
        expire(location, claim.launch.launch_id, ago(5));
        suspect(location, claim.launch.launch_id, ago(4));
        reserve(location, 2, "12", ago(15 * 24 * 60));
        let ran = admin(&site, &["maintain"]).done();
        for words in [
            "Performing maintenance on Launchpad...",
            "Unreserved 1 RESERVED launches: [1002]",
            "LaunchPad was MAINTAINED.",
        ] {
            assert!(ran.stderr.contains(words), "no `{words}` in {ran:?}");
        }
        assert_eq!(states(&site), [State::Ready, State::Ready]);
    }
}

#[test]
fn what_follows_from_the_fireworks_is_derived_anew() {
    for site in Site::on_every_store() {
        chain(&site);
        chain(&site);
        site.run_well(&["singleshot"]);
        // 2 was not told that 1 has ended; 4 is READY too early.
        let location = &site.launchpad.location;
        set_state(location, 2, State::Waiting);
        set_state(location, 4, State::Ready);
        admin(&site, &["refresh"]).failed(2, "say which: -i IDS");
        admin(&site, &["refresh", "-n", "nobody"]).failed(4, "is called `nobody`");
        let ran = admin(&site, &["refresh", "-n", "chain"]).done();
        assert!(ran.stderr.contains("Finished refreshing 2 Workflows"), "{ran:?}");
        assert_eq!(states(&site), [State::Completed, State::Ready, State::Ready, State::Waiting]);
        let ran = admin(&site, &["refresh", "-i", "1,3"]).done();
        assert!(!ran.stderr.contains("put right"), "{ran:?}");
        assert_eq!(Ran::of(&mut site.volley(&["lpad", "doctor"])).json(), json!([]));
        site.run_well(&["rapidfire"]);
        assert_eq!(states(&site), [State::Completed; 4]);
    }
}

#[test]
fn locks_are_taken_away() {
    for site in Site::on_every_store() {
        chain(&site);
        admin(&site, &["unlock", "-i", "1"]).failed(4, "none of 1 workflow is locked; nothing was changed");
        admin(&site, &["unlock", "-s", "FIZZLED"]).failed(4, "is FIZZLED");
        if !site.is_mongo() {
            continue;
        }
        let workflows = site.launchpad.database().collection::<Document>("workflows");
        let lock = |value: bson::Bson| {
            workflows.update_one(doc! {}, doc! {"$set": {"locked": value}}).run().expect("locks");
        };
        let is_locked = || workflows.find_one(doc! {}).run().expect("finds").expect("is there").contains_key("locked");
        if let Some(mut peer) = Peer::on(&site.launchpad) {
            peer.ask(json!({"verb": "lock", "fw_id": 1}));
        } else {
            lock(true.into());
        }
        let ran = admin(&site, &["unlock", "-n", "chain"]).done();
        assert!(ran.stderr.contains("FORCIBLY RELEASING LOCK DUE TO USER COMMAND, WF: 1"), "{ran:?}");
        assert!(!is_locked());
        // What a dead process of ours was about is finished.
        let ours = |until: Timestamp| {
            doc! {"by": "volley", "owner": "o", "host": "node7", "pid": 41, "until": time::to_iso(until), "verb": "pause", "fw": 1}
        };
        lock(ours(ago(1)).into());
        admin(&site, &["unlock", "-i", "2"]).done();
        assert_eq!((is_locked(), site.state(1)), (false, State::Paused));
        Ran::of(&mut site.volley(&["lpad", "resume_fws", "-i", "1"])).done();
        // One that may be alive is asked about.
        lock(ours(ago(-1)).into());
        admin(&site, &["unlock", "-i", "1"]).failed(1, "is locked by process 41 on node7, which may be alive");
        assert!(is_locked());
        admin(&site, &["unlock", "-i", "1", "--yes"]).done();
        assert_eq!((is_locked(), site.state(1)), (false, State::Paused));
    }
}

#[test]
fn a_tune_up_makes_indexes() {
    for site in Site::on_every_store() {
        chain(&site);
        let doctor = || -> Value {
            let ran = Ran::of(&mut site.volley(&["lpad", "doctor"]));
            serde_json::from_str(&ran.stdout).expect("is JSON")
        };
        match &site.launchpad.location {
            volley::store::Location::Sqlite(path) => {
                rusqlite::Connection::open(path).expect("opens").execute_batch("DROP INDEX by_name").expect("drops");
            }
            volley::store::Location::Mongo(_) => {
                let launches = site.launchpad.database().collection::<Document>("launches");
                launches.drop_index("state_1").run().expect("drops");
            }
        }
        assert_eq!(doctor().as_array().map(Vec::len), Some(1));
        let ran = admin(&site, &["tuneup"]).done();
        assert!(ran.stderr.contains("Performing db tune-up"), "{ran:?}");
        assert_eq!(doctor(), json!([]));
        admin(&site, &["tuneup", "--full"]).done();
        assert_eq!(states(&site), [State::Ready, State::Waiting]);
    }
}

#[test]
fn fireworks_of_no_workflow_are_listed_and_deleted() {
    for site in Site::on_every_store() {
        chain(&site);
        let alone = site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
        site.run_well(&["singleshot", "-f", &alone.to_string()]);
        orphan(&site.launchpad.location, alone);
        assert_eq!(admin(&site, &["orphaned", "-d", "ids"]).json(), alone);
        assert_eq!(admin(&site, &["orphaned", "-i", "1,2"]).json(), json!([]));
        assert_eq!(admin(&site, &["orphaned", "-s", "COMPLETED"]).json()["fw_id"], alone);
        admin(&site, &["orphaned", "-i", "1", "--remove"]).failed(4, "nothing is selected");
        admin(&site, &["orphaned", "--ldirs"]).failed(2, "--remove");
        assert_eq!(site.fireworks().len(), 3);
        admin(&site, &["orphaned", "--remove", "--yes"]).done();
        assert_eq!(site.fireworks().iter().map(|firework| firework.fw_id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(admin(&site, &["orphaned"]).json(), json!([]));
    }
}
