//! `_dupefinder`: fireworks of the same spec run once, whoever runs them, and share the launch.

use bson::doc;
use jiff::Timestamp;
use serde_json::{Value, json};
use volley::store::{Claim, FireworkQuery, Order, Store};
use volley::workflow::{FwAction, FwId, State};

use crate::support::cli::Cli;
use crate::support::{Launchpad, Worker, draft, outcome, stopped};

fn pads() -> Vec<Launchpad> {
    [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten().collect()
}

/// `first` -> `second`, the first looking for duplicates.
fn pair(n: i64) -> Value {
    let tasks = json!([{"_fw_name": "ScriptTask", "script": "true"}]);
    json!({
        "fws": [
            {"fw_id": 1, "spec": {"_dupefinder": {"_fw_name": "DupeFinderExact"}, "n": n, "_tasks": tasks}},
            {"fw_id": 2, "spec": {"_tasks": tasks}},
        ],
        "links": {"1": [2]},
    })
}

fn add(store: &dyn Store, workflows: &[Value]) {
    let drafts: Vec<_> = workflows.iter().cloned().map(draft).collect();
    store.insert(&drafts, Timestamp::now()).expect("inserts");
}

fn claim(store: &dyn Store) -> Option<Claim> {
    Worker::new("w").claim_as(store, 1, None, Order::Fifo).pop()
}

fn finish(store: &dyn Store, claim: &Claim, state: State, action: FwAction) {
    store.finish(&[outcome(claim, state, action)], Timestamp::now()).expect("finishes");
}

/// State and launches of every firework, by id.
fn view(store: &dyn Store) -> Vec<(FwId, State, Vec<i64>)> {
    let all = store.find_fireworks(&FireworkQuery::default()).expect("finds");
    all.into_iter().map(|one| (one.fw_id, one.state, one.launches)).collect()
}

use State::{Completed, Fizzled, Ready, Running, Waiting};

#[test]
fn a_duplicate_follows_what_runs_and_gets_its_outcome() {
    for pad in pads() {
        let store = &*pad.store;
        add(store, &[pair(7), pair(7), pair(8)]);
        let first = claim(store).expect("is ready");
        assert_eq!(first.firework.fw_id, 1);
        let other = claim(store).expect("is ready");
        assert_eq!(other.firework.fw_id, 5, "3 is a duplicate of 1");
        let launch = first.launch.launch_id;
        assert_eq!(view(store)[2], (3, Running, vec![launch]));
        let action = FwAction {
            stored_data: doc! {"r": 1},
            update_spec: doc! {"given": 5},
            additions: vec![doc! {"spec": {"_tasks": []}}],
            ..FwAction::default()
        };
        finish(store, &first, Completed, action);
        let seen = view(store);
        assert_eq!((&seen[0], &seen[2]), (&(1, Completed, vec![launch]), &(3, Completed, vec![launch])));
        assert_eq!((seen[1].1, seen[3].1, seen[5].1), (Ready, Ready, Waiting));
        assert_eq!(seen.len(), 8, "each workflow gets its own addition");
        for id in [2, 4] {
            let query = FireworkQuery { ids: Some(vec![id]), ..FireworkQuery::default() };
            let child = store.find_fireworks(&query).expect("finds").remove(0);
            assert_eq!(child.spec.get_i32("given").ok(), Some(5));
        }
    }
}

#[test]
fn a_duplicate_of_what_has_ended_ends_at_once() {
    for pad in pads() {
        let store = &*pad.store;
        for ended in [Completed, Fizzled] {
            store.reset().expect("resets");
            add(store, &[pair(7)]);
            let first = claim(store).expect("is ready");
            finish(store, &first, ended, FwAction::default());
            add(store, &[pair(7)]);
            let mut ran = Vec::new();
            while let Some(next) = claim(store) {
                ran.push(next.firework.fw_id);
                finish(store, &next, Completed, FwAction::default());
            }
            let expected: &[FwId] = if ended == Completed { &[2, 4] } else { &[] };
            assert_eq!(ran, expected, "3 has not run");
            assert_eq!(view(store)[2], (3, ended, vec![first.launch.launch_id]));
        }
    }
}

#[test]
fn several_at_once_run_once() {
    for pad in pads() {
        let store = &*pad.store;
        add(store, &[pair(7), pair(7), pair(7), pair(8)]);
        let claims = Worker::new("w").claim(store, 4);
        let ids: Vec<FwId> = claims.iter().map(|claim| claim.firework.fw_id).collect();
        assert_eq!(ids.len(), 2, "{ids:?}");
        let states: Vec<State> = view(store).into_iter().map(|(_, state, _)| state).collect();
        assert_eq!(states, [Running, Waiting, Running, Waiting, Running, Waiting, Running, Waiting]);
        for claim in &claims {
            finish(store, claim, Completed, FwAction::default());
        }
        let done = view(store).into_iter().filter(|(_, state, _)| *state == Completed).count();
        assert_eq!(done, 4);
        // One whose run is interrupted is READY again, and so are those that followed it.
        add(store, &[pair(9), pair(9)]);
        while let Some(claim) = claim(store) {
            if claim.firework.spec.get_i32("n").ok() == Some(9) {
                assert!(claim_none_of(store, 9));
                assert!(store.give_back(claim.held(), &stopped("SIGTERM"), Timestamp::now()).expect("gives back"));
                break;
            }
            finish(store, &claim, Completed, FwAction::default());
        }
        let query = FireworkQuery { states: vec![Ready], ..FireworkQuery::default() };
        let ready = store.find_fireworks(&query).expect("finds");
        let nines = ready.iter().filter(|one| one.spec.get_i32("n").ok() == Some(9)).count();
        assert_eq!(nines, 2);
    }
}

/// Runs all others; whether none of these was among them.
fn claim_none_of(store: &dyn Store, n: i32) -> bool {
    let mut none = true;
    while let Some(claim) = claim(store) {
        none &= claim.firework.spec.get_i32("n").ok() != Some(n);
        finish(store, &claim, Completed, FwAction::default());
    }
    none
}

#[test]
fn duplicates_are_run_again_together() {
    for cli in Cli::everywhere() {
        cli.write("pair.json", &pair(7).to_string());
        cli.lpad(&["add", "pair.json", "pair.json"]).done();
        cli.rapidfire();
        assert_eq!(cli.states(), ["COMPLETED"; 4]);
        let ran = cli.lpad(&["rerun_fws", "-i", "1"]).done();
        assert!(ran.stderr.contains("duplicate fw_id 3"), "{ran:?}");
        assert_eq!(cli.states(), ["READY", "WAITING", "READY", "WAITING"]);
        cli.rapidfire();
        assert_eq!(cli.states(), ["COMPLETED"; 4]);
    }
}
