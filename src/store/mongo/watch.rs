//! Whether anything has changed in the database. A replica set tells by itself, by a change stream; any other
//! server counts what is written to its collections, and is asked for these numbers.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::sync::ClientSession;

use super::MongoStore;
use crate::store::watch::{Watch, Watching};
use crate::store::{Result, StoreError};
use crate::workflow::as_int;

/// What can be seen of a launchpad. Not the shared counts: whoever looks writes those.
const WATCHED: [&str; 5] = ["fireworks", "workflows", "launches", "volley_events", "volley_workers"];

/// How it is seen.
enum Way {
    /// It has not been tried.
    Unknown,
    /// By a stream: the number of its cursor.
    Stream(Box<ClientSession>, i64),
    /// By the numbers of writes, as they were last; none where the server refused to tell.
    Numbers(Option<Vec<Document>>),
}

struct DatabaseWatch<'s> {
    store: &'s MongoStore,
    way: Way,
}

impl Watching for MongoStore {
    fn watch(&self) -> Result<Box<dyn Watch + '_>> {
        Ok(Box::new(DatabaseWatch { store: self, way: Way::Unknown }))
    }
}

impl Watch for DatabaseWatch<'_> {
    fn changed(&mut self, patience: Duration) -> Result<bool> {
        // Where the store does not answer, it is begun anew.
        let (way, seen) = match std::mem::replace(&mut self.way, Way::Unknown) {
            Way::Unknown => match self.understood(self.begin())? {
                Some((session, cursor)) => (Way::stream(session, cursor), true),
                None => (Way::Numbers(None), true),
            },
            Way::Stream(mut session, cursor) => {
                let next = self.next(&mut session, cursor, patience);
                match self.understood(next)? {
                    Some((cursor, seen)) => (Way::stream(session, cursor), seen),
                    // The server has forgotten it.
                    None => (Way::Unknown, true),
                }
            }
            Way::Numbers(known) => match self.understood(self.numbers())? {
                Some(now) => {
                    let seen = known.as_ref() != Some(&now);
                    (Way::Numbers(Some(now)), seen)
                }
                None => (Way::Numbers(None), true),
            },
        };
        self.way = way;
        Ok(seen)
    }
}

impl Way {
    /// A cursor without a number is at its end: the database has been dropped, or is not there yet.
    fn stream(session: Box<ClientSession>, cursor: i64) -> Self {
        if cursor == 0 { Way::Unknown } else { Way::Stream(session, cursor) }
    }
}

impl DatabaseWatch<'_> {
    /// What the server answers; nothing where it refuses.
    fn understood<T>(&self, answer: mongodb::error::Result<T>) -> Result<Option<T>> {
        match self.store.ask(answer) {
            Ok(answer) => Ok(Some(answer)),
            Err(error @ StoreError::Unreachable { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Has the server tell of what is written from now on.
    fn begin(&self) -> mongodb::error::Result<(Box<ClientSession>, i64)> {
        let mut session = self.store.client.start_session().run()?;
        let watched = doc! { "$match": { "ns.coll": { "$in": WATCHED.to_vec() } } };
        let pipeline = vec![doc! { "$changeStream": {} }, watched, doc! { "$project": { "_id": 1 } }];
        let command = doc! { "aggregate": 1, "pipeline": pipeline, "cursor": {} };
        let answer = self.store.database.run_command(command).session(&mut session).run()?;
        Ok((Box::new(session), cursor(&answer)))
    }

    /// Waits for what is written; all that there is by then is heard at once.
    fn next(
        &self,
        session: &mut ClientSession,
        number: i64,
        patience: Duration,
    ) -> mongodb::error::Result<(i64, bool)> {
        let most = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX).max(1);
        let command = doc! { "getMore": number, "collection": "$cmd.aggregate", "maxTimeMS": most };
        let answer = self.store.database.run_command(command).session(session).run()?;
        let heard = answer.get_document("cursor").and_then(|cursor| cursor.get_array("nextBatch"));
        Ok((cursor(&answer), heard.is_ok_and(|batch| !batch.is_empty())))
    }

    /// How many writes there have been to each collection since the server began.
    fn numbers(&self) -> mongodb::error::Result<Vec<Document>> {
        let number = || {
            let writes = doc! { "$project": { "_id": 0, "ns": 1, "writes": "$latencyStats.writes.ops" } };
            vec![doc! { "$collStats": { "latencyStats": {} } }, writes]
        };
        let [first, others @ ..] = WATCHED;
        let mut pipeline = number();
        pipeline.extend(others.map(|other| doc! { "$unionWith": { "coll": other, "pipeline": number() } }));
        self.store.database.collection::<Document>(first).aggregate(pipeline).run()?.collect()
    }
}

/// The number of a cursor that goes on.
fn cursor(answer: &Document) -> i64 {
    answer.get_document("cursor").ok().and_then(|cursor| cursor.get("id")).and_then(as_int).unwrap_or_default()
}
