//! The history of what people do: one entry for each verb that has changed something.

use jiff::Timestamp;
use tracing::warn;

use crate::store::Store;
use crate::store::history::Deed;
use crate::workflow::FwId;

/// Notes that `what` has changed these fireworks.
pub fn of_fireworks(store: &dyn Store, what: &str, mut fw_ids: Vec<FwId>, note: Option<String>) {
    fw_ids.sort_unstable();
    fw_ids.dedup();
    if !fw_ids.is_empty() {
        record(store, Deed { what: what.to_owned(), fw_ids, note, ..Deed::default() });
    }
}

/// Notes that `what` has changed these workflows as wholes, each named by its lowest id.
pub fn of_workflows(store: &dyn Store, what: &str, mut workflows: Vec<FwId>, note: Option<String>) {
    workflows.sort_unstable();
    if !workflows.is_empty() {
        record(store, Deed { what: what.to_owned(), workflows, note, ..Deed::default() });
    }
}

/// Notes that `what` was done to queue jobs that had no firework.
pub fn of_jobs(store: &dyn Store, what: &str, jobs: &[String]) {
    let note = Some(match jobs {
        [job] => format!("job {job}, which had no firework"),
        several => format!("jobs {}, which had no firework", several.join(", ")),
    });
    record(store, Deed { what: what.to_owned(), note, ..Deed::default() });
}

/// Notes a deed. It is done, whatever becomes of the note.
pub fn record(store: &dyn Store, deed: Deed) {
    if let Err(error) = store.record(&deed, Timestamp::now()) {
        warn!("{} is done, but is missing in the history: {error}", deed.what);
    }
}
