//! Windows of lists: the rows from one place on, by the index of their order.

use std::collections::BTreeMap;

use bson::Bson;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::clause::{self, Clause};
use super::narrow::Table;
use super::{SqlError, SqliteStore, find, json};
use crate::store::window::{Anchor, Edge, FireworkRow, Start, Window, Windows, WorkflowRow, by_ranges, ids_from};
use crate::store::window::{order, window};
use crate::store::{Direction, FireworkQuery, Result, SortKey, WorkflowQuery};
use crate::workflow::{FwId, State, time};

/// So many rows are looked at in their order before all that match are found and sorted: most filters let enough
/// of them through, and many rows are dear to sort.
const NEAR: i64 = 5_000;

/// What a firework without a priority is sorted by.
const NO_PRIORITY: f64 = f64::NEG_INFINITY;

const FIREWORK: &str = "fw_id, name, state, created_on, updated_on, priority, json_array_length(launches) AS size";
const WORKFLOW: &str = "id, name, state, created_on, updated_on,
    (SELECT min(fw_id) FROM fireworks f WHERE f.workflow = workflows.id) AS lowest,
    (SELECT json_group_object(state, number) FROM
     (SELECT state, count(*) AS number FROM fireworks f WHERE f.workflow = workflows.id GROUP BY state)) AS counts";

/// Which rows are read.
struct Reading<'a> {
    table: Table,
    key: SortKey,
    edge: Option<Edge<'a>>,
    direction: Direction,
    limit: usize,
}

impl Windows for SqliteStore {
    fn firework_window(&self, query: &FireworkQuery, start: &Start, size: usize) -> Result<Window<FireworkRow>> {
        let (key, direction) = order(query.sort);
        window(direction, start, size, |edge, direction, limit| {
            let reading = Reading { table: Table::Fireworks, key, edge, direction, limit };
            self.read(|sql| reading.rows(sql, &|| Clause::fireworks(query), FIREWORK, read_firework))
        })
    }

    fn workflow_window(&self, query: &WorkflowQuery, start: &Start, size: usize) -> Result<Window<WorkflowRow>> {
        let (key, direction) = order(query.sort);
        // They have no priority.
        let key = if key == SortKey::Priority { SortKey::FwId } else { key };
        window(direction, start, size, |edge, direction, limit| {
            let reading = Reading { table: Table::Workflows, key, edge, direction, limit };
            let clause = || Clause::workflows(query);
            if key == SortKey::FwId {
                return self.by_lowest_id(&reading, &clause);
            }
            self.read(|sql| reading.rows(sql, &clause, WORKFLOW, read_workflow))
        })
    }
}

impl SqliteStore {
    /// Workflows by the lowest ids in them: there is an index of fireworks by these, and of their workflows none.
    fn by_lowest_id(
        &self,
        reading: &Reading<'_>,
        clause: &dyn Fn() -> Result<Clause, SqlError>,
    ) -> Result<Vec<WorkflowRow>> {
        let ends = "SELECT ifnull(min(fw_id), 1), ifnull(max(fw_id), 0) FROM fireworks";
        let ends = self.read(|sql| Ok(sql.query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?))?;
        let among = ids_from(reading.edge, reading.direction, ends);
        by_ranges(among, reading.direction, reading.limit, |first: FwId, last: FwId, limit| {
            let within = || {
                let mut clause = clause()?;
                let (first, last) = (clause.bind(first), clause.bind(last));
                let touched = format!("SELECT workflow FROM fireworks WHERE fw_id BETWEEN {first} AND {last}");
                clause.require(format!("id IN ({touched})"));
                clause.require(format!("{} BETWEEN {first} AND {last}", reading.key_sql()));
                Ok::<_, SqlError>(clause)
            };
            let part = Reading { edge: None, limit, ..*reading };
            self.read(|sql| part.all(sql, within()?, WORKFLOW, read_workflow))
        })
    }
}

impl Reading<'_> {
    /// The rows that match, in their order.
    fn rows<T>(
        &self,
        sql: &Connection,
        clause: &dyn Fn() -> Result<Clause, SqlError>,
        columns: &str,
        read: fn(&Row<'_>, SortKey) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let all = clause()?;
        if let Some(index) = self.index().filter(|_| !all.is_empty()) {
            let end = self.near_end(sql)?;
            let mut near = clause()?;
            self.begin(&mut near);
            if let Some((key, id)) = &end {
                self.compare(&mut near, self.direction.reversed(), true, key.clone(), id.clone());
            }
            let found = self.select(sql, &near, columns, index, read)?;
            if end.is_none() || found.len() >= self.limit {
                return Ok(found);
            }
        }
        self.all(sql, all, columns, read)
    }

    fn all<T>(
        &self,
        sql: &Connection,
        mut clause: Clause,
        columns: &str,
        read: fn(&Row<'_>, SortKey) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        self.begin(&mut clause);
        self.select(sql, &clause, columns, "", read)
    }

    fn select<T>(
        &self,
        sql: &Connection,
        clause: &Clause,
        columns: &str,
        index: &str,
        read: fn(&Row<'_>, SortKey) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let text = self.statement(&format!("{columns}, {} AS sorted_by", self.key_sql()), clause, index);
        let mut statement = sql.prepare_cached(&text)?;
        let rows = statement.query_map(params_from_iter(&clause.values), |row| Ok(read(row, self.key)))?;
        rows.map(|row| row?).collect()
    }

    fn statement(&self, columns: &str, clause: &Clause, index: &str) -> String {
        let (table, limit) = (self.table.name(), clause::limit(self.limit));
        format!("SELECT {columns} FROM {table} {index} WHERE {} ORDER BY {} LIMIT {limit}", clause.sql(), self.order())
    }

    /// The place of the last row that is near.
    fn near_end(&self, sql: &Connection) -> Result<Option<(Value, Value)>, SqlError> {
        let mut clause = Clause::default();
        self.begin(&mut clause);
        let (key, id, table) = (self.key_sql(), self.table.id(), self.table.name());
        let text = format!(
            "SELECT {key}, {id} FROM {table} WHERE {} ORDER BY {} LIMIT 1 OFFSET {NEAR}",
            clause.sql(),
            self.order()
        );
        let mut statement = sql.prepare_cached(&text)?;
        Ok(statement.query_row(params_from_iter(&clause.values), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// That rows come from the edge on.
    fn begin(&self, clause: &mut Clause) {
        if let Some(Edge { anchor, inclusive }) = self.edge {
            self.compare(clause, self.direction, inclusive, self.key_value(&anchor.key), value(&anchor.id));
        }
    }

    fn compare(&self, clause: &mut Clause, direction: Direction, inclusive: bool, key: Value, id: Value) {
        let sign = match (direction, inclusive) {
            (Direction::Ascending, false) => ">",
            (Direction::Ascending, true) => ">=",
            (Direction::Descending, false) => "<",
            (Direction::Descending, true) => "<=",
        };
        let (key, id) = (clause.bind(key), clause.bind(id));
        clause.require(format!("({}, {}) {sign} ({key}, {id})", self.key_sql(), self.table.id()));
    }

    fn order(&self) -> String {
        let direction = match self.direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        format!("{} {direction}, {} {direction}", self.key_sql(), self.table.id())
    }

    fn key_sql(&self) -> String {
        match (self.key, self.table) {
            (SortKey::Priority, Table::Fireworks) => "ifnull(priority, -9e999)".to_owned(),
            (key, table) => clause::sort_key(key, table),
        }
    }

    /// How the statement is told to go through the rows in their order.
    fn index(&self) -> Option<&'static str> {
        Some(match (self.table, self.key) {
            (Table::Fireworks, SortKey::FwId) => "NOT INDEXED",
            (Table::Fireworks, SortKey::Name) => "INDEXED BY by_name",
            (Table::Fireworks, SortKey::State) => "INDEXED BY by_state",
            (Table::Fireworks, SortKey::CreatedOn) => "INDEXED BY by_birth",
            (Table::Fireworks, SortKey::UpdatedOn) => "INDEXED BY by_change",
            (Table::Workflows, SortKey::Name) => "INDEXED BY workflows_by_name",
            (Table::Workflows, SortKey::State) => "INDEXED BY workflows_by_state",
            (Table::Workflows, SortKey::CreatedOn) => "INDEXED BY workflows_by_birth",
            (Table::Workflows, SortKey::UpdatedOn) => "INDEXED BY workflows_by_change",
            _ => return None,
        })
    }

    /// The key of an anchor as the column has it.
    fn key_value(&self, key: &Bson) -> Value {
        match (key, self.key) {
            (Bson::Null, SortKey::Priority) => NO_PRIORITY.into(),
            (Bson::Null, _) => String::new().into(),
            (key, _) => value(key),
        }
    }
}

fn value(of: &Bson) -> Value {
    match of {
        Bson::Int32(number) => i64::from(*number).into(),
        Bson::Int64(number) => (*number).into(),
        Bson::Double(number) => (*number).into(),
        Bson::String(text) => text.clone().into(),
        _ => Value::Null,
    }
}

fn anchor(row: &Row<'_>, key: SortKey, id: i64) -> Result<Anchor, SqlError> {
    let dated = matches!(key, SortKey::CreatedOn | SortKey::UpdatedOn);
    let key = match row.get("sorted_by")? {
        Value::Integer(number) => number.into(),
        Value::Real(NO_PRIORITY) => Bson::Null,
        Value::Real(number) => number.into(),
        Value::Text(text) if dated => find::date(text),
        Value::Text(text) => text.into(),
        Value::Null | Value::Blob(_) => Bson::Null,
    };
    Ok(Anchor { key, id: id.into() })
}

fn read_firework(row: &Row<'_>, key: SortKey) -> Result<FireworkRow, SqlError> {
    let fw_id = row.get("fw_id")?;
    let priority = match row.get("priority")? {
        Value::Real(number) if number.fract() == 0.0 && number.abs() < 1e15 => Bson::Int64(number as i64),
        Value::Real(number) => number.into(),
        Value::Integer(number) => number.into(),
        // Behind a number that has it sorted.
        Value::Text(text) => text.split_once(' ').map_or(text.as_str(), |(_, text)| text).into(),
        Value::Null | Value::Blob(_) => Bson::Null,
    };
    let launches: i64 = row.get("size")?;
    Ok(FireworkRow {
        fw_id,
        name: row.get("name")?,
        state: find::state(&row.get::<_, String>("state")?)?,
        priority,
        launches: launches.unsigned_abs() as usize,
        created_on: time::from_text(&row.get::<_, String>("created_on")?),
        updated_on: time::from_text(&row.get::<_, String>("updated_on")?),
        anchor: anchor(row, key, fw_id)?,
    })
}

fn read_workflow(row: &Row<'_>, key: SortKey) -> Result<WorkflowRow, SqlError> {
    let counted = json::document(row, "counts")?;
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    for (state, number) in &counted {
        let number = crate::workflow::as_int(number).unwrap_or_default();
        counts.insert(find::state(state)?, number.unsigned_abs() as usize);
    }
    Ok(WorkflowRow {
        id: row.get::<_, Option<FwId>>("lowest")?.unwrap_or_default(),
        name: row.get("name")?,
        state: find::state(&row.get::<_, String>("state")?)?,
        counts,
        created_on: time::from_text(&row.get::<_, String>("created_on")?),
        updated_on: time::from_text(&row.get::<_, String>("updated_on")?),
        anchor: anchor(row, key, row.get("id")?)?,
    })
}
