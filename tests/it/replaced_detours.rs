//! Running a firework again that has put others into its workflow: those are replaced, not doubled.

use bson::{Document, doc};
use jiff::Timestamp;
use serde_json::json;
use volley::store::{Order, Store, Verb, WorkflowQuery};
use volley::workflow::{FwAction, FwId, State, int_list};

use crate::support::{Launchpad, Worker, draft, outcome};

fn pads() -> Vec<Launchpad> {
    [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten().collect()
}

fn fw(id: i64) -> serde_json::Value {
    json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}})
}

fn run(store: &dyn Store, fw_id: FwId, action: FwAction) {
    let claim = Worker::new("w").claim_as(store, 1, Some(fw_id), Order::Fifo).pop().expect("is ready");
    store.finish(&[outcome(&claim, State::Completed, action)], Timestamp::now()).expect("finishes");
}

fn detour(count: i64) -> FwAction {
    let fw = |id: i64| doc! {"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}};
    let fws: Vec<Document> = (1..=count).map(|id| fw(-id)).collect();
    FwAction { detours: vec![doc! {"fws": fws}], ..FwAction::default() }
}

fn workflow_of(store: &dyn Store, fw_id: FwId) -> Document {
    let query = WorkflowQuery { fw_ids: Some(vec![fw_id]), ..WorkflowQuery::default() };
    let mut found = store.find_workflows(&query).expect("finds");
    assert_eq!(found.len(), 1, "in one workflow only");
    found.remove(0)
}

fn nodes(workflow: &Document) -> Vec<FwId> {
    let mut nodes = int_list(workflow.get("nodes"));
    nodes.sort_unstable();
    nodes
}

#[test]
fn a_detour_is_replaced_by_the_next() {
    for pad in pads() {
        let store = &*pad.store;
        store
            .insert(&[draft(json!({"name": "w", "fws": [fw(1), fw(2)], "links": {"1": [2]}}))], Timestamp::now())
            .expect("inserts");
        run(store, 1, detour(2));
        run(store, 3, FwAction::default());
        // A user appends something below the detour.
        let appendix =
            volley::store::Appendix { draft: draft(fw(-1)), parents: vec![4], detour: false, pull_spec_mods: true };
        store.append(&appendix, Timestamp::now()).expect("appends");
        let steered = store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        assert_eq!(steered.replaced, [3, 4, 5], "and what hangs below them alone");
        let workflow = workflow_of(store, 1);
        assert_eq!(nodes(&workflow), [1, 2]);
        assert_eq!(workflow.get_document("links").expect("links"), &doc! {"1": [2], "2": []});
        assert_eq!(workflow.get_document("parent_links").expect("links"), &doc! {"2": [1]});
        let apart = workflow_of(store, 3);
        assert_eq!((nodes(&apart), apart.get_str("state").ok()), (vec![3, 4, 5], Some("ARCHIVED")));
        assert_eq!(apart.get_str("name").ok(), Some("w (replaced)"));
        assert_eq!(apart.get_document("links").expect("links"), &doc! {"3": [], "4": [5], "5": []});
        run(store, 1, detour(1));
        run(store, 6, FwAction::default());
        run(store, 2, FwAction::default());
        let workflow = workflow_of(store, 1);
        assert_eq!((nodes(&workflow), workflow.get_str("state").ok()), (vec![1, 2, 6], Some("COMPLETED")));
    }
}

#[test]
fn what_is_below_is_reset_and_its_own_detours_replaced() {
    for pad in pads() {
        let store = &*pad.store;
        let chain = json!({"fws": [fw(1), fw(2), fw(3)], "links": {"1": [2], "2": [3]}});
        store.insert(&[draft(chain)], Timestamp::now()).expect("inserts");
        run(store, 1, FwAction::default());
        run(store, 2, detour(1));
        run(store, 4, detour(1));
        run(store, 5, FwAction::default());
        run(store, 3, FwAction::default());
        assert_eq!(workflow_of(store, 1).get_str("state").ok(), Some("COMPLETED"));
        let steered = store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        assert_eq!(steered.replaced, [4, 5], "a detour in a detour goes with it");
        let workflow = workflow_of(store, 1);
        let states = doc! {"1": "READY", "2": "WAITING", "3": "WAITING"};
        assert_eq!(workflow.get_document("fw_states").expect("states"), &states);
        assert_eq!(workflow.get_str("state").ok(), Some("READY"));
    }
}
