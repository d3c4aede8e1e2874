//! Reading fireworks, launches and workflows.

use std::collections::HashMap;

use bson::{Bson, Document, doc};

use super::MongoStore;
use super::commands::ints;
use crate::store::{Direction, FireworkQuery, Result, SortKey, WorkflowQuery};
use crate::workflow::queue_job::may_be_array;
use crate::workflow::{Firework, Launch, LaunchId, State};

/// Conditions that fireworks and workflows share.
fn common(states: &[State], name: Option<&String>) -> Document {
    let mut filter = Document::new();
    if !states.is_empty() {
        let states: Vec<Bson> = states.iter().map(|state| state.as_str().into()).collect();
        filter.insert("state", doc! { "$in": states });
    }
    if let Some(name) = name {
        filter.insert("name", name);
    }
    filter
}

pub fn firework_filter(query: &FireworkQuery) -> Document {
    let mut filter = common(&query.states, query.name.as_ref());
    if let Some(ids) = &query.ids {
        filter.insert("fw_id", doc! { "$in": ints(ids) });
    }
    if let Some(launches) = &query.launches {
        filter.insert("launches", doc! { "$in": ints(launches) });
    }
    filter
}

fn order(sort: Option<(SortKey, Direction)>, id: &str) -> Document {
    let Some((key, direction)) = sort else { return doc! { id: 1 } };
    let key = match key {
        SortKey::CreatedOn => "created_on",
        SortKey::UpdatedOn => "updated_on",
    };
    let direction = match direction {
        Direction::Ascending => 1,
        Direction::Descending => -1,
    };
    doc! { key: direction, id: direction }
}

impl MongoStore {
    pub(super) fn search_fireworks(&self, query: &FireworkQuery) -> Result<Vec<Firework>> {
        let found =
            self.fireworks.find(firework_filter(query)).sort(order(query.sort, "fw_id")).limit(query.limit as i64);
        self.collect(found.run())?.iter().map(|document| Ok(Firework::from_document(document)?)).collect()
    }

    pub(super) fn search_launches(&self, ids: &[LaunchId]) -> Result<Vec<Launch>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.launches.find(doc! { "launch_id": { "$in": ints(ids) } });
        let mut launches: Vec<Launch> = self.collect(found.run())?.iter().filter_map(Launch::from_document).collect();
        let place: HashMap<LaunchId, usize> = ids.iter().enumerate().map(|(place, &id)| (id, place)).collect();
        launches.sort_by_key(|launch| place.get(&launch.launch_id).copied());
        Ok(launches)
    }

    pub(super) fn search_launches_of_job(&self, job: &str) -> Result<Vec<Launch>> {
        let mut names = vec![Bson::from(job)];
        if may_be_array(job) {
            names.push(doc! { "$regex": format!("^{job}_") }.into());
        }
        let fields = ["state_history.reservation_id", "state_history.lease.job.id"];
        let is_named = fields.iter().flat_map(|&field| names.iter().map(move |name| doc! { field: name.clone() }));
        let either = doc! { "$or": is_named.collect::<Vec<_>>() };
        let found = self.launches.find(either).sort(doc! { "launch_id": 1 });
        let found = self.collect(found.projection(doc! { "action": 0, "trackers": 0 }).run())?;
        Ok(found.iter().filter_map(Launch::from_document).collect())
    }

    pub(super) fn search_workflows(&self, query: &WorkflowQuery) -> Result<Vec<Document>> {
        let mut filter = common(&query.states, query.name.as_ref());
        if let Some(ids) = &query.fw_ids {
            filter.insert("nodes", doc! { "$in": ints(ids) });
        }
        // By the lowest id of a firework: ObjectIds of two processes have no order within a second.
        let found = self.workflows.find(filter).sort(order(query.sort, "nodes")).limit(query.limit as i64);
        self.collect(found.run())
    }
}
