//! Reading fireworks, launches and workflows.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params, params_from_iter};

use super::{SqlError, json};
use crate::store::{Direction, FireworkQuery, SortKey, WorkflowQuery};
use crate::workflow::{Firework, FwId, Launch, LaunchId, State, int, time};

/// Reads a state column.
pub fn state(text: &str) -> Result<State, SqlError> {
    text.parse().map_err(|error: crate::workflow::state::UnknownState| SqlError::Broken(error.to_string()))
}

/// One firework.
pub fn firework(sql: &Connection, fw_id: FwId) -> Result<Option<Firework>, SqlError> {
    sql.prepare_cached("SELECT * FROM fireworks WHERE fw_id = ?1")?
        .query_row(params![fw_id], |row| Ok(read_firework(row)))
        .optional()?
        .transpose()
}

pub fn read_firework(row: &Row<'_>) -> Result<Firework, SqlError> {
    Ok(Firework {
        fw_id: row.get("fw_id")?,
        name: row.get("name")?,
        spec: json::document(row, "spec")?,
        state: state(&row.get::<_, String>("state")?)?,
        created_on: date(row.get("created_on")?),
        updated_on: date(row.get("updated_on")?),
        launches: json::id_list(row, "launches")?,
        archived_launches: json::id_list(row, "archived_launches")?,
        applied: Vec::new(),
    })
}

/// A date column; one that was copied from a document without that date is empty.
pub fn date(text: String) -> Bson {
    if text.is_empty() { Bson::Null } else { Bson::String(text) }
}

/// Launches by id, in the order asked for.
pub fn launches(sql: &Connection, ids: &[LaunchId]) -> Result<Vec<Launch>, SqlError> {
    let mut statement = sql.prepare_cached("SELECT document FROM launches WHERE launch_id = ?1")?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let document = statement.query_row(params![id], |row| Ok(json::document(row, "document"))).optional()?;
        if let Some(document) = document.transpose()? {
            let launch = Launch::from_document(&document);
            found.push(launch.ok_or_else(|| SqlError::Broken(format!("launch {id} cannot be read")))?);
        }
    }
    Ok(found)
}

/// Launches of a queue job.
pub fn launches_of_job(sql: &Connection, job: &str) -> Result<Vec<Launch>, SqlError> {
    // Whatever else begins so is read, too, and left out.
    let begins = format!("\"{job}");
    let mut statement = sql.prepare("SELECT document FROM launches WHERE instr(document, ?1) ORDER BY launch_id")?;
    let rows = statement.query_map(params![begins], |row| Ok(json::document(row, "document")))?;
    let read = rows.map(|row| row?).collect::<Result<Vec<Document>, SqlError>>()?;
    Ok(read.iter().filter_map(Launch::from_document).filter(|launch| launch.job_named(job).is_some()).collect())
}

/// A WHERE clause and its values.
struct Clause {
    terms: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Clause {
    fn new() -> Self {
        Clause { terms: vec!["1".to_owned()], values: Vec::new() }
    }

    /// Adds a term; `?` stands for the value.
    fn add(&mut self, term: &str, value: impl ToSql + 'static) {
        self.values.push(Box::new(value));
        self.terms.push(term.replace('?', &format!("?{}", self.values.len())));
    }

    fn states(&mut self, states: &[State]) {
        if !states.is_empty() {
            let names: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
            self.add("state IN (SELECT value FROM json_each(?))", serde_json::Value::from(names).to_string());
        }
    }

    fn name(&mut self, name: Option<&String>) {
        if let Some(name) = name {
            self.add("name = ?", name.clone());
        }
    }

    fn sql(&self) -> String {
        self.terms.join(" AND ")
    }
}

fn order(sort: Option<(SortKey, Direction)>, id: &str) -> String {
    match sort {
        None => id.to_owned(),
        Some((key, direction)) => {
            let key = match key {
                SortKey::CreatedOn => "created_on",
                SortKey::UpdatedOn => "updated_on",
            };
            let direction = match direction {
                Direction::Ascending => "ASC",
                Direction::Descending => "DESC",
            };
            format!("{key} {direction}, {id} {direction}")
        }
    }
}

/// SQLite's word for "all of them".
fn limit(limit: usize) -> i64 {
    if limit == 0 { -1 } else { limit as i64 }
}

fn firework_clause(query: &FireworkQuery) -> Clause {
    let mut clause = Clause::new();
    if let Some(ids) = &query.ids {
        clause.add("fw_id IN (SELECT value FROM json_each(?))", json::ids(ids));
    }
    if let Some(launches) = &query.launches {
        let shared = "EXISTS (SELECT 1 FROM json_each(launches) WHERE value IN (SELECT value FROM json_each(?)))";
        clause.add(shared, json::ids(launches));
    }
    clause.states(&query.states);
    clause.name(query.name.as_ref());
    clause
}

/// Fireworks that match.
pub fn fireworks(sql: &Connection, query: &FireworkQuery) -> Result<Vec<Firework>, SqlError> {
    let clause = firework_clause(query);
    let text = format!(
        "SELECT * FROM fireworks WHERE {} ORDER BY {} LIMIT {}",
        clause.sql(),
        order(query.sort, "fw_id"),
        limit(query.limit)
    );
    let mut statement = sql.prepare(&text)?;
    let rows = statement.query_map(params_from_iter(clause.values), |row| Ok(read_firework(row)))?;
    rows.map(|row| row?).collect()
}

/// How many fireworks match.
pub fn count(sql: &Connection, query: &FireworkQuery) -> Result<u64, SqlError> {
    let clause = firework_clause(query);
    let text = format!("SELECT count(*) FROM fireworks WHERE {}", clause.sql());
    let count: i64 = sql.prepare(&text)?.query_row(params_from_iter(clause.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Workflows that match, in the shape of FireWorks' `workflows` collection.
pub fn workflows(sql: &Connection, query: &WorkflowQuery) -> Result<Vec<Document>, SqlError> {
    let mut clause = Clause::new();
    if let Some(ids) = &query.fw_ids {
        clause.add(
            "id IN (SELECT workflow FROM fireworks WHERE fw_id IN (SELECT value FROM json_each(?)))",
            json::ids(ids),
        );
    }
    clause.states(&query.states);
    clause.name(query.name.as_ref());
    let text = format!(
        "SELECT * FROM workflows WHERE {} ORDER BY {} LIMIT {}",
        clause.sql(),
        order(query.sort, "id"),
        limit(query.limit)
    );
    let mut statement = sql.prepare(&text)?;
    let rows = statement.query_map(params_from_iter(clause.values), |row| Ok(workflow(sql, row)))?;
    rows.map(|row| row?).collect()
}

/// A workflow, in that shape.
pub fn workflow(sql: &Connection, row: &Row<'_>) -> Result<Document, SqlError> {
    let id: i64 = row.get("id")?;
    let mut nodes: Vec<FwId> = Vec::new();
    let mut fw_states = Document::new();
    let mut members = sql.prepare_cached("SELECT fw_id, state FROM fireworks WHERE workflow = ?1 ORDER BY fw_id")?;
    let mut rows = members.query(params![id])?;
    while let Some(member) = rows.next()? {
        let fw_id: FwId = member.get(0)?;
        nodes.push(fw_id);
        fw_states.insert(fw_id.to_string(), member.get::<_, String>(1)?);
    }
    let pairs: Vec<(FwId, FwId)> = sql
        .prepare_cached(
            "SELECT parent, child FROM fireworks JOIN links ON parent = fw_id WHERE workflow = ?1
             ORDER BY parent, child",
        )?
        .query_map(params![id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let date = |column: &str| -> Result<Bson, SqlError> {
        let text: String = row.get(column)?;
        Ok(time::from_text(&text).map_or(Bson::Null, time::to_bson_date))
    };
    Ok(doc! {
        "links": links_document(pairs.iter().copied(), &nodes),
        "parent_links": links_document(pairs.iter().map(|&(parent, child)| (child, parent)), &[]),
        "nodes": nodes.iter().copied().map(int).collect::<Vec<_>>(),
        "metadata": json::document(row, "metadata")?,
        "state": row.get::<_, String>("state")?,
        "name": row.get::<_, String>("name")?,
        "created_on": date("created_on")?,
        "updated_on": date("updated_on")?,
        "fw_states": fw_states,
    })
}

/// A `bson` document of what stands in the links table, as FireWorks keeps it.
fn links_document(pairs: impl Iterator<Item = (FwId, FwId)>, nodes: &[FwId]) -> Document {
    let mut links: BTreeMap<FwId, Vec<Bson>> = nodes.iter().map(|&node| (node, Vec::new())).collect();
    for (from, to) in pairs {
        links.entry(from).or_default().push(int(to));
    }
    links.into_iter().map(|(from, to)| (from.to_string(), Bson::Array(to))).collect()
}
