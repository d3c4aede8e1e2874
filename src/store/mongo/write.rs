//! Writing what was decided under the lock of a workflow: new fireworks, the ordered bulk on
//! `fireworks`, the one line of the workflow, which also unlocks it.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::MongoStore;
use super::commands::{Journal, expect, ints, update};
use super::detach::forget;
use super::insert::Numbered;
use super::load::Part;
use super::lock::{Run, Task, journal};
use crate::store::{Result, StoreError};
use crate::workflow::draft::number_together;
use crate::workflow::firework::APPLIED;
use crate::workflow::graph::{Changes, Edit, Spawn, SpecEdit};
use crate::workflow::{FwId, LaunchId, State, int, time};

/// What will be written of one workflow.
pub struct Decided<'l> {
    pub part: Part<'l>,
    pub changes: Changes,
    /// Fireworks whose launch must still count when they are written.
    pub fenced: BTreeMap<FwId, LaunchId>,
    /// The state of the workflow, where the whole rule is not needed.
    pub inner_state: Option<State>,
}

impl Decided<'_> {
    /// The state of a firework that needed no edit any more, for the cache.
    fn settled_state(&self, fw_id: FwId) -> Option<State> {
        self.part.states.as_ref().and_then(|states| states.get(&fw_id)).copied().filter(|state| state.is_final())
    }
}

impl MongoStore {
    /// Writes everything and unlocks. Returns the ids of new fireworks, by local id, for each
    /// workflow that was attached; nothing when a firework was not as expected: then the workflows
    /// are still locked.
    pub(super) fn write(&self, decided: &[Decided<'_>], now: Timestamp) -> Result<Option<Vec<BTreeMap<i64, FwId>>>> {
        let mut numbered = Vec::with_capacity(decided.len());
        for one in decided {
            numbered.push(self.number_spawned(one, now)?);
        }
        self.insert_spawned(numbered.iter().flatten())?;
        if self.write_fireworks(decided, now)? < decided.len() {
            return Ok(None);
        }
        self.write_workflows(decided, &numbered, now)?;
        Ok(Some(numbered.into_iter().flatten().map(|one| one.ids).collect()))
    }

    /// Writes the fireworks of one workflow after the other, until one is not as expected. Returns of how many
    /// workflows all are written.
    pub(super) fn write_fireworks(&self, decided: &[Decided<'_>], now: Timestamp) -> Result<usize> {
        let statements: Vec<Vec<Document>> = decided.iter().map(|one| firework_statements(one, now)).collect();
        let lengths: Vec<usize> = statements.iter().map(Vec::len).collect();
        let done = self.bulk("fireworks", statements.into_iter().flatten().collect(), Journal::No)?.done;
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        Ok(ends.take_while(|&end| end <= done).count())
    }

    /// Tells workflows what has been written of their fireworks, and unlocks them.
    pub(super) fn write_workflows(
        &self,
        decided: &[Decided<'_>],
        numbered: &[Vec<Numbered<'_>>],
        now: Timestamp,
    ) -> Result<()> {
        for one in decided {
            self.keep_apart(one.part.locked, &one.changes.detached, now)?;
        }
        let mut statements = Vec::with_capacity(decided.len());
        for (one, spawned) in decided.iter().zip(numbered) {
            statements.push(self.workflow_statement(one, spawned, now)?);
        }
        let journal = journal(decided.iter().map(|one| &one.part.locked.task));
        if self.bulk("workflows", statements, journal)?.matched < decided.len() {
            // The fireworks have changed, and their workflow does not know: it is done once more.
            let reason = "the lock of a workflow is gone: the server was restarted, or somebody broke it".to_owned();
            return Err(StoreError::Unreachable { place: self.settings.place(), reason });
        }
        for (one, spawned) in decided.iter().zip(numbered).filter(|(_, spawned)| !spawned.is_empty()) {
            // Only now that the workflow knows them may anybody claim them.
            self.free_roots(&spawned.iter().flat_map(Numbered::free_roots).collect::<Vec<_>>(), now)?;
            self.unlock(one.part.locked)?;
        }
        Ok(())
    }

    /// Spawned fireworks with the ids that the lock records.
    fn number_spawned<'d>(&self, one: &'d Decided<'_>, now: Timestamp) -> Result<Vec<Numbered<'d>>> {
        let mut numbered = Vec::new();
        // The first parent is the one that acts; two duplicates may do so by the same launch.
        let source = |spawn: &Spawn| (spawn.launch_id, spawn.parents.first().copied());
        for spawns in one.changes.spawned.chunk_by(|a, b| source(a) == source(b)) {
            let drafts = || spawns.iter().map(|spawn| &spawn.draft);
            let recorded = match &one.part.locked.task {
                Task::Append(first, _) => Some(*first),
                _ => {
                    let is_source = |run: &&&Run| (Some(run.launch_id), Some(run.fw_id)) == source(&spawns[0]);
                    one.part.runs.iter().find(is_source).and_then(|run| run.spawned)
                }
            };
            let first = match recorded {
                Some(first) => first,
                None => self.take_ids("next_fw_id", drafts().map(|draft| draft.fireworks().len()).sum())?,
            };
            let ids = number_together(drafts(), first);
            numbered.extend(spawns.iter().zip(ids).map(|(spawn, ids)| Numbered {
                draft: &spawn.draft,
                ids,
                ready: spawn.ready.clone(),
                born: now,
            }));
        }
        Ok(numbered)
    }

    /// Inserts fireworks that may be there already, from an earlier attempt.
    fn insert_spawned<'n>(&self, spawned: impl Iterator<Item = &'n Numbered<'n>>) -> Result<()> {
        let statements = spawned.flat_map(|numbered| {
            numbered.fireworks().map(|firework| {
                let mut document = firework.to_document();
                let fw_id = document.remove("fw_id");
                doc! { "q": { "fw_id": fw_id }, "u": { "$setOnInsert": document }, "upsert": true }
            })
        });
        self.bulk("fireworks", statements.collect(), Journal::No)?;
        Ok(())
    }

    /// The one line of the workflow; it also unlocks, unless new roots have to be freed first.
    fn workflow_statement(&self, one: &Decided<'_>, spawned: &[Numbered<'_>], now: Timestamp) -> Result<Document> {
        let mut states = one.part.uncached.clone();
        states.extend(one.changes.edits.iter().map(|edit| (edit.fw_id, edit.to)));
        states.extend(one.part.runs.iter().filter_map(|run| Some((run.fw_id, one.settled_state(run.fw_id)?))));
        states.extend(spawned.iter().flat_map(Numbered::states));
        let state = match (&one.inner_state, &one.part.states) {
            (Some(state), None) => *state,
            (_, known) => {
                let mut all = known.clone().unwrap_or_default();
                all.extend(states.clone());
                all.retain(|fw_id, _| !one.changes.detached.members.contains_key(fw_id));
                self.state_of(one.part.locked.workflow, &all, &added_links(one, spawned))?
            }
        };
        states.retain(|fw_id, _| !one.changes.detached.members.contains_key(fw_id));
        let mut set: Document =
            states.iter().map(|(fw_id, state)| (format!("fw_states.{fw_id}"), state.as_str().into())).collect();
        set.insert("state", state.as_str());
        set.insert("updated_on", time::to_bson_date(now));
        let mut change = doc! {};
        link_spawned(one, spawned, &mut set, &mut change);
        change.insert("$set", set);
        if spawned.is_empty() {
            change.insert("$unset", doc! { "locked": "" });
        }
        forget(&one.changes.detached, &mut change);
        let held = doc! { "_id": one.part.locked.workflow, "locked.owner": &one.part.locked.owner };
        Ok(update(held, change))
    }
}

/// The bulk on `fireworks` for one workflow.
fn firework_statements(one: &Decided<'_>, now: Timestamp) -> Vec<Document> {
    let edits = &one.changes.edits;
    let counted = |edit: &Edit, launch_id: LaunchId| {
        doc! { "fw_id": int(edit.fw_id), "state": edit.from.as_str(), "launches": int(launch_id) }
    };
    let mut statements = Vec::with_capacity(edits.len() + 2);
    let others = edits.iter().any(|edit| !one.fenced.contains_key(&edit.fw_id));
    if others {
        // Before any child changes, the launches must still count.
        for edit in edits {
            if let Some(&launch_id) = one.fenced.get(&edit.fw_id) {
                statements.push(expect(counted(edit, launch_id), doc! { "$set": { "fw_id": int(edit.fw_id) } }));
            }
        }
    }
    for edit in edits {
        let mut filter = match one.fenced.get(&edit.fw_id) {
            Some(&launch_id) => counted(edit, launch_id),
            None => doc! { "fw_id": int(edit.fw_id), "state": edit.from.as_str() },
        };
        if let Some(spec) = &edit.spec {
            filter.insert("updated_on", spec.read_at.clone());
        }
        statements.push(expect(filter, firework_update(edit, now)));
    }
    for edit in edits {
        if edit.spec.as_ref().is_some_and(|spec| !spec.mark.is_empty()) {
            statements.push(update(doc! { "fw_id": int(edit.fw_id) }, doc! { "$unset": { APPLIED: "" } }));
        }
    }
    statements
}

fn firework_update(edit: &Edit, now: Timestamp) -> Document {
    let mut set = doc! { "state": edit.to.as_str(), "updated_on": time::to_iso(now) };
    let mut unset = Document::new();
    let mut change = Document::new();
    if let Some(spec) = &edit.spec {
        set_spec(spec, &mut set, &mut unset);
        if !spec.mark.is_empty() {
            change.insert("$addToSet", doc! { APPLIED: { "$each": ints(&spec.mark) } });
        }
    }
    if let Some(archive) = &edit.archive {
        set.insert("launches", Bson::Array(Vec::new()));
        set.insert("archived_launches", ints(archive));
    }
    change.insert("$set", set);
    if !unset.is_empty() {
        change.insert("$unset", unset);
    }
    change
}

/// Key by key, so that a change of another key by somebody else survives; as a whole only where
/// MongoDB could not address a key, or would put the keys into another order.
fn set_spec(spec: &SpecEdit, set: &mut Document, unset: &mut Document) {
    let addressable = |key: &String| !key.is_empty() && !key.contains('.') && !key.starts_with('$');
    if spec.alphabetical && spec.set.keys().chain(&spec.unset).all(addressable) {
        set.extend(spec.set.iter().map(|(key, value)| (format!("spec.{key}"), value.clone())));
        unset.extend(spec.unset.iter().map(|key| (format!("spec.{key}"), Bson::from(""))));
    } else {
        set.insert("spec", spec.whole.clone());
    }
}

/// The links of new fireworks, and those that tie them to the others.
fn added_links(one: &Decided<'_>, spawned: &[Numbered<'_>]) -> BTreeSet<(FwId, FwId)> {
    let mut links = BTreeSet::new();
    for (spawn, numbered) in one.changes.spawned.iter().zip(spawned) {
        links.extend(numbered.links());
        links.extend(numbered.roots().iter().flat_map(|&root| spawn.parents.iter().map(move |&parent| (parent, root))));
        links.extend(numbered.leaves().iter().flat_map(|&leaf| spawn.children.iter().map(move |&child| (leaf, child))));
    }
    links
}

/// Puts new fireworks into the maps of the workflow.
fn link_spawned(one: &Decided<'_>, spawned: &[Numbered<'_>], set: &mut Document, change: &mut Document) {
    let (mut grow, mut fresh) = (Lists::default(), Lists::default());
    let new: BTreeSet<FwId> = spawned.iter().flat_map(|numbered| numbered.ids.values().copied()).collect();
    for (spawn, numbered) in one.changes.spawned.iter().zip(spawned) {
        for &fw_id in numbered.ids.values() {
            fresh.of(format!("links.{fw_id}"));
        }
        for (parent, child) in numbered.links() {
            fresh.add(format!("links.{parent}"), child);
            fresh.add(format!("parent_links.{child}"), parent);
        }
        for &parent in &spawn.parents {
            for root in numbered.roots() {
                grow.add(format!("links.{parent}"), root);
                fresh.add(format!("parent_links.{root}"), parent);
            }
        }
        // Where the workflow knows them already, they are children of their parent themselves.
        for &child in spawn.children.iter().filter(|child| !new.contains(child)) {
            for leaf in numbered.leaves() {
                fresh.add(format!("links.{leaf}"), child);
                grow.add(format!("parent_links.{child}"), leaf);
            }
        }
    }
    for &fw_id in &new {
        grow.add("nodes".into(), fw_id);
    }
    set.extend(fresh.0.into_iter().map(|(key, ids)| (key, Bson::Array(ints(&ids)))));
    if !grow.0.is_empty() {
        let each: Document = grow.0.into_iter().map(|(key, ids)| (key, doc! { "$each": ints(&ids) }.into())).collect();
        change.insert("$addToSet", each);
    }
}

/// Ids for lists of the workflow, in the order in which FireWorks appends them.
#[derive(Default)]
struct Lists(BTreeMap<String, Vec<FwId>>);

impl Lists {
    fn of(&mut self, list: String) -> &mut Vec<FwId> {
        self.0.entry(list).or_default()
    }

    fn add(&mut self, list: String, fw_id: FwId) {
        let list = self.of(list);
        if !list.contains(&fw_id) {
            list.push(fw_id);
        }
    }
}
