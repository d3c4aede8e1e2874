//! Loads the part of a workflow that a decision needs, and writes what it changes.

use std::collections::{BTreeSet, VecDeque};

use rusqlite::{Connection, OptionalExtension, Params, Transaction, params};

use super::{SqlError, find, json};
use crate::workflow::graph::{Graph, Node};
use crate::workflow::{FwId, Launch, State};

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
    /// Everything below it.
    Descendants,
    /// The whole workflow.
    Workflow,
}

/// The fireworks of the workflows that these belong to.
pub fn members(sql: &Connection, fw_ids: &[FwId]) -> Result<Vec<FwId>, SqlError> {
    let mut statement = sql.prepare_cached(
        "SELECT fw_id FROM fireworks WHERE workflow IN
         (SELECT workflow FROM fireworks WHERE fw_id IN (SELECT value FROM json_each(?1))) ORDER BY fw_id",
    )?;
    Ok(statement.query_map(params![json::ids(fw_ids)], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// The firework, what is below it, and the states of the parents of them all; or the workflow.
pub fn load(tx: &Transaction<'_>, fw_id: FwId, reach: Reach, detail: Detail) -> Result<Graph, SqlError> {
    let mut graph = Graph::default();
    let mut open = VecDeque::from([fw_id]);
    if reach == Reach::Workflow {
        open.extend(linked(
            tx,
            "SELECT fw_id FROM fireworks WHERE workflow = (SELECT workflow FROM fireworks WHERE fw_id = ?1)",
            params![fw_id],
        )?);
    }
    let mut seen: BTreeSet<FwId> = open.iter().copied().collect();
    while let Some(at) = open.pop_front() {
        let Some((state, lenient)) = state_of(tx, at)? else { continue };
        let mut node = Node::new(state);
        let all = lenient || reach != Reach::Children;
        node.parents = if all { all_parents(tx, at)? } else { deciding_parents(tx, at, fw_id)? };
        if at == fw_id || reach != Reach::Children {
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

pub(super) fn linked(tx: &Transaction<'_>, sql: &str, of: impl Params) -> Result<Vec<FwId>, SqlError> {
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

/// Adds the launches that these fireworks list, also those put away, as far as they are loaded.
pub fn add_launches(tx: &Transaction<'_>, graph: &mut Graph, fw_ids: &[FwId]) -> Result<(), SqlError> {
    let loaded = fw_ids.iter().filter_map(|fw_id| graph.nodes.get(fw_id)?.firework.as_ref());
    let ids: Vec<_> = loaded.flat_map(|one| one.archived_launches.iter().chain(&one.launches).copied()).collect();
    graph.launches.extend(find::launches(tx, &ids)?.into_iter().map(|launch| (launch.launch_id, launch)));
    Ok(())
}

/// Adds what the launches of all fireworks of the graph have put into the workflow.
pub fn add_spawned(tx: &Transaction<'_>, graph: &mut Graph) -> Result<(), SqlError> {
    let all: Vec<FwId> = graph.nodes.keys().copied().collect();
    let spawning = "SELECT launch_id FROM launches
         WHERE fw_id IN (SELECT value FROM json_each(?1)) AND document LIKE '%\"spawned\"%'";
    for launch in find::launches(tx, &linked(tx, spawning, params![json::ids(&all)])?)? {
        graph.spawned_by.entry(launch.fw_id).or_default().extend(launch.spawned().into_iter().flatten());
    }
    Ok(())
}

/// Writes a changed launch; one that was copied keeps its _id.
pub fn save_launch(tx: &Transaction<'_>, launch: &Launch) -> Result<(), SqlError> {
    tx.prepare_cached(
        "UPDATE launches SET state = ?2, document = CASE WHEN document ->> '_id' IS NULL THEN ?3
         ELSE json_set(?3, '$._id', document -> '_id') END WHERE launch_id = ?1",
    )?
    .execute(params![launch.launch_id, launch.state.as_str(), json::text(&launch.to_document())])?;
    Ok(())
}
