//! Workflows of any depth: Python FireWorks descends by recursion, and breaks at about a thousand.

use bson::{Document, doc};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use volley::store::{FireworkQuery, Order, Store, Verb};
use volley::workflow::{FwAction, State};

use crate::support::{Launchpad, Worker, draft, outcome};

fn pads() -> Vec<Launchpad> {
    [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten().collect()
}

fn count(store: &dyn Store, state: State) -> u64 {
    store.count_fireworks(&FireworkQuery { states: vec![state], ..FireworkQuery::default() }).expect("counts")
}

/// A firework that puts another before its child, which does the same, and so on.
#[test]
fn detours_of_detours() {
    const DEPTH: usize = 300;
    let another: Document = doc! {"fw_id": -1, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}};
    let action = FwAction { detours: vec![another], ..FwAction::default() };
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    for pad in pads() {
        let store = &*pad.store;
        let workflow = draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}));
        store.insert(&[workflow], Timestamp::now()).expect("inserts");
        let worker = Worker::new("w");
        for depth in 0..=DEPTH {
            let claim = worker.claim(store, 1).pop().expect("the next detour");
            assert_ne!(claim.firework.fw_id, 2, "it waits for all of them");
            let action = if depth < DEPTH { action.clone() } else { FwAction::default() };
            store.finish(&[outcome(&claim, State::Completed, action)], Timestamp::now()).expect("finishes");
        }
        assert_eq!(worker.claim(store, 1).pop().expect("comes last").firework.fw_id, 2);
        // Run again, all of them are replaced: they come once more.
        let steered = store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        assert_eq!((steered.replaced.len(), count(store, State::Archived)), (DEPTH, DEPTH as u64));
    }
}

/// What is done to the root reaches the other end.
#[test]
fn a_long_chain() {
    const LENGTH: i64 = 2500;
    let task = json!([{"_fw_name": "ScriptTask", "script": "true"}]);
    let fws: Vec<Value> = (1..=LENGTH).map(|id| json!({"fw_id": id, "spec": {"_tasks": task}})).collect();
    let links: Map<String, Value> = (1..LENGTH).map(|id| (id.to_string(), json!([id + 1]))).collect();
    for pad in pads() {
        let store = &*pad.store;
        let workflow = draft(json!({"fws": fws, "links": links}));
        store.insert(&[workflow], Timestamp::now()).expect("inserts");
        let claim = Worker::new("w").claim_as(store, 1, Some(1), Order::Fifo).pop().expect("is ready");
        let action = FwAction { update_spec: doc! {"given": 1}, propagate: true, ..FwAction::default() };
        store.finish(&[outcome(&claim, State::Completed, action)], Timestamp::now()).expect("finishes");
        let last = FireworkQuery { ids: Some(vec![LENGTH]), ..FireworkQuery::default() };
        assert_eq!(store.find_fireworks(&last).expect("finds")[0].spec.get_i32("given").ok(), Some(1));
        for (verb, states) in [
            (Verb::PauseWorkflow, [(State::Completed, 1), (State::Paused, LENGTH as u64 - 1)]),
            (Verb::ResumeWorkflow, [(State::Ready, 1), (State::Waiting, LENGTH as u64 - 2)]),
            (Verb::Rerun, [(State::Ready, 1), (State::Waiting, LENGTH as u64 - 1)]),
            (Verb::DefuseWorkflow, [(State::Defused, LENGTH as u64), (State::Ready, 0)]),
            (Verb::ReigniteWorkflow, [(State::Ready, 1), (State::Waiting, LENGTH as u64 - 1)]),
            (Verb::ArchiveWorkflow, [(State::Archived, LENGTH as u64), (State::Ready, 0)]),
        ] {
            store.steer(verb, 1, Timestamp::now()).expect("does it");
            for (state, expected) in states {
                assert_eq!(count(store, state), expected, "{state} after {}", verb.as_str());
            }
        }
    }
}
