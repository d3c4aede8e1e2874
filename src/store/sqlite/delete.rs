//! Deleting whole workflows.

use std::collections::BTreeSet;

use rusqlite::{Transaction, params};

use super::{SqlError, find, graph, json, retire, state, transfer};
use crate::store::Deleted;
use crate::store::guard::unmoved_workflow;
use crate::workflow::{FwId, LaunchId, State};

/// Deletes the workflows of these fireworks that are as they were seen.
pub fn workflows(tx: &Transaction<'_>, workflows: &[(FwId, Option<State>)]) -> Result<Deleted, SqlError> {
    let mut wanted = Vec::with_capacity(workflows.len());
    let mut refused = Vec::new();
    for &(fw_id, seen) in workflows {
        let state = match graph::workflow_of(tx, fw_id)? {
            Some(workflow) => state::of_workflow(tx, workflow)?,
            None => None,
        };
        match unmoved_workflow(fw_id, seen, state) {
            Ok(()) => wanted.push(fw_id),
            Err(refusal) => refused.push(refusal),
        }
    }
    let gone = graph::members(tx, &wanted)?;
    fireworks(tx, &gone)?;
    Ok(Deleted { gone, refused })
}

/// Deletes fireworks that are all of their workflows, or are in none.
pub fn fireworks(tx: &Transaction<'_>, members: &[FwId]) -> Result<(), SqlError> {
    let mut launches = launches_of_nobody_else(tx, members)?;
    // What shall go on to its end needs a place for its outcome.
    let kept: Vec<LaunchId> =
        retire::open(tx)?.iter().filter(|launch| launch.is_kept()).map(|launch| launch.launch_id).collect();
    launches.retain(|id| !kept.contains(id));
    transfer::forget(tx, &launches)?;
    let gone = json::ids(members);
    tx.execute("DELETE FROM launches WHERE launch_id IN (SELECT value FROM json_each(?1))", [json::ids(&launches)])?;
    for sql in [
        "DELETE FROM workflows WHERE id IN
         (SELECT workflow FROM fireworks WHERE fw_id IN (SELECT value FROM json_each(?1)))",
        "DELETE FROM links WHERE parent IN (SELECT value FROM json_each(?1))",
        "DELETE FROM fireworks WHERE fw_id IN (SELECT value FROM json_each(?1))",
    ] {
        tx.execute(sql, params![gone])?;
    }
    Ok(())
}

/// The launches of fireworks, without those that duplicates elsewhere have taken over.
fn launches_of_nobody_else(tx: &Transaction<'_>, members: &[FwId]) -> Result<Vec<LaunchId>, SqlError> {
    let ids = |sql: &str| -> Result<Vec<LaunchId>, SqlError> {
        let mut statement = tx.prepare(sql)?;
        let ids = statement.query_map([json::ids(members)], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(ids)
    };
    let own = ids("SELECT launch_id FROM launches WHERE fw_id IN (SELECT value FROM json_each(?1))")?;
    let mut launches: BTreeSet<LaunchId> = own.into_iter().collect();
    let mut share = false;
    for &fw_id in members {
        if let Some(firework) = find::firework(tx, fw_id)? {
            share |= firework.spec.contains_key("_dupefinder");
            launches.extend(firework.launches.iter().chain(&firework.archived_launches));
        }
    }
    if share {
        let elsewhere = "SELECT value FROM fireworks, json_each(fireworks.LIST)
                         WHERE fw_id NOT IN (SELECT value FROM json_each(?1))";
        for list in ["launches", "archived_launches"] {
            for id in ids(&elsewhere.replace("LIST", list))? {
                launches.remove(&id);
            }
        }
    }
    Ok(launches.into_iter().collect())
}
