//! Reservations, and the launches that run offline.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::claim::{insert_launch, set_state, take};
use super::{SqlError, find, graph, json, schema, transfer};
use crate::store::{Claim, ClaimRequest, Held, OfflineEnd, OfflineRun};
use crate::workflow::{Firework, Launch, LaunchId, State, time};

/// Takes the best firework, or the one asked for, for a queue job.
pub fn reserve(tx: &Transaction<'_>, request: &ClaimRequest<'_>) -> Result<Option<Claim>, SqlError> {
    let Some(fw_id) = take(tx, request, 1)?.pop() else { return Ok(None) };
    let ready = find::firework(tx, fw_id)?.filter(|firework| firework.state == State::Ready);
    let Some(mut firework) = ready else { return Ok(None) };
    let launch_id = schema::take_ids(tx, "next_launch_id", 1)?;
    let launch = Launch::reserved(launch_id, fw_id, &request.place(&firework), request.now);
    insert_launch(tx, &launch)?;
    firework.launches.push(launch_id);
    firework.state = State::Reserved;
    firework.updated_on = time::to_iso(request.now).into();
    set_state(tx, fw_id, State::Reserved, &firework.launches, request.now)?;
    Ok(Some(Claim { firework, launch }))
}

/// Notes the queue job of a reservation.
pub fn note_job(tx: &Transaction<'_>, launch_id: LaunchId, job: &str, cluster: Option<&str>) -> Result<bool, SqlError> {
    let Some(mut launch) = find::launches(tx, &[launch_id])?.pop() else { return Ok(false) };
    let is_noted = launch.note_job(job, cluster);
    graph::save_launch(tx, &launch)?;
    Ok(is_noted)
}

/// The firework of a launch, in one of these states.
fn counted(tx: &Transaction<'_>, held: Held, states: &[State]) -> Result<Option<Firework>, SqlError> {
    let firework = find::firework(tx, held.fw_id)?;
    Ok(firework.filter(|one| states.contains(&one.state) && one.launches.contains(&held.launch_id)))
}

/// Undoes a reservation whose job has not begun.
pub fn cancel(tx: &Transaction<'_>, held: Held, now: Timestamp) -> Result<bool, SqlError> {
    let Some(firework) = counted(tx, held, &[State::Reserved])? else { return Ok(false) };
    for mut launch in find::launches(tx, &[held.launch_id])? {
        launch.cancel(now);
        graph::save_launch(tx, &launch)?;
    }
    let left: Vec<LaunchId> = firework.launches.into_iter().filter(|&id| id != held.launch_id).collect();
    let archived = [&firework.archived_launches[..], &[held.launch_id]].concat();
    tx.execute(
        "UPDATE fireworks SET archived_launches = ?2 WHERE fw_id = ?1",
        params![held.fw_id, json::ids(&archived)],
    )?;
    set_state(tx, held.fw_id, State::Ready, &left, now)?;
    Ok(true)
}

/// Shows how far a launch has come that runs offline.
pub fn show_offline(tx: &Transaction<'_>, launch: &Launch, now: Timestamp) -> Result<bool, SqlError> {
    let held = Held { fw_id: launch.fw_id, launch_id: launch.launch_id };
    let Some(firework) = counted(tx, held, &[State::Reserved, State::Running])? else { return Ok(false) };
    // Somebody who reaches the launchpad runs it himself, or it has ended.
    let open = |stored: &Launch| !stored.state.is_final() && stored.lease().is_none();
    if !find::launches(tx, &[launch.launch_id])?.iter().any(open) {
        return Ok(false);
    }
    graph::save_launch(tx, launch)?;
    set_state(tx, launch.fw_id, State::Running, &firework.launches, now)?;
    Ok(true)
}

/// The offline runs that are not over.
pub fn offline_runs(sql: &Connection) -> Result<Vec<OfflineRun>, SqlError> {
    let documents = transfer::offline_documents(sql)?;
    Ok(documents.iter().filter_map(OfflineRun::from_document).collect())
}

/// Notes that an offline run is over. `false` when it was.
pub fn close_offline_run(
    tx: &Transaction<'_>,
    launch_id: LaunchId,
    end: OfflineEnd,
    now: Timestamp,
) -> Result<bool, SqlError> {
    let of = |run: &bson::Document| OfflineRun::from_document(run).is_some_and(|run| run.launch_id == launch_id);
    let Some(mut run) = transfer::offline_documents(tx)?.into_iter().find(of) else { return Ok(false) };
    run.insert(end.field(), true);
    run.insert("updated_on", time::to_iso(now));
    transfer::offline_run(tx, &run)?;
    Ok(true)
}
