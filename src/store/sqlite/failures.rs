//! How launches failed.

use bson::{Document, doc};
use rusqlite::types::Value;
use rusqlite::{Row, params};

use super::{SqlError, SqliteStore, json};
use crate::store::Result;
use crate::store::failures::{Failure, Failures};
use crate::workflow::LaunchId;

const READ: &str = "
SELECT launch_id,
    json_extract(document, '$.host'),
    json_extract(document, '$.action.stored_data._task._fw_name'),
    json_extract(document, '$.action.stored_data._exception._stacktrace'),
    json_extract(document, '$.action.stored_data._message'),
    json_extract(document, '$.state_history[#-1].lost')
FROM launches WHERE launch_id IN (SELECT value FROM json_each(?1))";

impl Failures for SqliteStore {
    fn failures(&self, launches: &[LaunchId]) -> Result<Vec<Failure>> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached(READ)?;
            let rows = statement.query_map(params![json::ids(launches)], |row| Ok(failure(row)))?;
            rows.map(|row| row?).collect()
        })
    }
}

fn failure(row: &Row<'_>) -> Result<Failure, SqlError> {
    let text = |column: usize| -> Result<Option<String>, SqlError> {
        Ok(match row.get(column)? {
            Value::Text(text) => Some(text),
            _ => None,
        })
    };
    let mut data = Document::new();
    data.extend(text(2)?.map(|name| ("_task".to_owned(), doc! { "_fw_name": name }.into())));
    data.extend(text(3)?.map(|trace| ("_exception".to_owned(), doc! { "_stacktrace": trace }.into())));
    data.extend(text(4)?.map(|message| ("_message".to_owned(), message.into())));
    let last = text(5)?.map(|lost| doc! { "lost": lost }).unwrap_or_default();
    Ok(Failure::of_parts(row.get(0)?, text(1)?.unwrap_or_default(), &data, &last))
}
