//! Launches that are no longer waited for: those that end, and those that may go on all the same.

use bson::{Document, doc};
use jiff::Timestamp;

use super::MongoStore;
use super::care::open_states;
use super::commands::{Journal, ints, update};
use crate::store::Result;
use crate::workflow::launch::KEPT;
use crate::workflow::retry::MAX_LOST;
use crate::workflow::{Launch, LaunchId, Loss, int};

/// Which of the launches that are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Those that have not ended.
    Running,
    /// All of them.
    All,
}

impl MongoStore {
    /// All launches that are reserved or run.
    pub(super) fn search_open_launches(&self) -> Result<Vec<Launch>> {
        let found = self.launches.find(doc! { "state": open_states() }).sort(doc! { "launch_id": 1 });
        let found = self.collect(found.projection(doc! { "action": 0, "trackers": 0 }).run())?;
        Ok(found.iter().filter_map(Launch::from_document).collect())
    }

    /// Puts launches away and ends them, unless a firework waits for them.
    pub(super) fn retire_launches(&self, ids: &[LaunchId], loss: &Loss, now: Timestamp) -> Result<Vec<LaunchId>> {
        let mut retired = Vec::new();
        for (launch_id, mut launch) in self.launch_heads(ids)? {
            if launch.state.is_final() {
                continue;
            }
            // First: a firework that lists a launch which has ended would follow it.
            let idle = doc! { "launches": int(launch_id), "state": { "$not": open_states() } };
            let away =
                doc! { "$pull": { "launches": int(launch_id) }, "$addToSet": { "archived_launches": int(launch_id) } };
            self.ask(self.fireworks.update_many(idle, away).run())?;
            let waits = doc! { "launches": int(launch_id), "state": open_states() };
            if self.ask(self.fireworks.count_documents(waits).limit(1).run())? == 0
                && self.end_launches(std::slice::from_mut(&mut launch), loss, MAX_LOST, now)? == 1
            {
                retired.push(launch_id);
            }
        }
        Ok(retired)
    }

    /// Marks launches in their last history entry.
    pub(super) fn mark_launches(&self, ids: &[LaunchId], kept: bool) -> Result<()> {
        let statements = self.launch_heads(ids)?.into_values().filter_map(|launch| {
            let last = launch.state_history.len().checked_sub(1)?;
            let as_seen = doc! { "launch_id": int(launch.launch_id), "state": launch.state.as_str() };
            let mark = doc! { format!("state_history.{last}.{KEPT}"): true };
            let change: Document = if kept {
                doc! { "$set": mark }
            } else {
                doc! { "$unset": mark }
            };
            Some(update(as_seen, change))
        });
        self.bulk("launches", statements.collect(), Journal::Yes)?;
        Ok(())
    }

    /// Those launches among them that go on although nothing counts them, or have done so.
    pub(super) fn kept_launches(&self, ids: &[LaunchId], whose: Kept) -> Result<Vec<LaunchId>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut kept = doc! { "launch_id": { "$in": ints(ids) }, format!("state_history.{KEPT}"): true };
        if whose == Kept::Running {
            kept.insert("state", open_states());
        }
        self.matching(&self.launches, "launch_id", &kept)
    }
}
