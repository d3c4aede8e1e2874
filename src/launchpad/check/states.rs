//! Whether the states of a workflow and of its fireworks agree.

use std::collections::BTreeMap;

use bson::Document;

use super::Links;
use crate::launchpad::listing;
use crate::workflow::workflow_state::{Facts, workflow_state};
use crate::workflow::{Firework, FwId, State};

/// What does not agree. The links must be those of the fireworks.
pub fn faults(workflow: &Document, members: &BTreeMap<FwId, &Firework>, links: &Links) -> Vec<String> {
    let mut faults = Vec::new();
    let cached = listing::states(workflow);
    for (id, firework) in members {
        match cached.get(id) {
            Some(state) if *state == firework.state => {}
            state => faults.push(format!(
                "firework {id} is {}, its workflow has {}; `lpad admin refresh -i {id}` puts it right",
                firework.state,
                state.map_or("nothing", |state| state.as_str())
            )),
        }
    }
    let mut parents: BTreeMap<FwId, Vec<FwId>> = BTreeMap::new();
    for &(parent, child) in links {
        parents.entry(child).or_default().push(parent);
    }
    for firework in members.values() {
        let id = firework.fw_id;
        let is_over = |parent: &&&Firework| {
            parent.state == State::Completed || (parent.state == State::Fizzled && firework.allows_fizzled_parents())
        };
        let open =
            parents.get(&id).into_iter().flatten().filter_map(|id| members.get(id)).find(|parent| !is_over(parent));
        match (firework.state, open) {
            (State::Ready, Some(parent)) => {
                faults.push(format!("firework {id} is READY, though firework {} is {}", parent.fw_id, parent.state))
            }
            (State::Waiting, None) => {
                faults.push(format!("firework {id} is WAITING, though all its parents have ended"));
            }
            _ => {}
        }
    }
    let states: BTreeMap<FwId, State> = members.iter().map(|(id, firework)| (*id, firework.state)).collect();
    let below = |id: FwId| links.range((id, FwId::MIN)..=(id, FwId::MAX)).map(|(_, child)| child);
    let is_leaf = |id: FwId| below(id).next().is_none();
    let stops = |id: FwId| below(id).filter_map(|id| members.get(id)).any(|child| !child.allows_fizzled_parents());
    let derived = workflow_state(Facts::of(&states, is_leaf, stops));
    let said = workflow.get_str("state").unwrap_or_default();
    if said != derived.as_str() {
        faults.push(format!("the workflow is {said}, its fireworks make it {derived}"));
    }
    faults
}
