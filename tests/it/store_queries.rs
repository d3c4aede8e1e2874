//! What can be asked of a store: queries in MongoDB's language mean the same on both, lists are
//! sorted alike, and streams give everything.

use std::ops::ControlFlow;

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::launchpad::selection::Selection;
use volley::store::{Direction, Fields, FireworkQuery, NamePattern, SortKey, Store, WorkflowQuery};
use volley::workflow::{FwAction, FwId, State, int_list};

use crate::support::{Launchpad, Worker, draft, outcome};

/// Workflows with specs that differ: 1 -> 2, 3, 4, 5.
fn fill(store: &dyn Store) {
    let fw = |id: i64, name: &str, spec: serde_json::Value| json!({"fw_id": id, "name": name, "spec": spec});
    let pair = json!({"fws": [
        fw(1, "relax Cu", json!({"_tasks": [{"_fw_name": "T"}], "el": "Cu", "n": 1, "tags": ["a", "b"], "_priority": 2})),
        fw(2, "static Cu", json!({"_tasks": [], "el": "Cu", "n": 1.5, "calc": {"encut": 520.0, "k": [1, 2, 3]}})),
    ], "links": {"1": [2]}, "name": "Cu", "metadata": {"project": "metals", "year": 2026}});
    let one = |name: &str, spec: serde_json::Value| json!({"fws": [fw(1, name, spec)], "name": name, "metadata": {}});
    let drafts = [
        draft(pair),
        draft(one("relax Ag", json!({"_tasks": [], "el": "Ag", "n": null, "calc": [{"encut": 300}, {"encut": 520}]}))),
        draft(one("empty", json!({"_tasks": [], "_priority": -1}))),
        draft(one("odd", json!({"_tasks": [], "el": ["Cu", "Au"], "n": 9_007_199_254_740_993_i64}))),
    ];
    store.insert(&drafts, Timestamp::now()).expect("inserts");
    let worker = Worker::new("w");
    let claim = worker.claim_as(store, 1, Some(1), volley::store::Order::Fifo).remove(0);
    let action = FwAction { stored_data: doc! {"energy": -1.5}, ..FwAction::default() };
    store.finish(&[outcome(&claim, State::Completed, action)], Timestamp::now()).expect("finishes");
}

fn both() -> Vec<Launchpad> {
    let pads: Vec<Launchpad> = [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten().collect();
    pads.iter().for_each(|pad| fill(&*pad.store));
    pads
}

fn fireworks(pad: &Launchpad, query: &FireworkQuery) -> Vec<FwId> {
    let ids = pad.store.firework_ids(query).expect("finds");
    let whole: Vec<FwId> = pad.store.find_fireworks(query).expect("finds").iter().map(|one| one.fw_id).collect();
    assert_eq!(whole, ids, "{query:?}");
    if query.limit == 0 {
        assert_eq!(pad.store.count_fireworks(query).expect("counts"), ids.len() as u64);
    }
    for fields in [Fields::Head, Fields::Whole] {
        let mut streamed = Vec::new();
        let mut take = |some: Vec<volley::workflow::Firework>| {
            assert!(fields == Fields::Whole || some.iter().all(|one| one.spec.is_empty()));
            streamed.extend(some.iter().map(|one| one.fw_id));
            ControlFlow::Continue(())
        };
        pad.store.each_firework(query, fields, &mut take).expect("streams");
        assert_eq!(streamed, ids, "{query:?}");
    }
    ids
}

fn workflows(pad: &Launchpad, query: &WorkflowQuery) -> Vec<FwId> {
    let lowest = |workflow: &Document| int_list(workflow.get("nodes")).into_iter().min().expect("a node");
    let found = pad.store.find_workflows(query).expect("finds");
    let mut streamed: Vec<Document> = Vec::new();
    let mut take = |some: Vec<Document>| {
        streamed.extend(some);
        ControlFlow::Continue(())
    };
    pad.store.each_workflow(query, &mut take).expect("streams");
    assert_eq!(streamed, found);
    if query.limit == 0 {
        assert_eq!(pad.store.count_workflows(query).expect("counts"), found.len() as u64);
    }
    found.iter().map(lowest).collect()
}

#[test]
fn queries_find_the_same_fireworks() {
    let queries: [(Document, &[FwId]); 20] = [
        (doc! {"spec.el": "Cu"}, &[1, 2, 5]),
        (doc! {"spec.el": {"$in": ["Ag", "Au"]}}, &[3, 5]),
        (doc! {"spec.n": 1}, &[1]),
        (doc! {"spec.n": {"$gte": 1}}, &[1, 2, 5]),
        (doc! {"spec.n": {"$gt": 1.5}}, &[5]),
        (doc! {"spec.n": 9_007_199_254_740_992_i64}, &[]),
        (doc! {"spec.n": null}, &[3, 4]),
        (doc! {"spec.n": {"$exists": false}}, &[4]),
        (doc! {"spec.tags": "b"}, &[1]),
        (doc! {"spec.tags": {"$size": 2}}, &[1]),
        (doc! {"spec.calc.encut": 520}, &[2, 3]),
        (doc! {"spec.calc.encut": {"$lt": 400}}, &[3]),
        (doc! {"spec.calc.0.encut": 300}, &[3]),
        (doc! {"spec.calc.k": {"$all": [1, 3]}}, &[2]),
        (doc! {"spec._tasks._fw_name": "T"}, &[1]),
        (doc! {"name": {"$regex": "^RELAX", "$options": "i"}, "state": {"$ne": "COMPLETED"}}, &[3]),
        (doc! {"state": "COMPLETED", "launches": {"$exists": true}}, &[1]),
        (doc! {"$or": [{"fw_id": 4}, {"fw_id": {"$in": [5.0, "x"]}}]}, &[4, 5]),
        (doc! {"fw_id": {"$not": {"$gt": 2}}, "launches": []}, &[2]),
        (doc! {"updated_on": {"$gt": "2026"}, "spec._priority": {"$lt": 0}}, &[4]),
    ];
    for pad in both() {
        for (query, expected) in &queries {
            let query = FireworkQuery { matching: Some(query.clone()), ..FireworkQuery::default() };
            assert_eq!(
                fireworks(&pad, &query),
                *expected,
                "{} on {}",
                query.matching.clone().unwrap_or_default(),
                pad.store.describe()
            );
        }
    }
}

#[test]
fn queries_find_the_same_workflows_and_launches() {
    for pad in both() {
        let found = |matching: Document| {
            workflows(&pad, &WorkflowQuery { matching: Some(matching), ..WorkflowQuery::default() })
        };
        assert_eq!(found(doc! {"metadata.project": "metals"}), [1]);
        assert_eq!(found(doc! {"metadata.year": {"$gt": 2020}, "nodes": 2}), [1]);
        assert_eq!(found(doc! {"nodes": {"$in": [2, 4]}}), [1, 4]);
        assert_eq!(found(doc! {"nodes": {"$size": 1}, "name": {"$in": ["odd", "Cu"]}}), [5]);
        assert_eq!(found(doc! {"links.1": 2, "parent_links.2": 1, "fw_states.1": "COMPLETED"}), [1]);
        let hour = SignedDuration::from_hours(1);
        let ago = bson::DateTime::from_millis((Timestamp::now() - hour).as_millisecond());
        assert_eq!(found(doc! {"created_on": {"$gt": ago}, "state": "READY"}), [3, 4, 5]);
        assert_eq!(found(doc! {"created_on": {"$gt": "2020"}}), [0; 0], "a date is no text");
        let launches = |query: Document| pad.store.matching_launches(&query).expect("finds");
        assert_eq!(launches(doc! {"action.stored_data.energy": {"$lt": 0}}), launches(doc! {"fw_id": 1}));
        assert_eq!(launches(doc! {"state_history.state": "RUNNING", "host": "testhost", "fw_id": 1}).len(), 1);
        assert_eq!(launches(doc! {"state": "FIZZLED"}), [0; 0]);

        let of = WorkflowQuery { matching: Some(doc! {"metadata.project": "metals"}), ..WorkflowQuery::default() };
        let query =
            FireworkQuery { workflows: Some(Box::new(of)), states: vec![State::Ready], ..FireworkQuery::default() };
        assert_eq!(fireworks(&pad, &query), [2]);
    }
}

#[test]
fn names_dates_and_orders() {
    for pad in both() {
        let query = |query: FireworkQuery| fireworks(&pad, &query);
        let like = |regex: &str| Some(NamePattern::Like(regex.to_owned()));
        assert_eq!(query(FireworkQuery { name: like("^relax"), ..FireworkQuery::default() }), [1, 3]);
        assert_eq!(query(FireworkQuery { name: like("Cu$"), limit: 1, ..FireworkQuery::default() }), [1]);
        let hour = SignedDuration::from_hours(1);
        let since = |at: Timestamp| FireworkQuery { since: Some(at), ..FireworkQuery::default() };
        assert_eq!(query(since(Timestamp::now() - hour)).len(), 5);
        assert_eq!(query(since(Timestamp::now() + hour)), [0; 0]);
        let sorted = |key, direction| query(FireworkQuery { sort: Some((key, direction)), ..FireworkQuery::default() });
        assert_eq!(sorted(SortKey::Priority, Direction::Descending), [1, 4, 5, 3, 2]);
        assert_eq!(sorted(SortKey::Priority, Direction::Ascending), [2, 3, 5, 4, 1]);
        assert_eq!(sorted(SortKey::Name, Direction::Ascending), [4, 5, 3, 1, 2]);
        assert_eq!(sorted(SortKey::FwId, Direction::Descending), [5, 4, 3, 2, 1]);
        let wf = |query: WorkflowQuery| workflows(&pad, &query);
        assert_eq!(wf(WorkflowQuery { name: like("^[A-Z]"), ..WorkflowQuery::default() }), [1]);
        assert_eq!(wf(WorkflowQuery { fw_ids: Some(vec![2, 5]), ..WorkflowQuery::default() }), [1, 5]);
        let newest = Some((SortKey::CreatedOn, Direction::Descending));
        assert_eq!(wf(WorkflowQuery { sort: newest, limit: 2, ..WorkflowQuery::default() }), [5, 4]);
    }
}

#[test]
fn what_cannot_be_asked_is_an_error() {
    let pad = Launchpad::sqlite();
    fill(&*pad.store);
    // It is stored in another form, which is nobody's business.
    let extended = json!({"spec": {"_tasks": [], "el": "Pt", "of": {"$oid": 1, "x": 7}}});
    pad.store.insert(&[draft(extended)], Timestamp::now()).expect("inserts");
    let query = FireworkQuery { matching: Some(doc! {"spec.of.x": 7}), ..FireworkQuery::default() };
    assert_eq!(fireworks(&pad, &query), [6]);
    let refused = |matching: Document| {
        let query = FireworkQuery { matching: Some(matching), ..FireworkQuery::default() };
        pad.store.count_fireworks(&query).expect_err("is refused").to_string()
    };
    assert!(refused(doc! {"$where": "1"}).contains("`$where`"));
    assert!(refused(doc! {"spec.x": {"$near": [1, 2]}}).contains("`$near` (at `spec.x`)"));
    assert!(refused(doc! {"$or": [{"a": {"$expr": 1}}]}).contains("`$expr`"));
    assert!(refused(doc! {"$and": []}).contains("`$and`"));
    assert!(refused(doc! {"name": {"$regex": "(?=a)"}}).contains("`(?=a)`"));
    let like = FireworkQuery { name: Some(NamePattern::Like("(".into())), ..FireworkQuery::default() };
    assert!(pad.store.firework_ids(&like).expect_err("is refused").to_string().contains("regular expression `(`"));
    assert!(pad.store.matching_launches(&doc! {"a": {"$mod": [2, 0]}}).is_err());
}

#[test]
fn a_worker_takes_what_its_query_says() {
    for pad in both() {
        let mut worker = Worker::new("choosy");
        worker.fworker.query = doc! {"spec.el": "Ag", "$or": [{"spec.calc.encut": {"$gt": 500}}, {"fw_id": 2}]};
        assert_eq!(pad.store.count_claimable(&worker.fworker, Timestamp::now(), 9).expect("counts"), 1);
        let claimed: Vec<FwId> = worker.claim(&*pad.store, 9).iter().map(|claim| claim.firework.fw_id).collect();
        assert_eq!(claimed, [3], "on {}", pad.store.describe());
    }
    let pad = Launchpad::sqlite();
    let mut worker = Worker::new("wrong");
    worker.fworker.query = doc! {"spec.x": {"$geoWithin": 1}};
    let refused = worker.try_claim(&*pad.store, 1, None, volley::store::Order::Fifo).expect_err("is refused");
    assert!(refused.to_string().contains("`$geoWithin`"), "{refused}");
}

#[test]
fn what_failed_is_only_meant_as_long_as_it_is_fizzled() {
    let pad = Launchpad::sqlite();
    let failed = Selection { failed_with: Some("x".into()), ..Selection::default() };
    assert_eq!(failed.fireworks(&*pad.store, None).expect("is a query").states, [State::Fizzled]);
}

#[test]
fn an_error_is_found_in_an_outcome_that_is_kept_in_a_file() {
    for pad in [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten() {
        let store = &*pad.store;
        store.insert(&[draft(json!({"spec": {"_tasks": []}}))], Timestamp::now()).expect("inserts");
        let claim = Worker::new("w").claim(store, 1).remove(0);
        let stored_data = doc! {"large": "x".repeat(17_000_000), "_exception": {"_stacktrace": "it went boom"}};
        let action = FwAction { stored_data, ..FwAction::default() };
        store.finish(&[outcome(&claim, State::Fizzled, action)], Timestamp::now()).expect("finishes");
        for (regex, found) in [("bo+m$", vec![1]), ("bang", vec![])] {
            let failed = Selection { failed_with: Some(regex.into()), ..Selection::default() };
            let query = failed.fireworks(store, None).expect("is a query");
            assert_eq!(store.firework_ids(&query).expect("finds"), found, "{regex}");
        }
    }
}
