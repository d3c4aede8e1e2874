//! The part of a workflow that a decision sees, and the difference that the decision makes.
//!
//! A store loads a [`Graph`], the verbs of [`super::decide`] change it, and [`Graph::changes`]
//! says what has to be written. A graph need not be whole: completing a firework needs its
//! children and the states of *their* parents, whatever the size of the workflow.

use std::collections::BTreeMap;

use bson::{Bson, Document};

use super::{Draft, Firework, FwId, LaunchId, State};

/// Where a spec shows the parents that have FIZZLED.
pub const FIZZLED_PARENTS: &str = "_fizzled_parents";

/// One firework as far as it is known.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its state.
    pub state: State,
    /// Its parents; empty also where they do not matter.
    pub parents: Vec<FwId>,
    /// Its children; empty also where they do not matter.
    pub children: Vec<FwId>,
    /// Its document, when it has been loaded.
    pub firework: Option<Firework>,
    /// Launches whose spec changes are already in the document but may be asked for again.
    pub applied: Vec<LaunchId>,
    /// Its launches are put away.
    pub archive_launches: bool,
    /// The spec as the decision leaves it, when it changes.
    pub new_spec: Option<Document>,
}

impl Node {
    /// A firework of which only the state is known.
    pub fn new(state: State) -> Self {
        Node {
            state,
            parents: Vec::new(),
            children: Vec::new(),
            firework: None,
            applied: Vec::new(),
            archive_launches: false,
            new_spec: None,
        }
    }

    /// Its spec as the decisions so far leave it.
    pub fn spec(&self) -> Option<&Document> {
        self.new_spec.as_ref().or(self.firework.as_ref().map(|firework| &firework.spec))
    }
}

/// A workflow, or the part of it that matters.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// What is known, by id.
    pub nodes: BTreeMap<FwId, Node>,
    /// States as they were loaded.
    before: BTreeMap<FwId, State>,
    /// Fireworks in the order in which they are to be written.
    touched: Vec<FwId>,
    spawned: Vec<Spawn>,
}

/// New fireworks that a launch puts into the workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Spawn {
    /// The launch that asked for them.
    pub launch_id: LaunchId,
    /// What they are.
    pub draft: Draft,
    /// Parents of their roots.
    pub parents: Vec<FwId>,
    /// Children of their leaves (a detour's).
    pub children: Vec<FwId>,
}

/// What changes in one firework.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Which.
    pub fw_id: FwId,
    /// The state it was seen in; in another one the edit does not apply.
    pub from: State,
    /// The state it gets.
    pub to: State,
    /// The change of its spec.
    pub spec: Option<SpecEdit>,
    /// Its launches are put away: what `archived_launches` becomes.
    pub archive: Option<Vec<LaunchId>>,
}

/// What changes in a spec.
#[derive(Debug, Clone, PartialEq)]
pub struct SpecEdit {
    /// `updated_on` as read: with another one the edit was computed from an old spec.
    pub read_at: Bson,
    /// Top-level keys that get another value.
    pub set: Document,
    /// Top-level keys that go.
    pub unset: Vec<String>,
    /// The whole spec, for keys that cannot be addressed one by one.
    pub whole: Document,
    /// Whether the keys keep their order when those that are new are appended alphabetically, as
    /// MongoDB does with keys that are set one by one. FireWorks compares specs with their order.
    pub alphabetical: bool,
    /// Launches to be remembered as applied, since applying them again would be wrong.
    pub mark: Vec<LaunchId>,
}

/// What a decision writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Edits in the order in which they are to be written: what a decision acts upon comes last,
    /// so that a half-written decision can be seen and repeated.
    pub edits: Vec<Edit>,
    /// New fireworks.
    pub spawned: Vec<Spawn>,
}

impl Graph {
    /// Adds what has been loaded of a firework.
    pub fn insert(&mut self, fw_id: FwId, mut node: Node) {
        if let Some(firework) = &node.firework {
            node.applied.clone_from(&firework.applied);
        }
        self.before.insert(fw_id, node.state);
        self.nodes.insert(fw_id, node);
    }

    /// State of a firework; one that is not known blocks nothing and allows nothing.
    pub fn state(&self, fw_id: FwId) -> Option<State> {
        self.nodes.get(&fw_id).map(|node| node.state)
    }

    /// Children of a firework.
    pub fn children(&self, fw_id: FwId) -> Vec<FwId> {
        self.nodes.get(&fw_id).map(|node| node.children.clone()).unwrap_or_default()
    }

    /// Everything below a firework, nearest first, each once.
    pub fn descendants(&self, fw_id: FwId) -> Vec<FwId> {
        self.reachable(fw_id, |_| true)
    }

    /// What is below a firework in such states, and not behind others; nearest first, each once.
    pub fn reachable(&self, fw_id: FwId, through: impl Fn(State) -> bool) -> Vec<FwId> {
        let mut found = vec![fw_id];
        let mut seen: std::collections::BTreeSet<FwId> = found.iter().copied().collect();
        let mut next = 0;
        while let Some(&at) = found.get(next) {
            next += 1;
            for child in self.children(at) {
                // One that is not loaded is named all the same: the store may load it next.
                if self.state(child).is_none_or(&through) && seen.insert(child) {
                    found.push(child);
                }
            }
        }
        found.split_off(1)
    }

    /// The firework, to be changed: it is written after all that were taken before it.
    pub(super) fn touch(&mut self, fw_id: FwId) -> Option<&mut Node> {
        let node = self.nodes.get_mut(&fw_id)?;
        self.touched.retain(|&id| id != fw_id);
        self.touched.push(fw_id);
        Some(node)
    }

    /// Fireworks that become READY although parents have FIZZLED, and have not been shown any yet;
    /// with those parents.
    pub(super) fn bereaved(&self) -> Vec<(FwId, Vec<FwId>)> {
        let mut found = Vec::new();
        for (&fw_id, node) in &self.nodes {
            let freed = node.state == State::Ready && self.before.get(&fw_id) != Some(&State::Ready);
            if freed && node.spec().is_some_and(|spec| !spec.contains_key(FIZZLED_PARENTS)) {
                let fizzled = |parent: &FwId| self.state(*parent) == Some(State::Fizzled);
                let parents: Vec<FwId> = node.parents.iter().copied().filter(fizzled).collect();
                if !parents.is_empty() {
                    found.push((fw_id, parents));
                }
            }
        }
        found
    }

    pub(super) fn spawn(&mut self, spawn: Spawn) {
        self.spawned.push(spawn);
    }

    /// The difference between what was loaded and what the decisions left.
    pub fn changes(self) -> Changes {
        let Graph { nodes, before, touched, spawned } = self;
        let edits = touched.iter().filter_map(|fw_id| {
            let node = nodes.get(fw_id)?;
            let from = *before.get(fw_id)?;
            let edit = Edit {
                fw_id: *fw_id,
                from,
                to: node.state,
                spec: spec_edit(node),
                archive: node.archive_launches.then(|| archived(node)),
            };
            (edit.from != edit.to || edit.spec.is_some() || edit.archive.is_some()).then_some(edit)
        });
        Changes { edits: edits.collect(), spawned }
    }
}

fn archived(node: &Node) -> Vec<LaunchId> {
    let firework = node.firework.iter();
    firework.flat_map(|firework| firework.archived_launches.iter().chain(&firework.launches)).copied().collect()
}

fn spec_edit(node: &Node) -> Option<SpecEdit> {
    let (firework, new) = (node.firework.as_ref()?, node.new_spec.as_ref()?);
    let old = &firework.spec;
    let mark: Vec<LaunchId> = node.applied.iter().copied().filter(|id| !firework.applied.contains(id)).collect();
    let set: Document = new
        .iter()
        .filter(|(key, value)| old.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let unset: Vec<String> = old.keys().filter(|key| !new.contains_key(*key)).cloned().collect();
    if set.is_empty() && unset.is_empty() && mark.is_empty() {
        return None;
    }
    let mut appended: Vec<&String> = new.keys().filter(|key| !old.contains_key(*key)).collect();
    appended.sort_unstable();
    // Numbers have an order of their own.
    let numbers = appended.len() > 1 && appended.iter().any(|key| key.starts_with(|c: char| c.is_ascii_digit()));
    let alphabetical = !numbers && old.keys().filter(|key| new.contains_key(*key)).chain(appended).eq(new.keys());
    Some(SpecEdit { read_at: firework.updated_on.clone(), set, unset, whole: new.clone(), alphabetical, mark })
}
