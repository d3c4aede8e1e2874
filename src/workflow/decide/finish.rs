//! A launch has ended: what becomes of its firework, of the children, of the workflow.

use super::attach::{Above, attach, spawned};
use super::{Refusal, change_spec, is_free, release, restart, set_state};
use crate::workflow::graph::Graph;
use crate::workflow::{Again, FwAction, FwId, LaunchId, State};

/// Whether deciding this outcome needs the documents of the children, and not only their states.
pub fn needs_documents(ended: State, action: &FwAction) -> bool {
    ended == State::Fizzled || action.changes_specs()
}

/// Whether deciding this action needs more of the workflow than what is below the firework.
pub fn needs_workflow(action: &FwAction) -> bool {
    action.defuse_workflow || !action.append_wfs.is_empty()
}

/// A launch has ended: the firework takes its state, and its children what the action says.
pub fn finish(
    graph: &mut Graph,
    fw_id: FwId,
    launch_id: LaunchId,
    ended: State,
    action: &FwAction,
) -> Result<(), Refusal> {
    // One that was defused while it ran stays so until it is reignited; its launch is recorded.
    if matches!(graph.state(fw_id), Some(State::Defused | State::Paused | State::Archived)) {
        return Ok(());
    }
    let attachments = if ended == State::Completed { spawned(action)? } else { Vec::new() };
    let children = graph.children(fw_id);
    let has_detour = attachments.iter().any(|one| one.detour);
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
        if action.defuse_workflow {
            let open = |state| !matches!(state, State::Completed | State::Fizzled | State::Defused);
            for other in graph.in_state(open) {
                set_state(graph, other, State::Defused)?;
            }
        }
    }
    for one in attachments {
        let above = Above { acting: Some((fw_id, launch_id, action)), parents: &one.parents, detour: one.detour };
        attach(graph, one.draft, &above, one.pulls, is_new)?;
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

/// A launch was interrupted or lost, or has failed and is tried again: its firework may be claimed
/// again, nothing below changes.
pub fn give_back(graph: &mut Graph, fw_id: FwId, again: &Again) -> Result<(), Refusal> {
    match graph.state(fw_id) {
        Some(State::Running | State::Reserved) => {
            let free = is_free(graph, fw_id);
            restart(graph, fw_id, if free { State::Ready } else { State::Waiting });
            if let Some(node) = graph.touch(fw_id) {
                node.new_spec = node.spec().and_then(|spec| again.change(spec));
            }
            Ok(())
        }
        // Defused while it ran: it is still held, and has no launch to follow any more.
        Some(held @ (State::Defused | State::Paused | State::Archived)) => {
            restart(graph, fw_id, held);
            Ok(())
        }
        Some(state) => Err(Refusal::State { fw_id, state, why: "only what runs can be given back" }),
        None => Err(Refusal::Unknown(fw_id)),
    }
}
