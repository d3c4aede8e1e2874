//! How many there are in each state.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{SqlError, SqliteStore, find};
use crate::store::Result;
use crate::store::counts::{Countings, Counts};
use crate::workflow::State;

impl Countings for SqliteStore {
    fn counts(&self) -> Result<Counts> {
        let at = self.clock();
        self.read(|sql| {
            Ok(Counts { at, fireworks: by_state(sql, "fireworks")?, workflows: by_state(sql, "workflows")? })
        })
    }
}

fn by_state(sql: &Connection, table: &str) -> Result<BTreeMap<State, u64>, SqlError> {
    let mut statement = sql.prepare(&format!("SELECT state, count(*) FROM {table} GROUP BY state"))?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    rows.map(|row| {
        let (state, count) = row?;
        Ok((find::state(&state)?, count.unsigned_abs()))
    })
    .collect()
}
