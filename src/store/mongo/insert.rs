//! New workflows: who adds them, then fireworks WAITING, then the workflow, then the roots READY, so that no worker
//! sees a firework before its workflow.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::MongoStore;
use super::commands::{Journal, LARGEST, ints, update};
use crate::store::{Result, StoreError, birthdays};
use crate::workflow::draft::number_together;
use crate::workflow::workflow_state::{Facts, workflow_state};
use crate::workflow::{Draft, Firework, FwId, State, int, time};

/// A draft with its ids.
pub(super) struct Numbered<'d> {
    pub draft: &'d Draft,
    pub ids: BTreeMap<i64, FwId>,
    /// The roots that may run at once, by local id.
    pub ready: BTreeSet<i64>,
    pub born: Timestamp,
}

impl<'d> Numbered<'d> {
    /// Numbers a draft from `first` on.
    pub fn new(draft: &'d Draft, first: FwId, born: Timestamp) -> Self {
        let ids = number_together([draft], first).swap_remove(0);
        Numbered { draft, ids, ready: draft.free_roots(), born }
    }

    /// Its fireworks as they are first stored: nothing can be claimed yet.
    pub fn fireworks(&self) -> impl Iterator<Item = Firework> + '_ {
        self.draft.fireworks().iter().map(|fw| {
            let born = self.draft.created_on(fw, self.born);
            Firework::new(self.ids[&fw.local_id], &fw.name, fw.spec.clone(), fw.held.unwrap_or(State::Waiting), born)
        })
    }

    /// Ids of the roots that may run at once.
    pub fn free_roots(&self) -> Vec<FwId> {
        self.ready.iter().map(|id| self.ids[id]).collect()
    }

    /// Ids of the roots.
    pub fn roots(&self) -> Vec<FwId> {
        self.draft.roots().map(|id| self.ids[&id]).collect()
    }

    /// Ids of the leaves.
    pub fn leaves(&self) -> Vec<FwId> {
        self.draft.leaves().map(|id| self.ids[&id]).collect()
    }

    /// Links by id.
    pub fn links(&self) -> impl Iterator<Item = (FwId, FwId)> + '_ {
        self.draft.links().map(|(parent, child)| (self.ids[&parent], self.ids[&child]))
    }

    /// The states its fireworks have once the roots are free.
    pub fn states(&self) -> BTreeMap<FwId, State> {
        let mut states: BTreeMap<FwId, State> =
            self.fireworks().map(|firework| (firework.fw_id, firework.state)).collect();
        states.extend(self.free_roots().into_iter().map(|root| (root, State::Ready)));
        states
    }

    fn workflow(&self) -> Document {
        let mut children: BTreeMap<FwId, Vec<Bson>> = self.ids.values().map(|&id| (id, Vec::new())).collect();
        let mut parents: BTreeMap<FwId, Vec<Bson>> = BTreeMap::new();
        for (parent, child) in self.links() {
            children.entry(parent).or_default().push(int(child));
            parents.entry(child).or_default().push(int(parent));
        }
        let lists = |map: BTreeMap<FwId, Vec<Bson>>| -> Document {
            map.into_iter().map(|(id, list)| (id.to_string(), Bson::Array(list))).collect()
        };
        let states = self.states();
        let leaves = self.leaves();
        let facts = Facts::of(&states, |fw| leaves.contains(&fw), |_| true);
        doc! {
            "links": lists(children),
            "parent_links": lists(parents),
            "nodes": self.ids.values().copied().map(int).collect::<Vec<_>>(),
            "metadata": self.draft.metadata.clone(),
            "state": workflow_state(facts).as_str(),
            "name": &self.draft.name,
            "created_on": time::to_bson_date(self.born),
            "updated_on": time::to_bson_date(self.born),
            "fw_states": states.iter().map(|(id, state)| (id.to_string(), Bson::from(state.as_str()))).collect::<Document>(),
        }
    }
}

/// Refuses what the server would refuse half way.
pub(super) fn check_size(what: impl Fn() -> String, document: &Document) -> Result<()> {
    let size = document.to_vec().map(|bytes| bytes.len()).unwrap_or(usize::MAX);
    if size > LARGEST {
        let reason = format!("{} MB; a document of MongoDB holds 16 MB", size / 1_000_000);
        return Err(StoreError::TooLarge { what: what(), reason });
    }
    Ok(())
}

impl MongoStore {
    pub(super) fn insert_workflows(&self, drafts: &[Draft], now: Timestamp) -> Result<Vec<Vec<(i64, FwId)>>> {
        let count: usize = drafts.iter().map(|draft| draft.fireworks().len()).sum();
        if count == 0 {
            return Ok(Vec::new());
        }
        for fw in drafts.iter().flat_map(Draft::fireworks) {
            check_size(|| format!("the spec of firework {} `{}`", fw.local_id, fw.name), &fw.spec)?;
        }
        for draft in drafts {
            // Ids of the greatest length: the size that counts does not depend on the counter.
            let sample = Numbered::new(draft, i64::from(i32::MAX), now).workflow();
            check_size(|| format!("the workflow `{}`", draft.name), &sample)?;
        }
        let mut next = self.take_ids("next_fw_id", count)?;
        let mut numbered = Vec::with_capacity(drafts.len());
        for (draft, born) in birthdays(drafts, now) {
            numbered.push(Numbered::new(draft, next, born));
            next += draft.fireworks().len() as i64;
        }
        self.note_added(numbered.iter().filter_map(|one| one.ids.values().min().copied()).collect(), now)?;
        let fireworks = numbered.iter().flat_map(|one| one.fireworks().map(|fw| fw.to_document()).collect::<Vec<_>>());
        self.ask(self.fireworks.insert_many(fireworks).run())?;
        self.ask(self.workflows.insert_many(numbered.iter().map(Numbered::workflow)).run())?;
        let roots: Vec<FwId> = numbered.iter().flat_map(Numbered::free_roots).collect();
        self.free_roots(&roots, now)?;
        Ok(numbered.into_iter().map(|one| one.ids.into_iter().collect()).collect())
    }

    /// Roots of new fireworks may be claimed from now on.
    pub(super) fn free_roots(&self, roots: &[FwId], now: Timestamp) -> Result<()> {
        let filter = doc! { "fw_id": { "$in": ints(roots) }, "state": State::Waiting.as_str() };
        let free = doc! { "$set": { "state": State::Ready.as_str(), "updated_on": time::to_iso(now) } };
        let mut statement = update(filter, free);
        statement.insert("multi", true);
        self.bulk("fireworks", vec![statement], Journal::Yes)?;
        Ok(())
    }
}
