//! `volley_workers`: what workers say of themselves.

use bson::{Document, doc};
use mongodb::sync::Collection;

use super::MongoStore;
use crate::store::{Result, WorkerRecord};

impl MongoStore {
    pub(super) fn search_workers(&self) -> Result<Vec<WorkerRecord>> {
        let found = self.collect(self.workers().find(doc! {}).sort(doc! { "name": 1, "host": 1 }).run())?;
        Ok(found.iter().filter_map(WorkerRecord::from_document).collect())
    }

    pub(super) fn replace_worker(&self, record: &WorkerRecord) -> Result<()> {
        let mine = doc! { "name": &record.name, "host": &record.host };
        if record.is_empty() {
            self.ask(self.workers().delete_many(mine).run())?;
        } else {
            self.ask(self.workers().replace_one(mine, record.to_document()).upsert(true).run())?;
        }
        Ok(())
    }

    fn workers(&self) -> Collection<Document> {
        self.database.collection("volley_workers")
    }
}
