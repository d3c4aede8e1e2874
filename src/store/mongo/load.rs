//! Reading what a decision needs of a locked workflow: as little as the cache allows, or everything.

use std::collections::{BTreeMap, BTreeSet};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};

use super::commands::ints;
use super::lock::{Locked, Run, Task};
use super::{MongoStore, view};
use crate::store::Result;
use crate::workflow::graph::{Graph, Node};
use crate::workflow::{Firework, FwAction, FwId, Launch, LaunchId, State, decide};

/// From so many states on, all of a workflow are read together.
const MANY: usize = 100;

/// One workflow on its way through.
pub struct Part<'l> {
    pub locked: &'l Locked,
    /// The launches that are applied.
    pub runs: Vec<&'l Run>,
    pub graph: Graph,
    /// Every state of the workflow, where they are all known.
    pub states: Option<BTreeMap<FwId, State>>,
    /// States that the cache has not, or others: a writer died, or a claim met a lock.
    pub uncached: BTreeMap<FwId, State>,
    /// Its state before.
    pub before: State,
}

/// A locked workflow, of which the whole graph is wanted.
pub struct Whole<'l> {
    pub locked: &'l Locked,
    pub runs: Vec<&'l Run>,
    /// As it was just read.
    pub document: Document,
    /// Whose documents are wanted, with those below them.
    pub subjects: Vec<FwId>,
    /// Those of all are.
    pub all: bool,
}

impl MongoStore {
    /// What the locks' projections show, with states and documents that only the fireworks have.
    pub(super) fn load_near<'l>(
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
    pub(super) fn with_launches(&self, fw_ids: &[FwId]) -> Result<Vec<(Firework, Vec<Launch>)>> {
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

    /// Adds the launches that these fireworks list, also those put away, as far as they are loaded.
    pub(super) fn add_launches(&self, graph: &mut Graph, fw_ids: &[FwId]) -> Result<()> {
        let loaded = fw_ids.iter().filter_map(|fw_id| graph.nodes.get(fw_id)?.firework.as_ref());
        let ids: Vec<LaunchId> =
            loaded.flat_map(|one| one.archived_launches.iter().chain(&one.launches).copied()).collect();
        if !ids.is_empty() {
            graph.launches.extend(self.launches_to_apply(&ids)?.into_iter().map(|launch| (launch.launch_id, launch)));
        }
        Ok(())
    }

    /// Adds what the launches of all fireworks of graphs have put into their workflows.
    pub(super) fn add_spawned<'g>(&self, graphs: impl IntoIterator<Item = &'g mut Graph>) -> Result<()> {
        let mut graphs: Vec<&mut Graph> = graphs.into_iter().collect();
        let nodes = graphs.iter().flat_map(|graph| &graph.nodes);
        let loaded: Vec<FwId> = nodes.filter(|(_, node)| node.firework.is_some()).map(|(&fw_id, _)| fw_id).collect();
        if loaded.is_empty() {
            return Ok(());
        }
        let spawning = doc! { "fw_id": { "$in": ints(&loaded) }, "state_history.spawned": { "$exists": true } };
        // The action would be read in vain.
        let found = self.launches.find(spawning).projection(doc! { "action": 0 });
        for launch in self.collect(found.run())?.iter().filter_map(Launch::from_document) {
            for graph in graphs.iter_mut().filter(|graph| graph.nodes.contains_key(&launch.fw_id)) {
                graph.spawned_by.entry(launch.fw_id).or_default().extend(launch.spawned().into_iter().flatten());
            }
        }
        Ok(())
    }

    /// Everything, from the documents. Leaves out the fireworks that no longer count their launch.
    pub(super) fn load_whole<'l>(
        &self,
        locked: &'l [Locked],
        launches: &BTreeMap<LaunchId, Launch>,
    ) -> Result<(Vec<Part<'l>>, BTreeSet<FwId>)> {
        let mut lost = BTreeSet::new();
        let mut parts = Vec::with_capacity(locked.len());
        for one in locked {
            let runs = runs_of(&one.task, launches);
            let actions: Vec<FwAction> = runs.iter().map(|run| action_of(&launches[&run.launch_id])).collect();
            let further: Vec<FwId> = actions.iter().flat_map(FwAction::further_parents).collect();
            let subjects: Vec<FwId> = runs.iter().map(|run| run.fw_id).chain(further.iter().copied()).collect();
            let all = actions.iter().any(|action| action.defuse_workflow);
            let mut part = self.whole_part(one, runs, &subjects, all)?;
            self.add_launches(&mut part.graph, &further)?;
            part.runs.retain(|run| {
                let firework = part.graph.nodes.get(&run.fw_id).and_then(|node| node.firework.as_ref());
                match firework.filter(|firework| firework.launches.contains(&run.launch_id)).map(|one| one.state) {
                    // Held while it ran: it stays so, but its launch counts.
                    Some(State::Running | State::Defused | State::Paused | State::Archived) => true,
                    // Done by somebody who took over our lock; or up to the workflow, by whom we took
                    // it from, or under a lock that a killed server forgot: then it does not know.
                    Some(state) if state.is_final() => {
                        let is_half_done = one.taken_over || part.uncached.contains_key(&run.fw_id);
                        is_half_done && state == launches[&run.launch_id].state
                    }
                    _ => {
                        lost.insert(run.fw_id);
                        false
                    }
                }
            });
            parts.push(part);
        }
        Ok((parts, lost))
    }

    /// The whole graph, with the documents of `subjects` and what is below them, or of `all`.
    pub(super) fn whole_part<'l>(
        &self,
        locked: &'l Locked,
        runs: Vec<&'l Run>,
        subjects: &[FwId],
        all: bool,
    ) -> Result<Part<'l>> {
        let found = self.workflows.find_one(doc! { "_id": locked.workflow }).projection(view::whole());
        let document = self.ask(found.run())?.unwrap_or_default();
        let whole = Whole { locked, runs, document, subjects: subjects.to_vec(), all };
        Ok(self.whole_parts(vec![whole])?.swap_remove(0))
    }

    /// The same of several, in one command.
    pub(super) fn whole_parts<'l>(&self, wanted: Vec<Whole<'l>>) -> Result<Vec<Part<'l>>> {
        let mut affected = BTreeSet::new();
        let mut graphs = Vec::with_capacity(wanted.len());
        for one in &wanted {
            let graph = view::far(&one.document);
            affected.extend(&one.subjects);
            if one.all {
                affected.extend(graph.nodes.keys());
            } else {
                affected.extend(one.subjects.iter().flat_map(|&fw_id| graph.descendants(fw_id)));
            }
            graphs.push(graph);
        }
        let fireworks = self.fireworks_by_id(&affected.into_iter().collect::<Vec<_>>())?;
        let part = |(one, mut graph): (Whole<'l>, Graph)| {
            let Whole { locked, runs, document, .. } = one;
            view::add_documents(&mut graph, fireworks.iter());
            let states = graph.nodes.iter().map(|(&fw_id, node)| (fw_id, node.state)).collect();
            let loaded = graph.nodes.iter().filter(|(_, node)| node.firework.is_some());
            let uncached = loaded
                .map(|(&fw_id, node)| (fw_id, node.state))
                .filter(|&(fw_id, state)| view::cached_state(&document, fw_id) != Some(state))
                .collect();
            Part { locked, runs, graph, states: Some(states), uncached, before: state_before(&document) }
        };
        Ok(wanted.into_iter().zip(graphs).map(part).collect())
    }
}

/// The launches of a lock's task that have ended.
pub fn runs_of<'l>(task: &'l Task, launches: &BTreeMap<LaunchId, Launch>) -> Vec<&'l Run> {
    match task {
        Task::Outcomes(runs) => runs.iter().filter(|run| launches.contains_key(&run.launch_id)).collect(),
        Task::Verb(..) | Task::Append(..) | Task::Correct | Task::Delete(_) => Vec::new(),
    }
}

fn state_before(document: &Document) -> State {
    document.get_str("state").ok().and_then(|state| state.parse().ok()).unwrap_or(State::Running)
}

pub fn action_of(launch: &Launch) -> FwAction {
    launch.action.as_ref().and_then(|action| FwAction::from_document(action).ok()).unwrap_or_default()
}
