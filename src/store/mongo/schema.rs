//! Collections, indexes and counters, as FireWorks makes them.

use bson::{Bson, Document, doc};

use super::MongoStore;
use crate::store::Result;
use crate::workflow::{as_int, int};

/// Indexes of one field each.
const SINGLE: &[(&str, &[&str])] = &[
    ("fireworks", &["state", "spec._category", "created_on", "updated_on", "name", "launches"]),
    (
        "launches",
        &["fw_id", "state_history.reservation_id", "state", "time_start", "time_end", "host", "ip", "fworker.name"],
    ),
    ("workflows", &["name", "created_on", "updated_on", "nodes"]),
];

/// Unique indexes.
const UNIQUE: &[(&str, &str)] =
    &[("fireworks", "fw_id"), ("launches", "launch_id"), ("fw_gridfs.files", "metadata.launch_id")];

/// An index as pymongo describes it, so that either side finds the other's in place.
fn model(keys: &Document, unique: bool) -> Document {
    let name: Vec<String> = keys.iter().map(|(field, direction)| format!("{field}_{direction}")).collect();
    let mut model = doc! { "key": keys.clone(), "name": name.join("_"), "background": true };
    if unique {
        model.insert("unique", true);
    }
    model
}

impl MongoStore {
    /// Makes what is missing; data are left alone.
    pub(super) fn initialise_database(&self) -> Result<()> {
        let mut indexes: Vec<(&str, Document, bool)> = Vec::new();
        indexes.extend(UNIQUE.iter().map(|&(collection, field)| (collection, doc! { field: 1 }, true)));
        for &(collection, fields) in SINGLE {
            indexes.extend(fields.iter().map(|&field| (collection, doc! { field: 1 }, false)));
        }
        for collection in ["fireworks", "workflows"] {
            indexes.push((collection, doc! { "state": -1, "_id": -1 }, false));
        }
        for direction in [-1, 1] {
            let keys = doc! { "state": -1, "spec._priority": -1, "created_on": direction };
            indexes.push(("fireworks", keys, false));
        }
        let own = |collection, fields: &[String]| -> Vec<(&str, Document, bool)> {
            fields.iter().map(|field| (collection, doc! { field: 1 }, false)).collect()
        };
        indexes.extend(own("fireworks", &self.settings.user_indices));
        indexes.extend(own("workflows", &self.settings.wf_user_indices));
        for collection in ["fireworks", "launches", "workflows", "fw_gridfs.files"] {
            let models: Vec<Document> = indexes
                .iter()
                .filter(|(of, ..)| *of == collection)
                .map(|(_, keys, unique)| model(keys, *unique))
                .collect();
            self.ask(self.database.run_command(doc! { "createIndexes": collection, "indexes": models }).run())?;
        }
        self.make_counters()
    }

    /// The counters of ids, above every id in use.
    fn make_counters(&self) -> Result<()> {
        let next = |collection: &str, field: &str| -> Result<Bson> {
            let collection = self.database.collection::<Document>(collection);
            let top = self.ask(collection.find_one(doc! {}).sort(doc! { field: -1 }).run())?;
            Ok(int(top.and_then(|document| document.get(field).and_then(as_int)).unwrap_or(0) + 1))
        };
        let counters = doc! {
            "next_fw_id": next("fireworks", "fw_id")?,
            "next_launch_id": next("launches", "launch_id")?,
        };
        let counter = self.database.collection::<Document>("fw_id_assigner");
        // FireWorks looks for any document of this collection, whatever its _id.
        if self.ask(counter.find_one(doc! {}).run())?.is_none() {
            let make = doc! { "$setOnInsert": counters };
            self.ask(counter.update_one(doc! { "_id": -1 }, make).upsert(true).run())?;
        }
        Ok(())
    }

    /// Empties the launchpad.
    pub(super) fn reset_database(&self) -> Result<()> {
        // Fireworks first: from then on nothing can be claimed.
        for collection in ["fireworks", "launches", "workflows", "offline_runs", "fw_id_assigner"] {
            self.ask(self.database.collection::<Document>(collection).delete_many(doc! {}).run())?;
        }
        for collection in ["fw_gridfs.files", "fw_gridfs.chunks"] {
            self.ask(self.database.collection::<Document>(collection).drop().run())?;
        }
        self.places().clear();
        self.forget_ids();
        self.initialise_database()
    }
}
