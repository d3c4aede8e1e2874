//! `graph`: the shape of a workflow. What is alike and would not fit side by side is counted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::LaunchpadError;
use super::explain::relatives;
use super::listing::{states, workflow_id};
use crate::store::{Store, WorkflowQuery};
use crate::workflow::{FwId, State, int_list};

mod alike;
mod columns;
mod export;
mod picture;
mod routes;
mod spread;

pub use columns::{Column, Columns, Group, Place, columns};
pub use picture::{Picture, Span, picture};

/// A workflow as a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The id that names it.
    pub id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Its fireworks.
    pub nodes: BTreeMap<FwId, Node>,
    /// What is below each.
    pub children: BTreeMap<FwId, Vec<FwId>>,
}

/// A firework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// How far from the beginning: one more than the farthest of its parents.
    pub layer: usize,
}

/// Reads the workflow of a firework.
pub fn graph(store: &dyn Store, fw_id: FwId) -> Result<Graph, LaunchpadError> {
    graph_again(store, fw_id, None)
}

/// The same for who has read it before: fireworks that were known then have kept their names, and only their
/// workflow is asked for their states.
pub fn graph_again(store: &dyn Store, fw_id: FwId, before: Option<&Graph>) -> Result<Graph, LaunchpadError> {
    let query = WorkflowQuery { fw_ids: Some(vec![fw_id]), ..WorkflowQuery::default() };
    let workflow = store.find_workflows(&query)?.pop();
    let workflow = workflow.ok_or_else(|| LaunchpadError::UnknownFireworks(vec![fw_id]))?;
    let nodes = int_list(workflow.get("nodes"));
    let links = workflow.get_document("links").into_iter().flatten();
    let known: BTreeSet<FwId> = nodes.iter().copied().collect();
    let children: BTreeMap<FwId, Vec<FwId>> = links
        .filter_map(|(parent, children)| {
            let mut below = int_list(Some(children));
            below.retain(|child| known.contains(child));
            Some((parent.parse().ok().filter(|parent| known.contains(parent))?, below))
        })
        .collect();
    let states = states(&workflow);
    let name_of = |id: &FwId| before.and_then(|before| before.nodes.get(id)).map(|node| &node.name);
    let is_new = |id: &FwId| name_of(id).is_none() || !states.contains_key(id);
    let found = relatives(store, nodes.into_iter().filter(is_new).collect())?;
    let node = |id: FwId| {
        let firework = found.get(&id);
        let state = firework.map(|one| one.state).or_else(|| states.get(&id).copied());
        let name = firework.map(|one| &one.name).or_else(|| name_of(&id)).cloned().unwrap_or_default();
        (id, (name, state.unwrap_or(State::Waiting)))
    };
    Ok(Graph {
        id: workflow_id(&workflow).unwrap_or(fw_id),
        name: workflow.get_str("name").unwrap_or_default().to_owned(),
        state: workflow.get_str("state").unwrap_or_default().to_owned(),
        ..Graph::new(known.iter().copied().map(node), children)
    })
}

/// How far each node is from the beginning. In a circle, which only a broken writer could have made, all
/// come last.
fn layers(nodes: &BTreeSet<FwId>, children: &BTreeMap<FwId, Vec<FwId>>) -> BTreeMap<FwId, usize> {
    let mut above: BTreeMap<FwId, usize> = nodes.iter().map(|&id| (id, 0)).collect();
    for child in children.values().flatten() {
        *above.entry(*child).or_default() += 1;
    }
    let mut layers: BTreeMap<FwId, usize> = BTreeMap::new();
    let mut ready: Vec<FwId> = above.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
    let mut layer = 0;
    while !ready.is_empty() {
        let mut next = Vec::new();
        for id in std::mem::take(&mut ready) {
            layers.insert(id, layer);
            for child in children.get(&id).into_iter().flatten() {
                let Some(count) = above.get_mut(child) else { continue };
                *count -= 1;
                if *count == 0 {
                    next.push(*child);
                }
            }
        }
        (ready, layer) = (next, layer + 1);
    }
    nodes.iter().map(|&id| (id, layers.get(&id).copied().unwrap_or(layer))).collect()
}

impl Graph {
    /// A graph of fireworks with their names and states, and of what is below each.
    pub fn new(
        fireworks: impl IntoIterator<Item = (FwId, (String, State))>,
        children: BTreeMap<FwId, Vec<FwId>>,
    ) -> Self {
        let fireworks: BTreeMap<FwId, (String, State)> = fireworks.into_iter().collect();
        let layers = layers(&fireworks.keys().copied().collect(), &children);
        let node = |(id, (name, state))| {
            let layer = layers.get(&id).copied().unwrap_or_default();
            (id, Node { name, state, layer })
        };
        let id = fireworks.keys().next().copied().unwrap_or_default();
        let nodes = fireworks.into_iter().map(node).collect();
        Graph { id, name: String::new(), state: String::new(), nodes, children }
    }

    /// All pairs of a parent and a child.
    pub fn edges(&self) -> impl Iterator<Item = (FwId, FwId)> {
        self.children.iter().flat_map(|(&parent, below)| below.iter().map(move |&child| (parent, child)))
    }

    /// What is above each.
    pub fn parents(&self) -> BTreeMap<FwId, Vec<FwId>> {
        let mut parents: BTreeMap<FwId, Vec<FwId>> = BTreeMap::new();
        self.edges().for_each(|(parent, child)| parents.entry(child).or_default().push(parent));
        parents
    }

    /// The fireworks in layers.
    pub fn layers(&self) -> Vec<Vec<FwId>> {
        let mut layers: Vec<Vec<FwId>> = Vec::new();
        for (&id, node) in &self.nodes {
            if layers.len() <= node.layer {
                layers.resize(node.layer + 1, Vec::new());
            }
            layers[node.layer].push(id);
        }
        layers
    }

    /// How many fireworks are in which state.
    pub fn counts(&self) -> BTreeMap<State, usize> {
        let mut counts = BTreeMap::new();
        self.nodes.values().for_each(|node| *counts.entry(node.state).or_default() += 1);
        counts
    }

    /// As data.
    pub fn value(&self) -> Value {
        json!({
            "fw_id": self.id,
            "name": self.name,
            "state": self.state,
            "nodes": self.nodes.iter().map(|(id, node)| json!({
                "fw_id": id,
                "name": node.name,
                "state": node.state.as_str(),
                "layer": node.layer,
            })).collect::<Vec<_>>(),
            "links": self.edges().map(|(parent, child)| json!([parent, child])).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A graph of fireworks that are all READY.
    pub fn of(nodes: &[(FwId, &str)], edges: &[(FwId, FwId)]) -> Graph {
        let mut children: BTreeMap<FwId, Vec<FwId>> = nodes.iter().map(|(id, _)| (*id, Vec::new())).collect();
        edges.iter().for_each(|(parent, child)| children.entry(*parent).or_default().push(*child));
        let nodes = nodes.iter().map(|(id, name)| (*id, ((*name).to_owned(), State::Ready)));
        Graph { name: "w".into(), state: "READY".into(), ..Graph::new(nodes, children) }
    }

    #[test]
    fn a_layer_is_below_all_parents() {
        let diamond = of(&[(1, "a"), (2, "b"), (3, "c"), (4, "d")], &[(1, 2), (2, 3), (1, 4), (3, 4)]);
        assert_eq!(diamond.layers(), [vec![1], vec![2], vec![3], vec![4]]);
    }

    #[test]
    fn circles_come_to_an_end() {
        let circle = of(&[(1, "a"), (2, "b"), (3, "c")], &[(1, 2), (2, 3), (3, 2)]);
        assert_eq!(circle.layers(), [vec![1], vec![2, 3]]);
    }
}
