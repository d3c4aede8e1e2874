//! Deleting whole workflows: fireworks first, so that nothing can be claimed; the workflow last, so
//! that a deletion that died half way can be repeated.

use std::collections::BTreeSet;

use bson::{Document, doc};

use super::MongoStore;
use super::commands::ints;
use crate::store::Result;
use crate::workflow::{FwId, LaunchId, as_int, int_list};

impl MongoStore {
    pub(super) fn delete_whole_workflows(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>> {
        let of = doc! { "nodes": { "$in": ints(fw_ids) } };
        let found = self.workflows.find(of.clone()).projection(doc! { "nodes": 1 });
        let mut members: Vec<FwId> =
            self.collect(found.run())?.iter().flat_map(|document| int_list(document.get("nodes"))).collect();
        members.sort_unstable();
        if members.is_empty() {
            return Ok(members);
        }
        let launches = self.launches_of_nobody_else(&members)?;
        self.ask(self.fireworks.delete_many(doc! { "fw_id": { "$in": ints(&members) } }).run())?;
        self.delete_files(&launches)?;
        let theirs = doc! { "launch_id": { "$in": ints(&launches) } };
        self.ask(self.launches.delete_many(theirs.clone()).run())?;
        self.ask(self.database.collection::<Document>("offline_runs").delete_many(theirs).run())?;
        self.ask(self.workflows.delete_many(of).run())?;
        Ok(members)
    }

    /// The launches of fireworks, without those that duplicates elsewhere have taken over.
    fn launches_of_nobody_else(&self, members: &[FwId]) -> Result<Vec<LaunchId>> {
        let theirs = doc! { "fw_id": { "$in": ints(members) } };
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
