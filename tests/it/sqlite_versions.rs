//! SQLite files of earlier versions: they are brought up to date, by one process of several, and what
//! is in them stays. Those of later versions are refused.

use std::path::Path;

use bson::doc;
use rusqlite::Connection;
use serde_json::json;
use volley::store::history::{EventQuery, RESET};
use volley::store::{self, Direction, FireworkQuery, Location, SortKey};

use crate::support::cli::Cli;

const FIRST: &str = include_str!("../fixtures/sqlite/version_1.sql");
const SECOND: &str = include_str!("../fixtures/sqlite/version_2.sql");
const PRESENT: i64 = 3;

fn make(path: &Path, sql: &str) {
    Connection::open(path).expect("opens").execute_batch(sql).expect("is SQL");
}

fn version(path: &Path) -> i64 {
    Connection::open(path).expect("opens").pragma_query_value(None, "user_version", |row| row.get(0)).expect("reads")
}

/// The tables and indexes, whatever way they came to be.
fn schema(path: &Path) -> Vec<(String, Option<String>)> {
    let sql = Connection::open(path).expect("opens");
    let mut statement = sql
        .prepare("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
        .expect("is SQL");
    let bare = |sql: String| {
        let lines = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
        // A table that was renamed has quotes, and one whose columns came one by one has no line breaks.
        lines.collect::<String>().replace(['"', ' '], "").replace("IFNOTEXISTS", "")
    };
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?.map(bare)))).expect("reads");
    rows.collect::<Result<_, _>>().expect("reads")
}

#[test]
fn files_of_every_version_come_to_the_same_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    store::open(&Location::Sqlite(path("new.db"))).expect("opens");
    for (name, sql) in [("first.db", FIRST), ("second.db", SECOND)] {
        make(&path(name), sql);
        let store = store::open(&Location::Sqlite(path(name))).expect("opens");
        assert_eq!(version(&path(name)), PRESENT);
        assert_eq!(schema(&path(name)), schema(&path("new.db")), "{name}");
        assert!(store.events(&EventQuery::default()).expect("reads").is_empty());
        let done = FireworkQuery {
            matching: Some(doc! {"spec.encut": 520, "state": "COMPLETED"}),
            ..FireworkQuery::default()
        };
        assert_eq!(store.firework_ids(&done).expect("finds"), [1, 4]);
        assert!(store.examine(jiff::Timestamp::now()).expect("looks").is_empty());
    }
}

#[test]
fn a_file_of_the_second_version_goes_on() {
    let cli = Cli::sqlite();
    let path = cli.folder().join("launchpad.db");
    make(&path, SECOND);
    assert_eq!(cli.states(), ["COMPLETED", "COMPLETED", "FIZZLED", "COMPLETED", "READY", "READY"]);
    let store = store::open(&Location::Sqlite(path.clone())).expect("opens");
    let records = store.worker_records().expect("reads");
    assert_eq!((records.len(), records[0].name.as_str()), (1, "w"));
    // A priority in words is above all numbers, as in MongoDB.
    let by_priority =
        FireworkQuery { sort: Some((SortKey::Priority, Direction::Descending)), ..FireworkQuery::default() };
    assert_eq!(store.firework_ids(&by_priority).expect("finds")[..3], [6, 4, 1]);
    cli.rapidfire();
    assert_eq!(cli.states(), ["COMPLETED", "COMPLETED", "FIZZLED", "COMPLETED", "COMPLETED", "COMPLETED"]);
    assert_eq!(cli.lpad(&["doctor"]).json(), json!([]));
    store.reset().expect("resets");
    let events = store.events(&EventQuery::default()).expect("reads");
    assert_eq!(events.iter().map(|event| event.deed.what.as_str()).collect::<Vec<_>>(), [RESET]);
}

#[test]
fn several_processes_bring_one_file_up_to_date() {
    let cli = Cli::sqlite();
    let path = cli.folder().join("launchpad.db");
    for _ in 0..3 {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
        make(&path, SECOND);
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(|| cli.lpad(&["get_fws", "-d", "count"]).json())).collect();
            all.into_iter().for_each(|one| assert_eq!(one.join().expect("no panic"), json!(6)));
        });
        assert_eq!(version(&path), PRESENT);
    }
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let cli = Cli::sqlite();
    let path = cli.folder().join("launchpad.db");
    make(&path, SECOND);
    Connection::open(&path).expect("opens").pragma_update(None, "user_version", PRESENT + 1).expect("is set");
    let before = std::fs::read(&path).expect("reads");
    cli.lpad(&["get_fws"]).failed(1, "newer Volley");
    cli.lpad(&["reset", "--yes"]).failed(1, "newer Volley");
    assert_eq!(version(&path), PRESENT + 1);
    assert!(std::fs::read(&path).expect("reads") == before || !path.with_extension("db-wal").exists());
}
