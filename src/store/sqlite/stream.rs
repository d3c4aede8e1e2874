//! Many fireworks or workflows, some at a time.

use bson::Document;
use rusqlite::{Connection, Row, params};

use super::{SqlError, SqliteStore, find, json, narrow};
use crate::store::{Fields, FireworkQuery, Result, TakeSome, WorkflowQuery};
use crate::workflow::Firework;

/// As many are handed over at once, at most, and so many bytes of them unless one alone has more.
const SOME: usize = 2_000;
const BYTES: usize = 8 * 1024 * 1024;

/// A statement for rows of a table by their ids, in the order of these: what it reads, from where.
struct ById {
    columns: String,
    table: &'static str,
    id: &'static str,
}

impl SqliteStore {
    pub(super) fn stream_fireworks(
        &self,
        query: &FireworkQuery,
        fields: Fields,
        take: &mut TakeSome<'_, Firework>,
    ) -> Result<()> {
        let head = "fw_id, name, state, created_on, updated_on, launches, archived_launches";
        let columns = match fields {
            Fields::Head => format!("{head}, '{{}}' AS spec"),
            Fields::Whole => format!("{head}, spec"),
        };
        let ids = self.read(|sql| find::firework_ids(sql, query))?;
        self.stream(&ids, &ById { columns, table: "fireworks", id: "fw_id" }, "spec", find::read_firework, take)
    }

    pub(super) fn stream_workflows(&self, query: &WorkflowQuery, take: &mut TakeSome<'_, Document>) -> Result<()> {
        let columns = format!("{} AS document", narrow::workflow(&|_| true));
        let ids = self.read(|sql| find::workflow_ids(sql, query))?;
        let read = |row: &Row<'_>| json::document(row, "document");
        self.stream(&ids, &ById { columns, table: "workflows", id: "id" }, "document", read, take)
    }

    /// The connection is free while somebody looks at what was found; what is deleted meanwhile is left
    /// out.
    fn stream<T>(
        &self,
        mut ids: &[i64],
        by_id: &ById,
        large: &str,
        read: impl Fn(&Row<'_>) -> Result<T, SqlError>,
        take: &mut TakeSome<'_, T>,
    ) -> Result<()> {
        while !ids.is_empty() {
            let next = &ids[..ids.len().min(SOME)];
            let (some, seen) = self.read(|sql| by_id.some(sql, next, large, &read))?;
            if take(some).is_break() {
                break;
            }
            ids = &ids[seen..];
        }
        Ok(())
    }
}

impl ById {
    /// Some of these rows, and how many of the ids are done with.
    fn some<T>(
        &self,
        sql: &Connection,
        ids: &[i64],
        large: &str,
        read: impl Fn(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<(Vec<T>, usize), SqlError> {
        let ById { columns, table, id } = self;
        // The outer of a cross join is gone through in its order.
        let text = format!(
            "SELECT {columns}, wanted.key AS place FROM json_each(?1) wanted CROSS JOIN {table} ON {table}.{id} = wanted.value"
        );
        let mut statement = sql.prepare_cached(&text)?;
        let mut rows = statement.query(params![json::ids(ids)])?;
        let (mut some, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            some.push(read(row)?);
            bytes += row.get_ref(large)?.as_str().map_or(0, str::len);
            if bytes >= BYTES {
                let place: i64 = row.get("place")?;
                return Ok((some, place as usize + 1));
            }
        }
        Ok((some, ids.len()))
    }
}
