//! Commands that the driver has no method for, and its errors in our words.

use bson::{Bson, Document, doc};
use mongodb::error::{ErrorKind, WriteFailure};

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
    /// A statement found no document that it expected; those after it were not tried.
    pub stopped: bool,
    /// How many statements come before that one; all, where none stopped.
    pub done: usize,
}

/// The limit of a BSON document, less some room for what stands around the data.
pub const LARGEST: usize = 16 * 1024 * 1024 - 64 * 1024;

/// What a statement takes in its command besides itself: its type and its position in the list.
const PER_STATEMENT: usize = 16;

/// MongoDB's error code for "_id cannot be an array".
const INVALID_ID: i64 = 53;

/// What it answers to a query that makes no sense: bad value, no such key, failed to parse, type mismatch,
/// illegal operation, invalid or unknown operators in pipelines and regular expressions, no JavaScript, a
/// `$text`, `$near` or `$geoNear` without an index.
const MISUNDERSTOOD: [i32; 15] = [2, 4, 9, 14, 20, 27, 40, 139, 168, 291, 16_395, 31_119, 51_091, 51_108, 17_287];

/// What a server answers that shuts down, or hands over to another of its replica set: host unreachable
/// or not found, timeouts, shutdown, not primary, primary stepped down, interrupted.
const LEAVING: [i64; 14] = [6, 7, 89, 91, 134, 189, 262, 9001, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436];

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

/// From so many ids on they are looked at for runs, and so many make a run.
const MANY: usize = 1_000;
const RUN: usize = 16;
/// A condition of more runs than so many takes longer to plan than to check.
const RUNS: usize = 500;

/// A condition that a field with one id has one of these. Very many ids would not fit into a command: those
/// without a gap are told by their ends.
pub fn among(field: &str, ids: &[i64]) -> Document {
    let list = |ids: &[i64]| doc! { field: { "$in": ints(ids) } };
    if ids.len() < MANY {
        return list(ids);
    }
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let (runs, single): (Vec<&[i64]>, Vec<&[i64]>) =
        sorted.chunk_by(|one, next| one + 1 == *next).partition(|run| run.len() >= RUN);
    if runs.is_empty() || runs.len() > RUNS {
        return list(&sorted);
    }
    let within = |run: &&[i64]| doc! { field: { "$gte": int(run[0]), "$lte": int(run[run.len() - 1]) } };
    let mut either: Vec<Document> = runs.iter().map(within).collect();
    if !single.is_empty() {
        either.push(list(&single.concat()));
    }
    doc! { "$or": either }
}

impl MongoStore {
    /// Turns the driver's errors into ours, where a person has asked in MongoDB's language: what the server
    /// does not understand is that person's.
    pub(super) fn ask_query<T>(&self, answer: mongodb::error::Result<T>) -> Result<T> {
        match answer {
            Err(refused) => match refused.kind.as_ref() {
                ErrorKind::Command(why) if MISUNDERSTOOD.contains(&why.code) => {
                    Err(StoreError::Query(format!("MongoDB does not understand the query: {}", why.message)))
                }
                _ => self.ask(Err(refused)),
            },
            found => self.ask(found),
        }
    }

    /// Sends update statements in order, in one command as far as they fit.
    pub(super) fn bulk(&self, collection: &str, statements: Vec<Document>, journal: Journal) -> Result<BulkAnswer> {
        let mut total = BulkAnswer { matched: 0, stopped: false, done: 0 };
        for part in in_commands(statements) {
            let answer = self.send(collection, part, journal)?;
            total.matched += answer.matched;
            total.done += answer.done;
            if answer.stopped {
                total.stopped = true;
                break;
            }
        }
        Ok(total)
    }

    fn send(&self, collection: &str, statements: Vec<Document>, journal: Journal) -> Result<BulkAnswer> {
        let mut done = statements.len();
        let mut command = doc! { "update": collection, "updates": statements, "ordered": true };
        if journal == Journal::Yes {
            command.insert("writeConcern", doc! { "j": true });
        }
        let answer = self.ask(self.database.run_command(command).run())?;
        let refused = |error: &Document, otherwise: &str| {
            let reason = error.get_str("errmsg").unwrap_or(otherwise).to_owned();
            refusal(self.settings.place(), error.get("code").and_then(as_int), reason)
        };
        let mut stopped = false;
        for error in answer.get_array("writeErrors").into_iter().flatten().filter_map(Bson::as_document) {
            if error.get("code").and_then(as_int) != Some(INVALID_ID) {
                return Err(refused(error, "a write failed"));
            }
            stopped = true;
            done = error.get("index").and_then(as_int).and_then(|index| index.try_into().ok()).unwrap_or_default();
        }
        if let Ok(error) = answer.get_document("writeConcernError") {
            return Err(refused(error, "a write was not made durable"));
        }
        let matched = answer.get("n").and_then(as_int).unwrap_or(0);
        Ok(BulkAnswer { matched: usize::try_from(matched).unwrap_or(0), stopped, done })
    }
}

/// Statements in groups that the server takes as one command: a command is a document, and no
/// larger than one may be.
fn in_commands(statements: Vec<Document>) -> Vec<Vec<Document>> {
    let mut groups: Vec<Vec<Document>> = Vec::new();
    let mut room = 0;
    for statement in statements {
        let size = statement.to_vec().map_or(0, |bytes| bytes.len() + PER_STATEMENT);
        match groups.last_mut() {
            Some(group) if size <= room => {
                room -= size;
                group.push(statement);
            }
            _ => {
                room = LARGEST.saturating_sub(size);
                groups.push(vec![statement]);
            }
        }
    }
    groups
}

/// An error of the driver in our words.
pub fn error(place: &str, error: &mongodb::error::Error) -> StoreError {
    let place = format!("MongoDB {place}");
    match error.kind.as_ref() {
        ErrorKind::ServerSelection { .. } => {
            StoreError::Unreachable { place, reason: "is the server running, and is it reachable from here?".into() }
        }
        ErrorKind::Authentication { message, .. } => {
            let reason = format!("{message} Are username, password and authsource right in my_launchpad.yaml?");
            StoreError::Refused { place, reason }
        }
        ErrorKind::Io(source) => StoreError::Unreachable { place, reason: source.to_string() },
        ErrorKind::ConnectionPoolCleared { message, .. } => StoreError::Unreachable { place, reason: message.clone() },
        kind => {
            let code = match kind {
                ErrorKind::Command(error) => Some(error.code),
                ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
                _ => None,
            };
            refusal(place, code.map(i64::from), kind.to_string())
        }
    }
}

/// What it means that the server refuses: nothing but that it goes, where it says so.
fn refusal(place: String, code: Option<i64>, reason: String) -> StoreError {
    if code.is_some_and(|code| LEAVING.contains(&code)) {
        StoreError::Unreachable { place, reason }
    } else if code == Some(UNAUTHORIZED) {
        // The server repeats the whole command, with all that was to be written.
        let reason = "this user may not do that here; whoever keeps the database can grant `readWrite`".to_owned();
        StoreError::Refused { place, reason }
    } else {
        StoreError::Refused { place, reason }
    }
}

/// The code of a server that does not let the user do that.
const UNAUTHORIZED: i64 = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_leaves_comes_back_or_another_does() {
        let answered = |code: i32| {
            let refusal = doc! { "code": code, "codeName": "Name", "errmsg": "why" };
            let refusal = bson::deserialize_from_document(refusal).expect("is a refusal");
            error("here", &mongodb::error::Error::from(ErrorKind::Command(refusal)))
        };
        let forbidden = answered(13).to_string();
        assert!(forbidden.contains("grant `readWrite`") && !forbidden.contains("why"), "{forbidden}");
        let answered = |code| answered(code).is_transient();
        assert!(answered(11_600) && answered(10_107), "shuts down, is not primary any more");
        assert!(!answered(13) && !answered(11_000), "unauthorized, duplicate");
    }

    #[test]
    fn very_many_ids_are_told_by_their_ends() {
        assert_eq!(among("fw_id", &[3, 1]), doc! { "fw_id": { "$in": [3, 1] } });
        let mut ids: Vec<i64> = (1..=2_000).chain([5_000, 7_000]).collect();
        ids.reverse();
        let either = [doc! { "fw_id": { "$gte": 1, "$lte": 2_000 } }, doc! { "fw_id": { "$in": [5_000, 7_000] } }];
        assert_eq!(among("fw_id", &ids), doc! { "$or": either.to_vec() });
        let odd: Vec<i64> = (0..2_000).map(|n| 2 * n).collect();
        assert_eq!(among("fw_id", &odd), doc! { "fw_id": { "$in": ints(&odd) } });
    }

    #[test]
    fn statements_are_grouped_in_order_by_size() {
        let statement = |size: usize| doc! { "q": {}, "u": "x".repeat(size) };
        let sizes = |all: Vec<Document>| in_commands(all).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(Vec::new()), Vec::<usize>::new());
        assert_eq!(sizes(vec![statement(10); 50]), [50]);
        let half = LARGEST / 2;
        assert_eq!(sizes(vec![statement(10), statement(half), statement(half), statement(10)]), [2, 2]);
        assert_eq!(sizes(vec![statement(LARGEST), statement(10)]), [1, 1], "what is too large goes alone");
    }
}
