//! The part of a workflow that a decision sees, and the difference that the decision makes.
//!
//! A store loads a [`Graph`], the verbs of [`super::decide`] change it, and [`Graph::changes`]
//! says what has to be written. A graph need not be whole: completing a firework needs its
//! children and the states of *their* parents, whatever the size of the workflow.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};

use super::firework::is_true;
use super::{Draft, Firework, FwAction, FwId, Launch, LaunchId, State, launch};

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
    /// Launches, where a decision looks at them.
    pub launches: BTreeMap<LaunchId, Launch>,
    /// What the launches of fireworks have put into the workflow, where a decision asks.
    pub spawned_by: BTreeMap<FwId, BTreeSet<FwId>>,
    /// States as they were loaded.
    before: BTreeMap<FwId, State>,
    /// The fireworks that are to be written, each with its place in the order.
    touched: BTreeMap<FwId, usize>,
    touches: usize,
    spawned: Vec<Spawn>,
    detached: Detached,
}

/// Fireworks that leave a workflow for one of their own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detached {
    /// Which, each with its children among them.
    pub members: BTreeMap<FwId, Vec<FwId>>,
    /// The links (parent, child) to those that stay.
    pub cut: BTreeSet<(FwId, FwId)>,
}

/// New fireworks that a launch, or a user, puts into the workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Spawn {
    /// The launch that asked for them; none for a user.
    pub launch_id: Option<LaunchId>,
    /// What they are.
    pub draft: Draft,
    /// Parents of their roots.
    pub parents: Vec<FwId>,
    /// Children of their leaves (a detour's).
    pub children: Vec<FwId>,
    /// The roots that may run at once, by local id.
    pub ready: BTreeSet<i64>,
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
    /// Fireworks that leave the workflow.
    pub detached: Detached,
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
        self.reachable(&[fw_id], |_| true)
    }

    /// What is below fireworks in such states, and not behind others; nearest first, each once.
    pub fn reachable(&self, from: &[FwId], through: impl Fn(State) -> bool) -> Vec<FwId> {
        let mut found = from.to_vec();
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
        found.split_off(from.len())
    }

    /// The firework, to be changed: it is written after all that were taken before it.
    pub(super) fn touch(&mut self, fw_id: FwId) -> Option<&mut Node> {
        let node = self.nodes.get_mut(&fw_id)?;
        self.touches += 1;
        self.touched.insert(fw_id, self.touches);
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

    /// Fireworks in such states, by id.
    pub(super) fn in_state(&self, which: impl Fn(State) -> bool) -> Vec<FwId> {
        self.nodes.iter().filter(|(_, node)| which(node.state)).map(|(&fw_id, _)| fw_id).collect()
    }

    /// All fireworks, every one after its parents.
    pub fn parents_first(&self) -> Vec<FwId> {
        let known = |node: &Node| node.parents.iter().filter(|parent| self.nodes.contains_key(parent)).count();
        let mut missing: BTreeMap<FwId, usize> = self.nodes.iter().map(|(&fw_id, node)| (fw_id, known(node))).collect();
        let mut order: Vec<FwId> = missing.iter().filter(|&(_, &count)| count == 0).map(|(&fw_id, _)| fw_id).collect();
        let mut next = 0;
        while let Some(&at) = order.get(next) {
            next += 1;
            for child in self.children(at) {
                if let Some(count) = missing.get_mut(&child) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        order.push(child);
                    }
                }
            }
        }
        order
    }

    /// The launch that a firework follows, where its launches are loaded.
    pub(super) fn representative(&self, fw_id: FwId) -> Option<Launch> {
        let firework = self.nodes.get(&fw_id)?.firework.as_ref()?;
        launch::representative(firework.launches.iter().filter_map(|id| self.launches.get(id))).cloned()
    }

    /// The launch of a firework that counts last, where its launches are loaded.
    pub(super) fn last_launch(&self, fw_id: FwId) -> Option<&Launch> {
        self.launches.get(self.nodes.get(&fw_id)?.firework.as_ref()?.launches.last()?)
    }

    /// What a COMPLETED firework has asked for, where its launches are loaded.
    pub(super) fn outcome(&self, fw_id: FwId) -> Option<FwAction> {
        let launch = self.representative(fw_id).filter(|launch| launch.state == State::Completed)?;
        FwAction::from_document(launch.action.as_ref()?).ok()
    }

    /// What the launches of a firework have put into the workflow.
    pub(super) fn spawned_by(&self, fw_id: FwId) -> impl Iterator<Item = FwId> + '_ {
        self.spawned_by.get(&fw_id).into_iter().flatten().copied()
    }

    /// Takes fireworks out of the workflow; links among them stay.
    pub(super) fn detach(&mut self, gone: &BTreeSet<FwId>) {
        for (&fw_id, node) in &mut self.nodes {
            let is_gone = gone.contains(&fw_id);
            let (parents, children) = (std::mem::take(&mut node.parents), std::mem::take(&mut node.children));
            let stays = |other: &FwId| gone.contains(other) == is_gone;
            let cut = &mut self.detached.cut;
            cut.extend(parents.iter().filter(|other| !stays(other)).map(|&parent| (parent, fw_id)));
            cut.extend(children.iter().filter(|other| !stays(other)).map(|&child| (fw_id, child)));
            node.parents = parents.into_iter().filter(stays).collect();
            node.children = children.into_iter().filter(stays).collect();
            if is_gone {
                self.detached.members.insert(fw_id, node.children.clone());
            }
        }
    }

    /// Whether a firework has been taken out.
    pub(super) fn is_detached(&self, fw_id: FwId) -> bool {
        self.detached.members.contains_key(&fw_id)
    }

    pub(super) fn spawn(&mut self, spawn: Spawn) {
        self.spawned.push(spawn);
    }

    /// What is to be added.
    pub fn spawned(&self) -> &[Spawn] {
        &self.spawned
    }

    /// New fireworks that may run although parents have FIZZLED: by position, with those parents.
    pub(super) fn bereaved_roots(&mut self) -> Vec<(usize, Vec<FwId>)> {
        let mut found = Vec::new();
        for position in 0..self.spawned.len() {
            let fizzled = |parent: &FwId| self.state(*parent) == Some(State::Fizzled);
            let parents: Vec<FwId> = self.spawned[position].parents.iter().copied().filter(fizzled).collect();
            if !parents.is_empty() && self.ready_roots(position).next().is_some() {
                found.push((position, parents));
            }
        }
        found
    }

    /// The specs of those fireworks.
    pub(super) fn ready_roots(&mut self, position: usize) -> impl Iterator<Item = &mut Document> {
        let Spawn { draft, ready, .. } = &mut self.spawned[position];
        draft
            .fireworks_mut()
            .filter(|root| ready.contains(&root.local_id))
            .map(|root| &mut root.spec)
            .filter(|spec| spec.get("_allow_fizzled_parents").is_some_and(is_true))
            .filter(|spec| !spec.contains_key(FIZZLED_PARENTS))
    }

    /// The difference between what was loaded and what the decisions left.
    pub fn changes(self) -> Changes {
        let Graph { nodes, before, touched, spawned, detached, .. } = self;
        let mut order: Vec<FwId> = touched.keys().copied().collect();
        order.sort_by_key(|fw_id| touched[fw_id]);
        let edits = order.iter().filter_map(|fw_id| {
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
        Changes { edits: edits.collect(), spawned, detached }
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
