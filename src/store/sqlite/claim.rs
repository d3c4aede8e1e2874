//! Claiming, renewing and releasing.

use bson::Document;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, params, params_from_iter};

use super::state::refresh_workflow;
use super::{SqlError, find, graph, json, schema};
use crate::store::{Claim, ClaimRequest, Held, Order};
use crate::workflow::fworker::Category;
use crate::workflow::launch::Place;
use crate::workflow::{FWorker, FwId, Launch, LaunchId, Lease, State, time};

/// A worker's own query needs MongoDB's language, which this store does not speak.
pub fn check(query: &Document) -> Result<(), String> {
    if query.is_empty() {
        return Ok(());
    }
    Err("the worker's `query` needs a MongoDB launchpad; on SQLite use `category` or `_fworker`".to_owned())
}

/// A piece of SQL with its parameters.
struct Condition {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

/// What a worker takes.
fn claimable(worker: &FWorker) -> Condition {
    let mut sql = "state = 'READY' AND (fworker IS NULL OR fworker = ?1)".to_owned();
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(worker.name.clone())];
    match &worker.category {
        Category::Any => {}
        Category::Without => sql.push_str(" AND category IS NULL"),
        Category::OneOf(names) => {
            sql.push_str(" AND category IN (SELECT value FROM json_each(?2))");
            values.push(Box::new(serde_json::Value::from(names.clone()).to_string()));
        }
    }
    Condition { sql, values }
}

/// How many fireworks a worker could claim, counted up to `limit`.
pub fn count(sql: &Connection, worker: &FWorker, limit: u64) -> Result<u64, SqlError> {
    let Condition { sql: condition, values } = claimable(worker);
    let query = format!("SELECT count(*) FROM (SELECT 1 FROM fireworks WHERE {condition} LIMIT {limit})");
    let count: i64 = sql.prepare_cached(&query)?.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Takes the best fireworks and starts their launches.
pub fn claim(tx: &Transaction<'_>, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<Claim>, SqlError> {
    let ids = match request.fw_id {
        Some(fw_id) => one(tx, fw_id)?.into_iter().collect(),
        None => best(tx, request, limit)?,
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let first = schema::take_ids(tx, "next_launch_id", ids.len())?;
    ids.into_iter().zip(first..).map(|(fw_id, launch_id)| start(tx, fw_id, launch_id, request)).collect()
}

fn one(tx: &Transaction<'_>, fw_id: FwId) -> Result<Option<FwId>, SqlError> {
    let sql = "SELECT fw_id FROM fireworks WHERE fw_id = ?1 AND state IN ('READY', 'RESERVED')";
    Ok(tx.query_row(sql, params![fw_id], |row| row.get(0)).optional()?)
}

fn best(tx: &Transaction<'_>, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<FwId>, SqlError> {
    let Condition { sql: condition, values } = claimable(request.worker);
    let direction = match request.order {
        Order::Fifo => "ASC",
        Order::Filo => "DESC",
    };
    let query = format!(
        "SELECT fw_id FROM fireworks WHERE {condition}
         ORDER BY priority DESC, created_on {direction}, fw_id {direction} LIMIT {limit}"
    );
    let mut statement = tx.prepare_cached(&query)?;
    let ids = statement.query_map(params_from_iter(values), |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

fn start(
    tx: &Transaction<'_>,
    fw_id: FwId,
    launch_id: LaunchId,
    request: &ClaimRequest<'_>,
) -> Result<Claim, SqlError> {
    let mut firework =
        find::firework(tx, fw_id)?.ok_or_else(|| SqlError::Broken(format!("firework {fw_id} is gone")))?;
    let place = Place {
        fworker: request.worker.to_document(),
        launch_dir: (request.directory)(&firework.spec).to_string_lossy().into_owned(),
        host: request.host.0.to_owned(),
        ip: request.host.1.to_owned(),
    };
    let launch = Launch::running(launch_id, fw_id, &place, request.lease, request.now);
    tx.prepare_cached("INSERT INTO launches VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        launch_id,
        fw_id,
        launch.state.as_str(),
        json::text(&launch.to_document())
    ])?;
    firework.state = State::Running;
    firework.launches.push(launch_id);
    firework.updated_on = bson::Bson::String(time::to_iso(request.now));
    set_running(tx, fw_id, State::Running, &firework.launches, request.now)?;
    Ok(Claim { firework, launch })
}

fn set_running(
    tx: &Transaction<'_>,
    fw_id: FwId,
    state: State,
    launches: &[LaunchId],
    now: Timestamp,
) -> Result<(), SqlError> {
    tx.prepare_cached("UPDATE fireworks SET state = ?2, launches = ?3, updated_on = ?4 WHERE fw_id = ?1")?
        .execute(params![fw_id, state.as_str(), json::ids(launches), time::to_iso(now)])?;
    if let Some(workflow) = graph::workflow_of(tx, fw_id)? {
        refresh_workflow(tx, workflow, now)?;
    }
    Ok(())
}

/// Extends leases. Returns the launches that are no longer running, or no longer counted.
pub fn renew(tx: &Transaction<'_>, held: &[Held], lease: &Lease, now: Timestamp) -> Result<Vec<LaunchId>, SqlError> {
    let mut lost = Vec::new();
    for held in held {
        match running(tx, *held)? {
            None => lost.push(held.launch_id),
            Some(mut launch) => {
                if let Some(entry) = launch.lease_index().and_then(|index| launch.state_history.get_mut(index)) {
                    entry.insert("lease", lease.to_document());
                    entry.insert("updated_on", time::to_iso(now));
                }
                graph::save_launch(tx, &launch)?;
            }
        }
    }
    Ok(lost)
}

/// The launch, if it still runs and its firework still counts it.
pub fn running(tx: &Transaction<'_>, held: Held) -> Result<Option<Launch>, SqlError> {
    let counted = find::firework(tx, held.fw_id)?.is_some_and(|firework| firework.launches.contains(&held.launch_id));
    let launch = find::launches(tx, &[held.launch_id])?.pop();
    Ok(launch.filter(|launch| counted && launch.state == State::Running))
}

/// Takes claims back as if they had not been made.
pub fn release(tx: &Transaction<'_>, claims: &[Held], now: Timestamp) -> Result<(), SqlError> {
    for &held in claims {
        if running(tx, held)?.is_none() {
            continue;
        }
        let Some(firework) = find::firework(tx, held.fw_id)? else { continue };
        let launches: Vec<LaunchId> = firework.launches.into_iter().filter(|&id| id != held.launch_id).collect();
        tx.execute("DELETE FROM launches WHERE launch_id = ?1", params![held.launch_id])?;
        set_running(tx, held.fw_id, State::Ready, &launches, now)?;
    }
    Ok(())
}
