//! Who watches a launchpad hears of every change, and costs next to nothing.

use std::time::{Duration, Instant};

use bson::{Document, doc};
use jiff::Timestamp;
use serde_json::json;
use volley::store::history::Deed;
use volley::store::watch::Watch;
use volley::store::window::Start;
use volley::store::{
    self, FireworkQuery, Location, MongoSettings, Order, Priority, SortKey, Store, StoreError, Verb, WorkflowQuery,
};
use volley::workflow::{FwAction, State};

use crate::support::line::Line;
use crate::support::mongod::Mongod;
use crate::support::{Launchpad, Worker, draft, outcome};

/// A change somebody makes.
type Change = fn(&dyn Store);

fn add(store: &dyn Store) {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    store.insert(&[draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}))], Timestamp::now()).expect("inserts");
}

/// Everything that people and workers do.
const CHANGES: [(&str, Change); 9] = [
    ("add", add),
    ("priority", |store| {
        let to_seven = Priority { fw_id: 1, seen: bson::Bson::Null, to: 7 };
        assert_eq!(store.set_priorities(&[to_seven]).expect("sets"), [1]);
    }),
    ("pause", |store| drop(store.steer(Verb::Pause, 1, Timestamp::now()).expect("pauses"))),
    ("resume", |store| drop(store.steer(Verb::Resume, 1, Timestamp::now()).expect("resumes"))),
    ("claim and finish", |store| {
        let claim = Worker::new("w").claim_as(store, 1, Some(1), Order::Fifo).remove(0);
        store.finish(&[outcome(&claim, State::Fizzled, FwAction::default())], Timestamp::now()).expect("finishes");
    }),
    ("rerun", |store| drop(store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns"))),
    ("heartbeat", |store| {
        let worker = Worker::new("w");
        let claim = worker.claim_as(store, 1, Some(1), Order::Fifo).remove(0);
        assert!(store.renew(&[claim.held()], &[], &worker.lease, Timestamp::now()).expect("renews").is_empty());
    }),
    ("a note", |store| {
        let deed = Deed { what: "set_priority".into(), fw_ids: vec![1], ..Deed::default() };
        store.record(&deed, Timestamp::now()).expect("records");
    }),
    ("delete", |store| drop(store.delete_workflows(&[1]).expect("deletes"))),
];

/// Asked until nothing is new.
fn settle(watch: &mut dyn Watch) {
    let begun = Instant::now();
    while watch.changed(Duration::from_millis(50)).expect("answers") {
        assert!(begun.elapsed() < Duration::from_secs(30), "something changes all the time");
    }
}

/// Whether anything is heard of within a time that is long enough.
fn hears(watch: &mut dyn Watch) -> bool {
    (0..100).any(|_| watch.changed(Duration::from_millis(100)).expect("answers"))
}

fn hears_of_everything(store: &dyn Store, other: &dyn Store) {
    let mut watch = store.watch().expect("watches");
    assert!(watch.changed(Duration::from_millis(1)).expect("answers"), "at first, whatever it is");
    for who in [other, store] {
        for (what, change) in CHANGES {
            if who.count_workflows(&Default::default()).expect("counts") == 0 && what != "add" {
                continue;
            }
            settle(&mut *watch);
            change(who);
            assert!(hears(&mut *watch), "{what} on {}", store.describe());
        }
        settle(&mut *watch);
        who.reset().expect("resets");
        assert!(hears(&mut *watch), "a reset on {}", store.describe());
    }
}

fn commands(line: &Line) -> Vec<String> {
    line.asked().iter().filter_map(|command| command.keys().next().cloned()).collect()
}

#[test]
fn a_file_is_watched() {
    let pad = Launchpad::sqlite();
    let other = store::open(&pad.location).expect("opens");
    hears_of_everything(&*pad.store, &*other);
}

#[test]
fn a_file_that_is_removed_or_replaced_is_missed() {
    let pad = Launchpad::sqlite();
    let Location::Sqlite(path) = &pad.location else { unreachable!("a file") };
    let count = || pad.store.count_workflows(&Default::default());
    let look = || pad.store.watch().expect("watches").changed(Duration::ZERO);
    assert!(look().expect("answers"));
    let aside = path.with_extension("aside");
    std::fs::rename(path, &aside).expect("moves");
    for (words, text) in [("launchpad.db", None), ("the file is gone", None), ("start this program anew", Some("x"))] {
        text.iter().for_each(|text| std::fs::write(path, text).expect("writes"));
        let error = look().expect_err("is away");
        assert!(matches!(error, StoreError::Unreachable { .. }) && error.to_string().contains(words), "{error}");
        assert!(matches!(count(), Err(StoreError::Unreachable { .. })), "nothing is read from what is lost");
        assert_eq!(path.exists(), text.is_some(), "nothing is made");
    }
    std::fs::rename(&aside, path).expect("moves back");
    assert!(look().expect("answers"));
    assert_eq!(count().expect("counts"), 0);
}

#[test]
fn a_single_server_is_asked_for_numbers() {
    let Some(pad) = Launchpad::mongo() else { return };
    let other = store::open(&pad.location).expect("opens");
    hears_of_everything(&*pad.store, &*other);

    add(&*pad.store);
    let (line, far) = Line::store(&pad);
    let mut watch = far.watch().expect("watches");
    settle(&mut *watch);
    line.asked();
    for _ in 0..3 {
        far.counts().expect("counts");
        assert!(!watch.changed(Duration::from_secs(60)).expect("answers"), "looking is no change");
    }
    let asked = commands(&line);
    let counting = asked.iter().filter(|name| *name == "count").count();
    assert!(asked.len() <= 3 + 3 * counting.max(1), "{asked:?}");
    far.counts().expect("counts");
    line.asked();
    assert!(!watch.changed(Duration::from_secs(60)).expect("answers"));
    assert_eq!(commands(&line), ["aggregate"]);
}

#[test]
fn what_could_not_be_told_once_is_asked_again() {
    let Some(mongod) = Mongod::start_guarded() else { return };
    let pad = Launchpad::on_server(&mongod.uri_of("owner"));
    let all = doc! {"db": pad.database().name(), "collection": ""};
    let admin = mongodb::sync::Client::with_uri_str(mongod.uri_of("owner")).expect("connects").database("admin");
    let command = |command: Document| admin.run_command(command).run().expect("obeys");
    command(doc! {"createRole": "reads", "privileges": [{"resource": &all, "actions": ["find"]}], "roles": []});
    command(doc! {"createUser": "poor", "pwd": "poor", "roles": ["reads"]});
    let Location::Mongo(settings) = &pad.location else { return };
    let poor = MongoSettings { host: mongod.uri_of("poor"), ..(**settings).clone() };
    let store = store::open(&Location::Mongo(Box::new(poor))).expect("opens");
    let mut watch = store.watch().expect("watches");
    assert!((0..4).all(|_| watch.changed(Duration::from_millis(1)).expect("answers")), "it cannot tell");
    let more = doc! {"resource": all, "actions": ["collStats"]};
    command(doc! {"grantPrivilegesToRole": "reads", "privileges": [more]});
    settle(&mut *watch);
}

#[test]
fn who_may_only_read_sees_it_all() {
    let Some(mongod) = Mongod::start_guarded() else { return };
    let pad = Launchpad::on_server(&mongod.uri_of("owner"));
    add(&*pad.store);
    let admin = mongodb::sync::Client::with_uri_str(mongod.uri_of("owner")).expect("connects").database("admin");
    let roles = vec![doc! {"role": "read", "db": pad.database().name()}];
    admin.run_command(doc! {"createUser": "guest", "pwd": "guest", "roles": roles}).run().expect("creates");
    let Location::Mongo(settings) = &pad.location else { return };
    let guest = MongoSettings { host: mongod.uri_of("guest"), ..(**settings).clone() };
    let store = store::open(&Location::Mongo(Box::new(guest))).expect("opens");
    let mut watch = store.watch().expect("watches");
    settle(&mut *watch);
    let found = volley::launchpad::status::status(&*store).expect("answers");
    assert_eq!(found.counts.fireworks.values().sum::<u64>(), 2);
    let now = Timestamp::now();
    volley::launchpad::throughput::periods(&*store, volley::launchpad::throughput::Step::Minutes, 60, now)
        .expect("answers");
    for key in [SortKey::FwId, SortKey::Size, SortKey::UpdatedOn] {
        let sort = Some((key, volley::store::Direction::Descending));
        let query = FireworkQuery { sort, ..FireworkQuery::default() };
        assert_eq!(store.firework_window(&query, &Start::First, 5).expect("answers").rows.len(), 2);
        let query = WorkflowQuery { sort, ..WorkflowQuery::default() };
        assert_eq!(store.workflow_window(&query, &Start::First, 5).expect("answers").rows.len(), 1);
    }
    let refused = store.steer(Verb::Pause, 1, now).expect_err("refuses").to_string();
    assert!(refused.contains("this user may not do that here"), "{refused}");
}

#[test]
fn a_replica_set_tells_by_itself() {
    let Some(mut mongod) = Mongod::start_replica_set() else { return };
    let pad = Launchpad::on_server(&mongod.uri());
    let other = store::open(&pad.location).expect("opens");
    hears_of_everything(&*pad.store, &*other);

    // One command, which the server answers when something happens.
    let (line, far) = Line::store(&pad);
    let mut watch = far.watch().expect("watches");
    settle(&mut *watch);
    line.asked();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| watch.changed(Duration::from_secs(60)).expect("answers"));
        crate::support::run::wait_until("it asks", || !line.asked().is_empty());
        add(&*other);
        assert!(waiting.join().expect("no panic"));
    });
    settle(&mut *watch);
    line.asked();
    assert!(!watch.changed(Duration::from_millis(20)).expect("answers"));
    assert_eq!(commands(&line), ["getMore"]);

    // The server may go and come back.
    drop(watch);
    let mut watch = pad.store.watch().expect("watches");
    settle(&mut *watch);
    mongod.kill_and_restart();
    let begun = Instant::now();
    while watch.changed(Duration::from_millis(50)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not come back");
    }
    settle(&mut *watch);
    crate::support::run::wait_until("it can be written to", || {
        other.record(&Deed::default(), Timestamp::now()).is_ok()
    });
    assert!(hears(&mut *watch));
}
