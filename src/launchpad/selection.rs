//! Which fireworks or workflows a verb is about. All conditions that are given must hold.

use std::collections::BTreeSet;

use bson::Document;

use super::LaunchpadError;
use crate::store::{Direction, FireworkQuery, SortKey, Store, WorkflowQuery};
use crate::workflow::{Firework, FwId, State, int_list};

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// These fireworks, or the workflows they are in.
    pub ids: Option<Vec<FwId>>,
    /// In one of these states.
    pub states: Vec<State>,
    /// Of exactly this name.
    pub name: Option<String>,
    /// That match this in MongoDB's language.
    pub query: Option<Document>,
    /// That were launched by this queue job, or by elements of this array.
    pub job: Option<String>,
}

impl Selection {
    /// The query for fireworks.
    pub fn fireworks(
        &self,
        store: &dyn Store,
        sort: Option<(SortKey, Direction)>,
        limit: usize,
    ) -> Result<FireworkQuery, LaunchpadError> {
        let matching = self.query.as_ref().map(|query| store.matching_fireworks(query)).transpose()?;
        let launched = self.job.as_ref().map(|job| launched_by(store, job)).transpose()?;
        let ids = common(launched, self.narrowed(matching));
        let (states, name) = (self.states.clone(), self.name.clone());
        Ok(FireworkQuery { ids, states, name, launches: None, sort, limit })
    }

    /// The query for workflows.
    pub fn workflows(
        &self,
        store: &dyn Store,
        sort: Option<(SortKey, Direction)>,
        limit: usize,
    ) -> Result<WorkflowQuery, LaunchpadError> {
        let matching = self.query.as_ref().map(|query| store.matching_workflows(query)).transpose()?;
        let (fw_ids, states, name) = (self.narrowed(matching), self.states.clone(), self.name.clone());
        Ok(WorkflowQuery { fw_ids, states, name, sort, limit })
    }

    /// The ids that were asked for, as far as they match.
    fn narrowed(&self, matching: Option<Vec<FwId>>) -> Option<Vec<FwId>> {
        common(matching, self.ids.clone())
    }

    /// The fireworks that a modifying verb is about. Ids that do not exist are an error, and so is
    /// an empty selection: nothing must be changed by mistake, or seem to be.
    pub fn find_fireworks(&self, store: &dyn Store) -> Result<Vec<Firework>, LaunchpadError> {
        let found = store.find_fireworks(&self.fireworks(store, None, 0)?)?;
        self.check(store, found.is_empty(), found.iter().map(|firework| firework.fw_id).collect())?;
        Ok(found)
    }

    /// The workflows that a modifying verb is about, likewise.
    pub fn find_workflows(&self, store: &dyn Store) -> Result<Vec<Document>, LaunchpadError> {
        let found = store.find_workflows(&self.workflows(store, None, 0)?)?;
        let members = found.iter().flat_map(|workflow| int_list(workflow.get("nodes"))).collect();
        self.check(store, found.is_empty(), members)?;
        Ok(found)
    }

    fn check(&self, store: &dyn Store, empty: bool, found: BTreeSet<FwId>) -> Result<(), LaunchpadError> {
        let missing: Vec<FwId> = self.ids.iter().flatten().copied().filter(|id| !found.contains(id)).collect();
        if !missing.is_empty() {
            // Some may exist and only not fit the other conditions.
            let query = FireworkQuery { ids: Some(missing.clone()), ..FireworkQuery::default() };
            let exist: BTreeSet<FwId> = store.find_fireworks(&query)?.iter().map(|firework| firework.fw_id).collect();
            let unknown: Vec<FwId> = missing.into_iter().filter(|id| !exist.contains(id)).collect();
            if !unknown.is_empty() && empty && exist.is_empty() {
                return Err(LaunchpadError::NothingSelected(LaunchpadError::UnknownFireworks(unknown).to_string()));
            }
            if !unknown.is_empty() {
                return Err(LaunchpadError::UnknownFireworks(unknown));
            }
        }
        if empty { Err(LaunchpadError::NothingSelected(self.words())) } else { Ok(()) }
    }

    /// The conditions in words.
    fn words(&self) -> String {
        let states: Vec<&str> = self.states.iter().map(|state| state.as_str()).collect();
        let mut words = Vec::new();
        if !states.is_empty() {
            words.push(format!("is {}", states.join(" or ")));
        }
        if let Some(name) = &self.name {
            words.push(format!("is called `{name}`"));
        }
        if self.query.is_some() {
            words.push("matches the query".to_owned());
        }
        if words.is_empty() { "the launchpad is empty".to_owned() } else { format!("nothing {}", words.join(" and ")) }
    }
}

/// What is in both lists, where both are given.
fn common(one: Option<Vec<FwId>>, other: Option<Vec<FwId>>) -> Option<Vec<FwId>> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            let other: BTreeSet<FwId> = other.into_iter().collect();
            one.retain(|id| other.contains(id));
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

/// The fireworks that had a launch of a queue job, or follow one as its duplicates.
fn launched_by(store: &dyn Store, job: &str) -> Result<Vec<FwId>, LaunchpadError> {
    let launches = store.launches_of_job(job)?;
    if launches.is_empty() {
        return Ok(Vec::new());
    }
    let ids = launches.iter().map(|launch| launch.launch_id).collect();
    let following = FireworkQuery { launches: Some(ids), ..FireworkQuery::default() };
    let following = store.find_fireworks(&following)?.into_iter().map(|firework| firework.fw_id);
    let fw_ids: BTreeSet<FwId> = launches.iter().map(|launch| launch.fw_id).chain(following).collect();
    Ok(fw_ids.into_iter().collect())
}
