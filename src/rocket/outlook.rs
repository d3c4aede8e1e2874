//! Whether waiting is worth while: FireWorks' rule for when `rapidfire` is finished.

use std::collections::BTreeSet;

use bson::Document;
use jiff::Timestamp;

use crate::store::{FireworkQuery, Result, Store, WorkflowQuery};
use crate::workflow::fworker::Category;
use crate::workflow::{FWorker, FwId, State, int_list};

/// Whether a firework that this worker would take is READY, or runs (or is reserved) and has a
/// child that waits for it. The worker's own query is not asked about the latter: rather one
/// look too many than work left undone.
pub fn more_may_come(store: &dyn Store, worker: &FWorker) -> Result<bool> {
    // Also what waits for its time.
    if store.count_claimable(worker, Timestamp::MAX, 1)? > 0 {
        return Ok(true);
    }
    let active = FireworkQuery { states: vec![State::Running, State::Reserved], ..FireworkQuery::default() };
    let active: BTreeSet<FwId> = store
        .find_fireworks(&active)?
        .into_iter()
        .filter(|firework| would_take(worker, &firework.spec))
        .map(|firework| firework.fw_id)
        .collect();
    let theirs = WorkflowQuery { fw_ids: Some(active.iter().copied().collect()), ..WorkflowQuery::default() };
    if !active.is_empty() && store.find_workflows(&theirs)?.iter().any(|workflow| has_waiting_child(workflow, &active))
    {
        return Ok(true);
    }
    // One may have ended between the two looks, and left a READY child.
    Ok(store.count_claimable(worker, Timestamp::MAX, 1)? > 0)
}

fn would_take(worker: &FWorker, spec: &Document) -> bool {
    let text = |key| spec.get_str(key).ok();
    let is_its_worker = text("_fworker").is_none_or(|name| name == worker.name);
    let is_its_category = match &worker.category {
        Category::Any => true,
        Category::OneOf(names) => text("_category").is_some_and(|category| names.iter().any(|name| name == category)),
        Category::Without => !spec.contains_key("_category"),
    };
    is_its_worker && is_its_category
}

fn has_waiting_child(workflow: &Document, active: &BTreeSet<FwId>) -> bool {
    let (Ok(links), Ok(states)) = (workflow.get_document("links"), workflow.get_document("fw_states")) else {
        return false;
    };
    active.iter().any(|fw_id| {
        let children = int_list(links.get(fw_id.to_string()));
        children
            .iter()
            .any(|child| states.get_str(child.to_string()).is_ok_and(|state| state == State::Waiting.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn waiting_children_of_active_fireworks_count() {
        let workflow = doc! {
            "links": {"1": [2], "2": [3], "3": []},
            "fw_states": {"1": "COMPLETED", "2": "RUNNING", "3": "WAITING"},
        };
        assert!(has_waiting_child(&workflow, &BTreeSet::from([2])));
        assert!(!has_waiting_child(&workflow, &BTreeSet::from([1, 3, 9])));
    }

    #[test]
    fn workers_and_categories_are_heeded() {
        let mut worker = FWorker { name: "a".into(), ..FWorker::default() };
        assert!(would_take(&worker, &doc! {"_category": "x"}));
        assert!(would_take(&worker, &doc! {"_fworker": "a"}));
        assert!(!would_take(&worker, &doc! {"_fworker": "b"}));
        worker.category = Category::OneOf(vec!["x".into()]);
        assert!(would_take(&worker, &doc! {"_category": "x"}) && !would_take(&worker, &doc! {}));
        worker.category = Category::Without;
        assert!(!would_take(&worker, &doc! {"_category": "x"}) && would_take(&worker, &doc! {}));
    }
}
