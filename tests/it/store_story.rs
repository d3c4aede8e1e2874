//! One story for every store: what happens to workflows from their birth to their end.

use bson::{Bson, doc};
use jiff::Timestamp;
use serde_json::json;
use volley::store::{FireworkQuery, NamePattern, Store, Verb, Verdict, WorkflowQuery};
use volley::workflow::{FwAction, State, int, int_list};

use crate::support::chapters::chapters;
use crate::support::{Launchpad, Worker, draft, outcome, stopped};

chapters![
    ids_follow_fireworks_order,
    a_chain_runs_to_its_end,
    outcomes_change_children,
    a_join_waits_for_all,
    a_wide_workflow_completes,
    detours_come_between_and_additions_beside,
    fizzled_and_run_again,
    a_failed_parent_is_shown_where_it_is_allowed,
    an_outcome_reported_twice_counts_once,
    a_lost_lease_changes_nothing,
    interrupted_runs_come_back,
    released_claims_leave_no_trace,
    a_rerun_fences_the_running_launch,
    an_outcome_that_cannot_be_applied_fizzles,
    queries_and_priorities,
    deleting_and_resetting,
    many_workers_claim_each_once,
    batches_over_several_workflows,
];

fn now() -> Timestamp {
    Timestamp::now()
}

fn task() -> serde_json::Value {
    json!([{"_fw_name": "ScriptTask", "script": "true"}])
}

/// `n` fireworks with local ids 1..=n and the given links.
fn workflow(n: i64, links: serde_json::Value) -> volley::workflow::Draft {
    let fws: Vec<_> =
        (1..=n).map(|id| json!({"fw_id": id, "name": format!("fw{id}"), "spec": {"_tasks": task()}})).collect();
    draft(json!({"fws": fws, "links": links, "name": "story", "metadata": {"project": "test"}}))
}

fn state(store: &dyn Store, fw_id: i64) -> State {
    let query = FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() };
    store.find_fireworks(&query).expect("finds").pop().expect("exists").state
}

fn states(store: &dyn Store, ids: impl IntoIterator<Item = i64>) -> Vec<State> {
    ids.into_iter().map(|id| state(store, id)).collect()
}

fn workflow_document(store: &dyn Store, fw_id: i64) -> bson::Document {
    let query = WorkflowQuery { fw_ids: Some(vec![fw_id]), ..WorkflowQuery::default() };
    store.find_workflows(&query).expect("finds").pop().expect("exists")
}

/// The state of the workflow; also checks that its cache of states is right.
fn workflow_state(store: &dyn Store, fw_id: i64) -> State {
    let document = workflow_document(store, fw_id);
    for (id, cached) in document.get_document("fw_states").expect("fw_states") {
        let real = state(store, id.parse().expect("an id"));
        assert_eq!(cached, &Bson::String(real.to_string()), "fw_states.{id}");
    }
    document.get_str("state").expect("state").parse().expect("a state")
}

fn spec(store: &dyn Store, fw_id: i64) -> bson::Document {
    let query = FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() };
    store.find_fireworks(&query).expect("finds").pop().expect("exists").spec
}

/// Claims the one firework that is ready and ends it.
fn step(store: &dyn Store, worker: &Worker, state: State, action: FwAction) -> i64 {
    let claim = worker.claim(store, 1).pop().expect("something is ready");
    assert_eq!(store.finish(&[outcome(&claim, state, action)], now()).expect("finishes"), [Verdict::Recorded]);
    claim.firework.fw_id
}

fn complete(store: &dyn Store, worker: &Worker) -> i64 {
    step(store, worker, State::Completed, FwAction::default())
}

use State::*;

fn ids_follow_fireworks_order(pad: &Launchpad) {
    let store = &*pad.store;
    let first = draft(json!({"fws": [
        {"fw_id": -1, "spec": {"_tasks": task()}}, {"fw_id": -2, "spec": {"_tasks": task()}},
    ], "links": {"-1": [-2]}}));
    let maps = store.insert(&[first, workflow(1, json!({}))], now()).expect("inserts");
    assert_eq!(maps, [vec![(-2, 1), (-1, 2)], vec![(1, 3)]]);
    assert_eq!(states(store, 1..=3), [Waiting, Ready, Ready]);
    let document = workflow_document(store, 1);
    assert_eq!(document.get_document("links").expect("links"), &doc! {"1": [], "2": [1]});
    assert_eq!(document.get_document("parent_links").expect("parents"), &doc! {"1": [2]});
    assert_eq!(workflow_state(store, 1), Ready);
}

fn a_chain_runs_to_its_end(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(3, json!({"1": [2], "2": [3]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let claim = worker.claim(store, 5);
    assert_eq!(claim.len(), 1, "only the root is ready");
    assert_eq!((claim[0].firework.fw_id, claim[0].firework.state), (1, Running));
    assert_eq!(state(store, 1), Running);
    assert_eq!(workflow_state(store, 1), Running);
    let launch = store.find_launches(&[claim[0].launch.launch_id]).expect("finds").pop().expect("exists");
    assert_eq!(launch, claim[0].launch);
    assert_eq!(launch.launch_dir, "/launches/here");

    let stored = FwAction { stored_data: doc! {"energy": -1.5}, ..FwAction::default() };
    store.finish(&[outcome(&claim[0], Completed, stored.clone())], now()).expect("finishes");
    assert_eq!(states(store, 1..=3), [Completed, Ready, Waiting]);
    let launch = store.find_launches(&[launch.launch_id]).expect("finds").pop().expect("exists");
    assert_eq!((launch.state, launch.action), (Completed, Some(stored.to_document())));
    assert_eq!(workflow_state(store, 1), Running);

    assert_eq!(complete(store, &worker), 2);
    assert_eq!(complete(store, &worker), 3);
    assert_eq!(workflow_state(store, 1), Completed);
    assert!(worker.claim(store, 5).is_empty());
}

fn outcomes_change_children(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(4, json!({"1": [2, 3], "3": [4]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let action = FwAction {
        update_spec: doc! {"b": 0, "a": 1, "dotted.key": 2},
        mod_spec: vec![doc! {"_push": {"list": "x"}}, doc! {"_set": {"deep->er": true}}],
        ..FwAction::default()
    };
    step(store, &worker, Completed, action);
    for child in [2, 3] {
        let spec = spec(store, child);
        assert_eq!((spec.get("a"), spec.get("dotted.key")), (Some(&Bson::Int32(1)), Some(&Bson::Int32(2))));
        assert_eq!(spec.get("list"), Some(&Bson::Array(vec!["x".into()])));
        assert_eq!(spec.get("deep"), Some(&Bson::Document(doc! {"er": true})));
        let order: Vec<_> = spec.keys().map(String::as_str).collect();
        assert_eq!(order, ["_tasks", "b", "a", "dotted.key", "list", "deep"], "Python compares specs with their order");
        assert!(spec.get_array("_tasks").is_ok_and(|tasks| tasks.len() == 1));
    }
    assert!(!spec(store, 4).contains_key("a"), "only direct children");

    assert_eq!(step(store, &worker, Completed, FwAction::default()), 2);
    step(store, &worker, Completed, FwAction { defuse_children: true, ..FwAction::default() });
    assert_eq!(state(store, 4), Defused);
    assert_eq!(workflow_state(store, 1), Defused);
}

fn a_join_waits_for_all(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(4, json!({"1": [2, 3], "2": [4], "3": [4]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    complete(store, &worker);
    let both = worker.claim(store, 5);
    assert_eq!(both.len(), 2);
    let push = |value: i32| FwAction { mod_spec: vec![doc! {"_push": {"seen": value}}], ..FwAction::default() };
    store.finish(&[outcome(&both[0], Completed, push(2))], now()).expect("finishes");
    assert_eq!(state(store, 4), Waiting);
    store.finish(&[outcome(&both[1], Completed, push(3))], now()).expect("finishes");
    assert_eq!(state(store, 4), Ready);
    assert_eq!(spec(store, 4).get("seen"), Some(&Bson::Array(vec![2.into(), 3.into()])));
    complete(store, &worker);
    assert_eq!(workflow_state(store, 1), Completed);
}

fn a_wide_workflow_completes(pad: &Launchpad) {
    let store = &*pad.store;
    let middle: Vec<i64> = (2..=41).collect();
    let mut links = serde_json::Map::from_iter([("1".to_owned(), json!(middle))]);
    links.extend(middle.iter().map(|id| (id.to_string(), json!([42]))));
    store.insert(&[workflow(42, links.into())], now()).expect("inserts");
    let worker = Worker::new("w");
    complete(store, &worker);
    let mut seen = 0;
    loop {
        let claims = worker.claim(store, 16);
        if claims.is_empty() {
            break;
        }
        seen += claims.len();
        let outcomes: Vec<_> = claims
            .iter()
            .map(|claim| {
                outcome(claim, Completed, FwAction { mod_spec: vec![doc! {"_inc": {"n": 1}}], ..FwAction::default() })
            })
            .collect();
        let verdicts = store.finish(&outcomes, now()).expect("finishes");
        assert!(verdicts.iter().all(|&verdict| verdict == Verdict::Recorded));
    }
    assert_eq!(seen, 41);
    assert_eq!(spec(store, 42).get("n"), Some(&Bson::Int32(40)), "every parent counted once");
    assert_eq!(workflow_state(store, 1), Completed);
}

fn detours_come_between_and_additions_beside(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(2, json!({"1": [2]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let extra = |first: i64| {
        let fw = |id: i64| json!({"fw_id": id, "name": format!("new{id}"), "spec": {"_tasks": task()}});
        let json = json!({"fws": [fw(first), fw(first - 1)], "links": {first.to_string(): [first - 1]}});
        volley::workflow::json::to_document(json.as_object().expect("an object"))
    };
    let action = FwAction {
        detours: vec![extra(-9)],
        additions: vec![extra(-11)],
        update_spec: doc! {"k": 1},
        ..FwAction::default()
    };
    step(store, &worker, Completed, action);
    // All are numbered by local id: the addition is 4 -> 3 (-11 -> -12), the detour 6 -> 5.
    assert_eq!(states(store, 1..=6), [Completed, Waiting, Waiting, Ready, Waiting, Ready]);
    let document = workflow_document(store, 1);
    let links = document.get_document("links").expect("links");
    // FireWorks appends detours before additions; SQLite knows no order.
    let mut of_first = int_list(links.get("1"));
    of_first.sort_unstable();
    assert_eq!(of_first, [2, 4, 6]);
    let others = doc! {"2": [], "3": [], "4": [3], "5": [2], "6": [5]};
    assert!(others.iter().all(|(key, children)| links.get(key) == Some(children)), "{links}");
    assert_eq!(spec(store, 2).get("k"), Some(&Bson::Int32(1)));
    assert!(!spec(store, 4).contains_key("k"), "new fireworks do not receive it");
    assert_eq!(workflow_state(store, 1), Running);
    let mut order = Vec::new();
    while let Some(claim) = worker.claim(store, 1).pop() {
        store.finish(&[outcome(&claim, Completed, FwAction::default())], now()).expect("finishes");
        order.push(claim.firework.fw_id);
    }
    let position = |id: i64| order.iter().position(|&other| other == id).expect("ran");
    assert!(position(2) > position(5) && position(5) > position(6) && position(3) > position(4), "{order:?}");
    assert_eq!(workflow_state(store, 1), Completed);
}

fn fizzled_and_run_again(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(4, json!({"1": [2, 3], "2": [4]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    complete(store, &worker);
    let failed = FwAction::fizzled(None, "it broke", Bson::Null);
    assert_eq!(step(store, &worker, Fizzled, failed), 2);
    assert_eq!(states(store, 1..=4), [Completed, Fizzled, Ready, Waiting], "siblings go on");
    assert_eq!(workflow_state(store, 1), Fizzled);
    complete(store, &worker);
    assert_eq!(workflow_state(store, 1), Fizzled);

    store.steer(Verb::Rerun, 2, now()).expect("reruns");
    assert_eq!(states(store, 1..=4), [Completed, Ready, Completed, Waiting]);
    assert_eq!(workflow_state(store, 1), Running);
    complete(store, &worker);
    complete(store, &worker);
    assert_eq!(workflow_state(store, 1), Completed);

    store.steer(Verb::Rerun, 1, now()).expect("reruns");
    assert_eq!(states(store, 1..=4), [Ready, Waiting, Waiting, Waiting]);
    let query = FireworkQuery { ids: Some(vec![2]), ..FireworkQuery::default() };
    let again = store.find_fireworks(&query).expect("finds").pop().expect("exists");
    assert_eq!((again.launches.len(), again.archived_launches.len()), (0, 2));
    assert_eq!(workflow_state(store, 1), Ready);
    assert!(store.steer(Verb::Rerun, 99, now()).is_err());
}

fn a_failed_parent_is_shown_where_it_is_allowed(pad: &Launchpad) {
    let store = &*pad.store;
    let lenient = json!({"_tasks": task(), "_allow_fizzled_parents": true});
    let fws = json!([
        {"fw_id": 1, "name": "bad", "spec": {"_tasks": task()}},
        {"fw_id": 2, "name": "good", "spec": {"_tasks": task()}},
        {"fw_id": 3, "name": "both", "spec": lenient},
        {"fw_id": 4, "name": "strict", "spec": {"_tasks": task()}},
    ]);
    let links = json!({"1": [3, 4], "2": [3, 4]});
    store.insert(&[draft(json!({"fws": fws, "links": links}))], now()).expect("inserts");
    let worker = Worker::new("w");
    assert_eq!(step(store, &worker, Fizzled, FwAction::fizzled(None, "it broke", Bson::Null)), 1);
    assert_eq!(states(store, 3..=4), [Waiting, Waiting]);
    // The last parent ends well, and has nothing to say to its children.
    assert_eq!(complete(store, &worker), 2);
    assert_eq!(states(store, 3..=4), [Ready, Waiting]);
    assert_eq!(workflow_state(store, 1), Fizzled);
    let spec = spec(store, 3);
    let shown = spec.get_array("_fizzled_parents").expect("is shown");
    let [Bson::Document(parent)] = shown.as_slice() else { panic!("one parent: {shown:?}") };
    let keys: Vec<_> = parent.keys().map(String::as_str).collect();
    assert_eq!(keys, ["spec", "fw_id", "created_on", "updated_on", "launches", "state", "name"]);
    assert_eq!((parent.get_str("name").ok(), parent.get_str("state").ok()), (Some("bad"), Some("FIZZLED")));
    let launch = parent.get_array("launches").expect("launches")[0].as_document().expect("a launch");
    assert_eq!(launch.get_str("state").ok(), Some("FIZZLED"));
    assert!(launch.get_document("action").is_ok() && !launch.contains_key("time_start"));
}

fn an_outcome_reported_twice_counts_once(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(3, json!({"1": [3], "2": [3]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let claim = worker.claim(store, 1).pop().expect("claims");
    let fw = json!({"fws": [{"fw_id": -1, "spec": {"_tasks": task()}}]});
    let action = FwAction {
        mod_spec: vec![doc! {"_push": {"list": 1}}],
        additions: vec![volley::workflow::json::to_document(fw.as_object().expect("an object"))],
        ..FwAction::default()
    };
    let report = outcome(&claim, Completed, action);
    for _ in 0..2 {
        assert_eq!(store.finish(std::slice::from_ref(&report), now()).expect("finishes"), [Verdict::Recorded]);
        assert_eq!(states(store, 1..=4), [Completed, Ready, Waiting, Ready]);
        assert_eq!(spec(store, 3).get("list"), Some(&Bson::Array(vec![1.into()])));
        assert_eq!(workflow_state(store, 1), Running);
        assert_eq!(store.count_fireworks(&FireworkQuery::default()).expect("counts"), 4);
    }
}

fn a_lost_lease_changes_nothing(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(2, json!({"1": [2]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let late = worker.claim(store, 1).pop().expect("claims");
    assert_eq!(store.renew(&[late.held()], &[], &worker.lease, now()).expect("renews"), Vec::<i64>::new());
    assert!(store.give_back(late.held(), &stopped("preempted"), now()).expect("gives back"));
    let renewed = worker.claim(store, 1).pop().expect("claims again");
    assert_eq!(
        store.renew(&[late.held(), renewed.held()], &[], &worker.lease, now()).expect("renews"),
        [late.launch.launch_id]
    );
    let zombie = outcome(&late, Completed, FwAction { update_spec: doc! {"late": true}, ..FwAction::default() });
    assert_eq!(store.finish(&[zombie], now()).expect("finishes"), [Verdict::LeaseLost]);
    assert_eq!(states(store, 1..=2), [Running, Waiting]);
    assert!(!spec(store, 2).contains_key("late"));
    let outcomes = [outcome(&late, Fizzled, FwAction::default()), outcome(&renewed, Completed, FwAction::default())];
    assert_eq!(store.finish(&outcomes, now()).expect("finishes"), [Verdict::LeaseLost, Verdict::Recorded]);
    assert_eq!(states(store, 1..=2), [Completed, Ready]);
}

fn interrupted_runs_come_back(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(2, json!({"1": [2]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let claim = worker.claim(store, 1).pop().expect("claims");
    assert!(store.give_back(claim.held(), &stopped("SIGTERM"), now()).expect("gives back"));
    assert!(!store.give_back(claim.held(), &stopped("SIGTERM"), now()).expect("is answered"), "only once");
    assert_eq!(states(store, 1..=2), [Ready, Waiting]);
    assert_eq!(workflow_state(store, 1), Ready);
    let launch = store.find_launches(&[claim.launch.launch_id]).expect("finds").pop().expect("exists");
    assert_eq!((launch.state, launch.action), (Fizzled, None));
    let last = launch.state_history.last().expect("history");
    assert_eq!(last.get_str("lost").expect("a reason"), "SIGTERM");
    let query = FireworkQuery { ids: Some(vec![1]), ..FireworkQuery::default() };
    let firework = store.find_fireworks(&query).expect("finds").pop().expect("exists");
    assert_eq!((firework.launches.len(), firework.archived_launches), (0, vec![claim.launch.launch_id]));
}

fn released_claims_leave_no_trace(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(2, json!({"1": [2]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let claim = worker.claim(store, 1).pop().expect("claims");
    store.release(&[claim.held()], now()).expect("releases");
    assert_eq!(workflow_state(store, 1), Ready);
    assert!(store.find_launches(&[claim.launch.launch_id]).expect("finds").is_empty());
    let query = FireworkQuery { ids: Some(vec![1]), ..FireworkQuery::default() };
    let firework = store.find_fireworks(&query).expect("finds").pop().expect("exists");
    assert!(firework.launches.is_empty() && firework.archived_launches.is_empty());
}

fn a_rerun_fences_the_running_launch(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(1, json!({}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let old = worker.claim(store, 1).pop().expect("claims");
    store.steer(Verb::Rerun, 1, now()).expect("reruns");
    assert_eq!(state(store, 1), Ready);
    assert_eq!(store.renew(&[old.held()], &[], &worker.lease, now()).expect("renews"), [old.launch.launch_id]);
    assert_eq!(
        store.finish(&[outcome(&old, Completed, FwAction::default())], now()).expect("finishes"),
        [Verdict::LeaseLost]
    );
    assert_eq!(state(store, 1), Ready);
}

fn an_outcome_that_cannot_be_applied_fizzles(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(2, json!({"1": [2]}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let action = FwAction { mod_spec: vec![doc! {"_unset": {"nothing": 1}}], ..FwAction::default() };
    step(store, &worker, Completed, action);
    assert_eq!(states(store, 1..=2), [Fizzled, Waiting]);
    assert_eq!(workflow_state(store, 1), Fizzled);
}

fn queries_and_priorities(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(3, json!({"1": [2, 3]})), workflow(2, json!({}))], now()).expect("inserts");
    let ids = |query: FireworkQuery| {
        let found = store.find_fireworks(&query).expect("finds");
        let all = store.count_fireworks(&FireworkQuery { limit: 0, ..query.clone() }).expect("counts");
        assert!(all >= found.len() as u64);
        found.iter().map(|firework| firework.fw_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(FireworkQuery::default()), [1, 2, 3, 4, 5]);
    assert_eq!(ids(FireworkQuery { states: vec![Ready], ..FireworkQuery::default() }), [1, 4, 5]);
    assert_eq!(ids(FireworkQuery { states: vec![Ready, Waiting], limit: 2, ..FireworkQuery::default() }), [1, 2]);
    assert_eq!(
        ids(FireworkQuery { name: Some(NamePattern::Exactly("fw2".into())), ..FireworkQuery::default() }),
        [2, 5]
    );
    let newest = Some((volley::store::SortKey::CreatedOn, volley::store::Direction::Descending));
    assert_eq!(ids(FireworkQuery { ids: Some(vec![1, 2, 3]), sort: newest, ..FireworkQuery::default() }), [3, 2, 1]);
    assert_eq!(ids(FireworkQuery { ids: Some(vec![77]), ..FireworkQuery::default() }), Vec::<i64>::new());

    assert_eq!(store.set_priority(&[4, 5, 77], 9).expect("sets"), 2);
    assert_eq!(spec(store, 4).get("_priority"), Some(&Bson::Int32(9)));
    let first = Worker::new("w").claim(store, 1).pop().expect("claims");
    assert_eq!(first.firework.fw_id, 4);

    let workflows = |query: WorkflowQuery| store.find_workflows(&query).expect("finds").len();
    assert_eq!(workflows(WorkflowQuery::default()), 2);
    assert_eq!(workflows(WorkflowQuery { states: vec![Running], ..WorkflowQuery::default() }), 1);
    assert_eq!(
        workflows(WorkflowQuery {
            name: Some(NamePattern::Exactly("story".into())),
            limit: 1,
            ..WorkflowQuery::default()
        }),
        1
    );
    assert_eq!(workflows(WorkflowQuery { fw_ids: Some(vec![1, 2]), ..WorkflowQuery::default() }), 1);
}

fn deleting_and_resetting(pad: &Launchpad) {
    let store = &*pad.store;
    store.insert(&[workflow(2, json!({"1": [2]})), workflow(1, json!({}))], now()).expect("inserts");
    let worker = Worker::new("w");
    let claim = worker.claim(store, 1).pop().expect("claims");
    assert_eq!(store.delete_workflows(&[77]).expect("deletes nothing"), Vec::<i64>::new());
    assert_eq!(store.delete_workflows(&[2]).expect("deletes"), [1, 2]);
    assert_eq!(store.count_fireworks(&FireworkQuery::default()).expect("counts"), 1);
    assert!(store.find_launches(&[claim.launch.launch_id]).expect("finds").is_empty());
    assert_eq!(
        store.finish(&[outcome(&claim, Completed, FwAction::default())], now()).expect("finishes"),
        [Verdict::LeaseLost]
    );
    store.reset().expect("resets");
    assert_eq!(store.count_fireworks(&FireworkQuery::default()).expect("counts"), 0);
    assert_eq!(store.insert(&[workflow(1, json!({}))], now()).expect("inserts"), [vec![(1, 1)]]);
}

fn many_workers_claim_each_once(pad: &Launchpad) {
    let store = &*pad.store;
    let drafts: Vec<_> = (0..60).map(|_| workflow(1, json!({}))).collect();
    store.insert(&drafts, now()).expect("inserts");
    let mut all: Vec<i64> = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..=4)
            .map(|batch| {
                scope.spawn(move || {
                    let worker = Worker::new("w");
                    let mut mine = Vec::new();
                    while store.count_claimable(&worker.fworker, now(), 1).expect("counts") > 0 {
                        let claims = worker.claim(store, batch);
                        let outcomes: Vec<_> =
                            claims.iter().map(|claim| outcome(claim, Completed, FwAction::default())).collect();
                        store.finish(&outcomes, now()).expect("finishes");
                        mine.extend(claims.iter().map(|claim| claim.firework.fw_id));
                    }
                    mine
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    all.sort_unstable();
    assert_eq!(all, (1..=60).collect::<Vec<_>>());
    let done = FireworkQuery { states: vec![Completed], ..FireworkQuery::default() };
    let done = store.find_fireworks(&done).expect("finds");
    assert!(done.len() == 60 && done.iter().all(|firework| firework.launches.len() == 1));
}

fn batches_over_several_workflows(pad: &Launchpad) {
    let store = &*pad.store;
    let drafts: Vec<_> = (0..5).map(|_| workflow(3, json!({"1": [3], "2": [3]}))).collect();
    store.insert(&drafts, now()).expect("inserts");
    let worker = Worker::new("w");
    let claims = worker.claim(store, 8);
    assert_eq!(claims.len(), 8);
    let outcomes: Vec<_> = claims
        .iter()
        .enumerate()
        .map(|(n, claim)| {
            let action =
                FwAction { mod_spec: vec![doc! {"_push": {"from": int(claim.firework.fw_id)}}], ..FwAction::default() };
            outcome(claim, if n == 3 { Fizzled } else { Completed }, action)
        })
        .collect();
    let verdicts = store.finish(&outcomes, now()).expect("finishes");
    assert_eq!(verdicts, [Verdict::Recorded; 8]);
    let children: Vec<State> = states(store, (0..5).map(|n| 3 * n + 3));
    assert_eq!(children, [Ready, Waiting, Ready, Ready, Waiting]);
    assert_eq!(spec(store, 3).get("from"), Some(&Bson::Array(vec![1.into(), 2.into()])));
    let workflows: Vec<State> = (0..5).map(|n| workflow_state(store, 3 * n + 1)).collect();
    assert_eq!(workflows, [Running, Fizzled, Running, Running, Ready]);
}
