//! Deleting whole workflows, under their locks: fireworks first, so that nothing can be claimed; the
//! workflow last, with its lock, so that others can go on with a deletion that died half way. Launches
//! that shall go on to their end stay.

use std::collections::{BTreeMap, BTreeSet};

use bson::oid::ObjectId;
use bson::{Document, doc};

use super::commands::{among, ints};
use super::lock::{Locked, Task, Wanted};
use super::retire::Kept;
use super::{MongoStore, view};
use crate::store::guard::unmoved_workflow;
use crate::store::{Deleted, Result};
use crate::workflow::decide::Refusal;
use crate::workflow::{FwId, LaunchId, State, as_int, int_list};

/// So many are deleted under one lock: far less than a lock allows.
const WORKFLOWS: usize = 1_000;

/// That a workflow which somebody began to delete, or nobody yet, is as it was seen.
fn is_unmoved(locked: &Locked) -> Result<(), Refusal> {
    let first = int_list(locked.document.get("nodes")).first().copied().unwrap_or_default();
    match locked.task {
        Task::Delete(seen) => unmoved_workflow(first, seen, state_of(&locked.document)),
        _ => Ok(()),
    }
}

fn state_of(workflow: &Document) -> Option<State> {
    workflow.get_str("state").ok()?.parse().ok()
}

impl MongoStore {
    pub(super) fn delete_whole_workflows(&self, workflows: &[(FwId, Option<State>)]) -> Result<Deleted> {
        let seen: BTreeMap<FwId, Option<State>> = workflows.iter().copied().collect();
        let ids: Vec<FwId> = seen.keys().copied().collect();
        let found = self.workflows.find(doc! { "nodes": { "$in": ints(&ids) } }).projection(doc! { "nodes": 1 });
        let mut wanted = Vec::new();
        for document in self.collect(found.run())? {
            let workflow = view::object_id(&document, &self.settings.place())?;
            let seen = int_list(document.get("nodes")).iter().find_map(|fw_id| seen.get(fw_id).copied().flatten());
            let projection = doc! { "nodes": 1, "state": 1, "locked": 1 };
            wanted.push(Wanted { workflow, task: Task::Delete(seen), projection });
        }
        let mut deleted = Deleted::default();
        while !wanted.is_empty() {
            let some = wanted.split_off(wanted.len().saturating_sub(WORKFLOWS));
            self.with_locks(some, |locked| {
                let some = self.delete_locked(locked)?;
                deleted.gone.extend(some.gone);
                deleted.refused.extend(some.refused);
                Ok(())
            })?;
        }
        deleted.gone.sort_unstable();
        Ok(deleted)
    }

    /// Deletes those that are as they were seen of workflows that we have locked.
    pub(super) fn delete_locked(&self, locked: Vec<Locked>) -> Result<Deleted> {
        let (mut unmoved, mut refused) = (Vec::new(), Vec::new());
        for one in locked {
            match is_unmoved(&one) {
                Ok(()) => unmoved.push(one),
                Err(refusal) => {
                    self.unlock(&one)?;
                    refused.push(refusal);
                }
            }
        }
        let gone = if unmoved.is_empty() { Vec::new() } else { self.delete_all(&unmoved)? };
        Ok(Deleted { gone, refused })
    }

    /// Returns their fireworks.
    fn delete_all(&self, locked: &[Locked]) -> Result<Vec<FwId>> {
        let members: Vec<FwId> = locked.iter().flat_map(|one| int_list(one.document.get("nodes"))).collect();
        let mut launches = self.launches_of_nobody_else(&members)?;
        let kept = self.kept_launches(&launches, Kept::Running)?;
        launches.retain(|id| !kept.contains(id));
        self.ask(self.fireworks.delete_many(among("fw_id", &members)).run())?;
        self.delete_launches(&launches)?;
        let workflows: Vec<ObjectId> = locked.iter().map(|one| one.workflow).collect();
        let owners: Vec<&str> = locked.iter().map(|one| one.owner.as_str()).collect();
        let held = doc! { "_id": { "$in": workflows }, "locked.owner": { "$in": owners } };
        self.ask(self.workflows.delete_many(held).run())?;
        Ok(members)
    }

    /// Deletes launches, with all that belongs to them.
    pub(super) fn delete_launches(&self, launches: &[LaunchId]) -> Result<()> {
        self.delete_files(launches)?;
        let theirs = doc! { "launch_id": { "$in": ints(launches) } };
        self.ask(self.launches.delete_many(theirs.clone()).run())?;
        self.ask(self.database.collection::<Document>("offline_runs").delete_many(theirs).run())?;
        Ok(())
    }

    /// The launches of fireworks, without those that duplicates elsewhere have taken over.
    pub(super) fn launches_of_nobody_else(&self, members: &[FwId]) -> Result<Vec<LaunchId>> {
        let theirs = among("fw_id", members);
        let projection = doc! { "_id": 0, "launches": 1, "archived_launches": 1, "spec._dupefinder": 1 };
        let fireworks = self.collect(self.fireworks.find(theirs.clone()).projection(projection).run())?;
        let lists = ["launches", "archived_launches"];
        let listed = |firework: &Document| lists.map(|list| int_list(firework.get(list))).concat();
        let own = self.launches.find(theirs).projection(doc! { "_id": 0, "launch_id": 1 });
        let mut launches: BTreeSet<LaunchId> =
            self.collect(own.run())?.iter().filter_map(|launch| launch.get("launch_id").and_then(as_int)).collect();
        launches.extend(fireworks.iter().flat_map(listed));
        // Only duplicates share launches; without them there is no need for the second list, which
        // no index serves.
        let shares = |firework: &Document| firework.get_document("spec").is_ok_and(|spec| !spec.is_empty());
        if fireworks.iter().any(shares) {
            let ids: Vec<LaunchId> = launches.iter().copied().collect();
            let elsewhere = lists.map(|list| doc! { list: { "$in": ints(&ids) } });
            let elsewhere = doc! { "$or": elsewhere.to_vec(), "fw_id": { "$nin": ints(members) } };
            let found = self.fireworks.find(elsewhere).projection(doc! { "launches": 1, "archived_launches": 1 });
            for firework in self.collect(found.run())? {
                for id in listed(&firework) {
                    launches.remove(&id);
                }
            }
        }
        Ok(launches.into_iter().collect())
    }
}
