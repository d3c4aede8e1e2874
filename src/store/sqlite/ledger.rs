//! `volley_queue`: which jobs launchers answer for.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{SqlError, SqliteStore, json};
use crate::store::Result;
use crate::store::ledger::{Change, Daemon, Entry, JobName, Key, Ledger, Ledgers, Word};

fn read(sql: &Connection, key: &Key) -> Result<Ledger, SqlError> {
    let mut statement = sql.prepare_cached("SELECT document FROM volley_queue WHERE key = ?1")?;
    let found = statement.query_row([key.id()], |row| Ok(json::document(row, "document"))).optional()?.transpose()?;
    Ok(found.map(|document| Ledger::from_document(&document)).unwrap_or_default())
}

fn all(sql: &Connection) -> Result<Vec<(Key, Ledger)>, SqlError> {
    let mut statement = sql.prepare("SELECT key, document FROM volley_queue ORDER BY key")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>("key")?, json::document(row, "document"))))?;
    let mut ledgers = Vec::new();
    for row in rows {
        let (id, document) = row?;
        ledgers.extend(Key::from_id(&id).zip(Some(Ledger::from_document(&document?))));
    }
    Ok(ledgers)
}

impl SqliteStore {
    fn change<T>(&self, key: &Key, change: impl FnOnce(&mut Ledger) -> T) -> Result<T> {
        self.write(|tx| {
            let before = read(tx, key)?;
            let mut ledger = before.clone();
            let answer = change(&mut ledger);
            if ledger != before {
                tx.execute(
                    "INSERT OR REPLACE INTO volley_queue VALUES (?1, ?2)",
                    params![key.id(), json::text(&ledger.to_document())],
                )?;
            }
            Ok(answer)
        })
    }
}

impl Ledgers for SqliteStore {
    fn ledger(&self, key: &Key) -> Result<Ledger> {
        self.read(|sql| read(sql, key))
    }

    fn ledgers(&self) -> Result<Vec<(Key, Ledger)>> {
        self.read(all)
    }

    fn take_places(&self, key: &Key, revision: i64, places: &[Entry], most: Option<usize>) -> Result<Option<i64>> {
        self.change(key, |ledger| ledger.take(revision, places, most))
    }

    fn settle_places(&self, key: &Key, changes: &[Change]) -> Result<()> {
        self.change(key, |ledger| changes.iter().for_each(|change| ledger.settle(change)))
    }

    fn tell_place(
        &self,
        key: &Key,
        token: &str,
        element: Option<u32>,
        job: Option<&JobName>,
        word: Word,
    ) -> Result<bool> {
        self.change(key, |ledger| ledger.tell(token, element, job, word))
    }

    fn leave_place(&self, key: &Key, token: &str, element: Option<u32>, least: usize, now: Timestamp) -> Result<bool> {
        self.change(key, |ledger| {
            let leaves = ledger.can_spare(least, now);
            if leaves {
                ledger.tell(token, element, None, Word::Ending(now));
                ledger.revision += 1;
            }
            leaves
        })
    }

    fn note_daemon(&self, key: &Key, daemon: &Daemon) -> Result<bool> {
        self.change(key, |ledger| match ledger.daemons.iter_mut().find(|one| one.id == daemon.id) {
            Some(known) => {
                let stop = known.stop;
                *known = Daemon { stop, ..daemon.clone() };
                stop
            }
            None => {
                ledger.daemons.push(daemon.clone());
                false
            }
        })
    }

    fn drop_daemon(&self, key: &Key, id: &str) -> Result<()> {
        self.change(key, |ledger| ledger.daemons.retain(|daemon| daemon.id != id))
    }

    fn stop_daemon(&self, key: &Key, id: &str) -> Result<bool> {
        self.change(key, |ledger| {
            let daemon = ledger.daemons.iter_mut().find(|daemon| daemon.id == id);
            daemon.map(|daemon| daemon.stop = true).is_some()
        })
    }
}
