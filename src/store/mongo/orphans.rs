//! Fireworks that belong to no workflow.

use std::collections::HashSet;

use bson::doc;

use super::MongoStore;
use super::commands::ints;
use super::find::not_before;
use super::retire::Kept;
use crate::store::Result;
use crate::store::mend::DEAD;
use crate::store::orphans::Orphans;
use crate::workflow::{FwId, as_int, int_list};

/// So many are asked for at once: a query has at most 16 MB.
const SOME: usize = 100_000;

impl Orphans for MongoStore {
    fn orphans(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>> {
        let mut orphans = Vec::new();
        for some in fw_ids.chunks(SOME) {
            let found = self.workflows.find(doc! { "nodes": { "$in": ints(some) } });
            let mut known: HashSet<FwId> = HashSet::new();
            for workflow in self.ask(found.projection(doc! { "_id": 0, "nodes": 1 }).run())? {
                known.extend(int_list(self.ask(workflow)?.get("nodes")));
            }
            let unknown: Vec<FwId> = some.iter().copied().filter(|fw_id| !known.contains(fw_id)).collect();
            let young = self.young(&unknown)?;
            orphans.extend(unknown.into_iter().filter(|fw_id| !young.contains(fw_id)));
        }
        Ok(orphans)
    }

    fn delete_orphans(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>> {
        let orphans = self.orphans(fw_ids)?;
        for some in orphans.chunks(SOME) {
            let mut launches = self.launches_of_nobody_else(some)?;
            let kept = self.kept_launches(&launches, Kept::Running)?;
            launches.retain(|id| !kept.contains(id));
            self.ask(self.fireworks.delete_many(doc! { "fw_id": { "$in": ints(some) } }).run())?;
            self.delete_launches(&launches)?;
        }
        Ok(orphans)
    }
}

impl MongoStore {
    /// Those that somebody may be about to put into a workflow: fireworks come before it.
    pub(super) fn young(&self, fw_ids: &[FwId]) -> Result<HashSet<FwId>> {
        if fw_ids.is_empty() {
            return Ok(HashSet::new());
        }
        let mut young = not_before("created_on", self.server_time()? - DEAD);
        young.extend(doc! { "fw_id": { "$in": ints(fw_ids) }, "launches": [] });
        let found = self.collect(self.fireworks.find(young).projection(doc! { "_id": 0, "fw_id": 1 }).run())?;
        Ok(found.iter().filter_map(|firework| firework.get("fw_id").and_then(as_int)).collect())
    }
}
