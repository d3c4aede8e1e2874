//! A server that is killed and restarted while workers run: nothing is lost, nothing is run twice,
//! and nothing is left half done.

use bson::{Document, doc};
use jiff::Timestamp;
use serde_json::{Value, json};
use volley::store::{Finding, FireworkQuery, Store, Verb};
use volley::workflow::State;

use crate::support::line::Line;
use crate::support::mongod::Mongod;
use crate::support::run::wait_until;
use crate::support::site::Site;
use crate::support::{Launchpad, Worker, draft};

fn count(site: &Site, state: State) -> usize {
    site.fireworks().iter().filter(|firework| firework.state == state).count()
}

#[test]
fn workers_survive_a_server_that_is_killed() {
    let Some(mut server) = Mongod::start() else { return };
    let site = Site::on(Launchpad::on_server(&server.uri()));
    // Pairs: what a lost write leaves half done is seen in the second.
    let log = site.path().join("ran");
    let task = |id: i64| json!([{"_fw_name": "ScriptTask", "script": format!("echo {id} >> '{}'", log.display())}]);
    let fws: Vec<Value> = (1..=80).map(|id| json!({"fw_id": id, "spec": {"_tasks": task(id)}})).collect();
    let links: serde_json::Map<String, Value> = (1..=40).map(|id| (id.to_string(), json!([id + 40]))).collect();
    site.add(json!({"fws": fws, "links": links}));
    let workers = [site.start(&["rapidfire"]), site.start(&["rapidfire"])];
    for done in [8, 24, 48] {
        wait_until("some have run", || count(&site, State::Completed) >= done);
        if done == 24 { server.restart() } else { server.kill_and_restart() }
    }
    let mut logs = String::new();
    for worker in workers {
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        logs.push_str(&log);
    }
    let all = site.fireworks();
    let left: Vec<_> = all
        .iter()
        .filter(|one| one.state != State::Completed)
        .map(|one| (one.fw_id, one.state, &one.launches))
        .collect();
    assert!(left.is_empty(), "{left:?}\n{logs}");
    assert!(site.fireworks().iter().all(|one| one.launches.len() == 1 && one.archived_launches.is_empty()));
    let ran = std::fs::read_to_string(&log).expect("reads");
    let mut ran: Vec<i64> = ran.lines().map(|line| line.parse().expect("a number")).collect();
    ran.sort_unstable();
    assert_eq!(ran, (1..=80).collect::<Vec<_>>(), "each once");
    let findings: Vec<Finding> = site.launchpad.store.examine(Timestamp::now()).expect("examines");
    assert!(findings.is_empty(), "{findings:?}");
}

/// Takes back what a server has acknowledged and not written to its journal: what was made of an
/// outcome. Then another process serves the same data.
#[test]
fn what_a_server_forgot_is_done_again() {
    let Some(mut server) = Mongod::start() else { return };
    let pad = Launchpad::on_server(&server.uri());
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    pad.store.insert(&[draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}))], Timestamp::now()).expect("inserts");
    let workflows = pad.database().collection::<Document>("workflows");
    let fireworks = pad.database().collection::<Document>("fireworks");
    let worker = Worker::new("w");
    let claims = worker.claim(&*pad.store, 1);
    let before = (
        fireworks.find(doc! {}).run().expect("finds").map(Result::unwrap_or_default).collect::<Vec<Document>>(),
        workflows.find_one(doc! {}).run().expect("finds").expect("exists"),
    );
    let outcome = crate::support::outcome(&claims[0], State::Completed, volley::workflow::FwAction::default());
    pad.store.finish(&[outcome], Timestamp::now()).expect("finishes");
    for firework in before.0 {
        let id = doc! {"fw_id": firework.get("fw_id")};
        fireworks.replace_one(id, firework).run().expect("replaces");
    }
    workflows.replace_one(doc! {}, before.1).run().expect("replaces");
    let states = |store: &dyn Store| -> Vec<State> {
        store
            .find_fireworks(&volley::store::FireworkQuery::default())
            .expect("finds")
            .iter()
            .map(|one| one.state)
            .collect()
    };
    assert_eq!(states(&*pad.store), [State::Running, State::Waiting]);
    server.kill_and_restart();
    // The child is free again, for the next claim.
    let mut next = Vec::new();
    wait_until("the second can be claimed", || {
        next = worker.try_claim(&*pad.store, 1, None, volley::store::Order::Fifo).unwrap_or_default();
        !next.is_empty()
    });
    assert_eq!((next[0].firework.fw_id, states(&*pad.store)), (2, vec![State::Completed, State::Running]));
}

#[test]
fn what_a_verb_has_changed_is_not_forgotten() {
    let Some(mut server) = Mongod::start() else { return };
    let pad = Launchpad::on_server(&server.uri());
    let one = || draft(json!({"spec": {"_tasks": []}}));
    pad.store.insert(&[one(), one(), one()], Timestamp::now()).expect("inserts");
    for fw_id in 1..=3 {
        pad.store.steer(Verb::Defuse, fw_id, Timestamp::now()).expect("defuses");
        server.kill_and_restart();
        let mut state = None;
        wait_until("the server answers", || {
            let found = pad.store.find_fireworks(&FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() });
            state = found.ok().and_then(|found| found.first().map(|firework| firework.state));
            state.is_some()
        });
        assert_eq!(state, Some(State::Defused), "fw_id {fw_id}");
    }
}

#[test]
fn a_launch_that_is_missing_is_lost() {
    let Some(pad) = Launchpad::mongo() else { return };
    let one = || draft(json!({"spec": {"_tasks": []}}));
    pad.store.insert(&[one(), one(), one()], Timestamp::now()).expect("inserts");
    let worker = Worker::new("w");
    let claims = worker.claim(&*pad.store, 3);
    let held: Vec<_> = claims.iter().map(|claim| claim.held()).collect();
    let renew = || pad.store.renew(&held, &[], &worker.lease, Timestamp::now()).expect("renews");
    assert!(renew().is_empty());
    let missing = doc! {"launch_id": claims[1].launch.launch_id};
    pad.database().collection::<Document>("launches").delete_one(missing).run().expect("deletes");
    // Its own report is no loss.
    let outcome = crate::support::outcome(&claims[2], State::Completed, volley::workflow::FwAction::default());
    pad.store.finish(&[outcome], Timestamp::now()).expect("finishes");
    assert_eq!(renew(), [claims[1].launch.launch_id]);
}

/// A server that is killed may have forgotten a lock, and its successor goes on with what comes. Whenever that
/// happens while an outcome is applied: it is noticed, and applied once more.
#[test]
fn a_lock_that_the_server_forgot_is_missed() {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    let new = |id: i64| bson::doc! {"fws": [{"fw_id": id, "spec": {"_tasks": []}}], "links": {}, "metadata": {}};
    let mut missed = 0;
    for count in 0.. {
        let Some(pad) = Launchpad::mongo() else { return };
        pad.store
            .insert(&[draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}))], Timestamp::now())
            .expect("inserts");
        let (line, store) = Line::store(&pad);
        let worker = Worker::new("w");
        let claim = worker.claim(&*store, 1).pop().expect("claims");
        let workflows = pad.database().collection::<Document>("workflows");
        let (told, is_done) = std::sync::mpsc::channel();
        line.meanwhile(count, move || {
            workflows.update_many(doc! {}, doc! {"$unset": {"locked": ""}}).run().expect("unlocks");
            told.send(()).expect("is waited for");
        });
        let action = volley::workflow::FwAction {
            detours: vec![new(-1)],
            additions: vec![new(-2)],
            ..volley::workflow::FwAction::default()
        };
        let done = [crate::support::outcome(&claim, State::Completed, action)];
        while let Err(error) = store.finish(&done, Timestamp::now()) {
            assert!(error.is_transient() && error.to_string().contains("is gone"), "{error}");
            missed += 1;
        }
        let is_last = is_done.try_recv().is_err();
        while let Some(next) = worker.claim(&*store, 1).pop() {
            let done = crate::support::outcome(&next, State::Completed, volley::workflow::FwAction::default());
            store.finish(&[done], Timestamp::now()).expect("finishes");
        }
        let workflow = store.find_workflows(&volley::store::WorkflowQuery::default()).expect("finds").remove(0);
        let ids = |list: &Document, key: &str| {
            volley::workflow::int_list(list.get(key)).into_iter().collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(ids(&workflow, "nodes"), [1, 2, 3, 4].into(), "after {count} commands");
        let links = workflow.get_document("links").expect("links");
        assert_eq!((ids(links, "1"), ids(links, "4")), ([2, 3, 4].into(), [2].into()), "after {count} commands");
        let fireworks = store.find_fireworks(&volley::store::FireworkQuery::default()).expect("finds");
        assert!(fireworks.iter().all(|one| one.state == State::Completed && one.launches.len() == 1), "{fireworks:?}");
        assert_eq!(store.examine(Timestamp::now()).expect("examines"), [], "after {count} commands");
        if is_last {
            break;
        }
    }
    assert!(missed > 0);
}
