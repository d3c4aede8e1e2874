//! Running fireworks again. What a firework had put into the workflow before would be there twice
//! when it runs again: it is taken out, and kept apart.

use std::collections::BTreeSet;

use bson::Bson;

use super::{Refusal, is_free, restart};
use crate::workflow::checkpoint::RECOVERY;
use crate::workflow::firework::is_true;
use crate::workflow::graph::Graph;
use crate::workflow::{FwId, Launch, State, retry};

/// Where a task finds why the last run of its firework failed.
const EXCEPTION_DETAILS: &str = "_exception_details";

/// Whether fireworks that had FIZZLED find the details of their exception in `_exception_details`
/// when they run again (`EXCEPT_DETAILS_ON_RERUN`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionDetails {
    /// No; older ones go, too.
    Forgotten,
    /// Yes, where the exception had any.
    Shown,
}

/// Runs a firework again, and everything below it that does not wait anyway: also what was held
/// (FireWorks makes DEFUSED and PAUSED children WAITING). The launches are put away.
pub fn rerun(graph: &mut Graph, fw_id: FwId, details: ExceptionDetails) -> Result<(), Refusal> {
    let state = graph.state(fw_id).ok_or(Refusal::Unknown(fw_id))?;
    match state {
        State::Archived => {
            return Err(Refusal::State { fw_id, state, why: "an archived firework cannot be run again" });
        }
        State::Defused => {
            return Err(Refusal::State { fw_id, state, why: "reignite it first" });
        }
        _ => {}
    }
    forget_recovery(graph, fw_id);
    // It will run as soon as it can; so may it when an earlier attempt has come so far.
    if state == State::Waiting {
        replace(graph, fw_id, &[]);
        return Ok(());
    }
    reset(graph, fw_id, details);
    Ok(())
}

/// The firework begins anew, and what is below it waits.
pub(super) fn reset(graph: &mut Graph, fw_id: FwId, details: ExceptionDetails) {
    // From the far end backwards: a rerun that stops half way leaves the upper fireworks as they
    // were, and is repeated from there.
    let begun = |state| !matches!(state, State::Waiting | State::Archived);
    let mut again = graph.reachable(&[fw_id], begun);
    again.reverse();
    replace(graph, fw_id, &again);
    for below in again {
        if !graph.is_detached(below) {
            note_exception(graph, below, details);
            forget_attempts(graph, below);
            restart(graph, below, State::Waiting);
        }
    }
    note_exception(graph, fw_id, details);
    forget_attempts(graph, fw_id);
    let free = is_free(graph, fw_id);
    restart(graph, fw_id, if free { State::Ready } else { State::Waiting });
}

/// What had FIZZLED is shown why, or is not shown any longer why it had before.
fn note_exception(graph: &mut Graph, fw_id: FwId, details: ExceptionDetails) {
    if graph.state(fw_id) != Some(State::Fizzled) {
        return;
    }
    let shown = match details {
        ExceptionDetails::Forgotten => None,
        ExceptionDetails::Shown => graph.last_launch(fw_id).and_then(exception_details),
    };
    change_key(graph, fw_id, EXCEPTION_DETAILS, shown);
}

/// The details that a failed task has left, where there are any.
fn exception_details(launch: &Launch) -> Option<Bson> {
    let stored = launch.action.as_ref()?.get_document("stored_data").ok()?;
    let details = stored.get_document("_exception").ok()?.get("_details")?;
    is_true(details).then(|| details.clone())
}

/// Sets a key of a spec, or takes it away.
fn change_key(graph: &mut Graph, fw_id: FwId, key: &str, value: Option<Bson>) {
    let Some(spec) = graph.nodes.get(&fw_id).and_then(|node| node.spec()) else { return };
    if spec.get(key) == value.as_ref() {
        return;
    }
    let mut spec = spec.clone();
    match value {
        Some(value) => drop(spec.insert(key, value)),
        None => drop(spec.remove(key)),
    }
    if let Some(node) = graph.touch(fw_id) {
        node.new_spec = Some(spec);
    }
}

/// A plain rerun begins at the first task.
pub(super) fn forget_recovery(graph: &mut Graph, fw_id: FwId) {
    change_key(graph, fw_id, RECOVERY, None);
}

/// What has failed before does not count any longer, and nothing is waited for.
fn forget_attempts(graph: &mut Graph, fw_id: FwId) {
    let spec = graph.nodes.get(&fw_id).and_then(|node| node.spec()).and_then(retry::forget);
    if let Some(spec) = spec
        && let Some(node) = graph.touch(fw_id)
    {
        node.new_spec = Some(spec);
    }
}

/// Takes out what earlier runs of a firework, and of those `again` below it that are reset, have
/// put into the workflow, and what hangs below that alone: it would come once more. It becomes
/// ARCHIVED, in a workflow of its own.
fn replace(graph: &mut Graph, fw_id: FwId, again: &[FwId]) {
    let again: BTreeSet<FwId> = again.iter().copied().collect();
    // What waits has been reset before, perhaps by an attempt that did not come farther.
    let is_reset = |below: &FwId| again.contains(below) || graph.state(*below) == Some(State::Waiting);
    let reset = graph.descendants(fw_id).into_iter().filter(is_reset).chain([fw_id]);
    let spawned = reset.flat_map(|fw_id| graph.spawned_by(fw_id));
    let mut gone: BTreeSet<FwId> = spawned.filter(|fw_id| graph.nodes.contains_key(fw_id)).collect();
    if gone.is_empty() {
        return;
    }
    let mut open: Vec<FwId> = gone.iter().copied().collect();
    while let Some(at) = open.pop() {
        for child in graph.children(at) {
            let parents = graph.nodes.get(&child).map(|node| node.parents.as_slice()).unwrap_or_default();
            let is_orphan = !parents.is_empty() && parents.iter().all(|parent| gone.contains(parent));
            if is_orphan && gone.insert(child) {
                open.push(child);
            }
        }
    }
    graph.detach(&gone);
    for &fw_id in &gone {
        restart(graph, fw_id, State::Archived);
    }
}
