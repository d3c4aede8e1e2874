//! How launches failed.

use bson::{Bson, Document, doc};

use super::MongoStore;
use super::commands::ints;
use crate::store::Result;
use crate::store::failures::{Failure, Failures};
use crate::store::transfer::file_of;
use crate::workflow::{LaunchId, as_int};

impl Failures for MongoStore {
    fn failures(&self, launches: &[LaunchId]) -> Result<Vec<Failure>> {
        let parts = doc! {
            "_id": 0,
            "launch_id": 1,
            "host": 1,
            "state_history": { "$slice": -1 },
            "action.gridfs_id": 1,
            "action.stored_data._task._fw_name": 1,
            "action.stored_data._exception._stacktrace": 1,
            "action.stored_data._message": 1,
        };
        let found = self.launches.find(doc! { "launch_id": { "$in": ints(launches) } }).projection(parts);
        let found = self.collect(found.run())?;
        // What did not fit into its document is read whole.
        let is_elsewhere = |one: &&Document| one.get_document("action").ok().and_then(file_of).is_some();
        let elsewhere: Vec<LaunchId> =
            found.iter().filter(is_elsewhere).filter_map(|one| one.get("launch_id").and_then(as_int)).collect();
        let mut failures: Vec<Failure> = found.iter().filter(|one| !is_elsewhere(one)).filter_map(failure).collect();
        failures.extend(self.launches_with_actions(&elsewhere)?.iter().map(Failure::of));
        Ok(failures)
    }
}

fn failure(found: &Document) -> Option<Failure> {
    let none = Document::new();
    let data = found.get_document("action").and_then(|action| action.get_document("stored_data")).unwrap_or(&none);
    let last = found.get_array("state_history").ok().and_then(|history| history.last()?.as_document());
    let host = found.get("host").and_then(Bson::as_str).unwrap_or_default().to_owned();
    let launch_id = found.get("launch_id").and_then(as_int)?;
    Some(Failure::of_parts(launch_id, host, data, last.unwrap_or(&none)))
}
