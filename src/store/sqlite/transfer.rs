//! Copies of whole launchpads into the file and out of it. Taking one is one transaction: a copy
//! that fails leaves nothing.

use bson::{Document, doc};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::insert::SpecColumns;
use super::{SqlError, extra, find, history, json, narrow};
use crate::store::history::Event;
use crate::store::transfer::{Batches, in_file};
use crate::store::{Batch, Kind, StoreError, Take};
use crate::workflow::{Firework, FwId, LaunchId, as_int, int, int_list, python_json, time};

/// Collections that are only kept.
const FILES: &str = "fw_gridfs";
const OFFLINE_RUNS: &str = "offline_runs";

/// The original of a workflow, until its members are there.
const ORIGINAL: &str = "original";

/// Gives everything away, as it is at this moment.
pub fn export(sql: &Connection, take: &mut Take<'_>) -> Result<(), SqlError> {
    let snapshot = sql.unchecked_transaction()?;
    let with_extra = |columns: Document, row: &rusqlite::Row<'_>| {
        Ok::<_, SqlError>(extra::restore(columns, &json::document_if_any(row, "extra")?))
    };
    let workflows = format!("SELECT {} AS document, extra FROM workflows ORDER BY id", narrow::workflow(&|_| true));
    send(&snapshot, &workflows, Kind::Workflows, take, |row| with_extra(json::document(row, "document")?, row))?;
    send(&snapshot, "SELECT * FROM fireworks ORDER BY fw_id", Kind::Fireworks, take, |row| {
        with_extra(find::read_firework(row)?.to_document(), row)
    })?;
    let launches = "SELECT l.document, k.document AS file FROM launches l
                    LEFT JOIN kept k ON k.launch_id = l.launch_id AND k.collection = 'fw_gridfs' ORDER BY l.launch_id";
    send(&snapshot, launches, Kind::Launches, take, |row| {
        let mut launch = json::document(row, "document")?;
        if let Ok(file) = json::document_if_any(row, "file")?.get_object_id("_id") {
            launch.insert("action", in_file(file));
        }
        Ok(launch)
    })?;
    let files = "SELECT l.document, k.document AS file FROM kept k JOIN launches l ON k.launch_id = l.launch_id
                 WHERE k.collection = 'fw_gridfs' ORDER BY l.launch_id";
    send(&snapshot, files, Kind::Files, take, |row| {
        let launch = json::document(row, "document")?;
        let text = launch.get_document("action").map(python_json::to_text).unwrap_or_default();
        Ok(doc! { "file": json::document(row, "file")?, "text": text })
    })?;
    let offline = "SELECT document FROM kept WHERE collection = 'offline_runs' ORDER BY rowid";
    send(&snapshot, offline, Kind::OfflineRuns, take, |row| json::document(row, "document"))?;
    let events = "SELECT document FROM volley_events ORDER BY id";
    send(&snapshot, events, Kind::Events, take, |row| json::document(row, "document"))?;
    let counters = "SELECT (SELECT value FROM meta WHERE key = 'next_fw_id') AS fw,
                           (SELECT value FROM meta WHERE key = 'next_launch_id') AS launch";
    send(&snapshot, counters, Kind::Counters, take, |row| {
        Ok(doc! { "_id": -1, "next_fw_id": int(row.get("fw")?), "next_launch_id": int(row.get("launch")?) })
    })
}

/// Sends a document for every row.
fn send(
    sql: &Connection,
    query: &str,
    kind: Kind,
    take: &mut Take<'_>,
    document: impl Fn(&rusqlite::Row<'_>) -> Result<Document, SqlError>,
) -> Result<(), SqlError> {
    let mut batches = Batches::new(kind, take);
    let mut statement = sql.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        batches.push(document(row)?)?;
    }
    Ok(batches.end()?)
}

/// Makes ready to take another launchpad.
pub fn begin(tx: &Transaction<'_>, place: &str) -> Result<(), SqlError> {
    for (table, what) in
        [("workflows", "workflows"), ("fireworks", "fireworks"), ("launches", "launches"), ("kept", "documents")]
    {
        let count: i64 = tx.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        if count > 0 {
            let (place, count) = (place.to_owned(), count.unsigned_abs());
            return Err(StoreError::NotEmpty { place, what, count, half: false }.into());
        }
    }
    tx.execute_batch(
        // There may be a history of what was there, with the ids of what comes.
        "DELETE FROM volley_about;
         DELETE FROM volley_events;
         CREATE TEMP TABLE copied (document_id TEXT PRIMARY KEY, workflow INTEGER NOT NULL);
         CREATE TEMP TABLE copied_nodes (fw_id INTEGER PRIMARY KEY, workflow INTEGER NOT NULL)",
    )?;
    Ok(())
}

/// Takes some documents.
pub fn take(tx: &Transaction<'_>, batch: Batch) -> Result<(), SqlError> {
    let one = match batch.kind {
        Kind::Workflows => workflow,
        Kind::Fireworks => firework,
        Kind::Launches => launch,
        Kind::Files => file,
        Kind::OfflineRuns => offline_run,
        Kind::Events => event,
        Kind::Counters => counters,
    };
    batch.documents.iter().try_for_each(|document| one(tx, document))
}

fn text_of(document: &Document, key: &str) -> String {
    document.get_str(key).unwrap_or_default().to_owned()
}

fn id_of(document: &Document, key: &str) -> Option<i64> {
    document.get(key).and_then(as_int)
}

/// Dates of every form as one that sorts.
fn date_of(document: &Document, key: &str) -> String {
    document.get(key).and_then(time::from_bson).map(time::to_iso).unwrap_or_default()
}

fn workflow(tx: &Transaction<'_>, document: &Document) -> Result<(), SqlError> {
    let nodes = int_list(document.get("nodes"));
    let document_id = document.get("_id").map(ToString::to_string);
    let known: Option<i64> = tx
        .prepare_cached("SELECT workflow FROM copied WHERE document_id = ?1")?
        .query_row(params![document_id], |row| row.get(0))
        .optional()?;
    // Its own id, when it comes again.
    tx.prepare_cached(
        "INSERT OR REPLACE INTO workflows (id, name, state, metadata, created_on, updated_on, extra)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        known,
        text_of(document, "name"),
        text_of(document, "state"),
        json::text(&document.get_document("metadata").cloned().unwrap_or_default()),
        date_of(document, "created_on"),
        date_of(document, "updated_on"),
        json::text(&doc! { ORIGINAL: document.clone() }),
    ])?;
    let id = known.unwrap_or_else(|| tx.last_insert_rowid());
    if let Some(document_id) = document_id {
        tx.prepare_cached("INSERT OR REPLACE INTO copied VALUES (?1, ?2)")?.execute(params![document_id, id])?;
    }
    for node in &nodes {
        tx.prepare_cached("INSERT OR REPLACE INTO copied_nodes VALUES (?1, ?2)")?.execute(params![node, id])?;
        tx.prepare_cached("DELETE FROM links WHERE parent = ?1")?.execute(params![node])?;
    }
    for (parent, children) in document.get_document("links").into_iter().flatten() {
        let Ok(parent) = parent.parse::<FwId>() else { continue };
        for child in int_list(Some(children)) {
            tx.prepare_cached("INSERT OR IGNORE INTO links VALUES (?1, ?2)")?.execute(params![parent, child])?;
        }
    }
    Ok(())
}

fn firework(tx: &Transaction<'_>, document: &Document) -> Result<(), SqlError> {
    let firework = Firework::from_document(document).map_err(StoreError::from)?;
    let fw_id = firework.fw_id;
    let workflow: Option<i64> = tx
        .prepare_cached("SELECT workflow FROM copied_nodes WHERE fw_id = ?1")?
        .query_row(params![fw_id], |row| row.get(0))
        .optional()?;
    let (created_on, updated_on) = (date_of(document, "created_on"), date_of(document, "updated_on"));
    let columns = SpecColumns::of(&firework.spec);
    let as_read = Firework {
        created_on: find::date(created_on.clone()),
        updated_on: find::date(updated_on.clone()),
        ..firework.clone()
    };
    let extra = extra::beside(document, &as_read.to_document());
    tx.prepare_cached(
        "INSERT OR REPLACE INTO fireworks (fw_id, workflow, name, state, spec, created_on, updated_on, launches,
                                           archived_launches, is_leaf, lenient, extra)
         VALUES (?1, ?2, ?3, ?4, '', ?5, ?6, ?7, ?8, 1, 0, ?9)",
    )?
    .execute(params![
        fw_id,
        workflow.unwrap_or(-fw_id),
        firework.name,
        firework.state.as_str(),
        created_on,
        updated_on,
        json::ids(&firework.launches),
        json::ids(&firework.archived_launches),
        (!extra.is_empty()).then(|| json::text(&extra)),
    ])?;
    columns.update(tx, fw_id)
}

fn launch(tx: &Transaction<'_>, document: &Document) -> Result<(), SqlError> {
    tx.prepare_cached("INSERT OR REPLACE INTO launches VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        id_of(document, "launch_id"),
        id_of(document, "fw_id").unwrap_or_default(),
        text_of(document, "state"),
        json::text(document),
    ])?;
    Ok(())
}

/// The action goes into its launch, which may be as large as it likes here.
fn file(tx: &Transaction<'_>, document: &Document) -> Result<(), SqlError> {
    let file = document.get_document("file").cloned().unwrap_or_default();
    let launch_id = file.get_document("metadata").ok().and_then(|metadata| id_of(metadata, "launch_id"));
    let Some(action) = document.get_str("text").ok().and_then(python_json::from_text) else { return Ok(()) };
    let launch = "SELECT document FROM launches WHERE launch_id = ?1";
    let found = tx.query_row(launch, params![launch_id], |row| Ok(json::document(row, "document"))).optional()?;
    let Some(mut launch) = found.transpose()? else { return Ok(()) };
    launch.insert("action", action);
    tx.execute("UPDATE launches SET document = ?2 WHERE launch_id = ?1", params![launch_id, json::text(&launch)])?;
    keep(tx, FILES, launch_id, &file)
}

/// Keeps an offline run, in the place of what was known of it.
pub fn offline_run(tx: &Transaction<'_>, document: &Document) -> Result<(), SqlError> {
    keep(tx, OFFLINE_RUNS, id_of(document, "launch_id"), document)
}

fn keep(
    tx: &Transaction<'_>,
    collection: &str,
    launch_id: Option<LaunchId>,
    document: &Document,
) -> Result<(), SqlError> {
    tx.execute("DELETE FROM kept WHERE collection = ?1 AND launch_id = ?2", params![collection, launch_id])?;
    tx.execute("INSERT INTO kept VALUES (?1, ?2, ?3)", params![collection, launch_id, json::text(document)])?;
    Ok(())
}

fn event(tx: &Transaction<'_>, document: &Document) -> Result<(), SqlError> {
    Event::from_document(document).map_or(Ok(()), |event| history::write(tx, &event))
}

fn counters(tx: &Transaction<'_>, document: &Document) -> Result<(), SqlError> {
    for counter in ["next_fw_id", "next_launch_id"] {
        if let Some(next) = id_of(document, counter) {
            tx.execute("UPDATE meta SET value = max(value, ?2) WHERE key = ?1", params![counter, next])?;
        }
    }
    Ok(())
}

/// Everything has been taken: what follows from the whole is put in its place.
pub fn end(tx: &Transaction<'_>) -> Result<(), SqlError> {
    tx.execute_batch(
        "DROP TABLE copied;
         DROP TABLE copied_nodes;
         UPDATE fireworks SET is_leaf = 0 WHERE fw_id IN (SELECT parent FROM links);
         UPDATE meta SET value = max(value, (SELECT coalesce(max(fw_id), 0) + 1 FROM fireworks))
         WHERE key = 'next_fw_id';
         UPDATE meta SET value = max(value, (SELECT coalesce(max(launch_id), 0) + 1 FROM launches))
         WHERE key = 'next_launch_id';",
    )?;
    let ids: Vec<i64> =
        tx.prepare("SELECT id FROM workflows")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let columns = narrow::workflow(&|_| true);
    let mut one = tx.prepare(&format!("SELECT {columns} AS document, extra FROM workflows WHERE id = ?1"))?;
    for id in ids {
        let read = |row: &rusqlite::Row<'_>| Ok((json::document(row, "document"), json::document_if_any(row, "extra")));
        let (columns, stashed) = one.query_row(params![id], read)?;
        let stashed = stashed?;
        let original = stashed.get_document(ORIGINAL).cloned().unwrap_or_default();
        let extra = extra::beside(&original, &columns?);
        let extra = (!extra.is_empty()).then(|| json::text(&extra));
        tx.execute("UPDATE workflows SET extra = ?2 WHERE id = ?1", params![id, extra])?;
    }
    Ok(())
}

/// Forgets what was kept of launches that go.
pub fn forget(tx: &Transaction<'_>, launches: &[LaunchId]) -> Result<(), SqlError> {
    tx.execute("DELETE FROM kept WHERE launch_id IN (SELECT value FROM json_each(?1))", params![json::ids(launches)])?;
    Ok(())
}

/// All offline runs, by launch.
pub fn offline_documents(sql: &Connection) -> Result<Vec<Document>, SqlError> {
    let mut statement = sql.prepare("SELECT document FROM kept WHERE collection = ?1 ORDER BY launch_id")?;
    let rows = statement.query_map(params![OFFLINE_RUNS], |row| Ok(json::document(row, "document")))?;
    rows.map(|row| row?).collect()
}

/// Whether a launch runs offline.
pub fn runs_offline(sql: &Connection, launch_id: LaunchId) -> Result<bool, SqlError> {
    let run = "SELECT document FROM kept WHERE collection = ?1 AND launch_id = ?2";
    let found = sql.query_row(run, params![OFFLINE_RUNS, launch_id], |row| Ok(json::document(row, "document")));
    let Some(run) = found.optional()?.transpose()? else { return Ok(false) };
    Ok(!["completed", "deprecated"].iter().any(|over| run.get_bool(over).unwrap_or(false)))
}
