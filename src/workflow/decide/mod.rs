//! What each event changes: the state machine of fireworks.
//!
//! Every function takes a [`Graph`] and leaves it changed; none looks at a clock or a store. All
//! can be repeated: what is already as it should be is left alone, so that another worker can
//! finish a decision whose writer died half way.

use super::graph::Graph;
use super::mods::{self, ModError};
use super::{DraftError, FwAction, FwId, LaunchId, State};

mod attach;
mod finish;
mod fizzled_parents;
mod refresh;
mod rerun;
#[cfg(test)]
mod tests;
mod verb;

pub use attach::{Attachment, append, release_all, spawned};
pub use finish::{finish, give_back, needs_documents, needs_workflow, reject};
pub use fizzled_parents::{lenience_matters, show_fizzled_parents};
pub use refresh::refresh;
pub use rerun::{ExceptionDetails, rerun};
pub use verb::{Needs, Recovery, RecoveryMode, Verb, Whose};

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
    /// It is not in the state any more in which it was seen.
    #[error("{what} {fw_id} is {state} by now, not {seen}; it was left alone")]
    Moved {
        /// A firework, or its workflow.
        what: &'static str,
        /// Which.
        fw_id: FwId,
        /// Its state.
        state: State,
        /// The one that it was in.
        seen: State,
    },
    /// It is in the same state as it was seen in, in another launch.
    #[error("firework {0} has run again since you were asked; it was left alone")]
    RanAgain(FwId),
    /// There is no such firework.
    #[error("there is no firework {0}")]
    Unknown(FwId),
    /// A parent that is not of this workflow.
    #[error("firework {0} does not belong to this workflow, and can be no parent in it")]
    Foreign(FwId),
    /// An action asks for a change of a spec that cannot be made.
    #[error("firework {child}: {error}")]
    Mod {
        /// Whose spec.
        child: FwId,
        /// Why not.
        error: ModError,
    },
    /// New fireworks cannot take over a change that their parents ask for.
    #[error("a new firework below {parent}: {error}")]
    Pull {
        /// Who asks for it.
        parent: FwId,
        /// Why not.
        error: ModError,
    },
    /// A change would make a spec larger than the store can hold.
    #[error("firework {child}: its spec would become too large to store")]
    TooLarge {
        /// Whose spec.
        child: FwId,
    },
    /// A workflow is too large for more fireworks.
    #[error("{fireworks} more fireworks would make the workflow too large to store")]
    NoRoom {
        /// How many there should be more.
        fireworks: usize,
    },
    /// A detour comes too late: what should wait for it has begun, or may begin any moment.
    #[error("firework {fw_id} cannot have a detour: its child {child} is {state}, and must still be WAITING")]
    LateDetour {
        /// Whose children should wait.
        fw_id: FwId,
        /// The one that does not.
        child: FwId,
        /// Its state.
        state: State,
    },
    /// A detour that would have to wait for itself.
    #[error("firework {parent} cannot be a parent of this detour: it comes after {child}, which should wait for it")]
    Circle {
        /// The parent.
        parent: FwId,
        /// What should wait.
        child: FwId,
    },
    /// An action adds a workflow that is none.
    #[error("FWAction: `{list}`: {source}")]
    Spawn {
        /// Where in the action.
        list: &'static str,
        /// Why it is none.
        source: DraftError,
    },
    /// An action appends a workflow in a way that is none.
    #[error("FWAction: `append_wfs` is a list of {{workflow, parents: [ids], detour}}: {0}")]
    Append(&'static str),
    /// There is nothing to recover from.
    #[error("firework {fw_id} cannot go on from where it was: {why}")]
    Recovery {
        /// Which.
        fw_id: FwId,
        /// What is missing.
        why: String,
    },
}

fn set_state(graph: &mut Graph, fw_id: FwId, state: State) -> Result<(), Refusal> {
    let node = graph.touch(fw_id).ok_or(Refusal::Unknown(fw_id))?;
    node.state = state;
    Ok(())
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
    // A detour that comes with the outcome of one of its parents, decided together with this.
    if graph.spawned().iter().any(|spawn| spawn.children.contains(&fw_id)) {
        return false;
    }
    let allows = node.firework.as_ref().is_some_and(super::Firework::allows_fizzled_parents);
    all_ended(graph, &node.parents, allows)
}

/// Whether these parents let a child begin.
fn all_ended(graph: &Graph, parents: &[FwId], allows_fizzled: bool) -> bool {
    parents.iter().all(|&parent| match graph.state(parent) {
        Some(State::Completed) => true,
        Some(State::Fizzled) => allows_fizzled,
        _ => false,
    })
}

/// Puts the launches away; the firework begins anew.
fn restart(graph: &mut Graph, fw_id: FwId, state: State) {
    if let Some(node) = graph.touch(fw_id) {
        node.state = state;
        node.archive_launches = true;
    }
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
    action.change(&mut spec).map_err(|error| Refusal::Mod { child: fw_id, error })?;
    node.new_spec = Some(spec);
    if !action.mod_spec.iter().all(mods::is_idempotent) {
        node.applied.push(launch_id);
    }
    Ok(())
}
