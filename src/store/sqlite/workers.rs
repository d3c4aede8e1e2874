//! `volley_workers`: what workers say of themselves.

use rusqlite::{Connection, Transaction, params};

use super::{SqlError, json};
use crate::store::WorkerRecord;

/// All records.
pub fn all(sql: &Connection) -> Result<Vec<WorkerRecord>, SqlError> {
    let mut statement = sql.prepare("SELECT document FROM volley_workers ORDER BY name, host")?;
    let rows = statement.query_map([], |row| Ok(json::document(row, "document")))?;
    let documents: Vec<_> = rows.map(|row| row?).collect::<Result<_, _>>()?;
    Ok(documents.iter().filter_map(WorkerRecord::from_document).collect())
}

/// Replaces a record; one that says nothing goes.
pub fn replace(tx: &Transaction<'_>, record: &WorkerRecord) -> Result<(), SqlError> {
    tx.execute("DELETE FROM volley_workers WHERE name = ?1 AND host = ?2", params![record.name, record.host])?;
    if !record.is_empty() {
        tx.execute(
            "INSERT INTO volley_workers VALUES (?1, ?2, ?3)",
            params![record.name, record.host, json::text(&record.to_document())],
        )?;
    }
    Ok(())
}
