//! What users ask for: verbs, appended workflows, changed specs.

use std::collections::BTreeMap;

use bson::doc;
use jiff::Timestamp;

use super::commands::among;
use super::insert::check_size;
use super::load::Part;
use super::lock::{Locked, Task, Wanted};
use super::write::Decided;
use super::{MongoStore, view};
use crate::store::{Appendix, Result, Steered, Step, StoreError, Verb};
use crate::workflow::decide::Refusal;
use crate::workflow::firework::{Firework, UPDATABLE};
use crate::workflow::graph::Changes;
use crate::workflow::retry::MAX_LOST;
use crate::workflow::{Cause, FwId, Launch, LaunchId, Loss, SpecChange, State, as_int, decide, int, time};

/// What a verb has changed.
pub(super) fn steered_by(changes: &Changes) -> Steered {
    Steered {
        changed: changes.edits.iter().map(|edit| edit.fw_id).collect(),
        replaced: changes.detached.members.keys().copied().collect(),
    }
}

/// That what a verb is about is as it was seen. The workflow is told last what has been done to it.
pub(super) fn check(step: &Step, part: &Part<'_>, is_begun: bool) -> Result<(), Refusal> {
    let (firework, workflow) = (part.graph.state(step.fw_id), Some(part.before));
    if is_begun { step.check_again(firework, workflow) } else { step.check(firework, workflow) }
}

impl MongoStore {
    pub(super) fn steer_workflow(&self, step: &Step, now: Timestamp) -> Result<Steered> {
        let wanted = self.wanted(step.fw_id, Task::Verb(*step))?;
        let mut steered = Steered::default();
        self.with_locks(vec![wanted], |locked| {
            for one in locked {
                steered = self.apply_verb(one, step, now)?;
            }
            Ok(())
        })?;
        Ok(steered)
    }

    /// The workflow of a firework, to be locked.
    pub(super) fn wanted(&self, fw_id: FwId, task: Task) -> Result<Wanted> {
        let found = self.workflows.find_one(doc! { "nodes": int(fw_id) }).projection(doc! { "_id": 1 });
        let workflow = self.ask(found.run())?.ok_or(StoreError::UnknownFirework(fw_id))?;
        Ok(Wanted { workflow: view::object_id(&workflow, &self.settings.place())?, task, projection: view::whole() })
    }

    /// Changes a workflow that we have locked as a user asks, and unlocks it.
    pub(super) fn apply_verb(&self, locked: Locked, step: &Step, now: Timestamp) -> Result<Steered> {
        let Step { verb, fw_id, .. } = *step;
        let needs = verb.needs();
        let mut is_begun = locked.taken_over;
        loop {
            let mut part = self.whole_part(&locked, Vec::new(), &[fw_id], needs.workflow)?;
            if let Err(refusal) = check(step, &part, is_begun) {
                self.leave(&part, is_begun, now)?;
                return Err(refusal.into());
            }
            is_begun = true;
            if needs.spawned {
                self.add_spawned([&mut part.graph])?;
            }
            let launching = verb.launching(&part.graph, fw_id);
            self.add_launches(&mut part.graph, &launching)?;
            if let Err(refusal) = verb.decide(&mut part.graph, fw_id) {
                self.unlock(&locked)?;
                return Err(refusal.into());
            }
            decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
            let changes = std::mem::take(&mut part.graph).changes();
            self.end_reset([(verb, &changes)], now)?;
            let steered = steered_by(&changes);
            let decided = Decided { part, changes, fenced: BTreeMap::new(), inner_state: None };
            if self.write(&[decided], now)?.is_some() {
                return Ok(steered);
            }
        }
    }

    /// Unlocks a workflow that is left alone. It is told what has been written before, or has happened to its
    /// fireworks under the lock.
    pub(super) fn leave(&self, part: &Part<'_>, is_begun: bool, now: Timestamp) -> Result<()> {
        if is_begun || !part.uncached.is_empty() {
            self.correct(part.locked, now)?;
            return Ok(());
        }
        self.unlock(part.locked)
    }

    /// The fence, before anything is reset: a launch that has ended can no longer report.
    pub(super) fn end_reset<'c>(
        &self,
        changes: impl IntoIterator<Item = (Verb, &'c Changes)>,
        now: Timestamp,
    ) -> Result<()> {
        let mut put_away = BTreeMap::new();
        for (verb, changes) in changes {
            let reset = changes.edits.iter().filter(|edit| edit.archive.is_some());
            put_away.extend(reset.map(|edit| (edit.fw_id, verb.as_str())));
        }
        let reset = self.fireworks_by_id(&put_away.keys().copied().collect::<Vec<_>>())?;
        let listed: Vec<LaunchId> = reset.into_iter().flat_map(|firework| firework.launches).collect();
        let mut open = BTreeMap::<&str, Vec<Launch>>::new();
        for launch in self.search_launches(&listed)? {
            // One taken from a duplicate is its owner's to end, and one that is kept goes on.
            if let Some(&why) = put_away.get(&launch.fw_id).filter(|_| !launch.state.is_final() && !launch.is_kept()) {
                open.entry(why).or_default().push(launch);
            }
        }
        for (why, mut launches) in open {
            self.end_launches(&mut launches, &Loss::new(Cause::User, why), MAX_LOST, now)?;
        }
        Ok(())
    }

    /// Appends a workflow to one that is there.
    pub(super) fn append_workflow(&self, appendix: &Appendix, now: Timestamp) -> Result<Vec<(i64, FwId)>> {
        let Some(&parent) = appendix.parents.first() else { return Ok(Vec::new()) };
        for fw in appendix.draft.fireworks() {
            check_size(|| format!("the spec of firework {} `{}`", fw.local_id, fw.name), &fw.spec)?;
        }
        let count = appendix.draft.fireworks().len();
        // Found first: ids are not taken in vain.
        let mut wanted = self.wanted(parent, Task::Append(0, count))?;
        wanted.task = Task::Append(self.take_ids("next_fw_id", count)?, count);
        let mut ids = Vec::new();
        self.with_locks(vec![wanted], |locked| {
            for one in locked {
                ids = self.apply_appendix(&one, appendix, now)?;
            }
            Ok(())
        })?;
        Ok(ids)
    }

    fn apply_appendix(&self, locked: &Locked, appendix: &Appendix, now: Timestamp) -> Result<Vec<(i64, FwId)>> {
        let Appendix { draft, parents, detour, pull_spec_mods } = appendix;
        loop {
            let mut part = self.whole_part(locked, Vec::new(), parents, false)?;
            self.add_launches(&mut part.graph, parents)?;
            if let Err(refusal) = decide::append(&mut part.graph, draft.clone(), parents, *detour, *pull_spec_mods) {
                self.unlock(locked)?;
                return Err(refusal.into());
            }
            if let Err(refusal) = self.check_growth(locked.workflow, &part.graph)? {
                self.unlock(locked)?;
                return Err(refusal.into());
            }
            decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
            let changes = std::mem::take(&mut part.graph).changes();
            let decided = Decided { part, changes, fenced: BTreeMap::new(), inner_state: None };
            if let Some(ids) = self.write(&[decided], now)? {
                return Ok(ids.into_iter().flatten().collect());
            }
        }
    }

    /// Finishes what somebody had begun to append, or undoes it when the workflow does not know of
    /// it yet: then nobody has been told that it was done.
    pub(super) fn finish_appendix(&self, locked: Locked, first: FwId, count: usize, now: Timestamp) -> Result<()> {
        let ids: Vec<FwId> = (first..first + count as i64).collect();
        loop {
            let mut part = self.whole_part(&locked, Vec::new(), &ids, false)?;
            if !part.graph.nodes.contains_key(&first) {
                let unknown =
                    doc! { "fw_id": { "$gte": int(first), "$lt": int(first + count as i64) }, "launches": [] };
                self.ask(self.fireworks.delete_many(unknown).run())?;
                return self.unlock(&locked);
            }
            decide::release_all(&mut part.graph, &ids);
            let changes = std::mem::take(&mut part.graph).changes();
            let decided = Decided { part, changes, fenced: BTreeMap::new(), inner_state: None };
            if self.write(&[decided], now)?.is_some() {
                return Ok(());
            }
        }
    }

    /// Changes parts of specs, as far as the states of the fireworks allow it. Checked as a whole
    /// before anything is written.
    pub(super) fn change_specs(&self, fw_ids: &[FwId], change: &SpecChange, now: Timestamp) -> Result<Vec<FwId>> {
        let mut fireworks = self.fireworks_by_id(fw_ids)?;
        fireworks.retain(Firework::takes_updates);
        for firework in &mut fireworks {
            firework.change_spec(change)?;
            check_size(|| format!("the spec of firework {}", firework.fw_id), &firework.spec)?;
        }
        let ids: Vec<FwId> = fireworks.iter().map(|firework| firework.fw_id).collect();
        let (mut set, unset) = change.to_update();
        let at = time::to_iso(now);
        set.insert("updated_on", &at);
        let mut update = doc! { "$set": set };
        if !unset.is_empty() {
            update.insert("$unset", unset);
        }
        let open = UPDATABLE.map(State::as_str).to_vec();
        let these = among("fw_id", &ids);
        let mut updatable = these.clone();
        updatable.insert("state", doc! { "$in": open });
        if self.ask(self.fireworks.update_many(updatable, update).run())?.matched_count == ids.len() as u64 {
            return Ok(ids);
        }
        // Some have begun meanwhile.
        let found = self.fireworks.find(these).projection(doc! { "_id": 0, "fw_id": 1, "updated_on": 1 });
        let found = self.collect(found.run())?;
        let changed = found.iter().filter(|one| one.get_str("updated_on").is_ok_and(|found| found == at));
        Ok(changed.filter_map(|one| one.get("fw_id").and_then(as_int)).collect())
    }
}
