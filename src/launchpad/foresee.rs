//! What a verb would change, before it does: it is decided as it will be, on what is there now, and
//! nothing is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use bson::{Bson, Document, doc};

use super::LaunchpadError;
use super::cancel::active;
use super::steer::duplicates;
use crate::store::{Fields, FireworkQuery, Store, Verb, WorkflowQuery};
use crate::workflow::decide::Refusal;
use crate::workflow::graph::{Graph, Node};
use crate::workflow::{Firework, FwId, Launch, LaunchId, State, int, int_list};

/// A firework that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// Its state.
    pub from: State,
    /// The state that it gets.
    pub to: State,
}

/// What would happen.
#[derive(Debug, Default)]
pub struct Foreseen {
    /// The fireworks that would change.
    pub changes: BTreeMap<FwId, Change>,
    /// Those that were asked for, parents first, each with the state that it is in when its turn comes: what was
    /// done to others before may have changed it.
    pub steps: Vec<(FwId, State)>,
    /// Those that were not asked for, but share a launch with one that was.
    pub duplicates: BTreeSet<FwId>,
    /// The launches that would lose their ground.
    pub stopped: Vec<Launch>,
    /// Those that were asked for and stay as they are, each with the reason, or none where there is nothing to do.
    pub refused: BTreeMap<FwId, Option<Refusal>>,
}

impl Foreseen {
    /// The fireworks that were not asked for, and begin anew because they depend on those that were.
    pub fn anew(&self, asked: &BTreeSet<FwId>) -> impl Iterator<Item = (&FwId, &Change)> {
        let anew = |id: &FwId, change: &Change| {
            !asked.contains(id) && !self.duplicates.contains(id) && change.to != State::Archived
        };
        self.changes.iter().filter(move |(id, change)| anew(id, change))
    }
}

/// As many fireworks are looked at together, with all that is in their workflows.
const SOME: usize = 2_000;

/// Looks what would happen to these fireworks, or to the workflows that they name. A firework that is in another
/// state than it was `seen` in stays as it is.
pub fn foresee(
    store: &dyn Store,
    verb: Verb,
    fw_ids: &[FwId],
    seen: impl Fn(FwId) -> Option<State>,
) -> Result<Foreseen, LaunchpadError> {
    let mut foreseen = Foreseen::default();
    let mut open: BTreeSet<FwId> = fw_ids.iter().copied().collect();
    let shared = duplicates(store, verb, fw_ids)?.into_values().flatten();
    foreseen.duplicates = shared.filter(|fw_id| !open.contains(fw_id)).collect();
    open.extend(&foreseen.duplicates);
    let all: Vec<FwId> = open.iter().copied().collect();
    for some in all.chunks(SOME) {
        // Those of workflows that have been looked at are not open any more.
        let some: Vec<FwId> = some.iter().copied().filter(|fw_id| open.contains(fw_id)).collect();
        if !some.is_empty() {
            foreseen.look(store, verb, some, &mut open, &seen)?;
        }
    }
    let stopped = active(store, &all)?.into_iter();
    foreseen.stopped = stopped.filter(|launch| foreseen.changes.contains_key(&launch.fw_id)).collect();
    Ok(foreseen)
}

impl Foreseen {
    /// Looks at the workflows of these fireworks, and at all in them that are `open`.
    fn look(
        &mut self,
        store: &dyn Store,
        verb: Verb,
        fw_ids: Vec<FwId>,
        open: &mut BTreeSet<FwId>,
        seen: &dyn Fn(FwId) -> Option<State>,
    ) -> Result<(), LaunchpadError> {
        let these = WorkflowQuery { fw_ids: Some(fw_ids), ..WorkflowQuery::default() };
        let mut members = members(store, these.clone())?;
        let mut launches = launches(store, verb, open, &members)?;
        store.each_workflow(&these, &mut |workflows| {
            for workflow in workflows {
                let nodes = int_list(workflow.get("nodes"));
                let graph = graph(&workflow, &nodes, &mut members, &mut launches);
                let mut order = graph.parents_first();
                // In a circle, which only a broken writer could have made, none comes first.
                let rest: BTreeSet<FwId> = order.iter().copied().collect();
                order.extend(nodes.into_iter().filter(|fw_id| !rest.contains(fw_id)));
                order.retain(|fw_id| open.remove(fw_id));
                order.retain(|&fw_id| self.is_unmoved(fw_id, graph.state(fw_id), seen(fw_id)));
                self.decide(verb, graph, order);
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    /// Whether a firework is as it was seen. One that is not is left alone.
    fn is_unmoved(&mut self, fw_id: FwId, state: Option<State>, seen: Option<State>) -> bool {
        let (Some(state), Some(seen)) = (state, seen) else { return true };
        if state != seen {
            let moved = Refusal::Moved { what: "firework", fw_id, state, seen };
            self.refused.insert(fw_id, Some(moved));
        }
        state == seen
    }

    /// Decides one workflow.
    fn decide(&mut self, verb: Verb, mut graph: Graph, asked: Vec<FwId>) {
        // Which details of an exception are shown changes nothing else.
        let verb = if verb == Verb::RerunWithDetails { Verb::Rerun } else { verb };
        let name = |node: &Node| node.firework.as_ref().map(|firework| firework.name.clone()).unwrap_or_default();
        let before: HashMap<FwId, (String, State)> =
            graph.nodes.iter().map(|(id, node)| (*id, (name(node), node.state))).collect();
        let was_archived = |fw_id: &FwId| before.get(fw_id).is_some_and(|(_, state)| *state == State::Archived);
        let mut decided = Vec::new();
        for fw_id in asked {
            let state = graph.state(fw_id);
            if state == Some(State::Archived) && !was_archived(&fw_id) {
                // A firework above it has been run again just now, and will add it anew.
                continue;
            }
            let state = state.filter(|_| !self.duplicates.contains(&fw_id));
            self.steps.extend(state.map(|state| (fw_id, state)));
            match verb.decide(&mut graph, fw_id) {
                Ok(()) => decided.push(fw_id),
                Err(refusal) => drop(self.refused.insert(fw_id, Some(refusal))),
            }
        }
        for edit in graph.changes().edits {
            let name = before.get(&edit.fw_id).map(|(name, _)| name.clone()).unwrap_or_default();
            self.changes.insert(edit.fw_id, Change { name, from: edit.from, to: edit.to });
        }
        // A verb on a workflow is about all of it.
        if !verb.needs().workflow {
            decided.retain(|fw_id| !self.changes.contains_key(fw_id));
            self.refused.extend(decided.into_iter().map(|fw_id| (fw_id, None)));
        }
    }
}

/// All fireworks of these workflows, without their specs.
fn members(store: &dyn Store, workflows: WorkflowQuery) -> Result<HashMap<FwId, Firework>, LaunchpadError> {
    let all = FireworkQuery { workflows: Some(Box::new(workflows)), ..FireworkQuery::default() };
    let mut members = HashMap::new();
    store.each_firework(&all, Fields::Head, &mut |some| {
        members.extend(some.into_iter().map(|firework| (firework.fw_id, firework)));
        ControlFlow::Continue(())
    })?;
    Ok(members)
}

/// The launches that the verb looks at: those that have put fireworks into a workflow, and those that somebody
/// goes on from.
fn launches(
    store: &dyn Store,
    verb: Verb,
    asked: &BTreeSet<FwId>,
    members: &HashMap<FwId, Firework>,
) -> Result<HashMap<FwId, Vec<Launch>>, LaunchpadError> {
    let of = |firework: &Firework| [firework.archived_launches.as_slice(), &firework.launches].concat();
    let mut wanted: Vec<LaunchId> = Vec::new();
    if matches!(verb, Verb::Recover(_)) {
        let last = members.values().filter(|firework| asked.contains(&firework.fw_id));
        wanted.extend(last.filter_map(|firework| of(firework).pop()));
    }
    let all: Vec<Bson> = members.values().flat_map(of).map(int).collect();
    if verb.needs().spawned && !all.is_empty() {
        let spawning = doc! { "launch_id": { "$in": all }, "state_history.spawned": { "$exists": true } };
        wanted.extend(store.matching_launches(&spawning)?);
    }
    wanted.sort_unstable();
    wanted.dedup();
    let mut launches: HashMap<FwId, Vec<Launch>> = HashMap::new();
    for launch in if wanted.is_empty() { Vec::new() } else { store.find_launches(&wanted)? } {
        launches.entry(launch.fw_id).or_default().push(launch);
    }
    Ok(launches)
}

/// A workflow as the decisions see it.
fn graph(
    workflow: &Document,
    nodes: &[FwId],
    members: &mut HashMap<FwId, Firework>,
    launches: &mut HashMap<FwId, Vec<Launch>>,
) -> Graph {
    let mut parents: HashMap<FwId, Vec<FwId>> = HashMap::new();
    let mut children: HashMap<FwId, Vec<FwId>> = HashMap::new();
    for (parent, below) in workflow.get_document("links").into_iter().flatten() {
        let Ok(parent) = parent.parse() else { continue };
        for child in int_list(Some(below)) {
            parents.entry(child).or_default().push(parent);
            children.entry(parent).or_default().push(child);
        }
    }
    let mut graph = Graph::default();
    for fw_id in nodes {
        let Some(firework) = members.remove(fw_id) else { continue };
        let mut node = Node::new(firework.state);
        node.parents = parents.remove(fw_id).unwrap_or_default();
        node.children = children.remove(fw_id).unwrap_or_default();
        node.firework = Some(firework);
        graph.insert(*fw_id, node);
        for launch in launches.remove(fw_id).unwrap_or_default() {
            graph.spawned_by.entry(*fw_id).or_default().extend(launch.spawned().into_iter().flatten());
            graph.launches.insert(launch.launch_id, launch);
        }
    }
    graph
}
