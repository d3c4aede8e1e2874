//! `delete`: whole workflows go, with their fireworks and launches.

use bson::Document;

use super::LaunchpadError;
use crate::store::Store;
use crate::workflow::{FwId, int_list};

/// Deletes workflows; returns the ids of all fireworks that are gone.
pub fn delete(store: &dyn Store, workflows: &[Document]) -> Result<Vec<FwId>, LaunchpadError> {
    // One firework names its workflow.
    let ids: Vec<FwId> =
        workflows.iter().filter_map(|workflow| int_list(workflow.get("nodes")).first().copied()).collect();
    Ok(store.delete_workflows(&ids)?)
}
