//! What workers take, on every store: the best that is theirs and that they can run.

use jiff::Timestamp;
use serde_json::json;
use volley::store::{Held, Order, WorkerRecord};

use crate::support::chapters::chapters;
use crate::support::{Launchpad, Worker, draft};

chapters![priorities_then_age, workers_take_what_is_theirs, workers_leave_what_they_cannot_run, workers_are_on_record,];

fn now() -> Timestamp {
    Timestamp::now()
}

fn task() -> serde_json::Value {
    json!([{"_fw_name": "ScriptTask", "script": "true"}])
}

fn priorities_then_age(pad: &Launchpad) {
    let store = &*pad.store;
    for priority in [json!(null), json!(-1), json!(5), json!(2.5), json!(5)] {
        let mut spec = json!({"_tasks": task()});
        if !priority.is_null() {
            spec["_priority"] = priority;
        }
        store.insert(&[draft(json!({"spec": spec}))], now()).expect("inserts");
    }
    let worker = Worker::new("w");
    let order = |ids: Vec<volley::store::Claim>| ids.iter().map(|claim| claim.firework.fw_id).collect::<Vec<_>>();
    let first = order(worker.claim_as(store, 1, None, Order::Filo));
    assert_eq!(first, [5], "of two equal ones the younger, when asked");
    let mut rest = order(worker.claim(store, 1));
    rest.extend(order(worker.claim(store, 1)));
    rest.extend(order(worker.claim(store, 5)));
    assert_eq!(rest, [3, 4, 2, 1], "a missing priority comes last");
}

fn workers_take_what_is_theirs(pad: &Launchpad) {
    use volley::workflow::fworker::Category;
    let store = &*pad.store;
    for extra in [json!({}), json!({"_category": "dft"}), json!({"_category": "md"}), json!({"_fworker": "big"})] {
        let mut spec = json!({"_tasks": task()});
        spec.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        store.insert(&[draft(json!({"spec": spec}))], now()).expect("inserts");
    }
    let ids = |name: &str, category: Category| {
        let mut worker = Worker::new(name);
        worker.fworker.category = category;
        let count = store.count_claimable(&worker.fworker, now(), 100).expect("counts");
        let claims = worker.claim(store, 10);
        assert_eq!(claims.len() as u64, count);
        let held: Vec<Held> = claims.iter().map(|claim| claim.held()).collect();
        store.release(&held, now()).expect("releases");
        claims.iter().map(|claim| claim.firework.fw_id).collect::<Vec<_>>()
    };
    assert_eq!(ids("small", Category::Any), [1, 2, 3]);
    assert_eq!(ids("big", Category::Any), [1, 2, 3, 4]);
    assert_eq!(ids("small", Category::OneOf(vec!["dft".into()])), [2]);
    assert_eq!(ids("small", Category::OneOf(vec!["dft".into(), "md".into()])), [2, 3]);
    assert_eq!(ids("small", Category::Without), [1]);
    assert_eq!(store.count_claimable(&Worker::new("big").fworker, now(), 2).expect("counts"), 2);
    let by_id = Worker::new("small").claim_as(store, 1, Some(4), Order::Fifo);
    assert_eq!(by_id.len(), 1, "asked for by id, it is taken whatever the worker takes");
    assert!(Worker::new("small").claim_as(store, 1, Some(4), Order::Fifo).is_empty(), "and only once");
}

fn workers_leave_what_they_cannot_run(launchpad: &Launchpad) {
    let store = &*launchpad.store;
    let native = json!({"_fw_name": "ScriptTask", "script": "true"});
    let call = |function: &str| json!({"_fw_name": "PyTask", "func": function});
    let job = |module: &str| json!({"_fw_name": "Job", "job": {"function": {"@module": module, "@callable": "f"}}});
    let tasks = [
        native.clone(),
        json!({"_fw_name": "Other", "func": "lost.f"}),
        call("lost"),
        call("Lost.f"),
        call("lostness.f"),
        call("l_st.f"),
        job("other.lost"),
        json!({"_fw_name": "Mine"}),
        call("lost.f"),
        call("w(e)*rd.f"),
        job("lost"),
        job("lost.jobs"),
    ];
    let drafts: Vec<_> = tasks.iter().map(|task| draft(json!({"spec": {"_tasks": [native, task]}}))).collect();
    store.insert(&drafts, now()).expect("inserts");
    let mut worker = Worker::new("w");
    let count = |worker: &Worker| store.count_claimable(&worker.fworker, now(), 100).expect("counts");
    assert_eq!(count(&worker), 12);
    worker.fworker.cannot.tasks = ["Mine", "$not there"].map(str::to_owned).into();
    assert_eq!(count(&worker), 11);
    worker.fworker.cannot.packages = ["lost", "w(e)*rd"].map(str::to_owned).into();
    assert_eq!(count(&worker), 7);
    for size in [1, 10] {
        let claimed: Vec<i64> = worker.claim(store, size).iter().map(|claim| claim.firework.fw_id).collect();
        assert!(claimed.iter().all(|fw_id| (1..=7).contains(fw_id)), "{claimed:?}");
    }
    assert_eq!((count(&worker), count(&Worker::new("v"))), (0, 5));
    // Who asks for one by its id gets it.
    assert_eq!(worker.claim_as(store, 1, Some(8), Order::Fifo).len(), 1);
}

fn workers_are_on_record(launchpad: &Launchpad) {
    let store = &*launchpad.store;
    assert_eq!(store.worker_records().expect("reads"), []);
    let reasons = |name: &str| [(name.to_owned(), "No module named 'a'".to_owned())].into();
    let record = |name: &str, host: &str| WorkerRecord {
        name: name.to_owned(),
        host: host.to_owned(),
        cannot: reasons("{{a.B}}"),
        lacks: reasons("a"),
        updated_on: Timestamp::UNIX_EPOCH,
    };
    let all = [record("one", "a"), record("one", "b"), record("two", "a")];
    for record in all.iter().rev() {
        store.record_worker(record).expect("stores");
        store.record_worker(record).expect("replaces");
    }
    assert_eq!(store.worker_records().expect("reads"), all);
    let able = WorkerRecord { cannot: [].into(), lacks: [].into(), ..all[1].clone() };
    store.record_worker(&able).expect("removes");
    assert_eq!(store.worker_records().expect("reads"), [all[0].clone(), all[2].clone()]);
}
