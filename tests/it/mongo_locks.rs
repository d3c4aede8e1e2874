//! Locks of workflows in MongoDB: those of the dead are taken over and their work is finished,
//! those of the living are waited for.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::{Claim, FireworkQuery, Verdict};
use volley::workflow::{FwAction, State, int, time};

use crate::support::run::wait_until;
use crate::support::{Launchpad, Worker, draft, outcome};

/// A diamond whose root is done and whose two sides have been claimed.
fn claimed_diamond(pad: &Launchpad) -> (Worker, Claim, Claim) {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    let diamond = json!({"fws": [fw(1), fw(2), fw(3), fw(4)], "links": {"1": [2, 3], "2": [4], "3": [4]}});
    pad.store.insert(&[draft(diamond)], Timestamp::now()).expect("inserts");
    let worker = Worker::new("w");
    let root = worker.claim(&*pad.store, 1).pop().expect("claims");
    let done = outcome(&root, State::Completed, FwAction::default());
    pad.store.finish(&[done], Timestamp::now()).expect("finishes");
    let mut sides = worker.claim(&*pad.store, 2);
    let right = sides.pop().expect("claims two");
    let left = sides.pop().expect("claims two");
    (worker, left, right)
}

fn push(value: i32) -> FwAction {
    FwAction { mod_spec: vec![doc! {"_push": {"from": value}}], ..FwAction::default() }
}

/// What a worker leaves that dies right after its commit: the launch has its outcome, the workflow
/// is locked, nothing else has happened.
fn die_after_commit(pad: &Launchpad, claim: &Claim, action: &FwAction) {
    let launches = pad.database().collection::<Document>("launches");
    let mut launch = claim.launch.clone();
    launch.finish(State::Completed, action, "the dead", Timestamp::now());
    let filter = doc! {"launch_id": int(launch.launch_id)};
    launches.replace_one(filter, launch.to_document()).run().expect("replaces");
    let lock = doc! {
        "by": "volley", "owner": "the dead", "host": "gone", "pid": 1,
        "until": time::to_iso(Timestamp::now() - SignedDuration::from_secs(1)),
        "runs": [{"fw": int(claim.firework.fw_id), "launch": int(launch.launch_id), "spawned": []}],
    };
    lock_workflow(pad, lock.into());
}

fn lock_workflow(pad: &Launchpad, value: Bson) {
    let workflows = pad.database().collection::<Document>("workflows");
    workflows.update_one(doc! {}, doc! {"$set": {"locked": value}}).run().expect("locks");
}

fn join(pad: &Launchpad) -> (State, Option<Bson>) {
    let query = FireworkQuery { ids: Some(vec![4]), ..FireworkQuery::default() };
    let join = pad.store.find_fireworks(&query).expect("finds").pop().expect("exists");
    (join.state, join.spec.get("from").cloned())
}

fn assert_unlocked(pad: &Launchpad) {
    let workflows = pad.database().collection::<Document>("workflows");
    let workflow = workflows.find_one(doc! {}).run().expect("finds").expect("exists");
    assert!(!workflow.contains_key("locked"), "{workflow}");
    let fireworks = pad.database().collection::<Document>("fireworks");
    let marked = fireworks.count_documents(doc! {"volley_applied": {"$exists": true}}).run().expect("counts");
    assert_eq!(marked, 0, "no mark is left behind");
}

#[test]
fn the_work_of_the_dead_is_finished() {
    let Some(pad) = Launchpad::mongo() else { return };
    let (_, left, right) = claimed_diamond(&pad);
    die_after_commit(&pad, &left, &push(2));
    let verdicts = pad.store.finish(&[outcome(&right, State::Completed, push(3))], Timestamp::now());
    assert_eq!(verdicts.expect("finishes"), [Verdict::Recorded]);
    assert_eq!(join(&pad), (State::Ready, Some(Bson::Array(vec![2.into(), 3.into()]))));
    assert_unlocked(&pad);
}

#[test]
fn what_the_dead_had_written_is_not_written_again() {
    let Some(pad) = Launchpad::mongo() else { return };
    let (_, left, right) = claimed_diamond(&pad);
    die_after_commit(&pad, &left, &push(2));
    // It also got as far as the child, and not to the firework itself.
    let fireworks = pad.database().collection::<Document>("fireworks");
    let written = doc! {"$set": {"spec.from": [2], "volley_applied": [int(left.launch.launch_id)]}};
    fireworks.update_one(doc! {"fw_id": 4}, written).run().expect("writes");
    pad.store.finish(&[outcome(&right, State::Completed, push(3))], Timestamp::now()).expect("finishes");
    assert_eq!(join(&pad), (State::Ready, Some(Bson::Array(vec![2.into(), 3.into()]))));
    assert_unlocked(&pad);
}

#[test]
fn a_lock_of_the_living_is_waited_for() {
    let Some(pad) = Launchpad::mongo() else { return };
    let (_, left, right) = claimed_diamond(&pad);
    // Python FireWorks locks with `true`.
    lock_workflow(&pad, true.into());
    std::thread::scope(|scope| {
        let finish = scope.spawn(|| {
            let both = [outcome(&left, State::Completed, push(2)), outcome(&right, State::Completed, push(3))];
            pad.store.finish(&both, Timestamp::now()).expect("finishes")
        });
        // The outcomes are committed at once; the rest has to wait.
        let launches = pad.database().collection::<Document>("launches");
        while launches.count_documents(doc! {"state": "COMPLETED"}).run().expect("counts") < 3 {
            std::thread::yield_now();
        }
        assert_eq!(join(&pad).0, State::Waiting);
        let workflows = pad.database().collection::<Document>("workflows");
        workflows.update_one(doc! {}, doc! {"$unset": {"locked": ""}}).run().expect("unlocks");
        assert_eq!(finish.join().expect("no panic"), [Verdict::Recorded; 2]);
    });
    assert_eq!(join(&pad), (State::Ready, Some(Bson::Array(vec![2.into(), 3.into()]))));
    assert_unlocked(&pad);
}

#[test]
fn a_release_waits_for_the_lock_and_tells_the_workflow() {
    let Some(pad) = Launchpad::mongo() else { return };
    let (_, left, right) = claimed_diamond(&pad);
    let workflows = pad.database().collection::<Document>("workflows");
    let state_of = |claim: &Claim| {
        let workflow = workflows.find_one(doc! {}).run().expect("finds").expect("exists");
        let states = workflow.get_document("fw_states").expect("has states");
        states.get_str(claim.firework.fw_id.to_string()).expect("is there").to_owned()
    };
    lock_workflow(&pad, true.into());
    std::thread::scope(|scope| {
        let release = scope.spawn(|| pad.store.release(&[left.held()], Timestamp::now()).expect("releases"));
        std::thread::sleep(std::time::Duration::from_millis(50));
        workflows.update_one(doc! {}, doc! {"$unset": {"locked": ""}}).run().expect("unlocks");
        release.join().expect("no panic");
    });
    assert_eq!(state_of(&left), "READY");
    // A lock that stays keeps nobody: the firework is READY all the same.
    lock_workflow(&pad, true.into());
    pad.store.release(&[right.held()], Timestamp::now()).expect("releases");
    let query = FireworkQuery { states: vec![State::Ready], ..FireworkQuery::default() };
    assert_eq!(pad.store.count_fireworks(&query).expect("counts"), 2);
}

#[test]
fn a_firework_that_changed_behind_the_cache_is_decided_anew() {
    let Some(pad) = Launchpad::mongo() else { return };
    let (_, left, right) = claimed_diamond(&pad);
    // Somebody paused the join without telling the workflow.
    let fireworks = pad.database().collection::<Document>("fireworks");
    fireworks.update_one(doc! {"fw_id": 4}, doc! {"$set": {"state": "PAUSED"}}).run().expect("pauses");
    let both =
        [outcome(&left, State::Completed, FwAction::default()), outcome(&right, State::Completed, FwAction::default())];
    assert_eq!(pad.store.finish(&both, Timestamp::now()).expect("finishes"), [Verdict::Recorded; 2]);
    assert_eq!(join(&pad).0, State::Paused);
    let workflow =
        pad.database().collection::<Document>("workflows").find_one(doc! {}).run().expect("finds").expect("exists");
    assert_eq!(workflow.get_str("state").ok(), Some("PAUSED"));
    assert_unlocked(&pad);
}

#[test]
fn an_outcome_of_a_launch_that_python_put_away_is_lost() {
    let Some(pad) = Launchpad::mongo() else { return };
    let (worker, left, _) = claimed_diamond(&pad);
    // `rerun_fws` of Python archives a launch and leaves it RUNNING.
    let fireworks = pad.database().collection::<Document>("fireworks");
    let id = int(left.launch.launch_id);
    let rerun = doc! {"$set": {"state": "READY", "launches": [], "archived_launches": [id]}};
    fireworks.update_one(doc! {"fw_id": int(left.firework.fw_id)}, rerun).run().expect("reruns");
    let lost = pad.store.renew(&[left.held()], &[], &worker.lease, Timestamp::now()).expect("renews");
    assert_eq!(lost, [left.launch.launch_id]);
    let verdicts = pad.store.finish(&[outcome(&left, State::Completed, push(2))], Timestamp::now());
    assert_eq!(verdicts.expect("finishes"), [Verdict::LeaseLost]);
    assert_eq!(join(&pad), (State::Waiting, None));
    assert_unlocked(&pad);
}

#[test]
fn a_server_that_is_away_is_named_within_five_seconds() {
    let settings = volley::store::MongoSettings { host: "127.0.0.1".into(), port: 9, ..Default::default() };
    let store = volley::store::open(&volley::store::Location::Mongo(Box::new(settings))).expect("prepares");
    let begun = std::time::Instant::now();
    let error = store.count_fireworks(&FireworkQuery::default()).expect_err("nobody is there");
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
    assert!(error.is_transient());
    assert!(error.to_string().contains("127.0.0.1:9"), "{error}");
}

#[test]
fn large_outcomes_are_recorded_together() {
    let Some(pad) = Launchpad::mongo() else { return };
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    pad.store.insert(&[draft(json!({"fws": [fw(1), fw(2), fw(3)], "links": {}}))], Timestamp::now()).expect("inserts");
    let worker = Worker::new("w");
    let claims = worker.claim(&*pad.store, 3);
    // Each fits into a document, not even two fit into one command.
    let large = FwAction { stored_data: doc! {"trajectory": "x".repeat(9_000_000)}, ..FwAction::default() };
    let outcomes: Vec<_> = claims.iter().map(|claim| outcome(claim, State::Completed, large.clone())).collect();
    assert_eq!(pad.store.finish(&outcomes, Timestamp::now()).expect("finishes"), [Verdict::Recorded; 3]);
    let done = FireworkQuery { states: vec![State::Completed], ..FireworkQuery::default() };
    assert_eq!(pad.store.count_fireworks(&done).expect("counts"), 3);
    assert_unlocked(&pad);
}

#[test]
fn a_spec_that_grows_too_large_fails_its_parent_and_stops_nobody() {
    let Some(pad) = Launchpad::mongo() else { return };
    let (_, left, right) = claimed_diamond(&pad);
    let large = |key: &str| FwAction { update_spec: doc! {key: "x".repeat(9_000_000)}, ..FwAction::default() };
    let first = pad.store.finish(&[outcome(&left, State::Completed, large("left"))], Timestamp::now());
    assert_eq!(first.expect("finishes"), [Verdict::Recorded]);
    let second = pad.store.finish(&[outcome(&right, State::Completed, large("right"))], Timestamp::now());
    assert_eq!(second.expect("finishes"), [Verdict::Recorded]);
    let fizzled = FireworkQuery { states: vec![State::Fizzled], ..FireworkQuery::default() };
    let fizzled = pad.store.find_fireworks(&fizzled).expect("finds");
    assert_eq!(fizzled.iter().map(|firework| firework.fw_id).collect::<Vec<_>>(), [right.firework.fw_id]);
    assert_eq!(join(&pad).0, State::Waiting);
    assert_unlocked(&pad);
}

/// Python stores new fireworks, READY, before the workflow knows them.
#[test]
fn a_firework_that_has_run_before_its_workflow_knows_it_is_waited_for() {
    let Some(pad) = Launchpad::mongo() else { return };
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    let pair = json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}});
    pad.store.insert(&[draft(pair)], Timestamp::now()).expect("inserts");
    let workflows = pad.database().collection::<Document>("workflows");
    let later = workflows.find_one_and_delete(doc! {}).run().expect("deletes").expect("was there");
    let claim = Worker::new("w").claim(&*pad.store, 1).pop().expect("is ready");
    let ended = outcome(&claim, State::Completed, FwAction::default());
    let verdict = std::thread::scope(|scope| {
        let finishing = scope.spawn(|| pad.store.finish(&[ended], Timestamp::now()).expect("finishes"));
        let launches = pad.database().collection::<Document>("launches");
        wait_until("the outcome is committed", || {
            launches.count_documents(doc! {"state": "COMPLETED"}).run().expect("counts") == 1
        });
        workflows.insert_one(later).run().expect("inserts");
        finishing.join().expect("no panic")
    });
    assert_eq!(verdict, [Verdict::Recorded]);
    let states: Vec<State> =
        pad.store.find_fireworks(&FireworkQuery::default()).expect("finds").iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Completed, State::Ready]);
}
