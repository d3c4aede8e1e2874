//! Claiming and releasing.

use bson::{Bson, Document};
use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, params, params_from_iter};

use super::clause::Clause;
use super::finish::settle;
use super::narrow::Table;
use super::state::refresh_workflow;
use super::{SqlError, find, graph, json, schema};
use crate::store::{Claim, ClaimRequest, Demand, Held, MANY_READY, Order};
use crate::workflow::fworker::Category;
use crate::workflow::json::from_bson;
use crate::workflow::launch::representative;
use crate::workflow::retry::NOT_BEFORE;
use crate::workflow::room::{NODES, SLOTS};
use crate::workflow::{FWorker, Firework, FwId, Launch, LaunchId, State, int, time};

/// That a `task` is called by a `name`.
const IS_NAMED: &str = "json_extract(task.value, '$._fw_name') = name.value";
/// That a `task` takes its function from the package of a `name`, as
/// [`crate::workflow::fworker::package_of`] has it.
const IS_FROM: &str = "
    substr(CASE json_extract(task.value, '$._fw_name')
        WHEN 'PyTask' THEN json_extract(task.value, '$.func')
        ELSE json_extract(task.value, '$.job.function.\"@module\"') || '.'
    END, 1, length(name.value) + 1) = name.value || '.'";

/// What a worker takes at a time.
fn claimable(worker: &FWorker, when: Timestamp) -> Result<Clause, SqlError> {
    let mut clause = Clause::default();
    let list = |names: Vec<&str>| serde_json::Value::from(names).to_string();
    clause.require("state = 'READY'".to_owned());
    let name = clause.bind(worker.name.clone());
    clause.require(format!("(fworker IS NULL OR fworker = {name})"));
    match &worker.category {
        Category::Any => {}
        Category::Without => clause.require("category IS NULL".to_owned()),
        Category::OneOf(names) => {
            let names = clause.bind(list(names.iter().map(String::as_str).collect()));
            clause.require(format!("category IN (SELECT value FROM json_each({names}))"));
        }
    }
    for (names, is_named) in [(&worker.cannot.tasks, IS_NAMED), (&worker.cannot.packages, IS_FROM)] {
        if !names.is_empty() {
            let names = clause.bind(list(names.iter().map(String::as_str).collect()));
            clause.require(format!(
                "NOT EXISTS (SELECT 1 FROM json_each(spec, '$._tasks') task, json_each({names}) name WHERE {is_named})"
            ));
        }
    }
    if when < Timestamp::MAX {
        let when = clause.bind(time::to_iso(when));
        // Few specs have it, and a search is faster than to understand them all.
        clause.require(format!(
            "(instr(spec, '\"{NOT_BEFORE}\"') = 0 OR coalesce(json_extract(spec, '$.{NOT_BEFORE}'), '') <= {when})"
        ));
    }
    if !worker.cannot.walltimes.is_empty() {
        let walltimes: Vec<serde_json::Value> = worker.cannot.walltimes.iter().map(from_bson).collect();
        let walltimes = clause.bind(serde_json::Value::from(walltimes).to_string());
        let own = "json_extract(spec, '$._queueadapter.walltime') IS NOT NULL";
        let but = if worker.cannot.unless_own_walltime { format!("{own} OR ") } else { String::new() };
        clause.require(format!(
            "({but}NOT EXISTS (SELECT 1 FROM json_each({walltimes}) one WHERE one.value = json_extract(spec, '$._walltime')))"
        ));
    }
    if !worker.cannot.fw_ids.is_empty() {
        let ids = clause.bind(json::ids(&worker.cannot.fw_ids.iter().copied().collect::<Vec<_>>()));
        clause.require(format!("fw_id NOT IN (SELECT value FROM json_each({ids}))"));
    }
    if let Some(room) = worker.cannot.beyond {
        for (key, most) in [(SLOTS, room.slots), (NODES, room.nodes)] {
            let most = clause.bind(i64::try_from(most).unwrap_or(i64::MAX));
            // What is no number fits everywhere: it is to fail somewhere.
            clause.require(format!("(instr(spec, '\"{key}\"') = 0 OR coalesce({}, 0) <= {most})", number(key)));
        }
    }
    match &worker.cannot.other_than {
        None => {}
        Some(Bson::Document(resources)) => {
            let resources = clause.bind(json::text(resources));
            clause.require(format!(
                "instr(spec, '\"_queueadapter\"') > 0 AND {} = {}",
                leaves("json_extract(spec, '$._queueadapter')"),
                leaves(&resources)
            ));
        }
        Some(_) => clause.require("json_extract(spec, '$._queueadapter') IS NULL".to_owned()),
    }
    if !worker.query.is_empty() {
        clause.matching(&worker.query, Table::Fireworks)?;
    }
    Ok(clause)
}

/// A number of a spec; nothing where it is none.
fn number(key: &str) -> String {
    let (plain, wide) = (format!("'$.{key}'"), format!("'$.{key}.\"$numberLong\"'"));
    format!(
        "CASE json_type(spec, {plain})
            WHEN 'integer' THEN json_extract(spec, {plain}) WHEN 'real' THEN json_extract(spec, {plain})
            WHEN 'object' THEN CAST(json_extract(spec, {wide}) AS INTEGER) END"
    )
}

/// A document as something that is equal where MongoDB calls two documents equal: the same keys in the
/// same order, and numbers of the same value.
fn leaves(document: &str) -> String {
    format!(
        "(SELECT json_group_array(json_array(fullkey, CASE type WHEN 'real' THEN 'integer' ELSE type END,
            CASE WHEN type = 'real' AND atom = CAST(atom AS INTEGER) THEN CAST(atom AS INTEGER) ELSE atom END))
          FROM json_tree({document}))"
    )
}

/// What the best firework asks for that a worker could claim now.
pub fn best_asks(
    sql: &Connection,
    worker: &FWorker,
    order: Order,
    now: Timestamp,
) -> Result<Option<Document>, SqlError> {
    let Some(fw_id) = best(sql, worker, order, now, 1)?.pop() else { return Ok(None) };
    Ok(find::firework(sql, fw_id)?.map(|firework| firework.spec))
}

/// How many fireworks a worker could claim, counted up to `limit`.
pub fn count(sql: &Connection, worker: &FWorker, when: Timestamp, limit: u64) -> Result<u64, SqlError> {
    let clause = claimable(worker, when)?;
    let condition = clause.sql();
    let query = format!("SELECT count(*) FROM (SELECT 1 FROM fireworks WHERE {condition} LIMIT {limit})");
    let count: i64 = sql.prepare_cached(&query)?.query_row(params_from_iter(clause.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// The times that fireworks which a worker could claim say they need.
pub fn walltimes(sql: &Connection, worker: &FWorker) -> Result<Vec<Bson>, SqlError> {
    let clause = claimable(worker, Timestamp::now())?;
    let condition = clause.sql();
    let query = format!(
        "SELECT DISTINCT walltime FROM
         (SELECT json_extract(spec, '$._walltime') AS walltime FROM fireworks WHERE {condition} LIMIT {MANY_READY})
         WHERE walltime IS NOT NULL"
    );
    let mut statement = sql.prepare_cached(&query)?;
    let found = statement.query_map(params_from_iter(clause.values), |row| {
        Ok(match row.get(0)? {
            Value::Text(text) => Bson::String(text),
            Value::Integer(seconds) => int(seconds),
            Value::Real(seconds) => Bson::Double(seconds),
            Value::Null | Value::Blob(_) => Bson::Null,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// How much room what a worker could claim would fill, by the resources that it asks for.
pub fn demand(sql: &Connection, worker: &FWorker) -> Result<Vec<Demand>, SqlError> {
    let clause = claimable(worker, Timestamp::now())?;
    let condition = clause.sql();
    let query = format!(
        "SELECT resources, total(slots) AS slots FROM
         (SELECT json_extract(spec, '$._queueadapter') AS resources, coalesce({}, 1) AS slots
          FROM fireworks WHERE {condition} LIMIT {MANY_READY})
         GROUP BY resources",
        number(SLOTS)
    );
    let mut statement = sql.prepare_cached(&query)?;
    let found = statement.query_map(params_from_iter(clause.values), |row| {
        let slots: f64 = row.get("slots")?;
        Ok((json::document_if_any(row, "resources"), row.get_ref("resources")? == ValueRef::Null, slots))
    })?;
    let mut demand = Vec::new();
    for row in found {
        let (resources, is_plain, slots) = row?;
        // What is no mapping is for no pilot.
        let Ok(resources) = resources else { continue };
        let resources = if is_plain { Bson::Null } else { resources.into() };
        demand.push(Demand { resources, slots: slots as u64 });
    }
    Ok(demand)
}

/// Takes the best fireworks and starts their launches. Duplicates of what has a launch are not
/// started: they follow that launch.
pub fn claim(tx: &Transaction<'_>, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<Claim>, SqlError> {
    let mut claims = Vec::new();
    loop {
        let ids = take(tx, request, limit - claims.len())?;
        if ids.is_empty() {
            return Ok(claims);
        }
        let mut followed = false;
        for fw_id in ids {
            let firework =
                find::firework(tx, fw_id)?.ok_or_else(|| SqlError::Broken(format!("firework {fw_id} is gone")))?;
            if follow_duplicate(tx, &firework, request.now)? {
                followed = true;
            } else {
                claims.push(start(tx, firework, request)?);
            }
        }
        if !followed {
            return Ok(claims);
        }
    }
}

/// Lets a firework follow the launches of those that do the same, if there are any.
fn follow_duplicate(tx: &Transaction<'_>, firework: &Firework, now: Timestamp) -> Result<bool, SqlError> {
    if !firework.looks_for_exact_duplicates() {
        return Ok(false);
    }
    let same = graph::linked(
        tx,
        "SELECT fw_id FROM fireworks WHERE spec = ?1 AND fw_id <> ?2 AND launches <> '[]' ORDER BY fw_id",
        params![json::text(&firework.spec), firework.fw_id],
    )?;
    let mut launches = firework.launches.clone();
    for other in same {
        let theirs = find::firework(tx, other)?.map(|firework| firework.launches).unwrap_or_default();
        launches.extend(theirs.into_iter().filter(|id| !firework.launches.contains(id)));
        tracing::info!("Duplicate found! fwids {} and {other}", firework.fw_id);
    }
    let stored = find::launches(tx, &launches)?;
    let Some(launch) = representative(stored.iter()) else { return Ok(false) };
    if launches.len() == firework.launches.len() {
        return Ok(false);
    }
    // RUNNING until the launch that it follows has been applied.
    let state = if launch.state.is_final() { State::Running } else { launch.state };
    set_state(tx, firework.fw_id, state, &launches, now)?;
    if launch.state.is_final() {
        settle(tx, firework.fw_id, launch, now)?;
    }
    Ok(true)
}

/// The fireworks to be taken next.
pub fn take(tx: &Transaction<'_>, request: &ClaimRequest<'_>, limit: usize) -> Result<Vec<FwId>, SqlError> {
    match request.fw_id {
        Some(fw_id) => Ok(one(tx, fw_id)?.into_iter().collect()),
        None => best(tx, request.worker, request.order, request.now, limit),
    }
}

fn one(tx: &Transaction<'_>, fw_id: FwId) -> Result<Option<FwId>, SqlError> {
    let sql = "SELECT fw_id FROM fireworks WHERE fw_id = ?1 AND state IN ('READY', 'RESERVED')";
    Ok(tx.query_row(sql, params![fw_id], |row| row.get(0)).optional()?)
}

fn best(sql: &Connection, worker: &FWorker, order: Order, now: Timestamp, limit: usize) -> Result<Vec<FwId>, SqlError> {
    let clause = claimable(worker, now)?;
    let condition = clause.sql();
    let direction = match order {
        Order::Fifo => "ASC",
        Order::Filo => "DESC",
    };
    let query = format!(
        "SELECT fw_id FROM fireworks WHERE {condition}
         ORDER BY priority DESC, created_on {direction}, fw_id {direction} LIMIT {limit}"
    );
    let mut statement = sql.prepare_cached(&query)?;
    let ids = statement.query_map(params_from_iter(clause.values), |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

fn start(tx: &Transaction<'_>, mut firework: Firework, request: &ClaimRequest<'_>) -> Result<Claim, SqlError> {
    let fw_id = firework.fw_id;
    let launch = match reserved(tx, &firework)? {
        Some(mut launch) => {
            launch.take_up(&request.reserved_place(&firework, &launch), request.lease, request.now);
            graph::save_launch(tx, &launch)?;
            launch
        }
        None => {
            let launch_id = schema::take_ids(tx, "next_launch_id", 1)?;
            let launch = Launch::running(launch_id, fw_id, &request.place(&firework), request.lease, request.now);
            insert_launch(tx, &launch)?;
            firework.launches.push(launch_id);
            launch
        }
    };
    firework.state = State::Running;
    firework.updated_on = bson::Bson::String(time::to_iso(request.now));
    set_state(tx, fw_id, State::Running, &firework.launches, request.now)?;
    Ok(Claim { firework, launch })
}

/// Stores a new launch.
pub fn insert_launch(tx: &Transaction<'_>, launch: &Launch) -> Result<(), SqlError> {
    tx.prepare_cached("INSERT INTO launches VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        launch.launch_id,
        launch.fw_id,
        launch.state.as_str(),
        json::text(&launch.to_document())
    ])?;
    Ok(())
}

/// The launch that a queue job was submitted for.
fn reserved(tx: &Transaction<'_>, firework: &Firework) -> Result<Option<Launch>, SqlError> {
    if firework.state != State::Reserved {
        return Ok(None);
    }
    Ok(find::launches(tx, &firework.launches)?.into_iter().find(|launch| launch.state == State::Reserved))
}

/// Sets state and launches of a firework, and what follows for its workflow.
pub fn set_state(
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
        set_state(tx, held.fw_id, State::Ready, &launches, now)?;
    }
    Ok(())
}
