//! The look at everything for `lpad doctor`: what a transaction cannot leave behind is not looked
//! for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{SqlError, find, schema, transfer};
use crate::store::mend::{followed, judge};
use crate::store::{Finding, FireworkQuery, Trouble};
use crate::workflow::{Launch, LaunchId, State};

/// Finds what is not as it should be.
pub fn examine(sql: &Connection, now: Timestamp) -> Result<Vec<Finding>, SqlError> {
    let mut findings = unreadable(sql)?;
    if !findings.is_empty() {
        // The rest would stumble over them.
        return Ok(findings);
    }
    let orphans =
        "SELECT fw_id, name, state FROM fireworks WHERE workflow NOT IN (SELECT id FROM workflows) ORDER BY fw_id";
    let mut statement = sql.prepare(orphans)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        findings.push(Finding::orphan(row.get(0)?, &row.get::<_, String>(1)?, &row.get::<_, String>(2)?));
    }
    let running = FireworkQuery { states: vec![State::Running], ..FireworkQuery::default() };
    for firework in find::fireworks(sql, &running)? {
        let launches: BTreeMap<LaunchId, Launch> =
            find::launches(sql, &firework.launches)?.into_iter().map(|launch| (launch.launch_id, launch)).collect();
        let found = Finding::running(&firework, &launches, now);
        let launch = followed(&firework.launches, &launches);
        let silent = judge(&firework.updated_on, launch, None, now).and_then(|case| case.silent());
        if !silent.map_or(Ok(false), |launch_id| transfer::runs_offline(sql, launch_id))? {
            findings.extend(found);
        }
    }
    for (counter, table, field) in schema::COUNTERS {
        let next = sql.query_row("SELECT value FROM meta WHERE key = ?1", params![counter], |row| row.get(0))?;
        let highest: Option<i64> = sql.query_row(&format!("SELECT max({field}) FROM {table}"), [], |row| row.get(0))?;
        findings.extend(Finding::counter(counter, next, highest.unwrap_or(0)));
    }
    for index in schema::indexes() {
        let there = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?1)";
        if !sql.query_row(there, params![index], |row| row.get::<_, bool>(0))? {
            let text = format!("there is no index {index}; copy the launchpad into a new file (`lpad copy`)");
            findings.push(Finding { trouble: Trouble::Index, fw_id: None, text });
        }
    }
    Ok(findings)
}

/// Rows that cannot be read.
fn unreadable(sql: &Connection) -> Result<Vec<Finding>, SqlError> {
    let states: Vec<String> = State::ALL.iter().map(|state| format!("'{}'", state.as_str())).collect();
    let states = states.join(", ");
    let fireworks = format!(
        "SELECT fw_id, 'firework ' || fw_id || ' has no usable spec, lists or state (' || state || ')' FROM fireworks
         WHERE NOT (json_valid(spec) AND json_valid(launches) AND json_valid(archived_launches) AND state IN ({states}))"
    );
    let launches = format!(
        "SELECT fw_id, 'launch ' || launch_id || ' has no usable document or state (' || state || ')' FROM launches
         WHERE NOT (json_valid(document) AND state IN ({states}))"
    );
    let mut findings = Vec::new();
    for query in [fireworks, launches] {
        let mut statement = sql.prepare(&query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            findings.push(Finding::unreadable(row.get(0)?, &row.get::<_, String>(1)?));
        }
    }
    Ok(findings)
}
