//! Actions that make a launch larger than a document may be: FireWorks keeps them in the GridFS
//! bucket `fw_gridfs`, as JSON, and leaves `{gridfs_id}` in their place. A launch has one file at
//! most, which its `metadata.launch_id` names; a unique index sees to it.

use std::collections::BTreeMap;

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use jiff::Timestamp;
use mongodb::sync::Collection;

use super::claim::journaled;
use super::commands::{LARGEST, ints};
use super::{MongoStore, unreadable};
use crate::store::transfer::{file_of, in_file};
use crate::store::{Result, StoreError};
use crate::workflow::{Launch, LaunchId, State, as_int, int, python_json, time};

/// The size of a chunk that every driver uses.
const CHUNK: usize = 255 * 1024;

/// Whether a launch is too large for a document.
pub fn is_too_large(launch: &Launch) -> bool {
    launch.action.is_some() && !launch.to_document().to_vec().is_ok_and(|bytes| bytes.len() <= LARGEST)
}

impl MongoStore {
    pub(super) fn files(&self) -> Collection<Document> {
        self.database.collection("fw_gridfs.files")
    }

    pub(super) fn chunks(&self) -> Collection<Document> {
        self.database.collection("fw_gridfs.chunks")
    }

    /// Puts the action of a launch that is about to end into a file, in the place of one that an
    /// earlier attempt may have left. None when the launch does not run any more: then the outcome
    /// is not going to be written.
    pub(super) fn spill(&self, launch: &Launch) -> Result<Option<ObjectId>> {
        let running = doc! { "launch_id": int(launch.launch_id), "state": State::Running.as_str() };
        if self.ask(self.launches.find_one(running).projection(doc! { "_id": 1 }).run())?.is_none() {
            return Ok(None);
        }
        self.delete_files(&[launch.launch_id])?;
        tracing::warn!("fw_id {}: its outcome is too large for a document, and is kept in GridFS", launch.fw_id);
        self.write_action(launch.launch_id, &launch.action.clone().unwrap_or_default()).map(Some)
    }

    /// Writes the file of an action.
    pub(super) fn write_action(&self, launch_id: LaunchId, action: &Document) -> Result<ObjectId> {
        let file = doc! {
            "_id": ObjectId::new(),
            "encoding": "utf-8",
            "metadata": { "launch_id": int(launch_id) },
        };
        self.write_file(file, &python_json::to_text(action))
    }

    /// Sees to files that were written for launches which were not running any more then: of those
    /// that are ours all the same, an earlier attempt had arrived late, and names the file before;
    /// those of the others were written in vain.
    pub(super) fn review_files(&self, mut spilled: BTreeMap<LaunchId, ObjectId>, ours: &[Launch]) -> Result<()> {
        for launch in ours {
            let named = launch.action.as_ref().and_then(file_of);
            if let (Some(file), Some(named)) = (spilled.remove(&launch.launch_id), named)
                && file != named
            {
                let late = doc! { "launch_id": int(launch.launch_id), "action": in_file(named) };
                self.ask(self.launches.update_one(late, doc! { "$set": { "action": in_file(file) } }).run())?;
            }
        }
        self.delete_files(&spilled.into_keys().collect::<Vec<_>>())
    }

    /// Writes a file, given by its own fields and its text.
    pub(super) fn write_file(&self, mut file: Document, text: &str) -> Result<ObjectId> {
        self.make_file_indexes()?;
        let id = file.get_object_id("_id").map_err(|_| unreadable(&self.settings.place(), "the _id of a file"))?;
        let chunks = text.as_bytes().chunks(CHUNK).enumerate().map(|(n, bytes)| {
            let data = Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() };
            doc! { "_id": ObjectId::new(), "files_id": id, "n": int(n as i64), "data": data }
        });
        self.ask(self.chunks().insert_many(chunks).write_concern(journaled()).run())?;
        // The file last: without it nobody looks at the chunks.
        file.extend(doc! { "chunkSize": int(CHUNK as i64), "length": text.len() as i64 });
        file.entry("uploadDate".to_owned()).or_insert_with(|| time::to_bson_date(Timestamp::now()));
        self.ask(self.files().insert_one(file).write_concern(journaled()).run())?;
        Ok(id)
    }

    /// The indexes that every driver makes before it writes the first file.
    fn make_file_indexes(&self) -> Result<()> {
        let by_name = doc! { "key": { "filename": 1, "uploadDate": 1 }, "name": "filename_1_uploadDate_1" };
        let by_file = doc! { "key": { "files_id": 1, "n": 1 }, "name": "files_id_1_n_1", "unique": true };
        for (collection, index) in [("fw_gridfs.files", by_name), ("fw_gridfs.chunks", by_file)] {
            self.ask(self.database.run_command(doc! { "createIndexes": collection, "indexes": [index] }).run())?;
        }
        Ok(())
    }

    /// The text of a file; none when it is not all there.
    pub(super) fn read_file(&self, file: ObjectId) -> Result<Option<String>> {
        let Some(head) = self.ask(self.files().find_one(doc! { "_id": file }).run())? else { return Ok(None) };
        let length = head.get("length").and_then(as_int).unwrap_or(-1);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        for chunk in self.ask(self.chunks().find(doc! { "files_id": file }).sort(doc! { "n": 1 }).run())? {
            bytes.extend(self.ask(chunk)?.get_binary_generic("data").map(Vec::as_slice).unwrap_or_default());
        }
        let whole = i64::try_from(bytes.len()).is_ok_and(|found| found == length);
        Ok(Some(bytes).filter(|_| whole).and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// Launches with the actions that are kept in files. One whose file is missing is told of, and
    /// shows what stands in its place.
    pub(super) fn launches_with_actions(&self, ids: &[LaunchId]) -> Result<Vec<Launch>> {
        let mut launches = self.search_launches(ids)?;
        for launch in &mut launches {
            let Some(file) = launch.action.as_ref().and_then(file_of) else { continue };
            match self.read_file(file)?.and_then(|text| python_json::from_text(&text)) {
                Some(action) => launch.action = Some(action),
                None => tracing::warn!("{}", missing(launch.launch_id, file)),
            }
        }
        Ok(launches)
    }

    /// The same, to act upon them: none may be missing.
    pub(super) fn launches_to_apply(&self, ids: &[LaunchId]) -> Result<Vec<Launch>> {
        let launches = self.launches_with_actions(ids)?;
        match launches.iter().find_map(|launch| Some((launch.launch_id, file_of(launch.action.as_ref()?)?))) {
            Some((launch_id, file)) => {
                let reason = missing(launch_id, file);
                Err(StoreError::Refused { place: self.settings.place(), reason })
            }
            None => Ok(launches),
        }
    }

    /// Deletes the files of launches.
    pub(super) fn delete_files(&self, launches: &[LaunchId]) -> Result<()> {
        let theirs = doc! { "metadata.launch_id": { "$in": ints(launches) } };
        let found = self.collect(self.files().find(theirs).projection(doc! { "_id": 1 }).run())?;
        let ids: Vec<Bson> = found.into_iter().filter_map(|mut file| file.remove("_id")).collect();
        if !ids.is_empty() {
            self.ask(self.files().delete_many(doc! { "_id": { "$in": &ids } }).run())?;
            self.ask(self.chunks().delete_many(doc! { "files_id": { "$in": ids } }).run())?;
        }
        Ok(())
    }
}

fn missing(launch_id: LaunchId, file: ObjectId) -> String {
    format!("the action of launch {launch_id} is kept in GridFS (fw_gridfs, file {file}), and is not all there")
}
