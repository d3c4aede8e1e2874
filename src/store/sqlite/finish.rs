//! Outcomes, runs that are given back, and the verbs of users.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::apply::apply;
use super::graph::{self, Detail, Reach};
use super::{SqlError, claim, find, retire, state};
use crate::store::{Appendix, Held, Outcome, Steered, Step, StoreError, Verdict};
use crate::workflow::decide::{self, Refusal};
use crate::workflow::graph::Graph;
use crate::workflow::retry::MAX_LOST;
use crate::workflow::{Again, Cause, FwAction, FwId, Launch, Loss};

/// Records an outcome and applies it.
pub fn finish(tx: &Transaction<'_>, outcome: &Outcome, now: Timestamp) -> Result<Verdict, SqlError> {
    let held = Held { fw_id: outcome.launch.fw_id, launch_id: outcome.launch.launch_id };
    if claim::running(tx, held)?.is_none() {
        if retire::kept(tx, held)?.is_some() {
            // Its firework goes other ways; what came out is worth keeping.
            graph::save_launch(tx, &outcome.ended_launch())?;
            return Ok(Verdict::Recorded);
        }
        // Reported before, by a worker that did not live to hear so?
        let owner = outcome.launch.lease().map(|lease| lease.owner).unwrap_or_default();
        let mut stored = find::launches(tx, &[held.launch_id])?.into_iter();
        let ours = stored.any(|launch| launch.was_ended_by(&owner));
        return Ok(if ours { Verdict::Recorded } else { Verdict::LeaseLost });
    }
    let ended = outcome.ended_launch();
    graph::save_launch(tx, &ended)?;
    settle(tx, held.fw_id, &ended, now)?;
    if outcome.followed {
        for fw_id in followers(tx, held)? {
            settle(tx, fw_id, &ended, now)?;
        }
    }
    Ok(Verdict::Recorded)
}

/// Applies an ended launch to a firework that follows it.
pub fn settle(tx: &Transaction<'_>, fw_id: FwId, launch: &Launch, now: Timestamp) -> Result<(), SqlError> {
    if let Some(again) = launch.again() {
        return start_again(tx, fw_id, &again, now).map(drop);
    }
    let action = launch.action.as_ref().and_then(|action| FwAction::from_document(action).ok()).unwrap_or_default();
    let reach = match (decide::needs_workflow(&action), action.propagate) {
        (true, _) => Reach::Workflow,
        (false, true) => Reach::Descendants,
        (false, false) => Reach::Children,
    };
    let detail = if reach == Reach::Workflow || decide::needs_documents(launch.state, &action) {
        Detail::Documents
    } else {
        Detail::States
    };
    let mut loaded = graph::load(tx, fw_id, reach, detail)?;
    graph::add_launches(tx, &mut loaded, &action.further_parents())?;
    let mut decided = loaded.clone();
    let decided = match decide::finish(&mut decided, fw_id, launch.launch_id, launch.state, &action) {
        Ok(()) => decided,
        Err(refusal) => cannot_apply(loaded, fw_id, &refusal)?,
    };
    if let Some(workflow) = graph::workflow_of(tx, fw_id)? {
        apply(tx, workflow, decided, &nobody(), now)?;
    }
    Ok(())
}

/// The reason of a change that ends no launch.
pub fn nobody() -> Loss {
    Loss::new(Cause::User, "")
}

/// Other fireworks that follow a launch: duplicates of its own.
fn followers(tx: &Transaction<'_>, held: Held) -> Result<Vec<FwId>, SqlError> {
    graph::linked(
        tx,
        "SELECT fw_id FROM fireworks WHERE fw_id <> ?1 AND EXISTS
         (SELECT 1 FROM json_each(launches) WHERE value = ?2)",
        params![held.fw_id, held.launch_id],
    )
}

/// An outcome that cannot be applied (a `_push` into a number, say) makes the firework FIZZLED, as
/// in FireWorks; its launch keeps the result.
fn cannot_apply(mut graph: Graph, fw_id: FwId, refusal: &Refusal) -> Result<Graph, SqlError> {
    tracing::error!("fw_id {fw_id}: its outcome cannot be applied: {refusal}");
    decide::reject(&mut graph, fw_id).map_err(StoreError::from)?;
    Ok(graph)
}

/// Puts away an interrupted launch.
pub fn give_back(tx: &Transaction<'_>, held: Held, loss: &Loss, now: Timestamp) -> Result<bool, SqlError> {
    match claim::running(tx, held)? {
        Some(launch) => lose(tx, held.fw_id, launch, loss, MAX_LOST, now),
        None => {
            if let Some(mut launch) = retire::kept(tx, held)? {
                launch.lose(loss, MAX_LOST, now);
                graph::save_launch(tx, &launch)?;
            }
            Ok(false)
        }
    }
}

/// Ends a launch that is lost, unless it has been heard of since it was read.
pub fn lose_as_read(
    tx: &Transaction<'_>,
    launch: &Launch,
    loss: &Loss,
    max_lost: u64,
    now: Timestamp,
) -> Result<bool, SqlError> {
    let held = Held { fw_id: launch.fw_id, launch_id: launch.launch_id };
    match claim::running(tx, held)?.filter(|stored| stored.lease() == launch.lease()) {
        Some(stored) => lose(tx, held.fw_id, stored, loss, max_lost, now),
        None => Ok(false),
    }
}

/// Ends a launch that is lost, and frees its firework.
pub fn lose(
    tx: &Transaction<'_>,
    fw_id: FwId,
    mut launch: Launch,
    loss: &Loss,
    max_lost: u64,
    now: Timestamp,
) -> Result<bool, SqlError> {
    launch.lose(loss, max_lost, now);
    graph::save_launch(tx, &launch)?;
    // No index serves the search.
    let is_followed = find::firework(tx, fw_id)?.is_some_and(|firework| firework.looks_for_duplicates());
    let held = Held { fw_id, launch_id: launch.launch_id };
    let followers = if is_followed { followers(tx, held)? } else { Vec::new() };
    let mut given = true;
    for one in followers.into_iter().chain([fw_id]) {
        match launch.again() {
            Some(again) => given = start_again(tx, one, &again, now)?,
            None => settle(tx, one, &launch, now)?,
        }
    }
    Ok(given)
}

/// A firework whose launch has ended runs again.
fn start_again(tx: &Transaction<'_>, fw_id: FwId, again: &Again, now: Timestamp) -> Result<bool, SqlError> {
    let mut graph = graph::load(tx, fw_id, Reach::Children, Detail::Documents)?;
    let is_given = decide::give_back(&mut graph, fw_id, again).is_ok();
    if let Some(workflow) = graph::workflow_of(tx, fw_id)?
        && is_given
    {
        apply(tx, workflow, graph, &nobody(), now)?;
    }
    Ok(is_given)
}

/// Changes a workflow as a user asks.
pub fn steer(tx: &Transaction<'_>, step: &Step, now: Timestamp) -> Result<Steered, SqlError> {
    let Step { verb, fw_id, .. } = *step;
    let workflow = graph::workflow_of(tx, fw_id)?.ok_or(StoreError::UnknownFirework(fw_id))?;
    let needs = verb.needs();
    let reach = if needs.workflow { Reach::Workflow } else { Reach::Descendants };
    let mut graph = graph::load(tx, fw_id, reach, Detail::Documents)?;
    if needs.spawned {
        graph::add_spawned(tx, &mut graph)?;
    }
    step.check(graph.state(fw_id), state::of_workflow(tx, workflow)?).map_err(StoreError::from)?;
    let launching = verb.launching(&graph, fw_id);
    graph::add_launches(tx, &mut graph, &launching)?;
    verb.decide(&mut graph, fw_id).map_err(StoreError::from)?;
    Ok(apply(tx, workflow, graph, &Loss::new(Cause::User, verb.as_str()), now)?.steered)
}

/// Appends a workflow.
pub fn append(tx: &Transaction<'_>, appendix: &Appendix, now: Timestamp) -> Result<Vec<(i64, FwId)>, SqlError> {
    let Some(&first) = appendix.parents.first() else { return Ok(Vec::new()) };
    let workflow = graph::workflow_of(tx, first)?.ok_or(StoreError::UnknownFirework(first))?;
    let mut graph = graph::load(tx, first, Reach::Workflow, Detail::Documents)?;
    graph::add_launches(tx, &mut graph, &appendix.parents)?;
    let Appendix { draft, parents, detour, pull_spec_mods } = appendix;
    decide::append(&mut graph, draft.clone(), parents, *detour, *pull_spec_mods).map_err(StoreError::from)?;
    Ok(apply(tx, workflow, graph, &nobody(), now)?.ids.into_iter().flatten().collect())
}
