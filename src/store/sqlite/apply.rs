//! Writes what a decision changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::graph::save_launch;
use super::insert::{self, SpecColumns};
use super::state::refresh_workflow;
use super::{SqlError, find, json, schema};
use crate::store::{Steered, replaced_in, replaced_name};
use crate::workflow::decide;
use crate::workflow::draft::number_together;
use crate::workflow::graph::{Detached, Edit, Graph, Spawn};
use crate::workflow::retry::MAX_LOST;
use crate::workflow::{Firework, FwId, Launch, LaunchId, Loss, time};

/// What has been written.
pub struct Applied {
    pub steered: Steered,
    /// Ids of new fireworks by local id, for each workflow that was attached.
    pub ids: Vec<BTreeMap<i64, FwId>>,
}

/// Writes what a decision changes. Launches that still run in a firework that is reset end, with
/// `reason`.
pub fn apply(
    tx: &Transaction<'_>,
    workflow: i64,
    mut graph: Graph,
    reason: &Loss,
    now: Timestamp,
) -> Result<Applied, SqlError> {
    decide::show_fizzled_parents(&mut graph, now, |fw_ids| with_launches(tx, fw_ids))?;
    let changes = graph.changes();
    for edit in &changes.edits {
        apply_edit(tx, edit, reason, now)?;
    }
    let ids = if changes.spawned.is_empty() { Vec::new() } else { attach(tx, workflow, &changes.spawned, now)? };
    if !changes.detached.members.is_empty() {
        detach(tx, workflow, &changes.detached, now)?;
    }
    refresh_workflow(tx, workflow, now)?;
    let changed = changes.edits.iter().map(|edit| edit.fw_id).collect();
    Ok(Applied { steered: Steered { changed, replaced: changes.detached.members.into_keys().collect() }, ids })
}

fn with_launches(tx: &Transaction<'_>, fw_ids: &[FwId]) -> Result<Vec<(Firework, Vec<Launch>)>, SqlError> {
    let mut found = Vec::with_capacity(fw_ids.len());
    for &fw_id in fw_ids {
        if let Some(firework) = find::firework(tx, fw_id)? {
            let launches = find::launches(tx, &[&firework.launches[..], &firework.archived_launches].concat())?;
            found.push((firework, launches));
        }
    }
    Ok(found)
}

fn apply_edit(tx: &Transaction<'_>, edit: &Edit, reason: &Loss, now: Timestamp) -> Result<(), SqlError> {
    tx.prepare_cached("UPDATE fireworks SET state = ?2, updated_on = ?3 WHERE fw_id = ?1")?.execute(params![
        edit.fw_id,
        edit.to.as_str(),
        time::to_iso(now)
    ])?;
    if let Some(spec) = &edit.spec {
        SpecColumns::of(&spec.whole).update(tx, edit.fw_id)?;
    }
    if let Some(archived) = &edit.archive {
        archive_launches(tx, edit.fw_id, archived, reason, now)?;
    }
    Ok(())
}

fn archive_launches(
    tx: &Transaction<'_>,
    fw_id: FwId,
    archived: &[LaunchId],
    reason: &Loss,
    now: Timestamp,
) -> Result<(), SqlError> {
    for mut launch in find::launches(tx, archived)? {
        // One taken from a duplicate is its owner's to end, and one that is kept goes on.
        if !launch.state.is_final() && launch.fw_id == fw_id && !launch.is_kept() {
            launch.lose(reason, MAX_LOST, now);
            save_launch(tx, &launch)?;
        }
    }
    tx.prepare_cached("UPDATE fireworks SET launches = '[]', archived_launches = ?2 WHERE fw_id = ?1")?
        .execute(params![fw_id, json::ids(archived)])?;
    Ok(())
}

/// Stores new fireworks, and notes them in the launch that asked for them.
fn attach(
    tx: &Transaction<'_>,
    workflow: i64,
    spawns: &[Spawn],
    now: Timestamp,
) -> Result<Vec<BTreeMap<i64, FwId>>, SqlError> {
    let drafts = || spawns.iter().map(|spawn| &spawn.draft);
    let count = drafts().map(|draft| draft.fireworks().len()).sum();
    let first = schema::take_ids(tx, "next_fw_id", count)?;
    let ids = number_together(drafts(), first);
    for (spawn, ids) in spawns.iter().zip(&ids) {
        attach_one(tx, workflow, spawn, ids, now)?;
    }
    let asked: BTreeSet<LaunchId> = spawns.iter().filter_map(|spawn| spawn.launch_id).collect();
    for mut launch in find::launches(tx, &asked.into_iter().collect::<Vec<_>>())? {
        launch.record_spawned(first, count);
        save_launch(tx, &launch)?;
    }
    Ok(ids)
}

fn attach_one(
    tx: &Transaction<'_>,
    workflow: i64,
    spawn: &Spawn,
    ids: &BTreeMap<i64, FwId>,
    now: Timestamp,
) -> Result<(), SqlError> {
    insert::fireworks(tx, workflow, &spawn.draft, ids, &spawn.ready, now)?;
    for &parent in &spawn.parents {
        for root in spawn.draft.roots() {
            insert::link(tx, parent, ids[&root])?;
        }
    }
    for &child in &spawn.children {
        for leaf in spawn.draft.leaves() {
            insert::link(tx, ids[&leaf], child)?;
        }
    }
    Ok(())
}

/// Moves fireworks into a workflow of their own.
fn detach(tx: &Transaction<'_>, workflow: i64, detached: &Detached, now: Timestamp) -> Result<(), SqlError> {
    let gone = json::ids(&detached.members.keys().copied().collect::<Vec<_>>());
    let name: String = tx.query_row("SELECT name FROM workflows WHERE id = ?1", params![workflow], |row| row.get(0))?;
    let stays: Option<FwId> = tx.query_row(
        "SELECT min(fw_id) FROM fireworks WHERE workflow = ?1 AND fw_id NOT IN (SELECT value FROM json_each(?2))",
        params![workflow, gone],
        |row| row.get(0),
    )?;
    let apart = insert::empty_workflow(tx, &replaced_name(&name), &replaced_in(stays), now)?;
    for &(parent, child) in &detached.cut {
        tx.execute("DELETE FROM links WHERE parent = ?1 AND child = ?2", params![parent, child])?;
        tx.execute(
            "UPDATE fireworks SET is_leaf = NOT EXISTS (SELECT 1 FROM links WHERE parent = ?1) WHERE fw_id = ?1",
            params![parent],
        )?;
    }
    tx.execute(
        "UPDATE fireworks SET workflow = ?2 WHERE fw_id IN (SELECT value FROM json_each(?1))",
        params![gone, apart],
    )?;
    refresh_workflow(tx, apart, now)
}
