//! `volley_events`: who did what. A document names so many ids at most; what is about more takes
//! several, of one time.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use mongodb::sync::Collection;

use super::MongoStore;
use super::claim::journaled;
use super::commands::{Journal, ints};
use crate::store::Result;
use crate::store::history::{ADD, Deed, Event, EventQuery, Histories, RESET};
use crate::workflow::{FwId, as_int, int, int_list, time};

/// Ids in one document.
const IDS: usize = 10_000;

/// The workflows of a batch are created one after the other, within less than this.
const BATCH: SignedDuration = SignedDuration::from_secs(1);

/// Entries that are read at once.
const SOME: u32 = 1_000;

impl MongoStore {
    pub(super) fn history(&self) -> Collection<Document> {
        self.database.collection("volley_events")
    }

    /// Notes who adds the workflows of a batch, each named by its lowest id: before they are there, so
    /// that none of ours is ever without an owner.
    pub(super) fn note_added(&self, workflows: Vec<FwId>, now: Timestamp) -> Result<()> {
        // What comes after it is journaled, and the journal is one.
        self.note(&Deed { what: ADD.to_owned(), workflows, ..Deed::default() }, now, Journal::No)
    }

    /// Notes that everything was forgotten.
    pub(super) fn note_reset(&self, now: Timestamp) -> Result<()> {
        self.note(&Deed { what: RESET.to_owned(), ..Deed::default() }, now, Journal::Yes)
    }

    fn note(&self, deed: &Deed, now: Timestamp, journal: Journal) -> Result<()> {
        self.check_schema()?;
        let history = self.history();
        let mut insert = history.insert_many(parts(deed).map(|part| Event::here(&part, now).to_document()));
        if journal == Journal::Yes {
            insert = insert.write_concern(journaled());
        }
        self.ask(insert.run())?;
        Ok(())
    }

    /// What is older is about fireworks that had the ids of these before: FireWorks' own reset begins with 1
    /// again, and leaves the history. Nothing is there that was not added since the oldest workflow was.
    fn beginning(&self) -> Result<String> {
        let oldest = |kind: Bson| {
            let oldest = doc! { "$match": { "created_on": { "$gte": kind } } };
            let created_on = doc! { "$project": { "_id": 0, "created_on": 1 } };
            vec![oldest, doc! { "$sort": { "created_on": 1 } }, doc! { "$limit": 1 }, created_on]
        };
        let mut either = oldest("".into());
        let dates = oldest(Bson::DateTime(bson::DateTime::MIN));
        either.push(doc! { "$unionWith": { "coll": "workflows", "pipeline": dates } });
        let found = self.collect(self.workflows.aggregate(either).run())?;
        let oldest = found.iter().filter_map(|one| one.get("created_on").and_then(time::from_bson)).min();
        Ok(oldest.map(|oldest| time::to_iso(oldest - BATCH)).unwrap_or_default())
    }

    /// Which workflows a user has added, as a condition on `nodes`. A batch has taken its ids together: all
    /// between its first and its last workflow are its own.
    pub(super) fn added_by(&self, user: &str) -> Result<Document> {
        let theirs = doc! { "what": ADD, "user": user, "at": { "$gte": self.beginning()? } };
        let ends = doc! { "_id": 0, "first": { "$min": "$workflows" }, "last": { "$max": "$workflows" } };
        let history = self.history();
        let found = history.aggregate([doc! { "$match": theirs }, doc! { "$project": ends }]);
        let (mut single, mut batches) = (Vec::new(), Vec::new());
        for batch in self.collect(found.batch_size(SOME).run())? {
            let end = |key| batch.get(key).and_then(as_int);
            match (end("first"), end("last")) {
                (Some(first), Some(last)) if first == last => single.push(first),
                (Some(first), Some(last)) => {
                    let within = doc! { "$gte": int(first), "$lte": int(last) };
                    batches.push(doc! { "nodes": { "$elemMatch": within } });
                }
                _ => {}
            }
        }
        if batches.is_empty() {
            return Ok(doc! { "nodes": { "$in": ints(&single) } });
        }
        if !single.is_empty() {
            batches.push(doc! { "nodes": { "$in": ints(&single) } });
        }
        Ok(doc! { "$or": batches })
    }
}

impl Histories for MongoStore {
    fn record(&self, deed: &Deed, now: Timestamp) -> Result<()> {
        self.note(deed, now, Journal::Yes)
    }

    fn events(&self, query: &EventQuery) -> Result<Vec<Event>> {
        let mut terms = Document::new();
        if let Some((fw_ids, workflows)) = &query.about {
            let about = [("fw_ids", fw_ids), ("workflows", workflows)];
            terms.insert("$or", about.map(|(key, ids)| doc! { key: { "$in": ints(ids) } }).to_vec());
            terms.insert("at", doc! { "$gte": self.beginning()? });
        }
        if let Some(user) = &query.user {
            terms.insert("user", user);
        }
        if let Some(since) = query.since {
            terms.insert("$and", [doc! { "at": { "$gte": time::to_iso(since) } }]);
        }
        let history = self.history();
        let newest = history.find(terms).sort(doc! { "at": -1, "_id": -1 }).allow_disk_use(true);
        let newest = self.collect(newest.limit(query.limit as i64).batch_size(SOME).run())?;
        Ok(newest.iter().rev().filter_map(Event::from_document).collect())
    }

    fn owners(&self, workflows: &[FwId]) -> Result<BTreeMap<FwId, String>> {
        if workflows.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut adding = doc! { "what": ADD, "workflows": { "$in": ints(workflows) } };
        adding.insert("at", doc! { "$gte": self.beginning()? });
        // A batch may have added thousands besides.
        let wanted = doc! { "$setIntersection": ["$workflows", ints(workflows)] };
        let project = doc! { "_id": 0, "user": 1, "workflows": wanted };
        let history = self.history();
        let found = history.aggregate([doc! { "$match": adding }, doc! { "$project": project }]);
        let mut owners = BTreeMap::new();
        for event in self.collect(found.batch_size(SOME).run())? {
            let Ok(user) = event.get_str("user") else { continue };
            owners.extend(int_list(event.get("workflows")).into_iter().map(|workflow| (workflow, user.to_owned())));
        }
        Ok(owners)
    }
}

/// A deed in parts that fit into one document each.
fn parts(deed: &Deed) -> impl Iterator<Item = Deed> + '_ {
    let count = deed.fw_ids.len().max(deed.workflows.len()).div_ceil(IDS).max(1);
    let part = |ids: &[FwId], n: usize| ids.chunks(IDS).nth(n).unwrap_or_default().to_vec();
    (0..count).map(move |n| Deed {
        fw_ids: part(&deed.fw_ids, n),
        workflows: part(&deed.workflows, n),
        ..Deed { what: deed.what.clone(), note: deed.note.clone(), ..Deed::default() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_about_many_takes_several_documents() {
        let deed = |fw_ids: Vec<FwId>| Deed { what: "rerun_fws".into(), fw_ids, workflows: vec![1], note: None };
        assert_eq!(parts(&deed(vec![])).count(), 1);
        let split: Vec<Deed> = parts(&deed((0..25_000).collect())).collect();
        assert_eq!(split.iter().map(|part| part.fw_ids.len()).collect::<Vec<_>>(), [10_000, 10_000, 5_000]);
        assert_eq!(split.iter().map(|part| part.workflows.len()).collect::<Vec<_>>(), [1, 0, 0]);
        assert!(split.iter().all(|part| part.what == "rerun_fws"));
    }
}
