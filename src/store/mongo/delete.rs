//! Deleting whole workflows: fireworks first, so that nothing can be claimed; the workflow last, so
//! that a deletion that died half way can be repeated.

use bson::doc;

use super::MongoStore;
use super::commands::ints;
use crate::store::Result;
use crate::workflow::{FwId, int_list};

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
        let theirs = doc! { "fw_id": { "$in": ints(&members) } };
        self.ask(self.fireworks.delete_many(theirs.clone()).run())?;
        self.ask(self.launches.delete_many(theirs.clone()).run())?;
        self.ask(self.database.collection::<bson::Document>("offline_runs").delete_many(theirs).run())?;
        self.ask(self.workflows.delete_many(of).run())?;
        Ok(members)
    }
}
