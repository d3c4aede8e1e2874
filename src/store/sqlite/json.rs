//! Documents as text columns.

use bson::{Bson, Document};
use rusqlite::Row;

use super::SqlError;

/// A document as relaxed extended JSON: plain JSON for all that JSON knows, `{"$date": ...}` and
/// the like for the rest.
pub fn text(document: &Document) -> String {
    Bson::Document(document.clone()).into_relaxed_extjson().to_string()
}

/// Reads a document column.
pub fn document(row: &Row<'_>, column: &str) -> Result<Document, SqlError> {
    let text: String = row.get(column)?;
    let broken = |reason: String| SqlError::Broken(format!("column `{column}` holds no document: {reason}"));
    let map: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    Document::try_from(map).map_err(|error| broken(error.to_string()))
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
