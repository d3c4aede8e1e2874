//! Verbs on many workflows: as many as can be are locked together, each with its own task in its lock, then
//! read together, decided one by one, and written in one ordered bulk. Whoever is killed in between leaves
//! what one verb on one workflow would have left, several times.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bson::doc;
use bson::oid::ObjectId;
use jiff::Timestamp;

use super::commands::ints;
use super::load::Whole;
use super::lock::{Locked, Task, Wanted};
use super::steer::{check, steered_by};
use super::write::Decided;
use super::{MongoStore, view};
use crate::store::{Result, Steered, Step, StoreError};
use crate::workflow::{FwId, decide, int_list};

/// So many workflows are locked together, and fireworks in them, unless one alone has more: far less is done
/// under a lock than a lock allows.
const WORKFLOWS: usize = 100;
const MEMBERS: usize = 2_000;

/// Fireworks whose workflows are looked for together.
const IDS: usize = 10_000;

/// A workflow, and how many fireworks it has.
type Home = (ObjectId, usize);

/// What became of the steps, by workflow.
type Done = BTreeMap<ObjectId, Result<Steered>>;

impl MongoStore {
    pub(super) fn steer_workflows(&self, steps: &[Step], now: Timestamp) -> Vec<Result<Steered>> {
        if let [step] = steps {
            return vec![self.steer_workflow(step, now)];
        }
        let mut results: Vec<Option<Result<Steered>>> = steps.iter().map(|_| None).collect();
        let mut away = None;
        match self.homes(steps) {
            Ok(homes) => {
                let mut pending: VecDeque<usize> = (0..steps.len()).collect();
                while away.is_none() && !pending.is_empty() {
                    let group = next_group(&mut pending, steps, &homes);
                    away = self.steer_group(&group, steps, now, &mut results).err();
                    // Somebody holds a workflow for long: the others are tried again without it.
                    group
                        .values()
                        .rev()
                        .filter(|&&index| results[index].is_none())
                        .for_each(|&index| pending.push_front(index));
                }
            }
            Err(error) => away = Some(error),
        }
        let reason = away.map(|error| error.to_string()).unwrap_or_default();
        let missed = || StoreError::Unreachable { place: self.settings.place(), reason: reason.clone() };
        results.into_iter().map(|result| result.unwrap_or_else(|| Err(missed()))).collect()
    }

    /// The workflows of fireworks.
    fn homes(&self, steps: &[Step]) -> Result<BTreeMap<FwId, Home>> {
        let mut homes = BTreeMap::new();
        let wanted: BTreeSet<FwId> = steps.iter().map(|step| step.fw_id).collect();
        for part in wanted.iter().copied().collect::<Vec<_>>().chunks(IDS) {
            let found = self.workflows.find(doc! { "nodes": { "$in": ints(part) } }).projection(doc! { "nodes": 1 });
            for document in self.collect(found.run())? {
                let workflow = view::object_id(&document, &self.settings.place())?;
                let nodes = int_list(document.get("nodes"));
                let size = nodes.len();
                homes.extend(
                    nodes.into_iter().filter(|fw_id| wanted.contains(fw_id)).map(|fw_id| (fw_id, (workflow, size))),
                );
            }
        }
        Ok(homes)
    }

    /// One step for each of some workflows. Fails only where the store does not answer.
    fn steer_group(
        &self,
        group: &BTreeMap<ObjectId, usize>,
        steps: &[Step],
        now: Timestamp,
        results: &mut [Option<Result<Steered>>],
    ) -> Result<()> {
        let mut done = Done::new();
        let wanted = group.iter().map(|(&workflow, &index)| Wanted {
            workflow,
            task: Task::Verb(steps[index]),
            projection: view::whole(),
        });
        let locked = self.with_locks(wanted.collect(), |locked| self.apply_verbs(locked, now, &mut done));
        let failed = match locked {
            Err(error @ StoreError::Unreachable { .. }) => return Err(error),
            Err(error) => Some(error),
            Ok(()) => None,
        };
        let is_over = failed.is_none();
        for (&workflow, &index) in group {
            results[index] = match done.remove(&workflow) {
                // It has left the workflow by an earlier step, or the workflow is gone.
                Some(Err(StoreError::UnknownFirework(_))) => Some(self.steer_workflow(&steps[index], now)),
                None if is_over => Some(self.steer_workflow(&steps[index], now)),
                result => result,
            };
        }
        if let Some(error) = failed {
            let is_named =
                |index: &usize| matches!(error, StoreError::Locked { fw_id, .. } if fw_id == steps[*index].fw_id);
            let mut open = group.values().filter(|&&index| results[index].is_none());
            let whose = open.clone().find(|index| is_named(index)).or_else(|| open.next()).copied();
            if let Some(index) = whose {
                results[index] = Some(Err(error));
            }
        }
        Ok(())
    }

    /// Changes workflows that we have locked as their tasks say, and unlocks them.
    fn apply_verbs(&self, locked: Vec<Locked>, now: Timestamp, done: &mut Done) -> Result<()> {
        let task = |one: &Locked| match one.task {
            Task::Verb(step) => Some(step),
            _ => None,
        };
        let whole = locked.iter().filter_map(|one| {
            let Step { verb, fw_id, .. } = task(one)?;
            let (document, all) = (one.document.clone(), verb.needs().workflow);
            Some(Whole { locked: one, runs: Vec::new(), document, subjects: vec![fw_id], all })
        });
        let mut parts = self.whole_parts(whole.collect())?;
        let spawning = |one: &Locked| task(one).is_some_and(|step| step.verb.needs().spawned);
        self.add_spawned(parts.iter_mut().filter(|part| spawning(part.locked)).map(|part| &mut part.graph))?;
        let mut decided = Vec::with_capacity(parts.len());
        for mut part in parts {
            let Some(step) = task(part.locked) else { continue };
            let Step { verb, fw_id, .. } = step;
            let launching = verb.launching(&part.graph, fw_id);
            self.add_launches(&mut part.graph, &launching)?;
            let decision = match part.graph.nodes.contains_key(&fw_id) {
                true => check(&step, &part, part.locked.taken_over)
                    .and_then(|()| verb.decide(&mut part.graph, fw_id))
                    .map_err(StoreError::from),
                false => Err(StoreError::UnknownFirework(fw_id)),
            };
            if let Err(refusal) = decision {
                self.leave(&part, part.locked.taken_over, now)?;
                done.insert(part.locked.workflow, Err(refusal));
                continue;
            }
            decide::show_fizzled_parents(&mut part.graph, now, |fw_ids| self.with_launches(fw_ids))?;
            let changes = std::mem::take(&mut part.graph).changes();
            decided.push((verb, Decided { part, changes, fenced: BTreeMap::new(), inner_state: None }));
        }
        self.end_reset(decided.iter().map(|(verb, one)| (*verb, &one.changes)), now)?;
        let decided: Vec<Decided<'_>> = decided.into_iter().map(|(_, one)| one).collect();
        let whole = self.write_fireworks(&decided, now)?;
        // A verb puts nothing new into a workflow.
        let nothing: Vec<_> = decided.iter().map(|_| Vec::new()).collect();
        self.write_workflows(&decided[..whole], &nothing[..whole], now)?;
        done.extend(decided[..whole].iter().map(|one| (one.part.locked.workflow, Ok(steered_by(&one.changes)))));
        // The first of the others was not as it had been read, the rest was not tried.
        let rest: BTreeSet<ObjectId> = decided[whole..].iter().map(|one| one.part.locked.workflow).collect();
        drop(decided);
        for one in locked.into_iter().filter(|one| rest.contains(&one.workflow)) {
            let (workflow, Some(step)) = (one.workflow, task(&one)) else { continue };
            match self.apply_verb(Locked { taken_over: true, ..one }, &step, now) {
                Err(error @ StoreError::Unreachable { .. }) => return Err(error),
                result => done.insert(workflow, result),
            };
        }
        Ok(())
    }
}

/// The next steps, one for each workflow, as many as are taken together. A firework without a workflow comes
/// alone, under an id that no workflow has.
fn next_group(
    pending: &mut VecDeque<usize>,
    steps: &[Step],
    homes: &BTreeMap<FwId, Home>,
) -> BTreeMap<ObjectId, usize> {
    let mut group = BTreeMap::new();
    let mut members = 0;
    pending.retain(|&index| {
        let (workflow, size) = homes.get(&steps[index].fw_id).copied().unwrap_or_else(|| (ObjectId::new(), 0));
        let fits = group.is_empty() || (group.len() < WORKFLOWS && members + size <= MEMBERS);
        if !fits || group.contains_key(&workflow) {
            return true;
        }
        members += size;
        group.insert(workflow, index);
        false
    });
    group
}
