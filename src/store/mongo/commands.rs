//! Commands that the driver has no method for, and its errors in our words.

use bson::{Bson, Document, doc};
use mongodb::error::ErrorKind;

use super::MongoStore;
use crate::store::{Result, StoreError};
use crate::workflow::{as_int, int};

/// Whether a write must be in the journal before it is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// Claims and outcomes: a killed server must not forget them.
    Yes,
    /// What can be derived again.
    No,
}

/// What an ordered bulk did.
pub struct BulkAnswer {
    /// How many statements matched a document.
    pub matched: usize,
    /// The first statement that found no document it expected, if any; those after it were not
    /// tried.
    pub stopped_at: Option<usize>,
}

/// MongoDB's error code for "_id cannot be an array".
const INVALID_ID: i64 = 53;

/// A statement that stops an ordered bulk when it matches nothing: an upsert whose insertion
/// cannot succeed. A plain update that matches nothing is no error for MongoDB, and the bulk would
/// go on.
pub fn expect(filter: Document, mut update: Document) -> Document {
    update.insert("$setOnInsert", doc! { "_id": [] });
    doc! { "q": filter, "u": update, "upsert": true }
}

/// A statement that may match nothing.
pub fn update(filter: Document, update: impl Into<Bson>) -> Document {
    doc! { "q": filter, "u": update.into() }
}

/// Ids as BSON.
pub fn ints(ids: &[i64]) -> Vec<Bson> {
    ids.iter().copied().map(int).collect()
}

impl MongoStore {
    /// Sends update statements in one command, in order.
    pub(super) fn bulk(&self, collection: &str, statements: Vec<Document>, journal: Journal) -> Result<BulkAnswer> {
        if statements.is_empty() {
            return Ok(BulkAnswer { matched: 0, stopped_at: None });
        }
        let mut command = doc! { "update": collection, "updates": statements, "ordered": true };
        if journal == Journal::Yes {
            command.insert("writeConcern", doc! { "j": true });
        }
        let answer = self.ask(self.database.run_command(command).run())?;
        let refused = |reason: String| StoreError::Refused { place: self.settings.place(), reason };
        let mut stopped_at = None;
        for error in answer.get_array("writeErrors").into_iter().flatten().filter_map(Bson::as_document) {
            let number = |key| error.get(key).and_then(as_int);
            if number("code") != Some(INVALID_ID) {
                return Err(refused(error.get_str("errmsg").unwrap_or("a write failed").to_owned()));
            }
            stopped_at = number("index").and_then(|index| usize::try_from(index).ok());
        }
        if let Ok(error) = answer.get_document("writeConcernError") {
            return Err(refused(error.get_str("errmsg").unwrap_or("a write was not made durable").to_owned()));
        }
        let matched = answer.get("n").and_then(as_int).unwrap_or(0);
        Ok(BulkAnswer { matched: usize::try_from(matched).unwrap_or(0), stopped_at })
    }
}

/// An error of the driver in our words.
pub fn error(place: &str, error: &mongodb::error::Error) -> StoreError {
    let place = format!("MongoDB {place}");
    match error.kind.as_ref() {
        ErrorKind::ServerSelection { .. } => {
            StoreError::Unreachable { place, reason: "is the server running, and is it reachable from here?".into() }
        }
        ErrorKind::Io(source) => StoreError::Unreachable { place, reason: source.to_string() },
        ErrorKind::ConnectionPoolCleared { message, .. } => StoreError::Unreachable { place, reason: message.clone() },
        kind => StoreError::Refused { place, reason: kind.to_string() },
    }
}
