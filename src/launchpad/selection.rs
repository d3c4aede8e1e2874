//! Which fireworks or workflows a verb is about. All conditions that are given must hold.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::LaunchpadError;
use super::error::list;
use crate::store::failures::Failure;
use crate::store::filter::Pattern;
use crate::store::{Direction, Fields, FireworkQuery, NamePattern, SortKey, Store, StoreError, WorkflowQuery};
use crate::workflow::{Firework, FwId, LaunchId, State, int, int_list};

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// These fireworks, or the workflows they are in.
    pub ids: Option<Vec<FwId>>,
    /// In one of these states.
    pub states: Vec<State>,
    /// Of such a name.
    pub name: Option<NamePattern>,
    /// That match this in MongoDB's language.
    pub query: Option<Document>,
    /// With a launch that matches this in MongoDB's language.
    pub launch_query: Option<Document>,
    /// That were launched by this queue job, or by elements of this array.
    pub job: Option<String>,
    /// Changed since then.
    pub since: Option<Timestamp>,
    /// FIZZLED with an error in which this regular expression finds something.
    pub failed_with: Option<String>,
    /// In workflows that this user has added.
    pub owner: Option<String>,
    /// In workflows that match.
    pub workflows: Option<Box<Selection>>,
    /// At most so many; 0 for all.
    pub limit: usize,
}

/// A workflow that was found, without its links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The firework that names it in listings.
    pub id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Its fireworks.
    pub members: Vec<FwId>,
}

impl Chosen {
    /// What a document says of it.
    pub fn of(workflow: &Document) -> Option<Self> {
        let text = |key| workflow.get_str(key).unwrap_or_default().to_owned();
        let members = int_list(workflow.get("nodes"));
        Some(Chosen { id: *members.first()?, name: text("name"), state: text("state"), members })
    }

    /// Its lowest id, by which the history knows it.
    pub fn lowest(&self) -> FwId {
        self.members.iter().copied().min().unwrap_or(self.id)
    }
}

impl Selection {
    /// The query for fireworks.
    pub fn fireworks(
        &self,
        store: &dyn Store,
        sort: Option<(SortKey, Direction)>,
    ) -> Result<FireworkQuery, LaunchpadError> {
        let mut query = FireworkQuery {
            ids: self.ids.clone(),
            states: self.states.clone(),
            name: self.name.clone(),
            matching: self.query.clone(),
            since: self.since,
            workflows: self.around(store)?.map(Box::new),
            ..FireworkQuery::default()
        };
        if let Some(job) = &self.job {
            query.ids = common(query.ids, launched_by(store, job)?);
        }
        if let Some(launches) = &self.launch_query {
            query.launches = Some(store.matching_launches(launches)?);
        }
        if let Some(regex) = &self.failed_with {
            query.ids = Some(failed_with(store, &query, regex)?);
            // Unless somebody has run one again since.
            query.states = vec![State::Fizzled];
        }
        Ok(FireworkQuery { sort, limit: self.limit, ..query })
    }

    /// The query for the workflows that the fireworks must be in, where anything is said of these.
    fn around(&self, store: &dyn Store) -> Result<Option<WorkflowQuery>, LaunchpadError> {
        let around = self.workflows.as_ref().map(|workflows| workflows.workflows(store, None)).transpose()?;
        Ok(match &self.owner {
            Some(owner) => Some(WorkflowQuery { owner: Some(owner.clone()), ..around.unwrap_or_default() }),
            None => around,
        })
    }

    /// The query for workflows. What is said of launches holds for one of their fireworks.
    pub fn workflows(
        &self,
        store: &dyn Store,
        sort: Option<(SortKey, Direction)>,
    ) -> Result<WorkflowQuery, LaunchpadError> {
        let (mut fw_ids, mut matching) = (self.ids.clone(), self.query.clone());
        if self.job.is_some() || self.launch_query.is_some() || self.failed_with.is_some() {
            let one = Selection {
                job: self.job.clone(),
                launch_query: self.launch_query.clone(),
                failed_with: self.failed_with.clone(),
                ..Selection::default()
            };
            let launched = store.firework_ids(&one.fireworks(store, None)?)?;
            if fw_ids.is_none() {
                fw_ids = Some(launched);
            } else {
                // Another firework of the workflow than the one that is named may be the one.
                let nodes: Vec<Bson> = launched.into_iter().map(int).collect();
                let also = doc! { "nodes": { "$in": nodes } };
                matching = Some(match matching {
                    Some(query) => doc! { "$and": [query, also] },
                    None => also,
                });
            }
        }
        Ok(WorkflowQuery {
            fw_ids,
            states: self.states.clone(),
            name: self.name.clone(),
            matching,
            since: self.since,
            owner: self.owner.clone(),
            sort,
            limit: self.limit,
        })
    }

    /// The fireworks that a modifying verb is about, without their specs. Ids that do not exist are an
    /// error, and so is an empty selection: nothing must be changed by mistake, or seem to be.
    pub fn find_fireworks(&self, store: &dyn Store) -> Result<Vec<Firework>, LaunchpadError> {
        let mut found = Vec::new();
        store.each_firework(&self.fireworks(store, None)?, Fields::Head, &mut |some| {
            found.extend(some);
            ControlFlow::Continue(())
        })?;
        self.check(store, "firework", found.is_empty(), || found.iter().map(|firework| firework.fw_id).collect())?;
        Ok(found)
    }

    /// The workflows that a modifying verb is about, likewise.
    pub fn find_workflows(&self, store: &dyn Store) -> Result<Vec<Chosen>, LaunchpadError> {
        let mut found = Vec::new();
        store.each_workflow(&self.workflows(store, None)?, &mut |some| {
            found.extend(some.iter().filter_map(Chosen::of));
            ControlFlow::Continue(())
        })?;
        self.check(store, "workflow", found.is_empty(), || {
            found.iter().flat_map(|one| &one.members).copied().collect()
        })?;
        Ok(found)
    }

    /// Whether all ids exist, and anything was found.
    fn check(
        &self,
        store: &dyn Store,
        kind: &str,
        empty: bool,
        found: impl FnOnce() -> HashSet<FwId>,
    ) -> Result<(), LaunchpadError> {
        let asked = self.ids.iter().chain(self.workflows.iter().filter_map(|workflows| workflows.ids.as_ref()));
        let mut missing: Vec<FwId> = asked.flatten().copied().collect();
        if !missing.is_empty() {
            let found = found();
            missing.retain(|id| !found.contains(id));
        }
        if !missing.is_empty() {
            // Some may exist and only not fit the other conditions.
            let query = FireworkQuery { ids: Some(missing.clone()), ..FireworkQuery::default() };
            let exist: HashSet<FwId> = store.firework_ids(&query)?.into_iter().collect();
            missing.retain(|id| !exist.contains(id));
            if !missing.is_empty() {
                return Err(LaunchpadError::UnknownFireworks(missing));
            }
        }
        if empty { Err(LaunchpadError::NothingSelected(self.words(kind))) } else { Ok(()) }
    }

    /// What was asked for, in words; `kind` is what it should have found.
    fn words(&self, kind: &str) -> String {
        let ids = self.workflows.as_ref().map_or(&self.ids, |workflows| &workflows.ids);
        if ids.as_ref().is_some_and(Vec::is_empty) {
            return "no ids are given".to_owned();
        }
        let mut words = self.conditions();
        if let Some(workflows) = &self.workflows {
            let around = workflows.conditions();
            words.push(format!("is in a workflow that {}", around.join(" and ")));
        }
        if words.is_empty() {
            "the launchpad is empty".to_owned()
        } else {
            format!("no {kind} {}", words.join(" and "))
        }
    }

    fn conditions(&self) -> Vec<String> {
        let states: Vec<&str> = self.states.iter().map(|state| state.as_str()).collect();
        let name = self.name.as_ref().map(|name| match name {
            NamePattern::Exactly(name) => format!("is called `{name}`"),
            NamePattern::Like(regex) => format!("has a name like `{regex}`"),
        });
        let since = |at: &Timestamp| {
            format!("has changed since {}", at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S"))
        };
        let words = [
            self.ids.as_ref().map(|ids| format!("is one of {}", list(ids))),
            (!states.is_empty()).then(|| format!("is {}", states.join(" or "))),
            name,
            self.query.as_ref().map(|query| format!("matches {query}")),
            self.launch_query.as_ref().map(|query| format!("has a launch that matches {query}")),
            self.job.as_ref().map(|job| format!("was launched by queue job {job}")),
            self.since.as_ref().map(since),
            self.failed_with.as_ref().map(|regex| format!("FIZZLED with an error like `{regex}`")),
            self.owner.as_ref().map(|owner| format!("was added by {owner}")),
        ];
        words.into_iter().flatten().collect()
    }
}

/// Those of these ids that are among the ones asked for, where any are.
fn common(asked: Option<Vec<FwId>>, ids: Vec<FwId>) -> Option<Vec<FwId>> {
    let Some(mut asked) = asked else { return Some(ids) };
    let ids: HashSet<FwId> = ids.into_iter().collect();
    asked.retain(|id| ids.contains(id));
    Some(asked)
}

/// The fireworks that had a launch of a queue job, or follow one as its duplicates.
fn launched_by(store: &dyn Store, job: &str) -> Result<Vec<FwId>, LaunchpadError> {
    let launches = store.launches_of_job(job)?;
    if launches.is_empty() {
        return Ok(Vec::new());
    }
    let ids = launches.iter().map(|launch| launch.launch_id).collect();
    let following = FireworkQuery { launches: Some(ids), ..FireworkQuery::default() };
    let following = store.firework_ids(&following)?;
    let fw_ids: BTreeSet<FwId> = launches.iter().map(|launch| launch.fw_id).chain(following).collect();
    Ok(fw_ids.into_iter().collect())
}

/// As many launches are asked about at once.
const SOME: usize = 50_000;

/// Those of the FIZZLED fireworks that match in whose last error a regular expression finds something.
fn failed_with(store: &dyn Store, query: &FireworkQuery, regex: &str) -> Result<Vec<FwId>, LaunchpadError> {
    if !query.states.is_empty() && !query.states.contains(&State::Fizzled) {
        return Ok(Vec::new());
    }
    let fizzled = FireworkQuery { states: vec![State::Fizzled], ..query.clone() };
    let mut last: Vec<(LaunchId, FwId)> = Vec::new();
    store.each_firework(&fizzled, Fields::Head, &mut |some| {
        last.extend(some.iter().filter_map(|firework| Some((*firework.launches.last()?, firework.fw_id))));
        ControlFlow::Continue(())
    })?;
    let mut found = Vec::new();
    for some in last.chunks(SOME) {
        let ids: Vec<Bson> = some.iter().map(|(launch, _)| int(*launch)).collect();
        let found_in = |field: &str| doc! { field: { "$regex": regex } };
        let either = ERRORS.map(found_in).to_vec();
        let failed = store.matching_launches(&doc! { "launch_id": { "$in": &ids }, "$or": either })?;
        let mut failed: HashSet<LaunchId> = failed.into_iter().collect();
        failed.extend(failed_elsewhere(store, &ids, regex)?);
        found.extend(some.iter().filter(|(launch, _)| failed.contains(launch)).map(|(_, fw_id)| *fw_id));
    }
    Ok(found)
}

/// The same of launches whose outcome is in a file, since it is too large for a document.
fn failed_elsewhere(store: &dyn Store, launches: &[Bson], regex: &str) -> Result<Vec<LaunchId>, LaunchpadError> {
    let in_files = doc! { "launch_id": { "$in": launches }, "action.gridfs_id": { "$exists": true } };
    let in_files = store.matching_launches(&in_files)?;
    if in_files.is_empty() {
        return Ok(Vec::new());
    }
    let pattern = Pattern::new(regex, "").map_err(StoreError::Query)?;
    let fits = |failure: &Failure| failure.trace.as_ref().is_some_and(|trace| pattern.is_in(trace));
    Ok(store.failures(&in_files)?.iter().filter(|failure| fits(failure)).map(|failure| failure.launch_id).collect())
}

/// Where a launch keeps what went wrong: FireWorks' trace and message, and why a run was lost.
const ERRORS: [&str; 3] =
    ["action.stored_data._exception._stacktrace", "action.stored_data._message", "state_history.lost"];
