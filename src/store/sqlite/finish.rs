//! Outcomes, runs that are given back, and the verbs of users.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::graph::{self, Detail, Reach};
use super::{SqlError, claim, find};
use crate::store::{Held, Outcome, StoreError, Verb, Verdict};
use crate::workflow::decide::{self, Refusal};
use crate::workflow::{FwId, State};

/// Records an outcome and applies it.
pub fn finish(tx: &Transaction<'_>, outcome: &Outcome, now: Timestamp) -> Result<Verdict, SqlError> {
    let held = Held { fw_id: outcome.launch.fw_id, launch_id: outcome.launch.launch_id };
    if claim::running(tx, held)?.is_none() {
        // Reported before, by a worker that did not live to hear so?
        let owner = outcome.launch.lease().map(|lease| lease.owner).unwrap_or_default();
        let mut stored = find::launches(tx, &[held.launch_id])?.into_iter();
        let ours = stored.any(|launch| launch.was_ended_by(&owner));
        return Ok(if ours { Verdict::Recorded } else { Verdict::LeaseLost });
    }
    graph::save_launch(tx, &outcome.ended_launch())?;

    let reach = if outcome.action.propagate { Reach::Descendants } else { Reach::Children };
    let detail =
        if decide::needs_documents(outcome.state, &outcome.action) { Detail::Documents } else { Detail::States };
    let loaded = graph::load(tx, held.fw_id, reach, detail)?;
    let mut decided = loaded.clone();
    let verdict = decide::finish(&mut decided, held.fw_id, held.launch_id, outcome.state, &outcome.action);
    let decided = match verdict {
        Ok(()) => decided,
        Err(refusal) => cannot_apply(loaded, held.fw_id, &refusal)?,
    };
    if let Some(workflow) = graph::workflow_of(tx, held.fw_id)? {
        graph::apply(tx, workflow, decided, "", now)?;
    }
    Ok(Verdict::Recorded)
}

/// An outcome that cannot be applied (a `_push` into a number, say) makes the firework FIZZLED, as
/// in FireWorks; its launch keeps the result.
fn cannot_apply(
    mut graph: crate::workflow::graph::Graph,
    fw_id: FwId,
    refusal: &Refusal,
) -> Result<crate::workflow::graph::Graph, SqlError> {
    tracing::error!("fw_id {fw_id}: its outcome cannot be applied: {refusal}");
    decide::reject(&mut graph, fw_id).map_err(StoreError::from)?;
    Ok(graph)
}

/// Puts away an interrupted launch.
pub fn give_back(tx: &Transaction<'_>, held: Held, reason: &str, now: Timestamp) -> Result<bool, SqlError> {
    if claim::running(tx, held)?.is_none() {
        return Ok(false);
    }
    let mut graph = graph::load(tx, held.fw_id, Reach::Children, Detail::Documents)?;
    if graph.state(held.fw_id) != Some(State::Running) {
        return Ok(false);
    }
    decide::give_back(&mut graph, held.fw_id).map_err(StoreError::from)?;
    if let Some(workflow) = graph::workflow_of(tx, held.fw_id)? {
        graph::apply(tx, workflow, graph, reason, now)?;
    }
    Ok(true)
}

/// Changes a workflow as a user asks.
pub fn steer(tx: &Transaction<'_>, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>, SqlError> {
    let workflow = graph::workflow_of(tx, fw_id)?.ok_or(StoreError::UnknownFirework(fw_id))?;
    let mut graph = graph::load(tx, fw_id, Reach::Descendants, Detail::Documents)?;
    verb.decide(&mut graph, fw_id).map_err(StoreError::from)?;
    graph::apply(tx, workflow, graph, verb.as_str(), now)
}
