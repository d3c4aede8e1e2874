//! Loads the part of a workflow that a decision needs, and writes what it changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Params, Transaction, params};

use super::insert::{self, SpecColumns};
use super::state::refresh_workflow;
use super::{SqlError, find, json, schema};
use crate::workflow::decide;
use crate::workflow::draft::number_together;
use crate::workflow::graph::{Edit, Graph, Node, Spawn};
use crate::workflow::{Firework, FwId, Launch, LaunchId, State, time};

/// How much of the fireworks themselves a decision wants to see.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// States only.
    States,
    /// States and documents.
    Documents,
}

/// How far below the firework a decision looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Its children.
    Children,
    /// Everything.
    Descendants,
}

/// The firework, what is below it, and the states of the parents of them all.
pub fn load(tx: &Transaction<'_>, fw_id: FwId, reach: Reach, detail: Detail) -> Result<Graph, SqlError> {
    let mut graph = Graph::default();
    let mut open = VecDeque::from([fw_id]);
    let mut seen = BTreeSet::from([fw_id]);
    while let Some(at) = open.pop_front() {
        let Some((state, lenient)) = state_of(tx, at)? else { continue };
        let mut node = Node::new(state);
        node.parents = if lenient { all_parents(tx, at)? } else { deciding_parents(tx, at, fw_id)? };
        if at == fw_id || reach == Reach::Descendants {
            node.children = linked(tx, "SELECT child FROM links WHERE parent = ?1", params![at])?;
            open.extend(node.children.iter().copied().filter(|&child| seen.insert(child)));
        }
        if lenient || detail == Detail::Documents {
            node.firework = find::firework(tx, at)?;
        }
        graph.insert(at, node);
    }
    let parents: Vec<FwId> = graph.nodes.values().flat_map(|node| node.parents.iter().copied()).collect();
    for parent in parents {
        if !graph.nodes.contains_key(&parent)
            && let Some((state, _)) = state_of(tx, parent)?
        {
            graph.insert(parent, Node::new(state));
        }
    }
    Ok(graph)
}

/// The state of a firework, and whether it allows fizzled parents.
fn state_of(tx: &Transaction<'_>, fw_id: FwId) -> Result<Option<(State, bool)>, SqlError> {
    let row: Option<(String, bool)> = tx
        .prepare_cached("SELECT state, lenient FROM fireworks WHERE fw_id = ?1")?
        .query_row(params![fw_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(state, lenient)| Ok((find::state(&state)?, lenient))).transpose()
}

fn all_parents(tx: &Transaction<'_>, fw_id: FwId) -> Result<Vec<FwId>, SqlError> {
    linked(tx, "SELECT parent FROM links WHERE child = ?1", params![fw_id])
}

/// Those parents of a strict firework that decide whether it waits: `subject`, which is about to
/// change, and one other that keeps it waiting. A join of thousands costs no more than a chain:
/// the youngest parents are claimed last, so that one of them is found at once.
fn deciding_parents(tx: &Transaction<'_>, fw_id: FwId, subject: FwId) -> Result<Vec<FwId>, SqlError> {
    let mut parents = linked(tx, "SELECT parent FROM links WHERE child = ?1 AND parent = ?2", params![fw_id, subject])?;
    parents.extend(linked(
        tx,
        "SELECT parent FROM links JOIN fireworks ON fw_id = parent
         WHERE child = ?1 AND parent <> ?2 AND state <> 'COMPLETED' ORDER BY parent DESC LIMIT 1",
        params![fw_id, subject],
    )?);
    Ok(parents)
}

fn linked(tx: &Transaction<'_>, sql: &str, of: impl Params) -> Result<Vec<FwId>, SqlError> {
    let mut statement = tx.prepare_cached(sql)?;
    let ids = statement.query_map(of, |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

/// The workflow that a firework belongs to.
pub fn workflow_of(tx: &Transaction<'_>, fw_id: FwId) -> Result<Option<i64>, SqlError> {
    Ok(tx
        .prepare_cached("SELECT workflow FROM fireworks WHERE fw_id = ?1")?
        .query_row(params![fw_id], |row| row.get(0))
        .optional()?)
}

/// Writes what a decision changes. Launches that still run in a firework that is reset end, with
/// `reason`. Returns the fireworks that changed.
pub fn apply(
    tx: &Transaction<'_>,
    workflow: i64,
    mut graph: Graph,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<FwId>, SqlError> {
    decide::show_fizzled_parents(&mut graph, now, |fw_ids| with_launches(tx, fw_ids))?;
    let changes = graph.changes();
    for edit in &changes.edits {
        apply_edit(tx, edit, reason, now)?;
    }
    if !changes.spawned.is_empty() {
        apply_spawns(tx, workflow, &changes.spawned, now)?;
    }
    refresh_workflow(tx, workflow, now)?;
    Ok(changes.edits.iter().map(|edit| edit.fw_id).collect())
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

fn apply_edit(tx: &Transaction<'_>, edit: &Edit, reason: &str, now: Timestamp) -> Result<(), SqlError> {
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
    reason: &str,
    now: Timestamp,
) -> Result<(), SqlError> {
    for mut launch in find::launches(tx, archived)? {
        if !launch.state.is_final() {
            launch.lose(reason, now);
            save_launch(tx, &launch)?;
        }
    }
    tx.prepare_cached(
        "UPDATE fireworks SET launches = '[]', archived_launches = ?2, spec = json_remove(spec, '$._recovery')
         WHERE fw_id = ?1",
    )?
    .execute(params![fw_id, json::ids(archived)])?;
    Ok(())
}

/// Writes a changed launch.
pub fn save_launch(tx: &Transaction<'_>, launch: &Launch) -> Result<(), SqlError> {
    tx.prepare_cached("UPDATE launches SET state = ?2, document = ?3 WHERE launch_id = ?1")?.execute(params![
        launch.launch_id,
        launch.state.as_str(),
        json::text(&launch.to_document())
    ])?;
    Ok(())
}

fn apply_spawns(tx: &Transaction<'_>, workflow: i64, spawns: &[Spawn], now: Timestamp) -> Result<(), SqlError> {
    let drafts = || spawns.iter().map(|spawn| &spawn.draft);
    let first = schema::take_ids(tx, "next_fw_id", drafts().map(|draft| draft.fireworks().len()).sum())?;
    for (spawn, ids) in spawns.iter().zip(number_together(drafts(), first)) {
        apply_spawn(tx, workflow, spawn, &ids, now)?;
    }
    Ok(())
}

fn apply_spawn(
    tx: &Transaction<'_>,
    workflow: i64,
    spawn: &Spawn,
    ids: &BTreeMap<i64, FwId>,
    now: Timestamp,
) -> Result<(), SqlError> {
    insert::fireworks(tx, workflow, &spawn.draft, ids, now)?;
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
