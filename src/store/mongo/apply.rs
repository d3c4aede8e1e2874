//! What is done under the lock of a workflow: decide, write the fireworks, write the workflow.
//!
//! A first attempt trusts the cached states and reads as little as it can. When a firework is not
//! as the cache said, the bulk stops there; then everything is read and decided again, from the
//! documents. What the first attempt has written is seen and not written twice.

use std::collections::{BTreeMap, BTreeSet};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::commands::{Journal, expect, ints, update};
use super::insert::Numbered;
use super::lock::{Locked, Run, Task};
use super::{MongoStore, view};
use crate::store::{Result, Verb};
use crate::workflow::draft::number_together;
use crate::workflow::firework::APPLIED;
use crate::workflow::graph::{Changes, Edit, Graph, Node, SpecEdit};
use crate::workflow::workflow_state::after_inner_step;
use crate::workflow::{Firework, FwAction, FwId, Launch, LaunchId, State, decide, int, time};

/// From so many states on, all of a workflow are read together.
const MANY: usize = 100;

/// How much is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// What the lock's projection brought, and documents only where specs change.
    Near,
    /// The whole graph, and the documents of all that may change.
    Whole,
}

/// One workflow on its way through.
struct Part<'l> {
    locked: &'l Locked,
    /// The launches that are applied.
    runs: Vec<&'l Run>,
    graph: Graph,
    /// Every state of the workflow, where they are all known.
    states: Option<BTreeMap<FwId, State>>,
    /// States that the cache has not, or others: a writer died, or a claim met a lock.
    uncached: BTreeMap<FwId, State>,
    /// Its state before.
    before: State,
}

/// What will be written of one workflow.
struct Decided<'l> {
    part: Part<'l>,
    changes: Changes,
    /// Fireworks whose launch must still count when they are written.
    fenced: BTreeMap<FwId, LaunchId>,
    /// The state of the workflow, where the whole rule is not needed.
    inner_state: Option<State>,
}

impl MongoStore {
    /// Applies ended launches to workflows that we have locked, and unlocks them. Returns the
    /// launches that their fireworks no longer count.
    pub(super) fn apply(
        &self,
        locked: Vec<Locked>,
        launches: &BTreeMap<LaunchId, Launch>,
        now: Timestamp,
    ) -> Result<BTreeSet<LaunchId>> {
        let far =
            |launch: &Launch| launch.action.as_ref().is_none_or(|action| action.get_bool("propagate").unwrap_or(false));
        let mut scope = if launches.values().any(far) { Scope::Whole } else { Scope::Near };
        loop {
            let (parts, lost) = match scope {
                Scope::Near => match self.load_near(&locked, launches)? {
                    Some(parts) => (parts, BTreeSet::new()),
                    None => {
                        scope = Scope::Whole;
                        continue;
                    }
                },
                Scope::Whole => self.load_whole(&locked, launches)?,
            };
            let mut decided = Vec::with_capacity(parts.len());
            for part in parts {
                decided.push(self.decide_part(part, launches, now)?);
            }
            if self.write(&decided, now)? {
                return Ok(lost);
            }
            scope = Scope::Whole;
        }
    }

    /// Does again what the dead holder of a lock was doing, and unlocks.
    pub(super) fn repeat(&self, locked: Locked, now: Timestamp) -> Result<()> {
        match locked.task.clone() {
            Task::Outcomes(runs) => {
                let launches = self.ended_launches(&runs)?;
                self.apply(vec![locked], &launches, now)?;
            }
            Task::Verb(verb, fw_id) => {
                if let Err(error) = self.apply_verb(locked, verb, fw_id, now) {
                    // It could not be done then, and cannot now.
                    tracing::warn!("{}: {error}", verb.as_str());
                }
            }
        }
        Ok(())
    }

    /// Changes a workflow that we have locked as a user asks, and unlocks it.
    pub(super) fn apply_verb(&self, locked: Locked, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>> {
        loop {
            let mut part = self.whole_part(&locked, Vec::new(), &[fw_id])?;
            if let Err(refusal) = verb.decide(&mut part.graph, fw_id) {
                self.unlock(&locked)?;
                return Err(refusal.into());
            }
            decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
            let changes = std::mem::take(&mut part.graph).changes();
            // The fence first: a launch that has ended can no longer report.
            let put_away: BTreeSet<FwId> =
                changes.edits.iter().filter(|edit| edit.archive.is_some()).map(|edit| edit.fw_id).collect();
            let running = self.fireworks_by_id(&put_away.into_iter().collect::<Vec<_>>())?;
            let running: Vec<LaunchId> = running.into_iter().flat_map(|firework| firework.launches).collect();
            self.end_launches(&running, verb.as_str(), now)?;
            let changed = changes.edits.iter().map(|edit| edit.fw_id).collect();
            let decided = Decided { part, changes, fenced: BTreeMap::new(), inner_state: None };
            if self.write(&[decided], now)? {
                return Ok(changed);
            }
        }
    }

    /// What the locks' projections show, with states and documents that only the fireworks have.
    fn load_near<'l>(
        &self,
        locked: &'l [Locked],
        launches: &BTreeMap<LaunchId, Launch>,
    ) -> Result<Option<Vec<Part<'l>>>> {
        let mut parts = Vec::with_capacity(locked.len());
        let mut wanted_states = Vec::new();
        let mut wanted_documents = Vec::new();
        for one in locked {
            let runs = runs_of(&one.task, launches);
            let subjects: Vec<FwId> = runs.iter().map(|run| run.fw_id).collect();
            let Some(mut graph) = view::near(&one.document, &subjects) else { return Ok(None) };
            let has_leaf = subjects.iter().any(|&fw_id| graph.children(fw_id).is_empty());
            let states = has_leaf.then(|| view::cached_states(&one.document));
            for parent in view::missing_parents(&graph) {
                match states.as_ref().and_then(|states| states.get(&parent)) {
                    Some(&state) => graph.insert(parent, Node::new(state)),
                    None => wanted_states.push(parent),
                }
            }
            for run in &runs {
                let launch = &launches[&run.launch_id];
                let action = action_of(launch);
                if decide::needs_documents(launch.state, &action) {
                    wanted_documents.extend(graph.children(run.fw_id));
                }
                if action.spawns() {
                    wanted_documents.push(run.fw_id);
                }
            }
            let before = state_before(&one.document);
            parts.push(Part { locked: one, runs, graph, states, uncached: BTreeMap::new(), before });
        }
        if !wanted_states.is_empty() || !wanted_documents.is_empty() {
            let ids: Vec<ObjectId> = locked.iter().map(|one| one.workflow).collect();
            let (states, fireworks) = self.read_neighbours(&ids, &wanted_states, &wanted_documents)?;
            for part in &mut parts {
                for parent in view::missing_parents(&part.graph) {
                    let Some(&state) = states.get(&parent) else { return Ok(None) };
                    part.graph.insert(parent, Node::new(state));
                }
                view::add_documents(&mut part.graph, fireworks.iter());
            }
        }
        // What a launch spawns is stored before the bulk can find out that it no longer counts.
        let begun = |node: &Node| node.firework.is_none() || node.state == State::Running;
        if parts.iter().any(|part| part.runs.iter().any(|run| !begun(&part.graph.nodes[&run.fw_id]))) {
            return Ok(None);
        }
        self.read_lenience(&mut parts)?;
        Ok(Some(parts))
    }

    /// Documents of the children that other parents have failed, as far as they are missing.
    fn read_lenience(&self, parts: &mut [Part<'_>]) -> Result<()> {
        let mut missing = Vec::new();
        for part in parts.iter() {
            for run in part.runs.iter().filter(|run| decide::lenience_matters(&part.graph, run.fw_id)) {
                let children = part.graph.children(run.fw_id).into_iter();
                missing.extend(children.filter(|child| part.graph.nodes[child].firework.is_none()));
            }
        }
        let fireworks = self.fireworks_by_id(&missing)?;
        for part in parts {
            view::add_documents(&mut part.graph, fireworks.iter());
        }
        Ok(())
    }

    /// Fireworks with all their launches.
    fn with_launches(&self, fw_ids: &[FwId]) -> Result<Vec<(Firework, Vec<Launch>)>> {
        let mut found = Vec::with_capacity(fw_ids.len());
        for firework in self.fireworks_by_id(fw_ids)? {
            let launches = self.search_launches(&[&firework.launches[..], &firework.archived_launches].concat())?;
            found.push((firework, launches));
        }
        Ok(found)
    }

    /// States from the workflows and documents of fireworks, in one command.
    fn read_neighbours(
        &self,
        workflows: &[ObjectId],
        states: &[FwId],
        documents: &[FwId],
    ) -> Result<(BTreeMap<FwId, State>, Vec<Firework>)> {
        if states.is_empty() {
            return Ok((BTreeMap::new(), self.fireworks_by_id(documents)?));
        }
        let mut projection = doc! { "_id": 0 };
        if states.len() > MANY {
            // A wide join: naming the parents one by one would cost more than all the states.
            projection.insert("fw_states", 1);
        } else {
            projection.extend(states.iter().map(|fw_id| (format!("fw_states.{fw_id}"), Bson::Int32(1))));
        }
        let mut pipeline =
            vec![doc! { "$match": { "_id": { "$in": workflows.to_vec() } } }, doc! { "$project": projection }];
        if !documents.is_empty() {
            let fireworks = doc! { "$match": { "fw_id": { "$in": ints(documents) } } };
            pipeline.push(doc! { "$unionWith": { "coll": "fireworks", "pipeline": [fireworks] } });
        }
        let mut found_states = BTreeMap::new();
        let mut found = Vec::new();
        for document in self.collect(self.workflows.aggregate(pipeline).run())? {
            if document.contains_key("fw_id") {
                found.push(Firework::from_document(&document)?);
            } else {
                found_states.extend(view::cached_states(&document));
            }
        }
        Ok((found_states, found))
    }

    /// Everything, from the documents. Leaves out the launches that no longer count.
    fn load_whole<'l>(
        &self,
        locked: &'l [Locked],
        launches: &BTreeMap<LaunchId, Launch>,
    ) -> Result<(Vec<Part<'l>>, BTreeSet<LaunchId>)> {
        let mut lost = BTreeSet::new();
        let mut parts = Vec::with_capacity(locked.len());
        for one in locked {
            let runs = runs_of(&one.task, launches);
            let subjects: Vec<FwId> = runs.iter().map(|run| run.fw_id).collect();
            let mut part = self.whole_part(one, runs, &subjects)?;
            part.runs.retain(|run| {
                let firework = part.graph.nodes.get(&run.fw_id).and_then(|node| node.firework.as_ref());
                match firework.filter(|firework| firework.launches.contains(&run.launch_id)).map(|one| one.state) {
                    Some(State::Running) => true,
                    // Done by somebody who took over our lock; or by whom we took it from, up to
                    // the workflow.
                    Some(state) if state.is_final() => one.taken_over && state == launches[&run.launch_id].state,
                    _ => {
                        lost.insert(run.launch_id);
                        false
                    }
                }
            });
            parts.push(part);
        }
        Ok((parts, lost))
    }

    fn whole_part<'l>(&self, locked: &'l Locked, runs: Vec<&'l Run>, subjects: &[FwId]) -> Result<Part<'l>> {
        let found = self.workflows.find_one(doc! { "_id": locked.workflow }).projection(view::whole());
        let document = self.ask(found.run())?.unwrap_or_default();
        let mut graph = view::far(&document);
        let mut affected: BTreeSet<FwId> = subjects.iter().copied().collect();
        for &fw_id in subjects {
            affected.extend(graph.descendants(fw_id));
        }
        let fireworks = self.fireworks_by_id(&affected.into_iter().collect::<Vec<_>>())?;
        view::add_documents(&mut graph, fireworks.iter());
        let states = graph.nodes.iter().map(|(&fw_id, node)| (fw_id, node.state)).collect();
        let loaded = graph.nodes.iter().filter(|(_, node)| node.firework.is_some());
        let uncached = loaded
            .map(|(&fw_id, node)| (fw_id, node.state))
            .filter(|&(fw_id, state)| view::cached_state(&document, fw_id) != Some(state))
            .collect();
        Ok(Part { locked, runs, graph, states: Some(states), uncached, before: state_before(&document) })
    }

    /// Decides what the runs change, one after the other: the second sees what the first did.
    fn decide_part<'l>(
        &self,
        mut part: Part<'l>,
        launches: &BTreeMap<LaunchId, Launch>,
        now: Timestamp,
    ) -> Result<Decided<'l>> {
        let mut fenced = BTreeMap::new();
        let mut inner = part.before;
        for run in &part.runs {
            let launch = &launches[&run.launch_id];
            let mut graph = part.graph.clone();
            let outcome = match &launch.action {
                None => decide::give_back(&mut graph, run.fw_id),
                Some(_) => decide::finish(&mut graph, run.fw_id, run.launch_id, launch.state, &action_of(launch)),
            };
            match outcome {
                Ok(()) => part.graph = graph,
                Err(refusal) if launch.action.is_some() => {
                    tracing::error!("fw_id {}: its outcome cannot be applied: {refusal}", run.fw_id);
                    // Only an unknown firework is refused here, and this one is in the graph.
                    let _ = decide::reject(&mut part.graph, run.fw_id);
                }
                // Given back already.
                Err(_) => {}
            }
            fenced.insert(run.fw_id, run.launch_id);
            let ended = part.graph.state(run.fw_id).unwrap_or(launch.state);
            let stops = part.graph.children(run.fw_id).iter().any(|child| {
                let child = part.graph.nodes.get(child).and_then(|node| node.firework.as_ref());
                !child.is_some_and(Firework::allows_fizzled_parents)
            });
            inner = after_inner_step(inner, ended, stops);
        }
        decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
        let changes = std::mem::take(&mut part.graph).changes();
        if changes.edits.iter().any(|edit| edit.to == State::Defused) {
            inner = State::Defused;
        }
        let inner_state = part.states.is_none().then_some(inner);
        Ok(Decided { part, changes, fenced, inner_state })
    }

    /// Writes everything and unlocks. `false` when a firework was not as expected: then the
    /// workflows are still locked.
    fn write(&self, decided: &[Decided<'_>], now: Timestamp) -> Result<bool> {
        let mut numbered = Vec::with_capacity(decided.len());
        for one in decided {
            numbered.push(self.number_spawned(one, now)?);
        }
        self.insert_spawned(numbered.iter().flatten())?;
        let statements = decided.iter().flat_map(|one| firework_statements(one, now)).collect();
        if self.bulk("fireworks", statements, Journal::No)?.stopped_at.is_some() {
            return Ok(false);
        }
        let mut statements = Vec::with_capacity(decided.len());
        for (one, spawned) in decided.iter().zip(&numbered) {
            statements.push(self.workflow_statement(one, spawned, now)?);
        }
        self.bulk("workflows", statements, Journal::No)?;
        for (one, spawned) in decided.iter().zip(&numbered).filter(|(_, spawned)| !spawned.is_empty()) {
            // Only now that the workflow knows them may anybody claim them.
            self.free_roots(&spawned.iter().flat_map(Numbered::free_roots).collect::<Vec<_>>(), now)?;
            self.unlock(one.part.locked)?;
        }
        Ok(true)
    }

    /// Spawned fireworks with the ids that the lock records.
    fn number_spawned<'d>(&self, one: &'d Decided<'_>, now: Timestamp) -> Result<Vec<Numbered<'d>>> {
        let mut numbered = Vec::new();
        for spawns in one.changes.spawned.chunk_by(|a, b| a.launch_id == b.launch_id) {
            let drafts = || spawns.iter().map(|spawn| &spawn.draft);
            let recorded = one.part.runs.iter().find(|run| run.launch_id == spawns[0].launch_id);
            let first = match recorded.and_then(|run| run.spawned) {
                Some(first) => first,
                None => self.take_ids("next_fw_id", drafts().map(|draft| draft.fireworks().len()).sum())?,
            };
            let ids = number_together(drafts(), first);
            numbered.extend(drafts().zip(ids).map(|(draft, ids)| Numbered { draft, ids, born: now }));
        }
        Ok(numbered)
    }

    /// Inserts fireworks that may be there already, from an earlier attempt.
    fn insert_spawned<'n>(&self, spawned: impl Iterator<Item = &'n Numbered<'n>>) -> Result<()> {
        let statements = spawned.flat_map(|numbered| {
            numbered.fireworks().map(|firework| {
                let mut document = firework.to_document();
                let fw_id = document.remove("fw_id");
                doc! { "q": { "fw_id": fw_id }, "u": { "$setOnInsert": document }, "upsert": true }
            })
        });
        self.bulk("fireworks", statements.collect(), Journal::No)?;
        Ok(())
    }

    /// The one line of the workflow; it also unlocks, unless new roots have to be freed first.
    fn workflow_statement(&self, one: &Decided<'_>, spawned: &[Numbered<'_>], now: Timestamp) -> Result<Document> {
        let mut states = one.part.uncached.clone();
        states.extend(one.changes.edits.iter().map(|edit| (edit.fw_id, edit.to)));
        states.extend(one.part.runs.iter().filter_map(|run| Some((run.fw_id, one.settled_state(run.fw_id)?))));
        states.extend(spawned.iter().flat_map(Numbered::states));
        let state = match (&one.inner_state, &one.part.states) {
            (Some(state), None) => *state,
            (_, known) => {
                let mut all = known.clone().unwrap_or_default();
                all.extend(states.clone());
                self.state_of(one.part.locked.workflow, &all)?
            }
        };
        let mut set: Document =
            states.iter().map(|(fw_id, state)| (format!("fw_states.{fw_id}"), state.as_str().into())).collect();
        set.insert("state", state.as_str());
        set.insert("updated_on", time::to_bson_date(now));
        let mut change = doc! {};
        link_spawned(one, spawned, &mut set, &mut change);
        change.insert("$set", set);
        if spawned.is_empty() {
            change.insert("$unset", doc! { "locked": "" });
        }
        let held = doc! { "_id": one.part.locked.workflow, "locked.owner": &one.part.locked.owner };
        Ok(update(held, change))
    }
}

impl Decided<'_> {
    /// The state of a firework that needed no edit any more, for the cache.
    fn settled_state(&self, fw_id: FwId) -> Option<State> {
        self.part.states.as_ref().and_then(|states| states.get(&fw_id)).copied().filter(|state| state.is_final())
    }
}

/// The launches of a lock's task that have ended.
fn runs_of<'l>(task: &'l Task, launches: &BTreeMap<LaunchId, Launch>) -> Vec<&'l Run> {
    match task {
        Task::Outcomes(runs) => runs.iter().filter(|run| launches.contains_key(&run.launch_id)).collect(),
        Task::Verb(..) => Vec::new(),
    }
}

fn state_before(document: &Document) -> State {
    document.get_str("state").ok().and_then(|state| state.parse().ok()).unwrap_or(State::Running)
}

fn action_of(launch: &Launch) -> FwAction {
    launch.action.as_ref().and_then(|action| FwAction::from_document(action).ok()).unwrap_or_default()
}

/// The bulk on `fireworks` for one workflow.
fn firework_statements(one: &Decided<'_>, now: Timestamp) -> Vec<Document> {
    let edits = &one.changes.edits;
    let counted = |fw_id: FwId, launch_id: LaunchId| {
        doc! { "fw_id": int(fw_id), "state": State::Running.as_str(), "launches": int(launch_id) }
    };
    let mut statements = Vec::with_capacity(edits.len() + 2);
    let others = edits.iter().any(|edit| !one.fenced.contains_key(&edit.fw_id));
    if others {
        // Before any child changes, the launches must still count.
        for edit in edits {
            if let Some(&launch_id) = one.fenced.get(&edit.fw_id) {
                statements.push(expect(counted(edit.fw_id, launch_id), doc! { "$set": { "fw_id": int(edit.fw_id) } }));
            }
        }
    }
    for edit in edits {
        let mut filter = match one.fenced.get(&edit.fw_id) {
            Some(&launch_id) => counted(edit.fw_id, launch_id),
            None => doc! { "fw_id": int(edit.fw_id), "state": edit.from.as_str() },
        };
        if let Some(spec) = &edit.spec {
            filter.insert("updated_on", spec.read_at.clone());
        }
        statements.push(expect(filter, firework_update(edit, now)));
    }
    for edit in edits {
        if edit.spec.as_ref().is_some_and(|spec| !spec.mark.is_empty()) {
            statements.push(update(doc! { "fw_id": int(edit.fw_id) }, doc! { "$unset": { APPLIED: "" } }));
        }
    }
    statements
}

fn firework_update(edit: &Edit, now: Timestamp) -> Document {
    let mut set = doc! { "state": edit.to.as_str(), "updated_on": time::to_iso(now) };
    let mut unset = Document::new();
    let mut change = Document::new();
    if let Some(spec) = &edit.spec {
        set_spec(spec, &mut set, &mut unset);
        if !spec.mark.is_empty() {
            change.insert("$addToSet", doc! { APPLIED: { "$each": ints(&spec.mark) } });
        }
    }
    if let Some(archive) = &edit.archive {
        set.insert("launches", Bson::Array(Vec::new()));
        set.insert("archived_launches", ints(archive));
        unset.insert("spec._recovery", "");
    }
    change.insert("$set", set);
    if !unset.is_empty() {
        change.insert("$unset", unset);
    }
    change
}

/// Key by key, so that a change of another key by somebody else survives; as a whole only where
/// MongoDB could not address a key, or would put the keys into another order.
fn set_spec(spec: &SpecEdit, set: &mut Document, unset: &mut Document) {
    let addressable = |key: &String| !key.is_empty() && !key.contains('.') && !key.starts_with('$');
    if spec.alphabetical && spec.set.keys().chain(&spec.unset).all(addressable) {
        set.extend(spec.set.iter().map(|(key, value)| (format!("spec.{key}"), value.clone())));
        unset.extend(spec.unset.iter().map(|key| (format!("spec.{key}"), Bson::from(""))));
    } else {
        set.insert("spec", spec.whole.clone());
    }
}

/// Puts new fireworks into the maps of the workflow.
fn link_spawned(one: &Decided<'_>, spawned: &[Numbered<'_>], set: &mut Document, change: &mut Document) {
    let mut grow: BTreeMap<String, BTreeSet<FwId>> = BTreeMap::new();
    let mut fresh: BTreeMap<String, BTreeSet<FwId>> = BTreeMap::new();
    let new: BTreeSet<FwId> = spawned.iter().flat_map(|numbered| numbered.ids.values().copied()).collect();
    for (spawn, numbered) in one.changes.spawned.iter().zip(spawned) {
        for &fw_id in numbered.ids.values() {
            grow.entry("nodes".into()).or_default().insert(fw_id);
            fresh.entry(format!("links.{fw_id}")).or_default();
        }
        for (parent, child) in numbered.links() {
            fresh.entry(format!("links.{parent}")).or_default().insert(child);
            fresh.entry(format!("parent_links.{child}")).or_default().insert(parent);
        }
        for &parent in &spawn.parents {
            for root in numbered.roots() {
                grow.entry(format!("links.{parent}")).or_default().insert(root);
                fresh.entry(format!("parent_links.{root}")).or_default().insert(parent);
            }
        }
        // Where the workflow knows them already, they are children of their parent themselves.
        for &child in spawn.children.iter().filter(|child| !new.contains(child)) {
            for leaf in numbered.leaves() {
                fresh.entry(format!("links.{leaf}")).or_default().insert(child);
                grow.entry(format!("parent_links.{child}")).or_default().insert(leaf);
            }
        }
    }
    let list = |ids: BTreeSet<FwId>| ints(&ids.into_iter().collect::<Vec<_>>());
    set.extend(fresh.into_iter().map(|(key, ids)| (key, Bson::Array(list(ids)))));
    if !grow.is_empty() {
        let each: Document = grow.into_iter().map(|(key, ids)| (key, doc! { "$each": list(ids) }.into())).collect();
        change.insert("$addToSet", each);
    }
}
