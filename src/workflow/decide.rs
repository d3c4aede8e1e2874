//! What each event changes: the state machine of fireworks.
//!
//! Every verb takes a [`Graph`] and leaves it changed; none looks at a clock or a store. Verbs can
//! be repeated: what is already as it should be is left alone, so that another worker can finish
//! a decision whose writer died half way.

use bson::Bson;
use jiff::Timestamp;

use super::graph::{FIZZLED_PARENTS, Graph, Spawn};
use super::mods::{self, ModError};
use super::{Draft, DraftError, Firework, FwAction, FwId, Launch, LaunchId, State, time};

/// Why a verb does not apply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The firework is in a state that the verb does not work on.
    #[error("firework {fw_id} is {state}: {why}")]
    State {
        /// Which.
        fw_id: FwId,
        /// Its state.
        state: State,
        /// What does work.
        why: &'static str,
    },
    /// There is no such firework.
    #[error("there is no firework {0}")]
    Unknown(FwId),
    /// An action asks for a change of a spec that cannot be made.
    #[error("firework {child}: {error}")]
    Mod {
        /// Whose spec.
        child: FwId,
        /// Why not.
        error: ModError,
    },
    /// A change would make a spec larger than the store can hold.
    #[error("firework {child}: its spec would become too large to store")]
    TooLarge {
        /// Whose spec.
        child: FwId,
    },
    /// An action adds a workflow that is none.
    #[error("FWAction: {0}")]
    Spawn(#[from] DraftError),
}

/// Whether deciding this outcome needs the documents of the children, and not only their states.
pub fn needs_documents(ended: State, action: &FwAction) -> bool {
    ended == State::Fizzled || action.changes_specs()
}

/// Whether it needs the documents of the children all the same: another of their parents has
/// FIZZLED, and only a spec says whether that is allowed.
pub fn lenience_matters(graph: &Graph, fw_id: FwId) -> bool {
    let children = graph.children(fw_id);
    let mut parents = children.iter().filter_map(|child| graph.nodes.get(child)).flat_map(|node| &node.parents);
    parents.any(|&parent| graph.state(parent) == Some(State::Fizzled))
}

/// Shows fireworks that become READY although parents have FIZZLED what those were, as FireWorks
/// does, once. To be called when all is decided; `read` brings fireworks with all their launches.
pub fn show_fizzled_parents<E>(
    graph: &mut Graph,
    now: Timestamp,
    read: impl Fn(&[FwId]) -> Result<Vec<(Firework, Vec<Launch>)>, E>,
) -> Result<(), E> {
    for (fw_id, parents) in graph.bereaved() {
        let mut shown = Vec::with_capacity(parents.len());
        for (mut parent, launches) in read(&parents)? {
            if parent.state != State::Fizzled {
                // The one that has just ended is written last.
                parent.state = State::Fizzled;
                parent.updated_on = Bson::String(time::to_iso(now));
            }
            shown.push(parent.to_dictionary(&launches));
        }
        if let Some(node) = graph.nodes.get_mut(&fw_id)
            && let Some(mut spec) = node.spec().cloned()
        {
            spec.insert(FIZZLED_PARENTS, shown);
            node.new_spec = Some(spec);
        }
    }
    Ok(())
}

/// A launch has ended: the firework takes its state, and its children what the action says.
pub fn finish(
    graph: &mut Graph,
    fw_id: FwId,
    launch_id: LaunchId,
    ended: State,
    action: &FwAction,
) -> Result<(), Refusal> {
    let drafts = if ended == State::Completed { spawned(action)? } else { Vec::new() };
    let children = graph.children(fw_id);
    let has_detour = drafts.iter().any(|(_, detour)| *detour);
    // The firework is written last: if it has ended already, so have its children been changed.
    let is_new = graph.state(fw_id) != Some(ended);
    set_state(graph, fw_id, ended)?;
    if ended == State::Completed && is_new {
        let targets = if action.propagate { graph.descendants(fw_id) } else { children.clone() };
        for &target in &targets {
            change_spec(graph, target, launch_id, action)?;
        }
        if action.defuse_children {
            for &child in &children {
                // A child that has begun was released by this very action in an earlier attempt.
                if matches!(graph.state(child), Some(State::Waiting | State::Ready | State::Paused)) {
                    set_state(graph, child, State::Defused)?;
                }
            }
        }
    }
    for (draft, detour) in drafts {
        let children = if detour { children.clone() } else { Vec::new() };
        graph.spawn(Spawn { launch_id, draft, parents: vec![fw_id], children });
    }
    if !has_detour {
        for &child in &children {
            release(graph, child);
        }
    }
    // Last, so that as long as it is not written the rest can be repeated.
    graph.touch(fw_id);
    Ok(())
}

/// A launch has ended, but what it asks for cannot be done: the firework is FIZZLED, as in
/// FireWorks, and nothing else changes.
pub fn reject(graph: &mut Graph, fw_id: FwId) -> Result<(), Refusal> {
    set_state(graph, fw_id, State::Fizzled)
}

/// The workflows an action adds, in the order in which they are added; true marks a detour.
pub fn spawned(action: &FwAction) -> Result<Vec<(Draft, bool)>, Refusal> {
    // FireWorks takes detours first.
    let detours = action.detours.iter().map(|document| (document, true));
    let additions = action.additions.iter().map(|document| (document, false));
    detours.chain(additions).map(|(document, detour)| Ok((Draft::from_document(document)?, detour))).collect()
}

/// A waiting firework whose parents have all ended well becomes READY.
fn release(graph: &mut Graph, fw_id: FwId) {
    if graph.state(fw_id) == Some(State::Waiting)
        && is_free(graph, fw_id)
        && let Some(node) = graph.touch(fw_id)
    {
        node.state = State::Ready;
    }
}

/// Whether nothing above keeps it waiting.
fn is_free(graph: &Graph, fw_id: FwId) -> bool {
    let Some(node) = graph.nodes.get(&fw_id) else { return false };
    let allows = node.firework.as_ref().is_some_and(super::Firework::allows_fizzled_parents);
    node.parents.iter().all(|&parent| match graph.state(parent) {
        Some(State::Completed) => true,
        Some(State::Fizzled) => allows,
        _ => false,
    })
}

fn set_state(graph: &mut Graph, fw_id: FwId, state: State) -> Result<(), Refusal> {
    let node = graph.touch(fw_id).ok_or(Refusal::Unknown(fw_id))?;
    node.state = state;
    Ok(())
}

/// Applies `update_spec`, then `mod_spec`, to a firework that has not begun.
fn change_spec(graph: &mut Graph, fw_id: FwId, launch_id: LaunchId, action: &FwAction) -> Result<(), Refusal> {
    if !action.changes_specs() || !matches!(graph.state(fw_id), Some(State::Waiting | State::Paused | State::Defused)) {
        return Ok(());
    }
    let node = graph.touch(fw_id).ok_or(Refusal::Unknown(fw_id))?;
    if node.applied.contains(&launch_id) {
        return Ok(());
    }
    let Some(mut spec) = node.spec().cloned() else { return Ok(()) };
    spec.extend(action.update_spec.clone());
    for modification in &action.mod_spec {
        mods::apply(modification, &mut spec).map_err(|error| Refusal::Mod { child: fw_id, error })?;
    }
    node.new_spec = Some(spec);
    if !action.mod_spec.iter().all(mods::is_idempotent) {
        node.applied.push(launch_id);
    }
    Ok(())
}

/// Runs a firework again, and everything below it that does not wait anyway: also what was held
/// (FireWorks makes DEFUSED and PAUSED children WAITING). The launches are put away.
pub fn rerun(graph: &mut Graph, fw_id: FwId) -> Result<(), Refusal> {
    let state = graph.state(fw_id).ok_or(Refusal::Unknown(fw_id))?;
    match state {
        State::Archived => {
            return Err(Refusal::State { fw_id, state, why: "an archived firework cannot be run again" });
        }
        State::Defused => {
            return Err(Refusal::State { fw_id, state, why: "reignite it first" });
        }
        // It will run as soon as it can.
        State::Waiting => return Ok(()),
        _ => {}
    }
    // From the far end backwards: a rerun that stops half way leaves the upper fireworks as they
    // were, and is repeated from there.
    let begun = |state| !matches!(state, State::Waiting | State::Archived);
    for below in graph.reachable(fw_id, begun).into_iter().rev() {
        restart(graph, below, State::Waiting);
    }
    let free = is_free(graph, fw_id);
    restart(graph, fw_id, if free { State::Ready } else { State::Waiting });
    Ok(())
}

/// A launch was interrupted or lost: its firework may be claimed again, nothing below changes.
pub fn give_back(graph: &mut Graph, fw_id: FwId) -> Result<(), Refusal> {
    match graph.state(fw_id) {
        Some(State::Running | State::Reserved) => {
            let free = is_free(graph, fw_id);
            restart(graph, fw_id, if free { State::Ready } else { State::Waiting });
            Ok(())
        }
        Some(state) => Err(Refusal::State { fw_id, state, why: "only what runs can be given back" }),
        None => Err(Refusal::Unknown(fw_id)),
    }
}

fn restart(graph: &mut Graph, fw_id: FwId, state: State) {
    if let Some(node) = graph.touch(fw_id) {
        node.state = state;
        node.archive_launches = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::graph::{Changes, Node};
    use bson::{Document, doc};

    /// A graph of the given (id, state, parents), with documents.
    fn graph(fireworks: &[(FwId, State, &[FwId])]) -> Graph {
        let mut graph = Graph::default();
        for &(fw_id, state, parents) in fireworks {
            let mut node = Node::new(state);
            node.parents = parents.to_vec();
            node.children =
                fireworks.iter().filter(|(_, _, parents)| parents.contains(&fw_id)).map(|&(id, ..)| id).collect();
            node.firework = Some(Firework::new(fw_id, "fw", doc! {"_tasks": []}, state, Timestamp::UNIX_EPOCH));
            graph.insert(fw_id, node);
        }
        graph
    }

    fn states(changes: &Changes) -> Vec<(FwId, State)> {
        changes.edits.iter().map(|edit| (edit.fw_id, edit.to)).collect()
    }

    fn finished(mut graph: Graph, fw_id: FwId, action: &FwAction) -> Changes {
        finish(&mut graph, fw_id, 9, State::Completed, action).expect("applies");
        graph.changes()
    }

    fn spec_set(changes: &Changes, fw_id: FwId) -> Document {
        let edit = changes.edits.iter().find(|edit| edit.fw_id == fw_id).expect("is edited");
        edit.spec.as_ref().map(|spec| spec.set.clone()).unwrap_or_default()
    }

    use State::*;

    #[test]
    fn a_child_becomes_ready_when_all_its_parents_have_completed() {
        let diamond =
            |two, three| graph(&[(1, Completed, &[]), (2, two, &[1]), (3, three, &[1]), (4, Waiting, &[2, 3])]);
        let none = FwAction::default();
        assert_eq!(states(&finished(diamond(Running, Ready), 2, &none)), [(2, Completed)]);
        assert_eq!(states(&finished(diamond(Running, Completed), 2, &none)), [(4, Ready), (2, Completed)]);
        assert_eq!(states(&finished(diamond(Running, Fizzled), 2, &none)), [(2, Completed)]);
    }

    #[test]
    fn a_fizzled_parent_counts_where_it_is_allowed() {
        let mut graph = graph(&[(1, Running, &[]), (2, Waiting, &[1]), (3, Waiting, &[1])]);
        let lenient = graph.nodes.get_mut(&3).and_then(|node| node.firework.as_mut()).expect("loaded");
        lenient.spec.insert("_allow_fizzled_parents", true);
        finish(&mut graph, 1, 9, Fizzled, &FwAction::default()).expect("applies");
        let one = graph.nodes[&1].firework.clone().expect("loaded");
        show_fizzled_parents(&mut graph, Timestamp::UNIX_EPOCH, |ids| {
            assert_eq!(ids, [1]);
            Ok::<_, ()>(vec![(one.clone(), Vec::new())])
        })
        .expect("reads");
        let changes = graph.changes();
        assert_eq!(states(&changes), [(3, Ready), (1, Fizzled)]);
        let set = spec_set(&changes, 3);
        let shown = set.get_array("_fizzled_parents").expect("is shown")[0].as_document().expect("a firework");
        assert_eq!((shown.get_str("state").ok(), shown.get_str("name").ok()), (Some("FIZZLED"), Some("fw")));
    }

    #[test]
    fn the_other_parents_tell_whether_specs_must_be_read() {
        let of = |other| graph(&[(1, Running, &[]), (2, other, &[]), (3, Waiting, &[1, 2])]);
        assert!(lenience_matters(&of(Fizzled), 1));
        assert!(!lenience_matters(&of(Completed), 1));
    }

    #[test]
    fn specs_of_children_change_once() {
        let chain = graph(&[(1, Running, &[]), (2, Waiting, &[1]), (3, Waiting, &[2])]);
        let action =
            FwAction { update_spec: doc! {"a": 1}, mod_spec: vec![doc! {"_push": {"l": 2}}], ..FwAction::default() };
        let changes = finished(chain.clone(), 1, &action);
        assert_eq!(states(&changes), [(2, Ready), (1, Completed)]);
        assert_eq!(spec_set(&changes, 2), doc! {"a": 1, "l": [2]});
        assert_eq!(changes.edits[0].spec.as_ref().map(|spec| spec.mark.clone()), Some(vec![9]));

        let mut again = chain.clone();
        again.nodes.get_mut(&2).expect("loaded").applied = vec![9];
        assert_eq!(spec_set(&finished(again, 1, &action), 2), doc! {}, "a marked change is not made again");

        let mut begun = chain.clone();
        begun.nodes.get_mut(&2).expect("loaded").state = Running;
        assert_eq!(states(&finished(begun, 1, &action)), [(1, Completed)], "a child that has begun is left alone");

        let propagate = FwAction { propagate: true, ..action };
        assert_eq!(spec_set(&finished(chain, 1, &propagate), 3), doc! {"a": 1, "l": [2]});
    }

    #[test]
    fn children_can_be_defused() {
        let action = FwAction { defuse_children: true, ..FwAction::default() };
        let changes = finished(graph(&[(1, Running, &[]), (2, Waiting, &[1]), (3, Waiting, &[2])]), 1, &action);
        assert_eq!(states(&changes), [(2, Defused), (1, Completed)]);
    }

    #[test]
    fn children_wait_for_detours_and_not_for_additions() {
        let extra = doc! {"fws": [{"fw_id": -1, "spec": {"_tasks": []}}]};
        let base = || graph(&[(1, Running, &[]), (2, Waiting, &[1])]);
        let detour = finished(base(), 1, &FwAction { detours: vec![extra.clone()], ..FwAction::default() });
        assert_eq!(states(&detour), [(1, Completed)]);
        assert_eq!((&detour.spawned[0].parents, &detour.spawned[0].children), (&vec![1], &vec![2]));
        let addition = finished(base(), 1, &FwAction { additions: vec![extra], ..FwAction::default() });
        assert_eq!(states(&addition), [(2, Ready), (1, Completed)]);
        assert!(addition.spawned[0].children.is_empty());
    }

    #[test]
    fn a_rerun_starts_from_the_far_end() {
        let mut chain = graph(&[(1, Completed, &[]), (2, Completed, &[1]), (3, Fizzled, &[2]), (4, Waiting, &[3])]);
        rerun(&mut chain, 1).expect("applies");
        let changes = chain.changes();
        assert_eq!(states(&changes), [(3, Waiting), (2, Waiting), (1, Ready)]);
        assert!(changes.edits.iter().all(|edit| edit.archive.is_some()));
    }

    #[test]
    fn a_rerun_reaches_what_is_held_and_nothing_behind_what_waits() {
        let mut chain = graph(&[
            (1, Completed, &[]),
            (2, Defused, &[1]),
            (3, Paused, &[2]),
            (4, Waiting, &[1]),
            (5, Defused, &[4]),
        ]);
        rerun(&mut chain, 1).expect("applies");
        assert_eq!(states(&chain.changes()), [(3, Waiting), (2, Waiting), (1, Ready)]);
        let mut waiting = graph(&[(1, Running, &[]), (2, Waiting, &[1])]);
        rerun(&mut waiting, 2).expect("nothing to do");
        assert_eq!(states(&waiting.changes()), []);
    }

    #[test]
    fn a_rerun_below_an_unfinished_parent_waits() {
        let mut chain = graph(&[(1, Running, &[]), (2, Fizzled, &[1])]);
        rerun(&mut chain, 2).expect("applies");
        assert_eq!(states(&chain.changes()), [(2, Waiting)]);
    }

    #[test]
    fn what_cannot_be_run_again_is_refused() {
        for state in [Archived, Defused] {
            assert!(matches!(rerun(&mut graph(&[(1, state, &[])]), 1), Err(Refusal::State { .. })));
        }
        assert_eq!(rerun(&mut Graph::default(), 5), Err(Refusal::Unknown(5)));
    }

    #[test]
    fn giving_back_leaves_the_rest_alone() {
        let mut chain = graph(&[(1, Completed, &[]), (2, Running, &[1]), (3, Waiting, &[2])]);
        give_back(&mut chain, 2).expect("applies");
        assert_eq!(states(&chain.changes()), [(2, Ready)]);
        assert!(give_back(&mut graph(&[(1, Completed, &[])]), 1).is_err());
    }
}
