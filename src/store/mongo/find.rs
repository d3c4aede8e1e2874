//! Reading fireworks, launches and workflows.

use std::collections::HashMap;

use bson::{Bson, Document, doc};

use jiff::{SignedDuration, Timestamp};

use super::MongoStore;
use super::commands::{among, ints};
use crate::store::{FireworkQuery, NamePattern, Result, WorkflowQuery};
use crate::workflow::queue_job::may_be_array;
use crate::workflow::{FwId, Launch, LaunchId, State, int_list, time};

/// Workflows of which the members come with one answer.
const WORKFLOWS: u32 = 10_000;

/// Conditions that fireworks and workflows share.
fn common(
    states: &[State],
    name: Option<&NamePattern>,
    matching: Option<&Document>,
    since: Option<Timestamp>,
) -> Vec<Document> {
    let mut terms = Vec::new();
    if !states.is_empty() {
        let states: Vec<Bson> = states.iter().map(|state| state.as_str().into()).collect();
        terms.push(doc! { "state": { "$in": states } });
    }
    match name {
        Some(NamePattern::Exactly(name)) => terms.push(doc! { "name": name }),
        Some(NamePattern::Like(regex)) => terms.push(doc! { "name": { "$regex": regex } }),
        None => {}
    }
    terms.extend(matching.cloned());
    terms.extend(since.map(|since| not_before("updated_on", since)));
    terms
}

/// That a date is not earlier. FireWorks has texts and dates in the same place; each is compared with its like.
pub fn not_before(field: &str, since: Timestamp) -> Document {
    let (text, date) = (beginning(since), time::to_bson_date(whole_milliseconds(since)));
    doc! { "$or": [{ field: { "$gte": text } }, { field: { "$gte": date } }] }
}

/// What a string says in all of FireWorks' forms, with a fraction and an offset or without, that is no earlier.
pub(super) fn beginning(since: Timestamp) -> String {
    let text = time::to_iso(since);
    // Six digits, which only mean something up to the last that is not zero.
    text.trim_end_matches("+00:00").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The next whole millisecond: a date has no more.
pub(super) fn whole_milliseconds(since: Timestamp) -> Timestamp {
    let rest = since.as_nanosecond().rem_euclid(1_000_000);
    if rest == 0 { since } else { since + SignedDuration::from_nanos(1_000_000 - rest as i64) }
}

/// All of them.
fn all_of(mut terms: Vec<Document>) -> Document {
    match terms.len() {
        0 => Document::new(),
        1 => terms.remove(0),
        _ => doc! { "$and": terms },
    }
}

impl MongoStore {
    pub(super) fn firework_filter(&self, query: &FireworkQuery) -> Result<Document> {
        let mut terms = common(&query.states, query.name.as_ref(), query.matching.as_ref(), query.since);
        if let Some(ids) = &query.ids {
            terms.push(among("fw_id", ids));
        }
        if let Some(launches) = &query.launches {
            terms.push(doc! { "launches": { "$in": ints(launches) } });
        }
        if let Some(workflows) = &query.workflows {
            let found = self.workflows.find(self.workflow_filter(workflows)?).projection(doc! { "_id": 0, "nodes": 1 });
            let mut members: Vec<FwId> = Vec::new();
            for workflow in self.ask_query(found.batch_size(WORKFLOWS).run())? {
                members.extend(int_list(self.ask_query(workflow)?.get("nodes")));
            }
            terms.push(among("fw_id", &members));
        }
        Ok(all_of(terms))
    }

    pub(super) fn workflow_filter(&self, query: &WorkflowQuery) -> Result<Document> {
        let mut terms = common(&query.states, query.name.as_ref(), query.matching.as_ref(), query.since);
        if let Some(ids) = &query.fw_ids {
            terms.push(doc! { "nodes": { "$in": ints(ids) } });
        }
        if let Some(owner) = &query.owner {
            terms.push(self.added_by(owner)?);
        }
        Ok(all_of(terms))
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_compared_in_every_form() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        for (since, later, earlier) in [
            ("2026-11-22T15:00:40Z", "2026-11-22T15:00:40", "2026-11-22T15:00:39.999999+00:00"),
            ("2026-11-22T15:00:40Z", "2026-11-22T15:00:40.000000+00:00", "2026-11-22T15:00:39"),
            ("2026-11-22T15:00:40.5Z", "2026-11-22T15:00:40.500000", "2026-11-22T15:00:40+00:00"),
            ("2026-11-22T15:00:40.5Z", "2026-11-22T15:00:41", "2026-11-22T15:00:40.499999+00:00"),
        ] {
            let beginning = beginning(at(since));
            assert!(later >= beginning.as_str() && earlier < beginning.as_str(), "{beginning}");
        }
        assert_eq!(whole_milliseconds(at("2026-11-22T15:00:40.5001Z")), at("2026-11-22T15:00:40.501Z"));
        assert_eq!(whole_milliseconds(at("2026-11-22T15:00:40.5Z")), at("2026-11-22T15:00:40.5Z"));
    }
}
