//! `dump_wflow`: a workflow with its launches, as FireWorks' `Workflow.to_dict` has it.

use bson::{Bson, Document, doc};

use super::LaunchpadError;
use crate::store::{FireworkQuery, Store, WorkflowQuery};
use crate::workflow::{FwId, LaunchId, int_list};

/// The workflow of a firework.
pub fn workflow(store: &dyn Store, fw_id: FwId) -> Result<Document, LaunchpadError> {
    let query = WorkflowQuery { fw_ids: Some(vec![fw_id]), ..WorkflowQuery::default() };
    let workflows = store.find_workflows(&query)?;
    let workflow = workflows.first().ok_or_else(|| LaunchpadError::UnknownFireworks(vec![fw_id]))?;
    let query = FireworkQuery { ids: Some(int_list(workflow.get("nodes"))), ..FireworkQuery::default() };
    let fireworks = store.find_fireworks(&query)?;
    let launches: Vec<LaunchId> = fireworks
        .iter()
        .flat_map(|firework| firework.launches.iter().chain(&firework.archived_launches))
        .copied()
        .collect();
    let launches = store.find_launches(&launches)?;
    let of = |key: &str| workflow.get(key).cloned().unwrap_or(Bson::Null);
    let fws: Vec<Document> = fireworks
        .iter()
        .map(|firework| {
            let own = |id: &LaunchId| firework.launches.contains(id) || firework.archived_launches.contains(id);
            let own: Vec<_> = launches.iter().filter(|launch| own(&launch.launch_id)).cloned().collect();
            firework.to_dictionary(&own)
        })
        .collect();
    Ok(doc! {
        "fws": fws,
        "links": of("links"),
        "name": of("name"),
        "metadata": of("metadata"),
        "updated_on": of("updated_on"),
        "created_on": of("created_on"),
    })
}
