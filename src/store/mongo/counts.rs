//! `volley_counts`: one document with how many there are in each state, for all who look. Whoever finds it
//! old takes its renewal by a conditional write, counts, and writes it; the others use the old one, or wait
//! for the new one.
//!
//! What people change is in the history: counts are only used as long as its latest entry is the one that was
//! the latest when they were made.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use mongodb::sync::Collection;

use super::MongoStore;
use super::mend::is_duplicate;
use crate::store::counts::{Countings, Counts};
use crate::store::{Result, StoreError, jitter};
use crate::workflow::{State, as_int, time};

/// Up to so many fireworks are counted each time: that takes a millisecond.
const FEW: u64 = 20_000;

/// How long counts are used.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// How long they are used while somebody counts anew.
const USABLE: SignedDuration = SignedDuration::from_secs(30);

/// Whoever has not come to an end with counting by then counts as dead.
const RENEWAL: SignedDuration = SignedDuration::from_secs(15);

/// How long, and how often, new counts are waited for.
const PAUSE: Duration = Duration::from_millis(50);
const ATTEMPTS: u32 = 40;

/// The `_id` of the document.
const ALL: &str = "all";

/// What all share: the counts, the latest entry of the history when they were made.
struct Shared {
    counts: Option<Counts>,
    after: Option<Bson>,
    /// The latest entry now.
    latest: Option<Bson>,
}

impl Shared {
    /// The counts, when they are not older and nobody has changed anything since.
    fn younger_than(&self, age: SignedDuration, at: Timestamp) -> Option<Counts> {
        let counts = self.counts.as_ref().filter(|_| self.after == self.latest)?;
        // Those of the future were made by another server's clock.
        (at.duration_since(counts.at).abs() < age).then(|| counts.clone())
    }
}

impl Countings for MongoStore {
    fn counts(&self) -> Result<Counts> {
        if self.ask(self.fireworks.estimated_document_count().run())? < FEW {
            return self.count_all();
        }
        match self.common_counts() {
            // Who may only read the launchpad counts alone.
            Err(StoreError::Refused { .. }) => self.count_all(),
            counts => counts,
        }
    }
}

impl MongoStore {
    /// The counts that all share, by whoever has made them.
    fn common_counts(&self) -> Result<Counts> {
        for _ in 0..ATTEMPTS {
            let shared = self.shared_counts()?;
            let at = self.server_time()?;
            if let Some(counts) = shared.younger_than(FRESH, at) {
                return Ok(counts);
            }
            if self.take_renewal(at)? {
                let counts = self.count_all()?;
                let done = doc! {
                    "$set": { "counts": to_document(&counts), "after": shared.latest },
                    "$unset": { "renewal": "" },
                };
                self.ask(self.shared().update_one(doc! { "_id": ALL }, done).run())?;
                return Ok(counts);
            }
            if let Some(counts) = shared.younger_than(USABLE, at) {
                return Ok(counts);
            }
            sleep(jitter(PAUSE));
        }
        self.count_all()
    }

    fn shared(&self) -> Collection<Document> {
        self.database.collection("volley_counts")
    }

    /// The document and the latest entry of the history, in one command.
    fn shared_counts(&self) -> Result<Shared> {
        let latest = [
            doc! { "$limit": 1 },
            doc! { "$project": { "_id": 0, "latest": "$_id" } },
            doc! { "$unionWith": { "coll": "volley_counts", "pipeline": [{ "$match": { "_id": ALL } }] } },
        ];
        // Ids of two processes have no order within a second, but the documents have.
        let history = self.history();
        let found = history.aggregate(latest).hint(mongodb::options::Hint::Keys(doc! { "$natural": -1 }));
        let mut shared = Shared { counts: None, after: None, latest: None };
        for mut document in self.collect(found.run())? {
            if let Some(latest) = document.remove("latest") {
                shared.latest = Some(latest);
            } else {
                shared.counts = document.get_document("counts").ok().and_then(from_document);
                shared.after = document.remove("after").filter(|after| *after != Bson::Null);
            }
        }
        Ok(shared)
    }

    /// Takes it upon this process to count, unless another one does.
    fn take_renewal(&self, at: Timestamp) -> Result<bool> {
        // Nobody takes it for so long, unless by another server's clock.
        let held = doc! { "$gt": time::to_bson_date(at), "$lt": time::to_bson_date(at + RENEWAL * 2) };
        let free = doc! { "$not": held };
        let take = doc! { "$set": { "renewal": time::to_bson_date(at + RENEWAL) } };
        let shared = self.shared();
        let taken = shared.find_one_and_update(doc! { "_id": ALL, "renewal": free }, take);
        match taken.upsert(true).projection(doc! { "_id": 1 }).run() {
            // There is the document, and somebody else has it.
            Err(error) if is_duplicate(&error) => Ok(false),
            taken => self.ask(taken).map(|_| true),
        }
    }

    /// Counts, by the indexes on states alone, in one command.
    fn count_all(&self) -> Result<Counts> {
        // As exact as it is stored.
        let now = self.server_time()?;
        let at = now.round(jiff::Unit::Microsecond).unwrap_or(now);
        let mut counts = Counts { at, fireworks: BTreeMap::new(), workflows: BTreeMap::new() };
        let all = ["fireworks", "workflows"].into_iter().flat_map(|of| State::ALL.map(move |state| (of, state)));
        for (collection, state, count) in self.count_states(all)? {
            let of = if collection == "workflows" { &mut counts.workflows } else { &mut counts.fireworks };
            of.insert(state, count);
        }
        Ok(counts)
    }

    /// How many documents of a collection are in a state, for each of these pairs, by the indexes on states
    /// alone and in one command. Where there are none, nothing is said.
    pub(super) fn count_states(
        &self,
        wanted: impl Iterator<Item = (&'static str, State)>,
    ) -> Result<Vec<(String, State, u64)>> {
        let count = |collection: &str, state: State| {
            let sum = doc! { "$group": { "_id": null, "n": { "$sum": 1 } } };
            let name = doc! { "$set": { "_id": collection, "state": state.as_str() } };
            vec![doc! { "$match": { "state": state.as_str() } }, sum, name]
        };
        let mut first = None;
        let mut pipeline = Vec::new();
        for (collection, state) in wanted {
            if first.is_none() {
                first = Some(self.database.collection::<Document>(collection));
                pipeline = count(collection, state);
            } else {
                let union = doc! { "coll": collection, "pipeline": count(collection, state) };
                pipeline.push(doc! { "$unionWith": union });
            }
        }
        let Some(first) = first else { return Ok(Vec::new()) };
        let read = |mut count: Document| {
            let state = count.get_str("state").ok()?.parse().ok()?;
            let number = count.get("n").and_then(number)?;
            Some((count.remove("_id")?.as_str()?.to_owned(), state, number))
        };
        Ok(self.collect(first.aggregate(pipeline).run())?.into_iter().filter_map(read).collect())
    }

    /// How many documents of `fireworks` or `workflows` are in one of these states, or in any: few are
    /// counted, of many the shared counts are good enough.
    pub(super) fn count_in_states(&self, collection: &'static str, states: &[State]) -> Result<u64> {
        let states: BTreeSet<State> = if states.is_empty() { &State::ALL } else { states }.iter().copied().collect();
        if self.ask(self.fireworks.estimated_document_count().run())? >= FEW {
            let shared = self.counts()?;
            let of = if collection == "workflows" { shared.workflows } else { shared.fireworks };
            let count = states.iter().filter_map(|state| of.get(state)).sum();
            if count >= FEW {
                return Ok(count);
            }
        }
        let counts = self.count_states(states.into_iter().map(|state| (collection, state)))?;
        Ok(counts.into_iter().map(|(_, _, count)| count).sum())
    }
}

fn number(value: &Bson) -> Option<u64> {
    as_int(value).and_then(|number| number.try_into().ok())
}

fn to_document(counts: &Counts) -> Document {
    let of = |states: &BTreeMap<State, u64>| -> Document {
        states.iter().map(|(state, &count)| (state.as_str().to_owned(), Bson::Int64(count as i64))).collect()
    };
    doc! { "at": time::to_iso(counts.at), "fireworks": of(&counts.fireworks), "workflows": of(&counts.workflows) }
}

fn from_document(document: &Document) -> Option<Counts> {
    let of = |key| -> Option<BTreeMap<State, u64>> {
        let states = document.get_document(key).ok()?.iter();
        states.map(|(state, count)| state.parse().ok().zip(number(count))).collect()
    };
    let at = document.get("at").and_then(time::from_bson)?;
    Some(Counts { at, fireworks: of("fireworks")?, workflows: of("workflows")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_used_until_they_are_old_or_somebody_has_done_something() {
        let at = |seconds: i64| Timestamp::from_second(1_000 + seconds).expect("in range");
        let counts =
            Counts { at: at(0), fireworks: [(State::Ready, 7)].into(), workflows: [(State::Running, 2)].into() };
        assert_eq!(from_document(&to_document(&counts)), Some(counts.clone()));
        let after = |after: i32, latest: i32| Shared {
            counts: Some(counts.clone()),
            after: Some(after.into()),
            latest: Some(latest.into()),
        };
        assert_eq!(after(1, 1).younger_than(FRESH, at(9)), Some(counts.clone()));
        assert_eq!(after(1, 1).younger_than(FRESH, at(10)), None);
        assert_eq!(after(1, 1).younger_than(FRESH, at(-60)), None, "the clock was set back");
        assert_eq!(after(1, 2).younger_than(FRESH, at(1)), None);
    }
}
