//! `volley_queue`: which jobs launchers answer for, one document for each user on each cluster.

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use mongodb::options::ReturnDocument;
use mongodb::sync::Collection;

use super::MongoStore;
use super::claim::journaled;
use super::commands::{Journal, update};
use crate::store::Result;
use crate::store::ledger::{Change, Daemon, Entry, JobName, Key, Ledger, Ledgers, Word};
use crate::workflow::{int, time};

const COLLECTION: &str = "volley_queue";

impl MongoStore {
    fn queue(&self) -> Collection<Document> {
        self.database.collection(COLLECTION)
    }

    /// Makes sure that there is a document for a key.
    fn open_ledger(&self, key: &Key) -> Result<()> {
        self.check_schema()?;
        let empty = doc! { "$setOnInsert": { "revision": 0_i64, "jobs": [], "daemons": {} } };
        self.ask(self.queue().update_one(doc! { "_id": key.id() }, empty).upsert(true).run())?;
        Ok(())
    }

    /// Puts a word where its job is; the number of places that have that job.
    fn say(&self, filter: Document, set: Document, is_counted: bool) -> Result<u64> {
        let mut change = doc! { "$set": set };
        if is_counted {
            change.insert("$inc", doc! { "revision": 1_i64 });
        }
        Ok(self.ask(self.queue().update_one(filter, change).run())?.matched_count)
    }
}

/// The document of a key, if it has this place.
fn with_place(key: &Key, token: &str, element: Option<u32>) -> Document {
    doc! { "_id": key.id(), "jobs": { "$elemMatch": place(token, element) } }
}

/// A place; one without an element is not that of an array.
fn place(token: &str, element: Option<u32>) -> Document {
    doc! { "token": token, "element": element.map_or(Bson::Null, |element| int(element.into())) }
}

impl Ledgers for MongoStore {
    fn ledger(&self, key: &Key) -> Result<Ledger> {
        let found = self.ask(self.queue().find_one(doc! { "_id": key.id() }).run())?;
        Ok(found.map(|document| Ledger::from_document(&document)).unwrap_or_default())
    }

    fn ledgers(&self) -> Result<Vec<(Key, Ledger)>> {
        let found = self.collect(self.queue().find(doc! {}).sort(doc! { "_id": 1 }).run())?;
        let read =
            |document: &Document| Some((Key::from_id(document.get_str("_id").ok()?)?, Ledger::from_document(document)));
        Ok(found.iter().filter_map(read).collect())
    }

    fn take_places(&self, key: &Key, revision: i64, places: &[Entry], most: Option<usize>) -> Result<Option<i64>> {
        let mut open = doc! { "_id": key.id(), "revision": revision };
        if let Some(most) = most {
            // There are at most so many now if the one behind them is not there.
            let Some(last) = most.checked_sub(places.len()) else { return Ok(None) };
            open.insert(format!("jobs.{last}"), doc! { "$exists": false });
        }
        if revision == 0 {
            self.open_ledger(key)?;
        }
        let places: Vec<Document> = places.iter().map(Entry::to_document).collect();
        let take = doc! { "$push": { "jobs": { "$each": places } }, "$inc": { "revision": 1_i64 } };
        let taken = self.ask(self.queue().update_one(open, take).write_concern(journaled()).run())?;
        Ok((taken.matched_count == 1).then_some(revision + 1))
    }

    fn settle_places(&self, key: &Key, changes: &[Change]) -> Result<()> {
        let statement = |change: &Change| match change {
            Change::Job { token, element, job } => {
                update(with_place(key, token, *element), doc! { "$set": { "jobs.$.job": job.to_document() } })
            }
            Change::Missed { token, element, at } => {
                let missed = doc! { "jobs.$.missed": time::to_bson_date(*at) };
                update(with_place(key, token, *element), doc! { "$set": missed })
            }
            Change::Free { token, element, job } => {
                let mut freed = place(token, *element);
                freed.insert("job.id", job.as_deref().map_or(Bson::Null, Bson::from));
                update(doc! { "_id": key.id() }, doc! { "$pull": { "jobs": freed }, "$inc": { "revision": 1_i64 } })
            }
            Change::Found(entry) => update(
                doc! { "_id": key.id(), "jobs": { "$not": { "$elemMatch": place(&entry.token, entry.element) } } },
                doc! { "$push": { "jobs": entry.to_document() }, "$inc": { "revision": 1_i64 } },
            ),
        };
        if changes.iter().any(|change| matches!(change, Change::Found(_))) {
            self.open_ledger(key)?;
        }
        if !changes.is_empty() {
            self.bulk(COLLECTION, changes.iter().map(statement).collect(), Journal::Yes)?;
        }
        Ok(())
    }

    fn tell_place(
        &self,
        key: &Key,
        token: &str,
        element: Option<u32>,
        job: Option<&JobName>,
        word: Word,
    ) -> Result<bool> {
        let mut set = doc! { "jobs.$.word": word.to_document() };
        set.extend(job.map(|job| ("jobs.$.job".to_owned(), job.to_document().into())));
        Ok(self.say(with_place(key, token, element), set, false)? == 1)
    }

    fn leave_place(&self, key: &Key, token: &str, element: Option<u32>, least: usize, now: Timestamp) -> Result<bool> {
        loop {
            let ledger = self.ledger(key)?;
            if !ledger.can_spare(least, now) {
                return Ok(false);
            }
            if !ledger.jobs.iter().any(|entry| entry.is(token, element)) {
                return Ok(true);
            }
            let mut counted = with_place(key, token, element);
            counted.insert("revision", ledger.revision);
            let set = doc! { "jobs.$.word": Word::Ending(now).to_document() };
            if self.say(counted, set, true)? == 1 {
                return Ok(true);
            }
        }
    }

    fn note_daemon(&self, key: &Key, daemon: &Daemon) -> Result<bool> {
        let said = daemon.to_document().into_iter();
        let set: Document = said.map(|(field, value)| (format!("daemons.{}.{field}", daemon.id), value)).collect();
        let said = doc! { "$set": set, "$setOnInsert": { "revision": 0_i64, "jobs": [] } };
        let queue = self.queue();
        let change = queue.find_one_and_update(doc! { "_id": key.id() }, said).upsert(true);
        let stop = doc! { format!("daemons.{}.stop", daemon.id): 1 };
        let found = self.ask(change.return_document(ReturnDocument::After).projection(stop).run())?.unwrap_or_default();
        let known = found.get_document("daemons").and_then(|daemons| daemons.get_document(&daemon.id));
        Ok(known.is_ok_and(|known| known.get_bool("stop").unwrap_or(false)))
    }

    fn drop_daemon(&self, key: &Key, id: &str) -> Result<()> {
        let gone = doc! { "$unset": { format!("daemons.{id}"): "" } };
        self.ask(self.queue().update_one(doc! { "_id": key.id() }, gone).run())?;
        Ok(())
    }

    fn stop_daemon(&self, key: &Key, id: &str) -> Result<bool> {
        let known = doc! { "_id": key.id(), format!("daemons.{id}"): { "$exists": true } };
        let stop = doc! { "$set": { format!("daemons.{id}.stop"): true } };
        Ok(self.ask(self.queue().update_one(known, stop).run())?.matched_count == 1)
    }
}
