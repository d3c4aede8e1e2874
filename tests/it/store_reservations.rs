//! Reservations and offline runs in both stores: FireWorks' documents, and who wins of two.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::{ClaimRequest, Held, Mending, OfflineEnd, OfflineRun, Order, Outcome, Store, Verdict};
use volley::workflow::{FwAction, Launch, Lease, State, as_int};

use crate::support::samples::{documents, read};
use crate::support::{Launchpad, Worker, draft};

fn everywhere() -> Vec<Launchpad> {
    [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten().collect()
}

/// A chain of two.
fn with_chain(pad: &Launchpad) {
    let fw = |id: i64, priority: i64| json!({"fw_id": id, "spec": {"_tasks": [], "_priority": priority}});
    let chain = json!({"fws": [fw(1, 1), fw(2, 2)], "links": {"1": [2]}, "name": "chain"});
    pad.store.insert(&[draft(chain)], Timestamp::now()).expect("inserts");
}

fn reserve(store: &dyn Store, fw_id: Option<i64>) -> Option<Held> {
    let worker = Worker::new("studyworker");
    let request = ClaimRequest {
        retry: None,
        worker: &worker.fworker,
        fw_id,
        order: Order::Fifo,
        lease: &Lease::default(),
        host: ("vm", "127.0.0.1"),
        token: None,
        directory: &|_| "/scratch/here".into(),
        now: Timestamp::now(),
    };
    let claim = store.reserve(&request).expect("reserves")?;
    assert_eq!(claim.launch.state, State::Reserved);
    Some(claim.held())
}

fn firework(store: &dyn Store, fw_id: i64) -> volley::workflow::Firework {
    let query = volley::store::FireworkQuery { ids: Some(vec![fw_id]), ..Default::default() };
    store.find_fireworks(&query).expect("finds").pop().expect("exists")
}

fn launch(store: &dyn Store, launch_id: i64) -> Launch {
    store.find_launches(&[launch_id]).expect("finds").pop().expect("exists")
}

fn workflow_states(store: &dyn Store) -> (String, Document) {
    let workflow = store.find_workflows(&volley::store::WorkflowQuery::default()).expect("finds").remove(0);
    let text = workflow.get_str("state").expect("a state").to_owned();
    (text, workflow.get_document("fw_states").expect("states").clone())
}

/// A document's keys and its values, dates and durations apart.
fn shape(value: &Bson) -> Bson {
    match value {
        Bson::Document(document) => {
            let plain = |(key, value): (&String, &Bson)| match key.as_str() {
                "_id" | "fworker" | "launch_dir" => None,
                _ => Some((key.clone(), shape(value))),
            };
            Bson::Document(document.iter().filter_map(plain).collect())
        }
        Bson::Array(items) => Bson::Array(items.iter().map(shape).collect()),
        Bson::String(text) if text.contains("+00:00") => Bson::from("DATE"),
        Bson::Double(_) => Bson::from("SECONDS"),
        Bson::Int32(_) | Bson::Int64(_) => as_int(value).map_or(Bson::Null, |_| Bson::from("N")),
        other => other.clone(),
    }
}

fn sample_launch(sample: &str) -> Bson {
    shape(&documents(&read(sample), "launches").remove(0).into())
}

#[test]
fn a_reservation_is_fireworks_own() {
    for pad in everywhere() {
        with_chain(&pad);
        let store = &*pad.store;
        assert_eq!(reserve(store, Some(2)), None, "it waits");
        let held = reserve(store, None).expect("is ready");
        assert_eq!((held.fw_id, reserve(store, None)), (1, None));
        let stored = |id| shape(&launch(store, id).to_document().into());
        assert_eq!(stored(held.launch_id), sample_launch("02a_RESERVED_before_qid"));
        let reserved = firework(store, 1);
        assert_eq!((reserved.state, reserved.launches), (State::Reserved, vec![held.launch_id]));
        assert!(matches!(reserved.updated_on, Bson::String(_)));
        assert_eq!(workflow_states(store), ("RESERVED".into(), doc! {"1": "RESERVED", "2": "WAITING"}));
        assert!(store.note_job(held.launch_id, "123456", None).expect("notes"));
        assert_eq!(stored(held.launch_id), sample_launch("02b_RESERVED_with_reservation_id"));
        assert!(!store.note_job(99, "1", None).expect("finds none"));
    }
}

#[test]
fn a_cancelled_reservation_leaves_the_firework_ready() {
    for pad in everywhere() {
        with_chain(&pad);
        let store = &*pad.store;
        let held = reserve(store, Some(1)).expect("is ready");
        store.note_job(held.launch_id, "777", None).expect("notes");
        assert!(store.cancel_reservation(held, Timestamp::now()).expect("cancels"));
        assert!(!store.cancel_reservation(held, Timestamp::now()).expect("is cancelled"));
        let free = firework(store, 1);
        assert_eq!((free.state, free.launches, free.archived_launches), (State::Ready, vec![], vec![held.launch_id]));
        let stored = shape(&launch(store, held.launch_id).to_document().into());
        assert_eq!(stored, sample_launch("02d_RESERVED_then_cancel_qid"));
        assert_eq!(workflow_states(store), ("READY".into(), doc! {"1": "READY", "2": "WAITING"}));
        let again = reserve(store, None).expect("is ready");
        assert_ne!(again.launch_id, held.launch_id);
    }
}

#[test]
fn a_job_that_is_faster_keeps_its_firework() {
    for pad in everywhere() {
        with_chain(&pad);
        let store = &*pad.store;
        let held = reserve(store, None).expect("is ready");
        let claims = Worker::new("w").claim_as(store, 1, Some(1), Order::Fifo);
        assert_eq!(claims.iter().map(|claim| claim.held()).collect::<Vec<_>>(), [held]);
        // The launcher is late.
        assert!(store.note_job(held.launch_id, "55", Some("west")).expect("notes"));
        assert!(!store.cancel_reservation(held, Timestamp::now()).expect("answers"));
        let (running, launch) = (firework(store, 1), launch(store, held.launch_id));
        assert_eq!((running.state, launch.state, launch.reservation()), (State::Running, State::Running, Some("55")));
        assert_eq!((launch.state_history.len(), launch.reservation_cluster()), (2, Some("west")));
        assert!(launch.lease().is_some());
    }
}

#[test]
fn what_a_dead_launcher_has_marked_is_freed() {
    let Some(pad) = Launchpad::mongo() else { return };
    with_chain(&pad);
    // As if it had died between marking the firework and giving it its launch.
    let held = reserve(&*pad.store, None).expect("is ready");
    let fireworks = pad.database().collection::<Document>("fireworks");
    let old = volley::workflow::time::to_bson_date(Timestamp::now() - SignedDuration::from_mins(11));
    let back = doc! {"$set": {"updated_on": old, "launches": []}};
    fireworks.update_one(doc! {"fw_id": held.fw_id}, back).run().expect("updates");
    pad.store.mend(&Mending::default(), Timestamp::now()).expect("mends");
    assert_eq!(firework(&*pad.store, 1).state, State::Ready);
}

#[test]
fn offline_runs_are_fireworks_own() {
    for pad in everywhere() {
        with_chain(&pad);
        let store = &*pad.store;
        let held = reserve(store, None).expect("is ready");
        let run = OfflineRun { fw_id: 1, launch_id: held.launch_id, name: "relax".into() };
        store.add_offline_run(&run, Timestamp::now()).expect("is noted");
        store.note_job(held.launch_id, "15", None).expect("notes");
        assert_eq!(store.offline_runs().expect("lists"), vec![run.clone()]);
        let started = Timestamp::now() - SignedDuration::from_secs(60);
        let mut offline = launch(store, held.launch_id);
        let reached = doc! {"_task_n": 0, "_all_stored_data": {}, "_all_update_spec": {}, "_all_mod_spec": []};
        offline.run_offline(started, Timestamp::now(), Some(reached));
        assert!(store.show_offline(&offline, Timestamp::now()).expect("is shown"));
        let stored = launch(store, held.launch_id);
        assert_eq!(shape(&stored.to_document().into()), sample_launch("19b_offline_RUNNING_after_recover"));
        assert_eq!(firework(store, 1).state, State::Running);
        assert_eq!(workflow_states(store), ("RUNNING".into(), doc! {"1": "RUNNING", "2": "WAITING"}));
        // It has no lease, and counts as alive for as long as its run is open.
        let ended = started + SignedDuration::from_secs(7);
        let outcome =
            Outcome { launch: stored, state: State::Completed, action: FwAction::default(), ended, followed: false };
        assert_eq!(store.finish(&[outcome], Timestamp::now()).expect("finishes"), [Verdict::Recorded]);
        let stored = launch(store, held.launch_id).to_document();
        assert_eq!(stored.get_f64("runtime_secs").map(f64::round).ok(), Some(7.0));
        assert_eq!((firework(store, 1).state, firework(store, 2).state), (State::Completed, State::Ready));
        assert!(store.close_offline_run(held.launch_id, OfflineEnd::Completed, Timestamp::now()).expect("closes"));
        assert!(!store.close_offline_run(held.launch_id, OfflineEnd::Completed, Timestamp::now()).expect("is over"));
        assert!(store.offline_runs().expect("lists").is_empty());
    }
}

#[test]
fn an_offline_run_whose_reservation_is_cancelled_is_not_shown() {
    for pad in everywhere() {
        with_chain(&pad);
        let store = &*pad.store;
        let held = reserve(store, None).expect("is ready");
        let mut offline = launch(store, held.launch_id);
        offline.run_offline(Timestamp::now(), Timestamp::now(), None);
        assert!(store.cancel_reservation(held, Timestamp::now()).expect("cancels"));
        assert!(!store.show_offline(&offline, Timestamp::now()).expect("answers"));
        assert_eq!(firework(store, 1).state, State::Ready);
    }
}
