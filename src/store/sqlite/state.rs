//! The state of a workflow, derived from the indexes.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{SqlError, find};
use crate::workflow::workflow_state::{Facts, workflow_state};
use crate::workflow::{State, time};

/// Derives the state of a workflow anew; a handful of index look-ups, however large it is.
pub fn refresh_workflow(tx: &Transaction<'_>, workflow: i64, now: Timestamp) -> Result<(), SqlError> {
    let some = |condition: &str| -> Result<bool, SqlError> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM fireworks f WHERE workflow = ?1 AND {condition})");
        Ok(tx.prepare_cached(&sql)?.query_row(params![workflow], |row| row.get(0))?)
    };
    // `<>` cannot use an index, `<` and `>` can.
    let other_than = |leaves: &str, state: &str| -> Result<bool, SqlError> {
        Ok(some(&format!("is_leaf IN {leaves} AND state < '{state}'"))?
            || some(&format!("is_leaf IN {leaves} AND state > '{state}'"))?)
    };
    let any = |state: &str| some(&format!("is_leaf IN (0, 1) AND state = '{state}'"));
    let any_fizzled = any("FIZZLED")?;
    let facts = Facts {
        leaves_completed: !other_than("(1)", "COMPLETED")?,
        all_archived: !other_than("(0, 1)", "ARCHIVED")?,
        any_defused: any("DEFUSED")?,
        any_paused: any("PAUSED")?,
        any_fizzled,
        fizzled_stops: any_fizzled
            && (some("is_leaf = 1 AND state = 'FIZZLED'")?
                || some(
                    "is_leaf = 0 AND state = 'FIZZLED' AND EXISTS (SELECT 1 FROM links l, fireworks c
                     WHERE l.parent = f.fw_id AND c.fw_id = l.child AND NOT c.lenient)",
                )?),
        any_begun: any("COMPLETED")? || any("RUNNING")?,
        any_reserved: any("RESERVED")?,
    };
    tx.prepare_cached("UPDATE workflows SET state = ?2, updated_on = ?3 WHERE id = ?1")?.execute(params![
        workflow,
        workflow_state(facts).as_str(),
        time::to_iso(now)
    ])?;
    Ok(())
}

/// The state of a workflow, as it was derived last.
pub fn of_workflow(tx: &Transaction<'_>, workflow: i64) -> Result<Option<State>, SqlError> {
    let mut statement = tx.prepare_cached("SELECT state FROM workflows WHERE id = ?1")?;
    let state: Option<String> = statement.query_row(params![workflow], |row| row.get(0)).optional()?;
    state.map(|state| find::state(&state)).transpose()
}
