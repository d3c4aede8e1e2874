//! Fireworks that belong to no workflow.

use rusqlite::Connection;

use super::{SqlError, SqliteStore, delete, json};
use crate::store::Result;
use crate::store::orphans::Orphans;
use crate::workflow::FwId;

impl Orphans for SqliteStore {
    fn orphans(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>> {
        self.read(|sql| orphans(sql, fw_ids))
    }

    fn delete_orphans(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>> {
        self.write(|tx| {
            let orphans = orphans(tx, fw_ids)?;
            delete::fireworks(tx, &orphans)?;
            Ok(orphans)
        })
    }
}

fn orphans(sql: &Connection, fw_ids: &[FwId]) -> Result<Vec<FwId>, SqlError> {
    let mut statement = sql.prepare(
        "SELECT wanted.value FROM json_each(?1) wanted JOIN fireworks ON fw_id = wanted.value
         WHERE workflow NOT IN (SELECT id FROM workflows) ORDER BY wanted.key",
    )?;
    let ids = statement.query_map([json::ids(fw_ids)], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}
