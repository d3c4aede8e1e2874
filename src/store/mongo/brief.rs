//! Launches without large results: the server leaves them out.

use std::collections::HashMap;

use bson::{Bson, Document, doc};
use mongodb::error::ErrorKind;

use super::MongoStore;
use super::commands::ints;
use crate::store::Result;
use crate::store::brief::{Brief, Briefs, LARGE};
use crate::store::transfer::file_of;
use crate::workflow::{Launch, LaunchId, as_int, python_json};

/// Where the size of a document stands in the answer.
const SIZE: &str = "size_of_all";

impl Briefs for MongoStore {
    fn brief_launches(&self, ids: &[LaunchId]) -> Result<Vec<Brief>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let size = doc! { "$bsonSize": "$$ROOT" };
        let failure = doc! {
            "_exception": { "_stacktrace": "$action.stored_data._exception._stacktrace" },
            "_task": { "_fw_name": "$action.stored_data._task._fw_name" },
            "_message": "$action.stored_data._message",
        };
        let brief = doc! { SIZE: size.clone(), "action": { "stored_data": failure } };
        let root = doc! { "$cond": [
            { "$gt": [size, LARGE as i64] }, { "$mergeObjects": ["$$ROOT", brief] }, "$$ROOT",
        ] };
        let steps =
            [doc! { "$match": { "launch_id": { "$in": ints(ids) } } }, doc! { "$replaceRoot": { "newRoot": root } }];
        let found = self.launches.aggregate(steps).run();
        let found = match found.and_then(Iterator::collect::<mongodb::error::Result<Vec<Document>>>) {
            // An old server does not know sizes.
            Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(_)) => {
                return Ok(self.launches_with_actions(ids)?.into_iter().map(Brief::from).collect());
            }
            found => self.ask(found)?,
        };
        let briefs = found.iter().filter_map(Launch::from_document).map(|launch| self.brief(launch));
        let mut briefs = briefs.collect::<Result<Vec<Brief>>>()?;
        let place: HashMap<LaunchId, usize> = ids.iter().enumerate().map(|(place, &id)| (id, place)).collect();
        briefs.sort_by_key(|brief| place.get(&brief.launch.launch_id).copied());
        Ok(briefs)
    }
}

impl MongoStore {
    /// What is kept in a file is read where that is not large.
    fn brief(&self, mut launch: Launch) -> Result<Brief> {
        let bytes = |size: Option<&Bson>| size.and_then(as_int).and_then(|size| u64::try_from(size).ok());
        let mut large = bytes(launch.extra.remove(SIZE).as_ref());
        if let Some(file) = launch.action.as_ref().and_then(file_of) {
            let head = self.ask(self.files().find_one(doc! { "_id": file }).run())?.unwrap_or_default();
            large = bytes(head.get("length")).filter(|size| *size > LARGE);
            if large.is_none()
                && let Some(action) = self.read_file(file)?.and_then(|text| python_json::from_text(&text))
            {
                launch.action = Some(action);
            }
        }
        Ok(Brief { launch, large })
    }
}
