//! The part of a workflow document that a transition reads, and the graph it makes of it.

use std::collections::{BTreeMap, BTreeSet};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};

use super::commands::ints;
use super::{MongoStore, Place, unreadable};
use crate::store::Result;
use crate::workflow::firework::is_true;
use crate::workflow::graph::{Graph, Node};
use crate::workflow::workflow_state::{Facts, workflow_state};
use crate::workflow::{Firework, FwId, State, as_int, int_list};

/// The children of some fireworks.
pub fn children(fw_ids: &[FwId]) -> Document {
    fw_ids.iter().map(|fw_id| (format!("links.{fw_id}"), Bson::Int32(1))).collect()
}

/// What ending these fireworks needs of their workflows, and no more: the cost does not grow with
/// the workflow. Only the end of a leaf may complete a workflow, and needs all its states.
pub fn surroundings<'a>(places: impl Iterator<Item = (FwId, &'a Place)>) -> Document {
    let mut projection = doc! { "state": 1, "locked": 1 };
    let mut states: BTreeSet<FwId> = BTreeSet::new();
    let mut has_leaf = false;
    for (fw_id, place) in places {
        projection.insert(format!("links.{fw_id}"), 1);
        has_leaf |= place.children.is_empty();
        for &child in &place.children {
            projection.insert(format!("parent_links.{child}"), 1);
            states.insert(child);
        }
    }
    if has_leaf {
        projection.insert("fw_states", 1);
    } else {
        projection.extend(states.iter().map(|child| (format!("fw_states.{child}"), Bson::Int32(1))));
    }
    projection
}

/// Everything about the graph of a workflow, and nothing of the user's.
pub fn whole() -> Document {
    doc! { "state": 1, "locked": 1, "links": 1, "parent_links": 1, "fw_states": 1 }
}

/// `_id` of a document.
pub fn object_id(document: &Document, place: &str) -> Result<ObjectId> {
    document.get_object_id("_id").map_err(|_| unreadable(place, "the _id of a workflow"))
}

/// A list in one of the maps of a workflow; none where the projection left it out.
fn list(document: &Document, map: &str, fw_id: FwId) -> Option<Vec<FwId>> {
    Some(int_list(Some(document.get_document(map).ok()?.get(fw_id.to_string())?)))
}

/// Children of a firework.
pub fn children_of(document: &Document, fw_id: FwId) -> Vec<FwId> {
    list(document, "links", fw_id).unwrap_or_default()
}

/// The cached state of a firework.
pub fn cached_state(document: &Document, fw_id: FwId) -> Option<State> {
    document.get_document("fw_states").ok()?.get_str(fw_id.to_string()).ok()?.parse().ok()
}

/// All cached states.
pub fn cached_states(document: &Document) -> BTreeMap<FwId, State> {
    let states = document.get_document("fw_states").into_iter().flatten();
    states.filter_map(|(fw_id, state)| Some((fw_id.parse().ok()?, state.as_str()?.parse().ok()?))).collect()
}

/// The graph around `subjects`, as far as the document shows it; none when it does not show all
/// that is needed, because the workflow has grown since its projection was made.
pub fn near(document: &Document, subjects: &[FwId]) -> Option<Graph> {
    let mut graph = Graph::default();
    for &fw_id in subjects {
        let mut node = Node::new(State::Running);
        node.children = list(document, "links", fw_id)?;
        for &child in &node.children {
            let mut below = Node::new(cached_state(document, child)?);
            below.parents = list(document, "parent_links", child)?;
            graph.insert(child, below);
        }
        graph.insert(fw_id, node);
    }
    Some(graph)
}

/// The whole graph, with the states of the cache.
pub fn far(document: &Document) -> Graph {
    let mut graph = Graph::default();
    for (fw_id, state) in cached_states(document) {
        let mut node = Node::new(state);
        node.children = children_of(document, fw_id);
        node.parents = list(document, "parent_links", fw_id).unwrap_or_default();
        graph.insert(fw_id, node);
    }
    graph
}

/// Parents whose states decide, and are not in the graph.
pub fn missing_parents(graph: &Graph) -> Vec<FwId> {
    let parents: BTreeSet<FwId> = graph.nodes.values().flat_map(|node| node.parents.iter().copied()).collect();
    parents.into_iter().filter(|parent| !graph.nodes.contains_key(parent)).collect()
}

/// Puts documents into a graph; their states are the true ones.
pub fn add_documents<'a>(graph: &mut Graph, fireworks: impl Iterator<Item = &'a Firework>) {
    for firework in fireworks {
        if let Some(node) = graph.nodes.get(&firework.fw_id) {
            let node = Node { state: firework.state, firework: Some(firework.clone()), ..node.clone() };
            graph.insert(firework.fw_id, node);
        }
    }
}

impl MongoStore {
    /// The state of a workflow from all its `fw_states`. Links and specs are looked at only where
    /// something has FIZZLED or is held.
    pub(super) fn derive_state(&self, workflow: &Document) -> Result<State> {
        self.state_of(object_id(workflow, &self.settings.place())?, &cached_states(workflow), &BTreeSet::new())
    }

    /// The same from states that are not cached yet, with links that are not written yet.
    pub(super) fn state_of(
        &self,
        workflow: ObjectId,
        states: &BTreeMap<FwId, State>,
        added: &BTreeSet<(FwId, FwId)>,
    ) -> Result<State> {
        let any = |wanted: State| states.values().any(|&state| state == wanted);
        let open = [State::Waiting, State::Ready, State::Reserved, State::Running].into_iter().any(any);
        let all_completed = states.values().all(|&state| state == State::Completed);
        if all_completed || (open && !any(State::Fizzled)) {
            // What has not begun or not ended has a leaf below it that has not completed.
            return Ok(workflow_state(Facts::of(states, |_| all_completed || open, |_| true)));
        }
        let links = self.workflows.find_one(doc! { "_id": workflow }).projection(doc! { "links": 1 });
        let document = self.ask(links.run())?.unwrap_or_default();
        let children = |fw_id: FwId| {
            let mut children = children_of(&document, fw_id);
            children.extend(added.range((fw_id, FwId::MIN)..=(fw_id, FwId::MAX)).map(|&(_, child)| child));
            children
        };
        let fizzled = states.iter().filter(|&(_, &state)| state == State::Fizzled).map(|(&fw_id, _)| fw_id);
        let strict = self.strict_children(&fizzled.flat_map(children).collect::<Vec<_>>())?;
        let is_leaf = |fw_id| children(fw_id).is_empty();
        let stops = |fw_id| children(fw_id).iter().any(|child| strict.contains(child));
        Ok(workflow_state(Facts::of(states, is_leaf, stops)))
    }

    /// Those of the fireworks that do not allow fizzled parents.
    fn strict_children(&self, fw_ids: &[FwId]) -> Result<BTreeSet<FwId>> {
        let flags = self
            .fireworks
            .find(doc! { "fw_id": { "$in": ints(fw_ids) }, "spec._allow_fizzled_parents": { "$exists": true } })
            .projection(doc! { "_id": 0, "fw_id": 1, "spec._allow_fizzled_parents": 1 });
        // What counts as true is Python's business, not MongoDB's.
        let is_set = |document: &Document| {
            document.get_document("spec").is_ok_and(|spec| spec.get("_allow_fizzled_parents").is_some_and(is_true))
        };
        let lenient: BTreeSet<FwId> = self
            .collect(flags.run())?
            .iter()
            .filter(|document| is_set(document))
            .filter_map(|document| document.get("fw_id").and_then(as_int))
            .collect();
        Ok(fw_ids.iter().copied().filter(|fw_id| !lenient.contains(fw_id)).collect())
    }
}
