//! The tables, and how the file is opened.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use super::{SqlError, functions, network};
use crate::store::{Result, StoreError};

/// Version of the tables below; a file of a later one is refused.
const VERSION: i64 = 3;

/// Longer than any transaction of ours takes; beyond it somebody holds the file.
const BUSY: Duration = Duration::from_secs(30);

/// What a new file gets.
const TABLES: [&str; 4] = [
    "
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('next_fw_id', 1), ('next_launch_id', 1);

CREATE TABLE workflows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_on TEXT NOT NULL,
    updated_on TEXT NOT NULL,
    extra TEXT
);

CREATE TABLE links (parent INTEGER, child INTEGER, PRIMARY KEY (parent, child)) WITHOUT ROWID;
CREATE INDEX by_child ON links (child, parent);

CREATE TABLE launches (
    launch_id INTEGER PRIMARY KEY,
    fw_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX launches_of ON launches (fw_id);

-- Documents of FireWorks that only a MongoDB launchpad uses.
CREATE TABLE kept (collection TEXT NOT NULL, launch_id INTEGER, document TEXT NOT NULL);
CREATE INDEX kept_of ON kept (launch_id);
",
    FIREWORKS,
    BY_COLUMNS,
    OURS,
];

const FIREWORKS: &str = "
-- The columns from is_leaf to fworker follow from the spec and the links; they serve the indexes.
-- What a document of MongoDB has beside the columns is in `extra`. The workflow of a firework that
-- has none is minus its id. The spec may be long: what comes after it is slow to come to.
CREATE TABLE fireworks (
    fw_id INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_on TEXT NOT NULL,
    updated_on TEXT NOT NULL,
    launches TEXT NOT NULL DEFAULT '[]',
    archived_launches TEXT NOT NULL DEFAULT '[]',
    is_leaf INTEGER NOT NULL,
    lenient INTEGER NOT NULL,
    priority REAL,
    category TEXT,
    fworker TEXT,
    extra TEXT,
    spec TEXT NOT NULL
);
";

const BY_COLUMNS: &str = "
-- NULL sorts below every number, as a missing _priority does in MongoDB, and a text above.
CREATE INDEX claimable ON fireworks (priority DESC, created_on, fw_id) WHERE state = 'READY';
CREATE INDEX members ON fireworks (workflow, is_leaf, state);
CREATE INDEX by_state ON fireworks (state);
CREATE INDEX by_name ON fireworks (name);
CREATE INDEX by_birth ON fireworks (created_on);
CREATE INDEX by_change ON fireworks (updated_on);
CREATE INDEX workflows_by_state ON workflows (state);
CREATE INDEX workflows_by_name ON workflows (name);
CREATE INDEX workflows_by_birth ON workflows (created_on);
CREATE INDEX workflows_by_change ON workflows (updated_on);
";

/// What FireWorks knows nothing of. Files of the second version may have the first two.
const OURS: &str = "
CREATE TABLE IF NOT EXISTS volley_queue (key TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS volley_workers (
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (name, host)
) WITHOUT ROWID;

-- The history, and what each entry is about: a firework, or a whole workflow by one of its fireworks.
CREATE TABLE volley_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    user TEXT NOT NULL,
    what TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX events_by_time ON volley_events (at);
CREATE INDEX events_by_user ON volley_events (user, what);
CREATE TABLE volley_about (
    whole INTEGER NOT NULL,
    fw_id INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (whole, fw_id, event)
) WITHOUT ROWID;
CREATE INDEX about_of ON volley_about (event);
";

/// What makes tables of one version those of the next, from the first on.
const MIGRATIONS: [&[&str]; 2] = [
    &["
ALTER TABLE workflows ADD COLUMN extra TEXT;
ALTER TABLE fireworks ADD COLUMN extra TEXT;
CREATE TABLE kept (collection TEXT NOT NULL, launch_id INTEGER, document TEXT NOT NULL);
CREATE INDEX kept_of ON kept (launch_id);
"],
    &[
        "
DROP INDEX IF EXISTS claimable;
DROP INDEX IF EXISTS members;
DROP INDEX IF EXISTS by_state;
DROP INDEX IF EXISTS by_name;
ALTER TABLE fireworks RENAME TO fireworks_before;
",
        FIREWORKS,
        "
INSERT INTO fireworks
SELECT fw_id, workflow, name, state, created_on, updated_on, launches, archived_launches, is_leaf, lenient,
       CASE WHEN instr(spec, '\"_priority\"') AND json_type(spec, '$._priority') = 'text'
            THEN '15 ' || json_extract(spec, '$._priority') ELSE priority END,
       category, fworker, extra, spec
FROM fireworks_before ORDER BY fw_id;
DROP TABLE fireworks_before;
",
        BY_COLUMNS,
        OURS,
    ],
];

/// The counters of ids, with the tables and fields that they are for.
pub const COUNTERS: [(&str, &str, &str); 2] =
    [("next_fw_id", "fireworks", "fw_id"), ("next_launch_id", "launches", "launch_id")];

/// What makes the indexes.
pub fn index_statements() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|tables| tables.lines()).filter(|line| line.starts_with("CREATE INDEX "))
}

/// The names of all indexes.
pub fn indexes() -> impl Iterator<Item = &'static str> {
    index_statements().filter_map(|line| line.split_whitespace().nth(2))
}

/// Opens the file for this host.
pub fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(|error| SqlError::from(error).at(path))?;
    let shared = network::is_network(path);
    prepare(&connection, shared).map_err(|error| error.at(path))?;
    let here = gethostname::gethostname().to_string_lossy().into_owned();
    let owner = own(&connection, &here).map_err(|error| error.at(path))?;
    admit(path, shared, owner, here)?;
    Ok(connection)
}

/// On a network file system SQLite's locks hold among the processes of one host only.
fn admit(path: &Path, shared: bool, owner: String, here: String) -> Result<()> {
    if shared && owner != here {
        return Err(StoreError::OtherHost { path: path.to_owned(), owner, here });
    }
    Ok(())
}

fn prepare(connection: &Connection, shared: bool) -> Result<(), SqlError> {
    connection.busy_timeout(BUSY)?;
    // The write-ahead log needs shared memory, which network file systems do not have.
    let mode = if shared { "DELETE" } else { "WAL" };
    let current: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if !current.eq_ignore_ascii_case(mode) {
        // Here SQLite does not wait for another process that makes the same file.
        let begun = Instant::now();
        while let Err(error) = connection.pragma_update(None, "journal_mode", mode) {
            if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || begun.elapsed() > BUSY {
                return Err(error.into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    // Sync every commit: what is acknowledged survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    match version(connection)? {
        ..VERSION => bring_up(connection)?,
        VERSION => {}
        newer => {
            return Err(SqlError::Broken(format!(
                "written by a newer Volley (tables of version {newer}, this one knows {VERSION}); upgrade Volley"
            )));
        }
    }
    functions::register(connection)
}

fn version(connection: &Connection) -> Result<i64, SqlError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Makes the tables, or changes those of an earlier version, unless another process has just done
/// so.
fn bring_up(connection: &Connection) -> Result<(), SqlError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let brought = version(connection).and_then(|version| {
        let sql = match usize::try_from(version).unwrap_or(usize::MAX) {
            0 => TABLES.concat(),
            earlier => MIGRATIONS.get(earlier - 1..).unwrap_or_default().concat().concat(),
        };
        let next = version.max(VERSION);
        Ok(connection.execute_batch(&format!("{sql} PRAGMA user_version = {next};"))?)
    });
    match brought {
        Ok(()) => Ok(connection.execute_batch("COMMIT")?),
        Err(error) => {
            connection.execute_batch("ROLLBACK")?;
            Err(error)
        }
    }
}

/// The host that made the file; this one, if none has yet.
fn own(connection: &Connection, here: &str) -> Result<String, SqlError> {
    let known: Option<String> =
        connection.query_row("SELECT value FROM meta WHERE key = 'host'", [], |row| row.get(0)).optional()?;
    if let Some(host) = known {
        return Ok(host);
    }
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('host', ?1)", params![here])?;
    Ok(connection.query_row("SELECT value FROM meta WHERE key = 'host'", [], |row| row.get(0))?)
}

/// Empties the launchpad.
pub fn clear(tx: &Transaction<'_>) -> Result<(), SqlError> {
    tx.execute_batch(
        "DELETE FROM workflows; DELETE FROM fireworks; DELETE FROM links; DELETE FROM launches;
         DELETE FROM kept; DELETE FROM volley_about; DELETE FROM volley_events;
         UPDATE meta SET value = 1 WHERE key IN ('next_fw_id', 'next_launch_id');",
    )?;
    Ok(())
}

/// Takes `count` ids from a counter; returns the first.
pub fn take_ids(tx: &Transaction<'_>, counter: &str, count: usize) -> Result<i64, SqlError> {
    let next: i64 = tx.query_row(
        "UPDATE meta SET value = value + ?2 WHERE key = ?1 RETURNING value",
        params![counter, count as i64],
        |row| row.get(0),
    )?;
    Ok(next - count as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_file_is_for_the_host_that_made_it() {
        let admit = |shared, here: &str| admit(Path::new("/home/lp.db"), shared, "login1".into(), here.into());
        assert!(admit(true, "login1").is_ok());
        assert!(admit(false, "login2").is_ok(), "a local file that was copied");
        let refused = admit(true, "login2").expect_err("is refused").to_string();
        assert!(
            refused.contains("/home/lp.db") && refused.contains("login1") && refused.contains("MongoDB"),
            "{refused}"
        );
    }

    #[test]
    fn the_host_is_remembered_and_a_newer_file_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lp.db");
        let connection = open(&path).expect("is made");
        let first = own(&connection, "anybody").map_err(|error| error.at(&path)).expect("is read");
        assert_eq!(first, gethostname::gethostname().to_string_lossy());
        connection.pragma_update(None, "user_version", VERSION + 1).expect("is set");
        drop(connection);
        let refused = open(&path).expect_err("is refused").to_string();
        assert!(refused.contains("newer Volley"), "{refused}");
    }
}
