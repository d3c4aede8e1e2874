//! Collections, indexes and counters, as FireWorks makes them.

use bson::{Document, doc};

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

/// An index.
pub(super) struct Index {
    pub collection: &'static str,
    pub keys: Document,
    pub unique: bool,
}

impl Index {
    /// The name that pymongo gives it.
    pub fn name(&self) -> String {
        let parts: Vec<String> = self.keys.iter().map(|(field, direction)| format!("{field}_{direction}")).collect();
        parts.join("_")
    }

    /// The index as pymongo describes it, so that either side finds the other's in place.
    fn model(&self) -> Document {
        let mut model = doc! { "key": self.keys.clone(), "name": self.name(), "background": true };
        if self.unique {
            model.insert("unique", true);
        }
        model
    }
}

/// The collections that have indexes.
pub(super) const INDEXED: [&str; 4] = ["fireworks", "launches", "workflows", "fw_gridfs.files"];

impl MongoStore {
    /// The indexes that there should be.
    pub(super) fn indexes(&self) -> Vec<Index> {
        let mut indexes = Vec::new();
        let mut add = |collection, keys, unique| indexes.push(Index { collection, keys, unique });
        for &(collection, field) in UNIQUE {
            add(collection, doc! { field: 1 }, true);
        }
        for &(collection, fields) in SINGLE {
            fields.iter().for_each(|&field| add(collection, doc! { field: 1 }, false));
        }
        for collection in ["fireworks", "workflows"] {
            add(collection, doc! { "state": -1, "_id": -1 }, false);
        }
        for direction in [-1, 1] {
            add("fireworks", doc! { "state": -1, "spec._priority": -1, "created_on": direction }, false);
        }
        self.settings.user_indices.iter().for_each(|field| add("fireworks", doc! { field: 1 }, false));
        self.settings.wf_user_indices.iter().for_each(|field| add("workflows", doc! { field: 1 }, false));
        indexes
    }

    /// Makes what is missing; data are left alone.
    pub(super) fn initialise_database(&self) -> Result<()> {
        let indexes = self.indexes();
        for collection in INDEXED {
            let models: Vec<Document> =
                indexes.iter().filter(|index| index.collection == collection).map(Index::model).collect();
            self.ask(self.database.run_command(doc! { "createIndexes": collection, "indexes": models }).run())?;
        }
        self.make_counters()
    }

    /// The counters of ids, above every id in use.
    fn make_counters(&self) -> Result<()> {
        let counters = doc! {
            "next_fw_id": int(self.highest("fireworks", "fw_id")? + 1),
            "next_launch_id": int(self.highest("launches", "launch_id")? + 1),
        };
        let counter = self.database.collection::<Document>("fw_id_assigner");
        // FireWorks looks for any document of this collection, whatever its _id.
        if self.ask(counter.find_one(doc! {}).run())?.is_none() {
            let make = doc! { "$setOnInsert": counters };
            self.ask(counter.update_one(doc! { "_id": -1 }, make).upsert(true).run())?;
        } else {
            self.ask(counter.update_one(doc! {}, doc! { "$max": counters }).run())?;
        }
        Ok(())
    }

    /// The highest id in a collection.
    pub(super) fn highest(&self, collection: &str, field: &str) -> Result<i64> {
        let collection = self.database.collection::<Document>(collection);
        let top = collection.find_one(doc! {}).sort(doc! { field: -1 }).projection(doc! { "_id": 0, field: 1 });
        Ok(self.ask(top.run())?.and_then(|document| document.get(field).and_then(as_int)).unwrap_or(0))
    }

    /// Empties the launchpad.
    pub(super) fn reset_database(&self) -> Result<()> {
        // Fireworks first: from then on nothing can be claimed.
        for collection in ["fireworks", "launches", "workflows", "offline_runs", "fw_id_assigner"] {
            self.ask(self.database.collection::<Document>(collection).delete_many(doc! {}).run())?;
        }
        for collection in ["fw_gridfs.files", "fw_gridfs.chunks", "volley_mend", "volley_busy", "volley_copy"] {
            self.ask(self.database.collection::<Document>(collection).drop().run())?;
        }
        self.places().clear();
        self.forget_ids();
        self.initialise_database()
    }
}
