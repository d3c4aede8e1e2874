//! `results`: what the recipes of a workflow found, in a few numbers each.

use std::collections::BTreeMap;

use bson::Bson;
use serde_json::Value;

use super::LaunchpadError;
use crate::recipes::Summary;
use crate::store::{FireworkQuery, Store, WorkflowQuery};
use crate::workflow::json::from_document;
use crate::workflow::{FwId, Launch, LaunchId, State, int_list};

/// One firework of a workflow and what it found.
#[derive(Debug)]
pub struct FireworkResult {
    /// Its id.
    pub fw_id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Where it ran last.
    pub directory: Option<String>,
    /// The gist of its result document, when a recipe has written one: a row for each structure.
    pub summaries: Vec<Summary>,
    /// The rows it has collected from the recipes above it, in their order.
    pub collected: Vec<Value>,
}

/// The results of all fireworks of the workflow that `fw_id` belongs to.
pub fn results(store: &dyn Store, fw_id: FwId) -> Result<Vec<FireworkResult>, LaunchpadError> {
    let query = WorkflowQuery { fw_ids: Some(vec![fw_id]), ..WorkflowQuery::default() };
    let workflows = store.find_workflows(&query)?;
    let workflow = workflows.first().ok_or_else(|| LaunchpadError::UnknownFireworks(vec![fw_id]))?;
    let query = FireworkQuery { ids: Some(int_list(workflow.get("nodes"))), ..FireworkQuery::default() };
    let fireworks = store.find_fireworks(&query)?;
    let last: Vec<LaunchId> = fireworks.iter().filter_map(|firework| firework.launches.last().copied()).collect();
    let launches: BTreeMap<LaunchId, Launch> =
        store.find_launches(&last)?.into_iter().map(|launch| (launch.launch_id, launch)).collect();
    Ok(fireworks
        .into_iter()
        .map(|firework| {
            let launch = firework.launches.last().and_then(|id| launches.get(id));
            let document = launch.map(stored_data).unwrap_or_default();
            FireworkResult {
                fw_id: firework.fw_id,
                name: firework.name,
                state: firework.state,
                directory: launch.map(|launch| launch.launch_dir.clone()),
                summaries: Summary::all_of(&document),
                collected: document["results"].as_array().cloned().unwrap_or_default(),
            }
        })
        .collect())
}

/// What its launch stored; of a relaxation that did not converge, how far it came.
fn stored_data(launch: &Launch) -> Value {
    let stored = launch.action.as_ref().and_then(|action| action.get("stored_data")).and_then(Bson::as_document);
    let mut stored = stored.map_or(Value::Null, |stored| Value::Object(from_document(stored)));
    let details = stored.pointer_mut("/_exception/_details").filter(|details| details["atoms"].is_object());
    match details.map(Value::take) {
        Some(details) => details,
        None => stored,
    }
}
