//! Deleting whole workflows.

use rusqlite::{Transaction, params};

use super::{SqlError, json};
use crate::workflow::FwId;

/// Deletes the workflows of these fireworks; returns every firework that went.
pub fn workflows(tx: &Transaction<'_>, fw_ids: &[FwId]) -> Result<Vec<FwId>, SqlError> {
    let members: Vec<FwId> = tx
        .prepare(
            "SELECT fw_id FROM fireworks WHERE workflow IN
             (SELECT workflow FROM fireworks WHERE fw_id IN (SELECT value FROM json_each(?1))) ORDER BY fw_id",
        )?
        .query_map(params![json::ids(fw_ids)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let gone = json::ids(&members);
    for sql in [
        "DELETE FROM workflows WHERE id IN
         (SELECT workflow FROM fireworks WHERE fw_id IN (SELECT value FROM json_each(?1)))",
        "DELETE FROM launches WHERE fw_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM links WHERE parent IN (SELECT value FROM json_each(?1))",
        "DELETE FROM fireworks WHERE fw_id IN (SELECT value FROM json_each(?1))",
    ] {
        tx.execute(sql, params![gone])?;
    }
    Ok(members)
}
