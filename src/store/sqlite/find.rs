//! Reading fireworks, launches and workflows.

use bson::{Bson, Document};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::clause::{self, Clause};
use super::narrow::{self, Table};
use super::{SqlError, json};
use crate::store::{Direction, FireworkQuery, SortKey, WorkflowQuery};
use crate::workflow::{Firework, FwId, Launch, LaunchId, State};

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

/// Fireworks that match.
pub fn fireworks(sql: &Connection, query: &FireworkQuery) -> Result<Vec<Firework>, SqlError> {
    let (text, clause) = statement("*", Table::Fireworks, Clause::fireworks(query)?, query.sort, query.limit);
    let mut statement = sql.prepare(&text)?;
    let rows = statement.query_map(params_from_iter(clause.values), |row| Ok(read_firework(row)))?;
    rows.map(|row| row?).collect()
}

/// The ids of fireworks that match.
pub fn firework_ids(sql: &Connection, query: &FireworkQuery) -> Result<Vec<FwId>, SqlError> {
    ids(sql, Table::Fireworks, Clause::fireworks(query)?, query.sort, query.limit)
}

/// How many fireworks match.
pub fn count(sql: &Connection, query: &FireworkQuery) -> Result<u64, SqlError> {
    number(sql, Table::Fireworks, Clause::fireworks(query)?)
}

/// Workflows that match, in the shape of FireWorks' `workflows` collection.
pub fn workflows(sql: &Connection, query: &WorkflowQuery) -> Result<Vec<Document>, SqlError> {
    let columns = format!("{} AS document", narrow::workflow(&|_| true));
    let (text, clause) = statement(&columns, Table::Workflows, Clause::workflows(query)?, query.sort, query.limit);
    let mut statement = sql.prepare(&text)?;
    let rows = statement.query_map(params_from_iter(clause.values), |row| Ok(json::document(row, "document")))?;
    rows.map(|row| row?).collect()
}

/// What workflows that match are called in this file.
pub fn workflow_ids(sql: &Connection, query: &WorkflowQuery) -> Result<Vec<i64>, SqlError> {
    ids(sql, Table::Workflows, Clause::workflows(query)?, query.sort, query.limit)
}

/// How many workflows match.
pub fn count_workflows(sql: &Connection, query: &WorkflowQuery) -> Result<u64, SqlError> {
    number(sql, Table::Workflows, Clause::workflows(query)?)
}

/// The ids of launches that match a query in MongoDB's language.
pub fn matching_launches(sql: &Connection, query: &Document) -> Result<Vec<LaunchId>, SqlError> {
    let mut clause = Clause::default();
    clause.matching(query, Table::Launches)?;
    ids(sql, Table::Launches, clause, None, 0)
}

fn statement(
    columns: &str,
    table: Table,
    clause: Clause,
    sort: Option<(SortKey, Direction)>,
    most: usize,
) -> (String, Clause) {
    let (name, order, limit) = (table.name(), clause::order(sort, table), clause::limit(most));
    (format!("SELECT {columns} FROM {name} WHERE {} ORDER BY {order} LIMIT {limit}", clause.sql()), clause)
}

fn ids(
    sql: &Connection,
    table: Table,
    clause: Clause,
    sort: Option<(SortKey, Direction)>,
    most: usize,
) -> Result<Vec<i64>, SqlError> {
    let (text, clause) = statement(table.id(), table, clause, sort, most);
    let mut statement = sql.prepare(&text)?;
    Ok(statement.query_map(params_from_iter(clause.values), |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn number(sql: &Connection, table: Table, clause: Clause) -> Result<u64, SqlError> {
    let text = format!("SELECT count(*) FROM {} WHERE {}", table.name(), clause.sql());
    let count: i64 = sql.prepare(&text)?.query_row(params_from_iter(clause.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;
    use crate::store::NamePattern;
    use crate::store::sqlite::schema;

    /// How SQLite goes about it.
    fn plan(
        sql: &Connection,
        columns: &str,
        table: Table,
        clause: Clause,
        sort: Option<(SortKey, Direction)>,
    ) -> String {
        let (text, clause) = statement(columns, table, clause, sort, 20);
        let mut statement = sql.prepare(&format!("EXPLAIN QUERY PLAN {text}")).expect("is SQL");
        let rows = statement.query_map(params_from_iter(clause.values), |row| row.get::<_, String>("detail"));
        rows.expect("explains").collect::<Result<Vec<_>, _>>().expect("explains").join("; ")
    }

    #[test]
    fn what_people_ask_for_is_served_by_indexes() {
        let folder = tempfile::tempdir().expect("a folder");
        let sql = schema::open(&folder.path().join("lp.db")).expect("is made");
        let fireworks = |query: FireworkQuery| {
            let clause = Clause::fireworks(&query).map_err(|error| error.at(folder.path())).expect("is a clause");
            plan(&sql, "fw_id", Table::Fireworks, clause, query.sort)
        };
        let all = FireworkQuery::default;
        let running = fireworks(FireworkQuery { states: vec![State::Running], ..all() });
        assert_eq!(running, "SEARCH fireworks USING COVERING INDEX by_state (state=?)");
        let one = fireworks(FireworkQuery { ids: Some(vec![7]), ..all() });
        assert!(one.starts_with("SEARCH fireworks USING INTEGER PRIMARY KEY"), "{one}");
        let named = fireworks(FireworkQuery { name: Some(NamePattern::Exactly("a".into())), ..all() });
        assert!(named.starts_with("SEARCH fireworks USING COVERING INDEX by_name"), "{named}");
        let like = fireworks(FireworkQuery { name: Some(NamePattern::Like("a".into())), ..all() });
        assert!(like.contains("SCAN fireworks USING COVERING INDEX by_name"), "{like}");
        let newest = fireworks(FireworkQuery { sort: Some((SortKey::UpdatedOn, Direction::Descending)), ..all() });
        assert_eq!(newest, "SCAN fireworks USING COVERING INDEX by_change");
        let since = fireworks(FireworkQuery { since: Some(jiff::Timestamp::now()), ..all() });
        assert!(since.contains("SEARCH fireworks USING COVERING INDEX by_change"), "{since}");
        let asked =
            fireworks(FireworkQuery { matching: Some(doc! {"state": {"$in": ["READY"]}, "spec.a": 1}), ..all() });
        assert!(asked.starts_with("SEARCH fireworks USING INDEX by_state"), "{asked}");
        let clause = |query: &WorkflowQuery| {
            Clause::workflows(query).map_err(|error| error.at(folder.path())).expect("is a clause")
        };
        let newest =
            WorkflowQuery { sort: Some((SortKey::CreatedOn, Direction::Descending)), ..WorkflowQuery::default() };
        let newest = plan(&sql, "id", Table::Workflows, clause(&newest), newest.sort);
        assert_eq!(newest, "SCAN workflows USING COVERING INDEX workflows_by_birth");
        let owned = WorkflowQuery { owner: Some("me".into()), fw_ids: Some(vec![1]), ..WorkflowQuery::default() };
        let owned = plan(&sql, "id", Table::Workflows, clause(&owned), None);
        assert!(
            !owned.contains("SCAN fireworks") && !owned.contains("SCAN workflows") && !owned.contains("SCAN a"),
            "{owned}"
        );
    }
}
