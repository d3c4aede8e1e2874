//! `lpad doctor` finds what is wrong, tells nothing of what is well, and changes nothing.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use volley::workflow::{State, time};

use crate::support::Launchpad;
use crate::support::cli::Cli;
use crate::support::peer::Peer;
use crate::support::raw::{edit_launch, expire};
use crate::support::run::Ran;
use crate::support::site::Site;

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

/// What was found, as (kind, firework).
fn kinds(ran: &Ran) -> Vec<(String, Option<i64>)> {
    let found: Vec<Value> = serde_json::from_str(&ran.stdout).expect("a list");
    found.iter().map(|one| (one["finding"].as_str().expect("a kind").to_owned(), one["fw_id"].as_i64())).collect()
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    for cli in Cli::everywhere() {
        cli.lpad(&["reset", "--yes"]).done();
        let cli = cli.with_five_fireworks();
        assert_eq!(cli.lpad(&["doctor"]).json(), json!([]));
        cli.rapidfire();
        assert_eq!(cli.lpad(&["doctor"]).json(), json!([]));
        assert_eq!(cli.lpad(&["doctor", "-o", "jsonl"]).done().stdout, "");
        if let Some(shown) = cli.on_a_terminal("doctor", "") {
            assert!(shown.done().stdout.contains("is as it should be"));
        }
    }
}

#[test]
fn every_kind_of_trouble_is_found_and_left_alone() {
    let Some(pad) = Launchpad::mongo() else { return };
    let Some(mut peer) = Peer::on(&pad) else { return };
    let site = Site::on(pad);
    let fw = json!({"name": "one", "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    for _ in 0..8 {
        site.add(fw.clone());
    }
    let database = site.launchpad.database();
    let all = |name: &str| database.collection::<Document>(name);
    let set = |fw_id: i32, set: Document| {
        all("fireworks").update_one(doc! {"fw_id": fw_id}, doc! {"$set": set}).run().expect("updates");
    };
    // 1: no workflow links it. 2: a living Python process holds it. 3: a dead process of ours did.
    all("workflows").delete_one(doc! {"nodes": 1}).run().expect("deletes");
    set(1, doc! {"created_on": time::to_iso(ago(30))});
    peer.ask(json!({"verb": "lock", "fw_id": 2}));
    let until = time::to_iso(ago(3));
    let lock = doc! {"by": "volley", "owner": "o", "host": "node7", "pid": 41, "until": until, "runs": []};
    all("workflows").update_one(doc! {"nodes": 3}, doc! {"$set": {"locked": lock}}).run().expect("locks");
    // 4: its workflow has another state. 5: reserved, and nobody came.
    set(4, doc! {"state": "PAUSED"});
    let dying = Peer::on(&site.launchpad).expect("as before");
    dying.ask_last(json!({"verb": "reserve_and_die", "fw_id": 5}));
    set(5, doc! {"updated_on": time::to_bson_date(ago(30))});
    all("workflows").update_one(doc! {"nodes": 5}, doc! {"$set": {"fw_states.5": "RESERVED"}}).run().expect("knows");
    // 6: of Python, silent. 7: of ours, without a lease. 8 runs well.
    let launch = peer.ask(json!({"verb": "checkout", "fw_id": 6})).as_i64();
    let silent = doc! {"$set": {"state_history.0.updated_on": time::to_iso(ago(300)), "state_history.0.created_on": time::to_iso(ago(300))}};
    all("launches").update_one(doc! {"launch_id": launch}, silent).run().expect("updates");
    let worker = crate::support::Worker::new("w");
    for fw_id in [7, 8] {
        worker.claim_as(&*site.launchpad.store, 1, Some(fw_id), volley::store::Order::Fifo);
    }
    let ended = doc! {"$set": {"state_history.0.lease.until": time::to_iso(ago(5))}};
    all("launches").update_one(doc! {"fw_id": 7}, ended).run().expect("updates");
    all("fw_id_assigner").update_one(doc! {}, doc! {"$set": {"next_fw_id": 8}}).run().expect("updates");
    all("launches").drop_index("state_1").run().expect("drops");

    let content = || -> Vec<Bson> {
        let names = ["fireworks", "launches", "workflows", "fw_id_assigner", "volley_mend"];
        let documents = names.iter().flat_map(|name| all(name).find(doc! {}).run().expect("finds"));
        documents.map(|one| Bson::Document(one.expect("reads"))).collect()
    };
    let before = content();
    let ran = Ran::of(&mut site.volley(&["lpad", "doctor"]));
    assert_eq!(content(), before);
    assert_eq!(ran.code, 1, "{ran:?}");
    let expected = [
        ("orphan", Some(1)),
        ("locked", Some(2)),
        ("locked", Some(3)),
        ("fw_states", Some(4)),
        ("reserved", Some(5)),
        ("running", Some(6)),
        ("running", Some(7)),
        ("counter", None),
        ("index", None),
    ];
    let expected: Vec<(String, Option<i64>)> = expected.map(|(kind, fw_id)| (kind.to_owned(), fw_id)).into();
    assert_eq!(kinds(&ran), expected, "{}", ran.stdout);
    for words in [
        "`one` (READY) belongs to no workflow",
        "is locked by a Python FireWorks process",
        "is locked by process 41 on node7",
        "its time is over",
        "it is PAUSED, and its workflow says READY",
        "RESERVED for 30 min without a launch",
        "has not been heard of for 5 h",
        "the lease of process",
        "next_fw_id is 8, but 8 is in use",
        "launches has no index state_1",
    ] {
        assert!(ran.stdout.contains(words), "no `{words}` in {}", ran.stdout);
    }
    // What needs no person is put right; a lease that has ended is suspected first.
    let ran = Ran::of(&mut site.volley(&["lpad", "doctor", "--fix"]));
    assert_eq!(ran.code, 1, "{ran:?}");
    let left = [("orphan", Some(1)), ("locked", Some(2)), ("running", Some(7))];
    let left: Vec<(String, Option<i64>)> = left.map(|(kind, fw_id)| (kind.to_owned(), fw_id)).into();
    assert_eq!(kinds(&ran), left, "{ran:?}");
    assert!(ran.stderr.contains("fixed: made missing indexes"), "{ran:?}");
}

#[test]
fn launches_that_nobody_lists_are_found_and_ended() {
    for site in Site::on_every_store() {
        site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
        let location = &site.launchpad.location;
        let worker = crate::support::Worker::new("w");
        let claim = worker.claim_as(&*site.launchpad.store, 1, Some(1), volley::store::Order::Fifo).remove(0);
        let launch_id = claim.launch.launch_id;
        Ran::of(&mut site.volley(&["lpad", "rerun_fws", "-i", "1"])).done();
        // Python puts a launch away and leaves it RUNNING.
        edit_launch(location, launch_id, |launch| {
            launch.state_history.pop();
            launch.state = State::Running;
        });
        expire(location, launch_id, ago(5));
        let ran = Ran::of(&mut site.volley(&["lpad", "doctor"]));
        assert_eq!(kinds(&ran), [("launch".to_owned(), Some(1))], "{ran:?}");
        let ran = Ran::of(&mut site.volley(&["lpad", "doctor", "--fix"])).done();
        assert!(ran.stderr.contains(&format!("fixed: launch {launch_id}: ended")), "{ran:?}");
        let launch = site.launchpad.store.find_launches(&[launch_id]).expect("finds").remove(0);
        assert_eq!(launch.state, State::Fizzled);
        assert_eq!(site.state(1), State::Ready);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    for site in Site::on_every_store() {
        site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
        match &site.launchpad.location {
            volley::store::Location::Sqlite(path) => {
                let sql = rusqlite::Connection::open(path).expect("opens");
                sql.execute_batch("UPDATE fireworks SET spec = '{'").expect("breaks it");
            }
            volley::store::Location::Mongo(_) => {
                let fireworks = site.launchpad.database().collection::<Document>("fireworks");
                fireworks.update_one(doc! {}, doc! {"$set": {"state": "LAUNCHED"}}).run().expect("breaks it");
            }
        }
        let ran = Ran::of(&mut site.volley(&["lpad", "doctor", "--fix"]));
        assert_eq!((ran.code, kinds(&ran)), (1, vec![("unreadable".to_owned(), Some(1))]), "{ran:?}");
    }
}

#[test]
fn a_queue_that_does_not_answer_and_keys_that_it_has_not_are_told() {
    let site = Site::sqlite();
    site.write("my_qadapter.yaml", "_fw_q_type: SLURM\nwaltime: 10\n_q_commands_override: {status_cmd: 'false'}\n");
    let ran = Ran::of(&mut site.volley(&["lpad", "doctor"]));
    let expected = [("qadapter".to_owned(), None), ("queue".to_owned(), None)];
    assert_eq!(kinds(&ran), expected, "{ran:?}");
    assert!(ran.stdout.contains("walltime"), "{ran:?}");
}

#[test]
fn an_sqlite_file_is_looked_at_too() {
    let cli = Cli::sqlite().with_five_fireworks();
    let file = rusqlite::Connection::open(cli.folder().join("launchpad.db")).expect("opens");
    file.execute_batch("DROP INDEX by_name; UPDATE meta SET value = 3 WHERE key = 'next_fw_id'").expect("breaks it");
    let ran = cli.lpad(&["doctor"]);
    assert_eq!(ran.code, 1);
    assert_eq!(kinds(&ran), [("counter".to_owned(), None), ("index".to_owned(), None)], "{}", ran.stdout);
}
