//! Launches that are no longer waited for: those that end, and those that may go on all the same.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::{SqlError, find, graph, json};
use crate::store::Held;
use crate::workflow::retry::MAX_LOST;
use crate::workflow::{Launch, LaunchId, Loss, State};

/// All launches that are reserved or run.
pub fn open(sql: &Connection) -> Result<Vec<Launch>, SqlError> {
    let ids: Vec<LaunchId> = sql
        .prepare("SELECT launch_id FROM launches WHERE state IN ('RESERVED', 'RUNNING') ORDER BY launch_id")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    find::launches(sql, &ids)
}

/// Puts launches away and ends them, unless a firework waits for them.
pub fn retire(tx: &Transaction<'_>, ids: &[LaunchId], loss: &Loss, now: Timestamp) -> Result<Vec<LaunchId>, SqlError> {
    let listing = "SELECT fw_id FROM fireworks WHERE EXISTS (SELECT 1 FROM json_each(launches) WHERE value = ?1)";
    let mut retired = Vec::new();
    for mut launch in find::launches(tx, ids)?.into_iter().filter(|launch| !launch.state.is_final()) {
        let launch_id = launch.launch_id;
        let mut is_awaited = false;
        for fw_id in graph::linked(tx, listing, params![launch_id])? {
            let Some(mut firework) = find::firework(tx, fw_id)? else { continue };
            if matches!(firework.state, State::Reserved | State::Running) {
                is_awaited = true;
                continue;
            }
            firework.launches.retain(|&id| id != launch_id);
            firework.archived_launches.push(launch_id);
            tx.execute(
                "UPDATE fireworks SET launches = ?2, archived_launches = ?3 WHERE fw_id = ?1",
                params![fw_id, json::ids(&firework.launches), json::ids(&firework.archived_launches)],
            )?;
        }
        if !is_awaited {
            launch.lose(loss, MAX_LOST, now);
            graph::save_launch(tx, &launch)?;
            retired.push(launch_id);
        }
    }
    Ok(retired)
}

/// Marks launches in their last history entry.
pub fn mark_kept(tx: &Transaction<'_>, ids: &[LaunchId], kept: bool) -> Result<(), SqlError> {
    for mut launch in find::launches(tx, ids)?.into_iter().filter(|launch| !launch.state.is_final()) {
        launch.set_kept(kept);
        graph::save_launch(tx, &launch)?;
    }
    Ok(())
}

/// A launch that runs on although nothing counts it.
pub fn kept(tx: &Transaction<'_>, held: Held) -> Result<Option<Launch>, SqlError> {
    let launch = find::launches(tx, &[held.launch_id])?.pop();
    Ok(launch.filter(|launch| launch.state == State::Running && launch.is_kept()))
}
