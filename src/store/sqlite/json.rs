//! Documents as text columns, and lists of ids.

use bson::Document;
use rusqlite::Row;

use super::SqlError;
use crate::workflow::exact_json::read;

pub use crate::workflow::exact_json::text;

/// Reads a document column.
pub fn document(row: &Row<'_>, column: &str) -> Result<Document, SqlError> {
    read(&row.get::<_, String>(column)?).map_err(|reason| broken(column, &reason))
}

/// The same of a column that may be empty.
pub fn document_if_any(row: &Row<'_>, column: &str) -> Result<Document, SqlError> {
    let text: Option<String> = row.get(column)?;
    text.map_or(Ok(Document::new()), |text| read(&text)).map_err(|reason| broken(column, &reason))
}

fn broken(column: &str, reason: &str) -> SqlError {
    SqlError::Broken(format!("column `{column}` holds no document: {reason}"))
}

/// A list of ids as JSON, for `json_each` and for storing.
pub fn ids(ids: &[i64]) -> String {
    serde_json::Value::from(ids).to_string()
}

/// Reads a column written by [`ids`].
pub fn id_list(row: &Row<'_>, column: &str) -> Result<Vec<i64>, SqlError> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| SqlError::Broken(format!("column `{column}`: {error}")))
}
