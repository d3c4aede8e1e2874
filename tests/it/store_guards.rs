//! What people act on they have seen some time ago: nothing is done to what has become something else since.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::{FireworkQuery, Order, Priority, Step, Store, StoreError, Verb, WorkflowQuery};
use volley::workflow::decide::Refusal;
use volley::workflow::{FwAction, FwId, State, time};

use crate::support::line::Line;
use crate::support::{Launchpad, Worker, draft, outcome};

fn both() -> Vec<Launchpad> {
    [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten().collect()
}

/// So many pairs 1 -> 2, 3 -> 4, ...; of the first the parent has FIZZLED.
fn pairs(store: &dyn Store, count: usize) {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    let pair = || draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}));
    store.insert(&(0..count).map(|_| pair()).collect::<Vec<_>>(), Timestamp::now()).expect("inserts");
    let claim = Worker::new("w").claim_as(store, 1, Some(1), Order::Fifo).remove(0);
    store.finish(&[outcome(&claim, State::Fizzled, FwAction::default())], Timestamp::now()).expect("finishes");
}

fn states(store: &dyn Store) -> Vec<State> {
    store.find_fireworks(&FireworkQuery::default()).expect("finds").iter().map(|firework| firework.state).collect()
}

/// Nothing is locked, and every workflow knows the states of its fireworks.
fn check(store: &dyn Store, when: &str) {
    let mut known = Vec::new();
    for workflow in store.find_workflows(&WorkflowQuery::default()).expect("finds") {
        assert!(!workflow.contains_key("locked"), "{when}: {workflow}");
        known.extend(volley::launchpad::listing::states(&workflow).into_values());
    }
    assert_eq!(known, states(store), "{when}");
}

fn step(verb: Verb, fw_id: FwId, seen: State) -> Step {
    Step { verb, fw_id, seen: Some(seen) }
}

#[test]
fn what_has_moved_is_left_alone() {
    use State::{Defused, Fizzled, Paused, Ready, Running, Waiting};
    for pad in both() {
        let store = &*pad.store;
        pairs(store, 4);
        let now = Timestamp::now();
        let running = Worker::new("w").claim_as(store, 1, Some(3), Order::Fifo).remove(0);
        let refused = |results: Vec<volley::store::Result<volley::store::Steered>>| -> Vec<Option<String>> {
            results.into_iter().map(|result| result.err().map(|error| error.to_string())).collect()
        };
        let results = store.steer_many(
            &[
                step(Verb::Rerun, 1, Fizzled),
                step(Verb::Rerun, 3, Fizzled),
                step(Verb::Pause, 5, Waiting),
                step(Verb::Defuse, 7, Ready),
                step(Verb::Pause, 99, Ready),
            ],
            now,
        );
        let moved = |text: &str| Some(text.to_owned());
        let expected = [
            None,
            moved("firework 3 is RUNNING by now, not FIZZLED; it was left alone"),
            moved("firework 5 is READY by now, not WAITING; it was left alone"),
            None,
            moved("there is no firework 99"),
        ];
        assert_eq!(refused(results), expected, "{}", store.describe());
        assert_eq!(states(store), [Ready, Waiting, Running, Waiting, Ready, Waiting, Defused, Waiting]);
        assert!(store.renew(&[running.held()], &[], &Worker::new("w").lease, now).expect("renews").is_empty());

        let whole = store.steer_one(&step(Verb::PauseWorkflow, 3, Ready), now);
        let said = whole.expect_err("is refused").to_string();
        assert_eq!(said, "the workflow of firework 3 is RUNNING by now, not READY; it was left alone");
        store.steer_one(&step(Verb::PauseWorkflow, 5, Ready), now).expect("pauses");
        assert_eq!(states(store)[4..6], [Paused, Paused]);
        check(store, "in the end");
    }
}

#[test]
fn a_priority_that_another_has_set_stays() {
    for pad in both() {
        let store = &*pad.store;
        pairs(store, 3);
        store.set_priority(&[2, 3, 4], 5).expect("sets");
        let change = |fw_id, seen: Bson, to| Priority { fw_id, seen, to };
        let changes = [
            change(1, Bson::Null, 1),
            change(2, 5.into(), 6),
            change(3, 4.into(), 5),
            change(4, Bson::Null, 1),
            change(5, 0.into(), 1),
            change(6, Bson::Null, -1),
            change(99, Bson::Null, 1),
        ];
        // 3 has become what it should already.
        let done = store.set_priorities(&changes).expect("sets");
        assert!(done == [1, 2, 3, 6] || done == [1, 2, 6], "{done:?}");
        let fireworks = store.find_fireworks(&FireworkQuery::default()).expect("finds");
        let priorities =
            fireworks.iter().map(|firework| firework.spec.get("_priority").and_then(volley::workflow::as_int));
        assert_eq!(priorities.collect::<Vec<_>>(), [Some(1), Some(6), Some(5), Some(5), None, Some(-1)]);
        assert_eq!(store.set_priorities(&[]).expect("sets"), [0; 0]);
        let again = [change(2, 6.0.into(), 7), change(1, 1_i64.into(), 2)];
        assert_eq!(store.set_priorities(&again).expect("sets"), [2, 1]);
    }
}

#[test]
fn a_workflow_that_has_moved_is_not_deleted() {
    for pad in both() {
        let store = &*pad.store;
        pairs(store, 3);
        Worker::new("w").claim_as(store, 1, Some(3), Order::Fifo);
        let wanted = [(1, Some(State::Fizzled)), (3, Some(State::Ready)), (6, None), (99, Some(State::Ready))];
        let deleted = store.delete_as_seen(&wanted).expect("deletes");
        assert_eq!(deleted.gone, [1, 2, 5, 6]);
        let refused: Vec<String> = deleted.refused.iter().map(Refusal::to_string).collect();
        assert_eq!(refused, ["the workflow of firework 3 is RUNNING by now, not READY; it was left alone"]);
        assert_eq!(states(store), [State::Running, State::Waiting]);
        check(store, "in the end");
    }
}

/// As if the time of all locks had passed.
fn let_locks_run_out(pad: &Launchpad) {
    let past = time::to_iso(Timestamp::now() - SignedDuration::from_secs(1));
    let workflows = pad.database().collection::<Document>("workflows");
    let locked = doc! {"locked": {"$exists": true}};
    workflows.update_many(locked, doc! {"$set": {"locked.until": past}}).run().expect("updates");
}

#[test]
fn whoever_dies_over_it_overwrites_nothing_later() {
    let Some(pad) = Launchpad::mongo() else { return };
    let store = &*pad.store;
    let steps =
        [step(Verb::Rerun, 1, State::Fizzled), step(Verb::Pause, 3, State::Ready), step(Verb::Pause, 5, State::Ready)];
    for commands in 0.. {
        store.reset().expect("resets");
        pairs(store, 3);
        let (line, mortal) = Line::store(&pad);
        let sufficed = line.die_after(commands, &mortal, move |store| drop(store.steer_many(&steps, Timestamp::now())));
        let when = format!("cut after {commands} commands");
        // Somebody begins to run it in between, where that can be.
        let begun = !Worker::new("another").claim_as(store, 1, Some(3), Order::Fifo).is_empty();
        let_locks_run_out(&pad);
        for fw_id in [1, 3, 5] {
            store.refresh(fw_id, Timestamp::now()).expect("refreshes");
        }
        let after = states(store);
        check(store, &when);
        assert_eq!(begun, after[2] == State::Running, "{when}: {after:?}");
        assert!([State::Fizzled, State::Ready].contains(&after[0]), "{when}: {after:?}");
        if sufficed {
            assert_eq!(after[0], State::Ready, "{when}");
            return;
        }
    }
}

#[test]
fn who_deletes_and_dies_deletes_nothing_else_later() {
    let Some(pad) = Launchpad::mongo() else { return };
    let store = &*pad.store;
    for commands in 0.. {
        store.reset().expect("resets");
        pairs(store, 2);
        Worker::new("w").claim_as(store, 1, Some(3), Order::Fifo);
        let (line, mortal) = Line::store(&pad);
        let wanted = [(1, Some(State::Fizzled)), (3, Some(State::Ready))];
        let sufficed = line.die_after(commands, &mortal, move |store| drop(store.delete_as_seen(&wanted)));
        let when = format!("cut after {commands} commands");
        let_locks_run_out(&pad);
        for fw_id in [1, 3] {
            match store.refresh(fw_id, Timestamp::now()) {
                Ok(_) | Err(StoreError::UnknownFirework(1)) => {}
                Err(error) => panic!("{when}: {error}"),
            }
        }
        check(store, &when);
        let left = store.firework_ids(&FireworkQuery::default()).expect("finds");
        assert!(left == [1, 2, 3, 4] || left == [3, 4], "{when}: {left:?}");
        if sufficed {
            assert_eq!(left, [3, 4], "{when}");
            return;
        }
    }
}

#[test]
fn a_claim_in_between_is_not_undone() {
    let Some(pad) = Launchpad::mongo() else { return };
    let steps: Vec<Step> = [3, 5, 7].map(|fw_id| step(Verb::Defuse, fw_id, State::Ready)).to_vec();
    for many in [true, false] {
        let mut ends = [0, 0];
        for commands in 0..16 {
            pad.store.reset().expect("resets");
            pairs(&*pad.store, 4);
            let (line, steering) = Line::store(&pad);
            let other = volley::store::open(&pad.location).expect("opens");
            line.meanwhile(commands, move || drop(Worker::new("another").claim_as(&*other, 1, Some(5), Order::Fifo)));
            let result = match many {
                true => steering.steer_many(&steps, Timestamp::now()).remove(1),
                false => steering.steer_one(&steps[1], Timestamp::now()),
            };
            let when = format!("a claim after {commands} commands");
            match (result, states(&*pad.store)[4]) {
                (Ok(_), State::Defused) => ends[0] += 1,
                (Err(StoreError::Refusal(Refusal::Moved { state: State::Running, .. })), State::Running) => {
                    ends[1] += 1
                }
                other => panic!("{when}: {other:?}"),
            }
            check(&*pad.store, &when);
        }
        assert!(ends[0] > 0 && ends[1] > 1, "{ends:?}");
    }
}
