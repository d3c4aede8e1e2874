//! What administrators ask for: workflows derived anew, the file tuned.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::apply::apply;
use super::finish::{nobody, settle};
use super::graph::{self, Detail, Reach};
use super::{SqlError, find, schema};
use crate::store::{FireworkQuery, StoreError};
use crate::workflow::launch::representative;
use crate::workflow::{FwId, State, decide};

/// Applies launches that have ended, and looks at what waits.
pub fn refresh(tx: &Transaction<'_>, fw_id: FwId, now: Timestamp) -> Result<Vec<FwId>, SqlError> {
    let workflow = graph::workflow_of(tx, fw_id)?.ok_or(StoreError::UnknownFirework(fw_id))?;
    let members = graph::linked(tx, "SELECT fw_id FROM fireworks WHERE workflow = ?1", params![workflow])?;
    let states = |tx: &Transaction<'_>| -> Result<Vec<(FwId, State)>, SqlError> {
        let all = FireworkQuery { ids: Some(members.clone()), ..FireworkQuery::default() };
        Ok(find::fireworks(tx, &all)?.iter().map(|firework| (firework.fw_id, firework.state)).collect())
    };
    let before: BTreeSet<(FwId, State)> = states(tx)?.into_iter().collect();
    for &(fw_id, _) in before.iter().filter(|(_, state)| *state == State::Running) {
        let listed = find::firework(tx, fw_id)?.map(|firework| firework.launches).unwrap_or_default();
        let launches = find::launches(tx, &listed)?;
        if let Some(launch) = representative(launches.iter()).filter(|launch| launch.state.is_final()) {
            settle(tx, fw_id, launch, now)?;
        }
    }
    let mut whole = graph::load(tx, fw_id, Reach::Workflow, Detail::Documents)?;
    decide::refresh(&mut whole);
    apply(tx, workflow, whole, &nobody(), now)?;
    Ok(states(tx)?.into_iter().filter(|one| !before.contains(one)).map(|(fw_id, _)| fw_id).collect())
}

/// Makes indexes that are missing, and sets counters above what is in use.
pub fn initialise(tx: &Transaction<'_>) -> Result<(), SqlError> {
    for index in schema::index_statements() {
        tx.execute_batch(&index.replacen("CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1))?;
    }
    for (counter, table, field) in schema::COUNTERS {
        tx.execute("INSERT OR IGNORE INTO meta VALUES (?1, 1)", params![counter])?;
        let raise = format!(
            "UPDATE meta SET value = max(value, 1 + (SELECT coalesce(max({field}), 0) FROM {table})) WHERE key = ?1"
        );
        tx.execute(&raise, params![counter])?;
    }
    Ok(())
}

/// Has SQLite look at how the data are spread, and gives unused room back.
pub fn tune(sql: &Connection, full: bool) -> Result<(), SqlError> {
    sql.execute_batch(if full { "ANALYZE; VACUUM; PRAGMA wal_checkpoint(TRUNCATE);" } else { "ANALYZE;" })?;
    Ok(())
}
