//! Verbs on many workflows at once: the same as one after the other, also when the process dies between any
//! two of its writes, or when somebody else changes something in between.

use std::collections::BTreeMap;

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::history::Deed;
use volley::store::{FireworkQuery, Order, Step, Store, Verb, WorkflowQuery};
use volley::workflow::{FwAction, FwId, State, time};

use crate::support::line::Line;
use crate::support::{Launchpad, Worker, draft, outcome};

/// So many pairs 1 -> 2, 3 -> 4, ...; of the first `done` the parent is COMPLETED.
fn pairs(store: &dyn Store, count: usize, done: usize) {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    let pair = || draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}));
    store.insert(&(0..count).map(|_| pair()).collect::<Vec<_>>(), Timestamp::now()).expect("inserts");
    let worker = Worker::new("w");
    for pair in 0..done as i64 {
        let claim = worker.claim_as(store, 1, Some(2 * pair + 1), Order::Fifo).pop().expect("is ready");
        store.finish(&[outcome(&claim, State::Completed, FwAction::default())], Timestamp::now()).expect("finishes");
    }
}

fn states(store: &dyn Store) -> BTreeMap<FwId, State> {
    let fireworks = store.find_fireworks(&FireworkQuery::default()).expect("finds");
    fireworks.into_iter().map(|firework| (firework.fw_id, firework.state)).collect()
}

/// Nothing is locked, and every workflow knows the states of its fireworks.
fn check(store: &dyn Store, when: &str) {
    let states = states(store);
    let mut known = BTreeMap::new();
    for workflow in store.find_workflows(&WorkflowQuery::default()).expect("finds") {
        assert!(!workflow.contains_key("locked"), "{when}: {workflow}");
        known.extend(volley::launchpad::listing::states(&workflow));
    }
    assert_eq!(known, states, "{when}");
}

#[test]
fn many_are_changed_as_one_after_the_other() {
    let (Some(together), Some(apart)) = (Launchpad::mongo(), Launchpad::mongo()) else { return };
    let steps = [
        (Verb::Defuse, 3),
        (Verb::Rerun, 1),
        (Verb::Pause, 6),
        (Verb::Resume, 7),
        (Verb::Defuse, 999),
        (Verb::DefuseWorkflow, 9),
        (Verb::Pause, 11),
        (Verb::Defuse, 12),
        (Verb::Pause, 1),
        (Verb::ArchiveWorkflow, 14),
    ]
    .map(Step::from);
    let now = Timestamp::now();
    for pad in [&together, &apart] {
        pairs(&*pad.store, 8, 2);
    }
    let in_words = |results: Vec<volley::store::Result<volley::store::Steered>>| -> Vec<String> {
        results
            .into_iter()
            .map(|result| result.map_or_else(|error| error.to_string(), |done| format!("{done:?}")))
            .collect()
    };
    let many = in_words(together.store.steer_many(&steps, now));
    let single = in_words(steps.iter().map(|step| apart.store.steer_one(step, now)).collect());
    assert_eq!(many, single);
    assert_eq!(states(&*together.store), states(&*apart.store));
    check(&*together.store, "together");
}

#[test]
fn whoever_dies_while_steering_many_leaves_what_others_finish() {
    let Some(pad) = Launchpad::mongo() else { return };
    let steps = [(Verb::Rerun, 1), (Verb::Rerun, 3), (Verb::Defuse, 5)].map(Step::from);
    for commands in 0.. {
        pad.store.reset().expect("resets");
        pairs(&*pad.store, 3, 2);
        let (line, mortal) = Line::store(&pad);
        let sufficed = line.die_after(commands, &mortal, move |store| drop(store.steer_many(&steps, Timestamp::now())));
        let when = format!("cut after {commands} commands");
        // As if the time of the locks had passed.
        let past = time::to_iso(Timestamp::now() - SignedDuration::from_secs(1));
        let workflows = pad.database().collection::<Document>("workflows");
        let locked = doc! {"locked": {"$exists": true}};
        workflows.update_many(locked, doc! {"$set": {"locked.until": past}}).run().expect("updates");
        let again = pad.store.steer_many(&steps, Timestamp::now());
        assert!(again[..2].iter().all(Result::is_ok), "{when}: {again:?}");
        use State::{Defused, Ready, Waiting};
        let expected = [Ready, Waiting, Ready, Waiting, Defused, Waiting];
        assert_eq!(states(&*pad.store), (1..).zip(expected).collect(), "{when}");
        check(&*pad.store, &when);
        if sufficed {
            assert!((10..60).contains(&commands), "{commands}");
            return;
        }
    }
}

#[test]
fn what_others_do_in_between_is_seen() {
    let Some(pad) = Launchpad::mongo() else { return };
    let steps: Vec<Step> = (0..4).map(|pair| Step::from((Verb::Defuse, 2 * pair + 1))).collect();
    for commands in 0..16 {
        pad.store.reset().expect("resets");
        pairs(&*pad.store, 4, 0);
        let (line, steering) = Line::store(&pad);
        let other = volley::store::open(&pad.location).expect("opens");
        line.meanwhile(commands, move || drop(Worker::new("another").claim_as(&*other, 1, Some(5), Order::Fifo)));
        let results = steering.steer_many(&steps, Timestamp::now());
        let when = format!("a claim after {commands} commands");
        assert!(results.iter().all(Result::is_ok), "{when}: {results:?}");
        let states = states(&*pad.store);
        let roots = [1, 3, 5, 7].map(|root| states[&root]);
        // Whoever came last after all is right.
        assert_eq!(roots, [State::Defused; 4], "{when}");
        check(&*pad.store, &when);
    }
}

#[test]
fn many_ids_are_prioritised_and_noted_at_once() {
    let Some(pad) = Launchpad::mongo() else { return };
    let fireworks = (1..=12_000).map(|id| doc! {"fw_id": id, "state": "READY", "spec": {"_tasks": []}});
    pad.database().collection::<Document>("fireworks").insert_many(fireworks).run().expect("inserts");
    let ids: Vec<FwId> = (1..=12_000).filter(|id| id % 5_000 != 0).collect();
    assert_eq!(pad.store.set_priority(&ids, 7).expect("sets"), 11_998);
    let deed = Deed { what: "set_priority".into(), fw_ids: ids, ..Deed::default() };
    pad.store.record(&deed, Timestamp::now()).expect("records");
    let unset = doc! {"spec._priority": {"$ne": 7}};
    let unset = FireworkQuery { matching: Some(unset), ..FireworkQuery::default() };
    assert_eq!(pad.store.firework_ids(&unset).expect("finds"), [5_000, 10_000]);
}
