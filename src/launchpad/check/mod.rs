//! `check_wflow`: whether a workflow is a sound graph, its states agree, and its tasks get what they
//! need. Only what can be said for sure is said.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;

use super::LaunchpadError;
use crate::store::{FireworkQuery, Store, WorkflowQuery};
use crate::workflow::{Draft, Firework, FwId, int_list};

mod dataflow;
mod graph;
mod states;

use dataflow::Step;

/// Parent and child.
type Links = BTreeSet<(FwId, FwId)>;

/// What was looked at, and what is wrong with it.
#[derive(Debug)]
pub struct Checked {
    /// The name of the workflow.
    pub name: String,
    /// How many fireworks it has.
    pub fireworks: usize,
    /// Every fault, in words.
    pub faults: Vec<String>,
}

/// Checks a workflow that is not stored yet. That it is a graph without cycles was seen when it was read.
pub fn draft(draft: &Draft) -> Vec<String> {
    let steps: Vec<Step<'_>> = draft
        .fireworks()
        .iter()
        .map(|firework| Step { fw_id: firework.local_id, name: &firework.name, state: None, spec: &firework.spec })
        .collect();
    let links: Links = draft.links().collect();
    let ids = steps.iter().map(|step| step.fw_id).collect();
    let mut faults: Vec<String> = graph::parts(&ids, &links).into_iter().collect();
    faults.extend(dataflow::faults(&steps, &links));
    faults
}

/// Checks the workflow of a firework.
pub fn stored(store: &dyn Store, fw_id: FwId) -> Result<Checked, LaunchpadError> {
    let query = WorkflowQuery { fw_ids: Some(vec![fw_id]), ..WorkflowQuery::default() };
    let workflows = store.find_workflows(&query)?;
    let workflow = workflows.first().ok_or_else(|| LaunchpadError::UnknownFireworks(vec![fw_id]))?;
    let query = FireworkQuery { ids: Some(int_list(workflow.get("nodes"))), ..FireworkQuery::default() };
    let fireworks = store.find_fireworks(&query)?;
    let name = workflow.get_str("name").unwrap_or_default().to_owned();
    Ok(Checked { name, fireworks: fireworks.len(), faults: faults(workflow, &fireworks) })
}

fn faults(workflow: &Document, fireworks: &[Firework]) -> Vec<String> {
    let members: BTreeMap<FwId, &Firework> = fireworks.iter().map(|firework| (firework.fw_id, firework)).collect();
    let links = graph::links(workflow, "links");
    let mut faults = graph::faults(workflow, &members, &links);
    if !faults.is_empty() {
        // The rest would only say so once more.
        return faults;
    }
    faults.extend(states::faults(workflow, &members, &links));
    let steps: Vec<Step<'_>> = fireworks
        .iter()
        .map(|firework| Step {
            fw_id: firework.fw_id,
            name: &firework.name,
            state: Some(firework.state),
            spec: &firework.spec,
        })
        .collect();
    faults.extend(dataflow::faults(&steps, &links));
    faults
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use jiff::Timestamp;

    use super::*;
    use crate::workflow::State;

    fn firework(fw_id: FwId, state: State) -> Firework {
        Firework::new(fw_id, "f", doc! { "_tasks": [] }, state, Timestamp::UNIX_EPOCH)
    }

    fn workflow() -> Document {
        doc! {
            "nodes": [1, 2], "links": { "1": [2], "2": [] }, "parent_links": { "2": [1] },
            "fw_states": { "1": "COMPLETED", "2": "READY" }, "state": "RUNNING", "name": "w",
        }
    }

    #[test]
    fn a_sound_workflow_has_no_fault_and_every_fault_is_named() {
        use State::{Completed, Ready, Waiting};
        let of = |change: Document, states: &[State]| {
            let mut workflow = workflow();
            workflow.extend(change);
            let fireworks: Vec<Firework> = (1..).zip(states).map(|(id, state)| firework(id, *state)).collect();
            faults(&workflow, &fireworks).join("; ")
        };
        let good = [Completed, Ready];
        assert_eq!(of(doc! {}, &good), "");
        for (change, states, fault) in [
            (doc! { "links": { "1": [2], "2": [1] } }, &good[..], "a cycle: 1 -> 2 -> 1"),
            (doc! { "links": { "1": [2, 7], "2": [] } }, &good, "link 1 -> 7 names firework 7"),
            (doc! { "parent_links": {} }, &good, "`parent_links` lacks 1 -> 2"),
            (doc! { "links": { "1": [], "2": [] }, "parent_links": {} }, &good, "2 parts"),
            (doc! {}, &good[..1], "there is no firework 2"),
            (doc! { "state": "READY" }, &good, "its fireworks make it RUNNING"),
            (
                doc! { "fw_states": { "1": "READY", "2": "READY" } },
                &good,
                "firework 1 is COMPLETED, its workflow has READY",
            ),
            (doc! {}, &[Completed, Waiting], "firework 2 is WAITING, though all its parents"),
            (doc! {}, &[Waiting, Ready], "firework 2 is READY, though firework 1 is WAITING"),
        ] {
            let found = of(change, states);
            assert!(found.contains(fault), "no `{fault}` in `{found}`");
        }
    }
}
