//! Workflows that somebody changes by a verb, or although they are over. Whoever dies while doing so
//! leaves a lock, and among the many workflows that are over no index finds one that is locked: so
//! what is about to be locked is noted first, in `volley_busy`.

use std::collections::BTreeSet;

use bson::oid::ObjectId;
use bson::{Document, doc};
use jiff::Timestamp;
use mongodb::sync::Collection;

use super::MongoStore;
use super::claim::journaled;
use super::commands::Journal;
use crate::store::Result;
use crate::workflow::time;

impl MongoStore {
    fn busy(&self) -> Collection<Document> {
        self.database.collection("volley_busy")
    }

    /// Notes workflows that are about to be locked.
    pub(super) fn note_busy(&self, workflows: &BTreeSet<ObjectId>) -> Result<()> {
        if !workflows.is_empty() {
            let at = time::to_bson_date(self.server_time()?);
            let note = |id| doc! { "q": { "_id": id }, "u": { "$set": { "at": at.clone() } }, "upsert": true };
            self.bulk("volley_busy", workflows.iter().map(note).collect(), Journal::No)?;
        }
        Ok(())
    }

    /// They have been unlocked.
    pub(super) fn forget_busy(&self, noted: &BTreeSet<ObjectId>) -> Result<()> {
        if !noted.is_empty() {
            let over = doc! { "_id": { "$in": noted.iter().copied().collect::<Vec<_>>() } };
            // The journal is one: what the verb has changed is in it then, too.
            self.ask(self.busy().delete_many(over).write_concern(journaled()).run())?;
        }
        Ok(())
    }

    /// Those that are noted, and since when; few, unless many have died.
    pub(super) fn noted_busy(&self) -> Result<Vec<(ObjectId, Timestamp)>> {
        let found = self.collect(self.busy().find(doc! {}).sort(doc! { "_id": 1 }).limit(1_000).run())?;
        let note = |note: &Document| Some((note.get_object_id("_id").ok()?, note.get("at").and_then(time::from_bson)?));
        Ok(found.iter().filter_map(note).collect())
    }
}
