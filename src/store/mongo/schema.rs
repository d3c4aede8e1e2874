//! Collections, indexes and counters, as FireWorks makes them, and the version of the collections that only
//! Volley has (`volley_*`).
//!
//! The version is looked at once by a process, before it writes the first time what has not been there from
//! the beginning; a worker never does.

use bson::{Document, doc};
use jiff::Timestamp;
use mongodb::sync::Collection;

use super::MongoStore;
use crate::store::{Result, StoreError};
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

/// The version of Volley's own collections that is written here. 0 had none, and no history.
const VERSION: i64 = 1;

/// The `_id` of the one document of `volley_schema`.
const OWN: &str = "volley";

/// The indexes of the history.
const HISTORY: [&[(&str, i32)]; 4] =
    [&[("at", -1), ("_id", -1)], &[("user", 1), ("at", -1)], &[("fw_ids", 1)], &[("workflows", 1)]];

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
        self.refuse_newer()?;
        self.upgrade_schema()?;
        let indexes = self.indexes();
        for collection in INDEXED {
            let models: Vec<Document> =
                indexes.iter().filter(|index| index.collection == collection).map(Index::model).collect();
            self.ask(self.database.run_command(doc! { "createIndexes": collection, "indexes": models }).run())?;
        }
        self.make_counters()
    }

    /// That Volley's own collections are such as this version writes, asked once. Older ones become so.
    pub(super) fn check_schema(&self) -> Result<()> {
        if self.schema.get().is_none() && self.refuse_newer()? < VERSION {
            self.upgrade_schema()?;
        }
        let _ = self.schema.set(());
        Ok(())
    }

    /// The version of Volley's own collections, unless it is of the future.
    pub(super) fn refuse_newer(&self) -> Result<i64> {
        let found = self.ask(self.own_schema().find_one(doc! { "_id": OWN }).run())?;
        let found = found.and_then(|document| document.get("version").and_then(as_int)).unwrap_or_default();
        if found > VERSION {
            let place = format!("MongoDB {}", self.settings.place());
            return Err(StoreError::NewerSchema { place, found, known: VERSION });
        }
        Ok(found)
    }

    /// Whoever does it twice, or beside another, does the same.
    fn upgrade_schema(&self) -> Result<()> {
        let models: Vec<Document> = HISTORY
            .iter()
            .map(|keys| keys.iter().map(|&(key, direction)| (key.to_owned(), direction.into())).collect())
            .map(|keys| Index { collection: "volley_events", keys, unique: false }.model())
            .collect();
        self.ask(self.database.run_command(doc! { "createIndexes": "volley_events", "indexes": models }).run())?;
        let version = doc! { "$max": { "version": int(VERSION) } };
        self.ask(self.own_schema().update_one(doc! { "_id": OWN }, version).upsert(true).run())?;
        Ok(())
    }

    fn own_schema(&self) -> Collection<Document> {
        self.database.collection("volley_schema")
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

    /// Empties the launchpad. Who has done so is the first that is known of the new one.
    pub(super) fn reset_database(&self, now: Timestamp) -> Result<()> {
        self.empty_database()?;
        self.note_reset(now)
    }

    /// Empties the launchpad without a word.
    pub(super) fn empty_database(&self) -> Result<()> {
        self.refuse_newer()?;
        // Fireworks first: from then on nothing can be claimed.
        for collection in ["fireworks", "launches", "workflows", "offline_runs", "fw_id_assigner"] {
            self.ask(self.database.collection::<Document>(collection).delete_many(doc! {}).run())?;
        }
        let own = ["volley_mend", "volley_busy", "volley_copy", "volley_events", "volley_counts"];
        for collection in ["fw_gridfs.files", "fw_gridfs.chunks"].into_iter().chain(own) {
            self.ask(self.database.collection::<Document>(collection).drop().run())?;
        }
        self.places().clear();
        self.forget_ids();
        self.initialise_database()
    }
}
