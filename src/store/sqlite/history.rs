//! `volley_events`: who did what.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params, params_from_iter};

use super::clause::{Clause, limit};
use super::{SqlError, SqliteStore, json};
use crate::store::Result;
use crate::store::history::{ADD, Deed, Event, EventQuery, Histories};
use crate::workflow::{FwId, time};

/// What was noted before the oldest workflow was created, or just before, is about none that is there: a
/// launchpad in MongoDB that FireWorks has reset, and that was copied, has others of the same ids.
pub const BEGINNING: &str = "coalesce((SELECT strftime('%Y-%m-%dT%H:%M:%f', min(created_on), '-1 second')
                                       FROM workflows WHERE created_on <> ''), '')";

/// Writes an entry.
pub fn write(tx: &Transaction<'_>, event: &Event) -> Result<(), SqlError> {
    tx.prepare_cached("INSERT INTO volley_events (at, user, what, document) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![time::to_iso(event.at), event.user, event.deed.what, json::text(&event.to_document())])?;
    let id = tx.last_insert_rowid();
    let mut about = tx.prepare_cached("INSERT OR IGNORE INTO volley_about VALUES (?1, ?2, ?3)")?;
    for (whole, ids) in [(false, &event.deed.fw_ids), (true, &event.deed.workflows)] {
        for fw_id in ids {
            about.execute(params![whole, fw_id, id])?;
        }
    }
    Ok(())
}

/// Notes that these workflows have been added, each given by its fireworks.
pub fn added(tx: &Transaction<'_>, workflows: &[Vec<(i64, FwId)>], now: Timestamp) -> Result<(), SqlError> {
    let lowest = |members: &Vec<(i64, FwId)>| members.iter().map(|&(_, fw_id)| fw_id).min();
    let workflows: Vec<FwId> = workflows.iter().filter_map(lowest).collect();
    if workflows.is_empty() {
        return Ok(());
    }
    write(tx, &Event::here(&Deed { what: ADD.to_owned(), workflows, ..Deed::default() }, now))
}

fn find(sql: &Connection, query: &EventQuery) -> Result<Vec<Event>, SqlError> {
    let mut clause = Clause::default();
    if let Some((fireworks, workflows)) = &query.about {
        let (fireworks, workflows) = (clause.bind(json::ids(fireworks)), clause.bind(json::ids(workflows)));
        clause.require(format!(
            "id IN (SELECT event FROM volley_about WHERE whole = 0 AND fw_id IN (SELECT value FROM json_each({fireworks}))
                    UNION
                    SELECT event FROM volley_about WHERE whole = 1 AND fw_id IN (SELECT value FROM json_each({workflows})))
             AND at >= {BEGINNING}"
        ));
    }
    if let Some(user) = &query.user {
        let user = clause.bind(user.clone());
        clause.require(format!("user = {user}"));
    }
    if let Some(since) = query.since {
        let since = clause.bind(time::to_iso(since));
        clause.require(format!("at >= {since}"));
    }
    let text = format!(
        "SELECT document FROM volley_events WHERE {} ORDER BY at DESC, id DESC LIMIT {}",
        clause.sql(),
        limit(query.limit)
    );
    let mut statement = sql.prepare(&text)?;
    let rows = statement.query_map(params_from_iter(clause.values), |row| Ok(json::document(row, "document")))?;
    let newest_first: Vec<_> = rows.map(|row| row?).collect::<Result<_, _>>()?;
    Ok(newest_first.iter().rev().filter_map(Event::from_document).collect())
}

impl Histories for SqliteStore {
    fn record(&self, deed: &Deed, now: Timestamp) -> Result<()> {
        self.write(|tx| write(tx, &Event::here(deed, now)))
    }

    fn events(&self, query: &EventQuery) -> Result<Vec<Event>> {
        self.read(|sql| find(sql, query))
    }

    fn owners(&self, workflows: &[FwId]) -> Result<BTreeMap<FwId, String>> {
        self.read(|sql| {
            let mut statement = sql.prepare(&format!(
                "SELECT a.fw_id, e.user FROM json_each(?1) wanted
                 JOIN volley_about a ON a.whole = 1 AND a.fw_id = wanted.value
                 JOIN volley_events e ON e.id = a.event AND e.what = ?2 AND e.at >= {BEGINNING}"
            ))?;
            let owners =
                statement.query_map(params![json::ids(workflows), ADD], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(owners.collect::<Result<_, _>>()?)
        })
    }
}
