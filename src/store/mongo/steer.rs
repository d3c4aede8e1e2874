//! What users ask for: verbs, appended workflows, changed specs.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use jiff::Timestamp;

use super::insert::check_size;
use super::lock::{Locked, Task, Wanted};
use super::write::Decided;
use super::{MongoStore, view};
use crate::store::{Appendix, Result, Steered, StoreError, Verb};
use crate::workflow::firework::Firework;
use crate::workflow::retry::MAX_LOST;
use crate::workflow::{Cause, FwId, LaunchId, Loss, decide, int, time};

impl MongoStore {
    pub(super) fn steer_workflow(&self, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Steered> {
        let wanted = self.wanted(fw_id, Task::Verb(verb, fw_id))?;
        let mut steered = Steered::default();
        self.with_locks(vec![wanted], |locked| {
            for one in locked {
                steered = self.apply_verb(one, verb, fw_id, now)?;
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
    pub(super) fn apply_verb(&self, locked: Locked, verb: Verb, fw_id: FwId, now: Timestamp) -> Result<Steered> {
        let needs = verb.needs();
        loop {
            let mut part = self.whole_part(&locked, Vec::new(), &[fw_id], needs.workflow)?;
            if needs.spawned {
                self.add_spawned(&mut part.graph)?;
            }
            let launching = verb.launching(&part.graph, fw_id);
            self.add_launches(&mut part.graph, &launching)?;
            if let Err(refusal) = verb.decide(&mut part.graph, fw_id) {
                self.unlock(&locked)?;
                return Err(refusal.into());
            }
            decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
            let changes = std::mem::take(&mut part.graph).changes();
            // The fence first: a launch that has ended can no longer report.
            let put_away: BTreeSet<FwId> =
                changes.edits.iter().filter(|edit| edit.archive.is_some()).map(|edit| edit.fw_id).collect();
            let reset = self.fireworks_by_id(&put_away.iter().copied().collect::<Vec<_>>())?;
            let listed: Vec<LaunchId> = reset.into_iter().flat_map(|firework| firework.launches).collect();
            let mut own = self.search_launches(&listed)?;
            // One taken from a duplicate is its owner's to end, and one that is kept goes on.
            own.retain(|launch| !launch.state.is_final() && put_away.contains(&launch.fw_id) && !launch.is_kept());
            self.end_launches(&mut own, &Loss::new(Cause::User, verb.as_str()), MAX_LOST, now)?;
            let steered = Steered {
                changed: changes.edits.iter().map(|edit| edit.fw_id).collect(),
                replaced: changes.detached.members.keys().copied().collect(),
            };
            let decided = Decided { part, changes, fenced: BTreeMap::new(), inner_state: None };
            if self.write(&[decided], now)?.is_some() {
                return Ok(steered);
            }
        }
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

    /// Sets parts of specs, as far as the states of the fireworks allow it. Checked as a whole
    /// before anything is written.
    pub(super) fn set_in_specs(&self, fw_ids: &[FwId], set: &Document, now: Timestamp) -> Result<Vec<FwId>> {
        let mut fireworks = self.fireworks_by_id(fw_ids)?;
        fireworks.retain(Firework::takes_updates);
        for firework in &mut fireworks {
            firework.update_spec(set)?;
            check_size(|| format!("the spec of firework {}", firework.fw_id), &firework.spec)?;
        }
        let mut change: Document = set.iter().map(|(path, value)| (format!("spec.{path}"), value.clone())).collect();
        change.insert("updated_on", time::to_iso(now));
        let mut changed = Vec::with_capacity(fireworks.len());
        for firework in fireworks {
            let as_read = doc! { "fw_id": int(firework.fw_id), "state": firework.state.as_str() };
            let updated = self.fireworks.update_one(as_read, doc! { "$set": change.clone() });
            if self.ask(updated.run())?.matched_count == 1 {
                changed.push(firework.fw_id);
            }
        }
        Ok(changed)
    }
}
