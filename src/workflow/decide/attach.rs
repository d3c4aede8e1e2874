//! New fireworks in a workflow that is there already: detours, additions, `append_wfs`, and what a
//! user appends.

use bson::Bson;

use super::{Refusal, all_ended, release};
use crate::workflow::firework::is_true;
use crate::workflow::graph::{Graph, Spawn};
use crate::workflow::{Draft, FwAction, FwId, LaunchId, State, as_int};

/// A workflow that an action attaches to its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// What is attached.
    pub draft: Draft,
    /// The children of the acting firework wait for it.
    pub detour: bool,
    /// Further parents of its roots.
    pub parents: Vec<FwId>,
    /// Its roots take over the spec changes of their parents.
    pub pulls: bool,
}

/// What new fireworks hang below.
pub(super) struct Above<'a> {
    /// The firework that has just ended with this action: a parent, and the first.
    pub acting: Option<(FwId, LaunchId, &'a FwAction)>,
    /// The other parents.
    pub parents: &'a [FwId],
    /// Whether children have to wait for the new fireworks: those of the acting firework, or of
    /// all parents when there is none.
    pub detour: bool,
}

/// The workflows an action attaches, in FireWorks' order: detours, `append_wfs`, additions.
pub fn spawned(action: &FwAction) -> Result<Vec<Attachment>, Refusal> {
    let mut attachments = Vec::new();
    let read = |list, document| Draft::from_document(document).map_err(|source| Refusal::Spawn { list, source });
    for document in &action.detours {
        let draft = read("detours", document)?;
        attachments.push(Attachment { draft, detour: true, parents: Vec::new(), pulls: false });
    }
    for document in &action.append_wfs {
        let workflow = document.get_document("workflow").map_err(|_| Refusal::Append("`workflow` is missing"))?;
        let parents = match document.get("parents") {
            None | Some(Bson::Null) => Vec::new(),
            Some(Bson::Array(ids)) => {
                ids.iter().map(|id| as_int(id).ok_or(Refusal::Append("`parents` are ids"))).collect::<Result<_, _>>()?
            }
            Some(_) => return Err(Refusal::Append("`parents` is a list")),
        };
        let detour = document.get("detour").is_some_and(is_true);
        attachments.push(Attachment { draft: read("append_wfs", workflow)?, detour, parents, pulls: true });
    }
    for document in &action.additions {
        let draft = read("additions", document)?;
        attachments.push(Attachment { draft, detour: false, parents: Vec::new(), pulls: false });
    }
    Ok(attachments)
}

/// A user appends a workflow below fireworks; with `detour` their children wait for it, with
/// `pulls` its roots take over what COMPLETED parents have asked of their children.
pub fn append(graph: &mut Graph, draft: Draft, parents: &[FwId], detour: bool, pulls: bool) -> Result<(), Refusal> {
    attach(graph, draft, &Above { acting: None, parents, detour }, pulls, true)
}

/// Those of them that wait for nothing become READY.
pub fn release_all(graph: &mut Graph, fw_ids: &[FwId]) {
    fw_ids.iter().for_each(|&fw_id| release(graph, fw_id));
}

/// Attaches a workflow. `is_new` is false when an earlier attempt may have come far already.
pub(super) fn attach(
    graph: &mut Graph,
    mut draft: Draft,
    above: &Above<'_>,
    pulls: bool,
    is_new: bool,
) -> Result<(), Refusal> {
    let acting = above.acting.map(|(fw_id, ..)| fw_id);
    let parents: Vec<FwId> = acting.into_iter().chain(above.parents.iter().copied()).collect();
    for &parent in &parents {
        match graph.state(parent) {
            None => return Err(Refusal::Foreign(parent)),
            Some(state @ State::Archived) => {
                return Err(Refusal::State { fw_id: parent, state, why: "nothing can be appended to it" });
            }
            Some(_) => {}
        }
    }
    let mut children: Vec<FwId> = Vec::new();
    if above.detour {
        for &parent in if acting.is_some() { &parents[..1] } else { &parents } {
            for child in graph.children(parent) {
                let state = graph.state(child).unwrap_or(State::Waiting);
                if is_new && state.rank() > State::Waiting.rank() {
                    return Err(Refusal::LateDetour { fw_id: parent, child, state });
                }
                if !children.contains(&child) {
                    children.push(child);
                }
            }
        }
    }
    if parents.len() > 1 {
        for &child in &children {
            let mut after = graph.descendants(child);
            after.push(child);
            if let Some(&parent) = parents.iter().find(|parent| after.contains(parent)) {
                return Err(Refusal::Circle { parent, child });
            }
        }
    }
    if pulls {
        for &parent in &parents {
            let action = match above.acting {
                Some((fw_id, _, action)) if fw_id == parent => Some(action.clone()),
                _ => graph.outcome(parent),
            };
            if let Some(action) = action.filter(FwAction::changes_specs) {
                for root in draft.roots_mut() {
                    action.change(&mut root.spec).map_err(|error| Refusal::Pull { parent, error })?;
                }
            }
        }
    }
    let ready = draft
        .roots_mut()
        .filter(|root| root.held.is_none())
        .filter(|root| all_ended(graph, &parents, root.spec.get("_allow_fizzled_parents").is_some_and(is_true)))
        .map(|root| root.local_id)
        .collect();
    let launch_id = above.acting.map(|(_, launch_id, _)| launch_id);
    graph.spawn(Spawn { launch_id, draft, parents, children, ready });
    Ok(())
}
