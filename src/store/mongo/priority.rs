//! Priorities.

use std::collections::HashMap;

use bson::{Bson, Document, doc};

use super::MongoStore;
use super::claim::journaled;
use super::commands::{Journal, among, update};
use crate::store::filter::order::compare;
use crate::store::{Priority, Result};
use crate::workflow::{FwId, as_int, int};

impl MongoStore {
    pub(super) fn change_priority(&self, fw_ids: &[FwId], priority: i64) -> Result<u64> {
        let written = self.fireworks.update_many(among("fw_id", fw_ids), setting(priority)).write_concern(journaled());
        Ok(self.ask(written.run())?.matched_count)
    }

    pub(super) fn change_priorities(&self, priorities: &[Priority]) -> Result<Vec<FwId>> {
        // Those that change alike are changed together.
        let is_alike = |one: &Priority, other: &Priority| one.to == other.to && compare(&one.seen, &other.seen).is_eq();
        let mut sorted: Vec<&Priority> = priorities.iter().collect();
        sorted.sort_by(|one, other| one.to.cmp(&other.to).then_with(|| compare(&one.seen, &other.seen)));
        let statements = sorted.chunk_by(|one, other| is_alike(one, other)).map(|alike| {
            let ids: Vec<FwId> = alike.iter().map(|one| one.fw_id).collect();
            let mut filter = among("fw_id", &ids);
            filter.insert("spec._priority", alike[0].seen.clone());
            let mut statement = update(filter, setting(alike[0].to));
            statement.insert("multi", true);
            statement
        });
        let ids: Vec<FwId> = priorities.iter().map(|one| one.fw_id).collect();
        if self.bulk("fireworks", statements.collect(), Journal::Yes)?.matched == ids.len() {
            return Ok(ids);
        }
        let found =
            self.fireworks.find(among("fw_id", &ids)).projection(doc! { "_id": 0, "fw_id": 1, "spec._priority": 1 });
        let priority = |one: &Document| one.get_document("spec").ok()?.get("_priority").cloned();
        let now: HashMap<FwId, Bson> = self
            .collect(found.run())?
            .iter()
            .filter_map(|one| Some((one.get("fw_id").and_then(as_int)?, priority(one)?)))
            .collect();
        let has = |one: &&Priority| now.get(&one.fw_id).is_some_and(|now| compare(now, &int(one.to)).is_eq());
        Ok(priorities.iter().filter(has).map(|one| one.fw_id).collect())
    }
}

fn setting(priority: i64) -> Document {
    doc! { "$set": { "spec._priority": int(priority) } }
}
