//! Whether anything has changed in the file: SQLite counts what others have written, and what is written here.

use std::time::Duration;

use super::SqliteStore;
use crate::store::Result;
use crate::store::watch::{Watch, Watching};

struct FileWatch<'s> {
    store: &'s SqliteStore,
    /// The counters when it looked last.
    known: Option<(i64, i64)>,
}

impl Watching for SqliteStore {
    fn watch(&self) -> Result<Box<dyn Watch + '_>> {
        Ok(Box::new(FileWatch { store: self, known: None }))
    }
}

impl Watch for FileWatch<'_> {
    fn changed(&mut self, _patience: Duration) -> Result<bool> {
        self.store.look_for_file()?;
        let now = self.store.read(|sql| {
            let of_others = sql.pragma_query_value(None, "data_version", |row| row.get(0))?;
            let own = sql.query_row("SELECT total_changes()", [], |row| row.get(0))?;
            Ok((of_others, own))
        })?;
        Ok(self.known.replace(now) != Some(now))
    }
}
