//! What is written of a launch while it runs: its lease, its checkpoint, what its trackers see.

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::MongoStore;
use super::clock::Moment;
use super::commands::{Journal, ints, update};
use super::retire::Kept;
use crate::store::{Held, Result, Seen};
use crate::workflow::checkpoint::CHECKPOINT;
use crate::workflow::{Launch, LaunchId, Lease, State, as_int, int, int_list, time};

impl MongoStore {
    /// One update for all leases and trackers, one read for what became of the launches.
    pub(super) fn renew_leases(
        &self,
        held: &[Held],
        seen: &[Seen],
        lease: &Lease,
        now: Timestamp,
    ) -> Result<Vec<LaunchId>> {
        self.heed_restart()?;
        let lease = self.by_server_time(lease, now)?;
        let launch_ids: Vec<LaunchId> = held.iter().map(|held| held.launch_id).collect();
        let filter = doc! { "launch_id": { "$in": ints(&launch_ids) }, "state": State::Running.as_str() };
        // `$[run]` is the history entry that carries the lease, wherever it stands.
        let set = doc! { "$set": {
            "state_history.$[run].updated_on": time::to_iso(now),
            "state_history.$[run].lease": lease.to_document(),
        } };
        let mut leases = update(filter, set);
        leases.insert("multi", true);
        leases.insert("arrayFilters", vec![doc! { "run.lease.owner": &lease.owner }]);
        let trackers = seen.iter().map(|seen| {
            let mut ours = running(seen.launch_id);
            ours.insert("state_history.lease.owner", &lease.owner);
            update(ours, doc! { "$set": { "trackers": seen.trackers.clone() } })
        });
        let renewed = self.bulk("launches", std::iter::once(leases).chain(trackers).collect(), Journal::No)?.matched;
        let gone =
            if renewed < launch_ids.len() + seen.len() { self.not_ours(&launch_ids, &lease)? } else { Vec::new() };
        // A rerun by Python puts a launch away without ending it. The time comes along: a worker that
        // renews need not ask for it.
        let begun = Moment::now();
        let counted = self.fireworks.aggregate([
            doc! { "$match": { "launches": { "$in": ints(&launch_ids) } } },
            doc! { "$project": { "_id": 0, "launches": 1, "now": "$$NOW" } },
        ]);
        let counted = self.collect(counted.run())?;
        if let Some(showed) = counted.last().and_then(|document| document.get("now")).and_then(time::from_bson) {
            self.note_server_time(begun, showed);
        }
        let counted: Vec<LaunchId> = counted.iter().flat_map(|document| int_list(document.get("launches"))).collect();
        let lost: Vec<LaunchId> =
            launch_ids.into_iter().filter(|id| gone.contains(id) || !counted.contains(id)).collect();
        let kept = self.kept_launches(&lost, Kept::Running)?;
        Ok(lost.into_iter().filter(|id| !kept.contains(id)).collect())
    }

    /// Those of the launches that neither run under the lease nor were ended under it: taken for lost,
    /// or forgotten by a server that was restarted.
    fn not_ours(&self, launch_ids: &[LaunchId], lease: &Lease) -> Result<Vec<LaunchId>> {
        let ours = doc! {
            "launch_id": { "$in": ints(launch_ids) },
            "$or": [
                { "state": State::Running.as_str(), "state_history.lease.owner": &lease.owner },
                { "state_history.owner": &lease.owner },
            ],
        };
        let found = self.collect(self.launches.find(ours).projection(doc! { "_id": 0, "launch_id": 1 }).run())?;
        let ours: Vec<LaunchId> = found.iter().filter_map(|launch| launch.get("launch_id").and_then(as_int)).collect();
        Ok(launch_ids.iter().copied().filter(|id| !ours.contains(id)).collect())
    }

    /// Writes how far a launch has come, as long as it runs under the same lease.
    pub(super) fn write_checkpoint(&self, launch: &Launch, now: Timestamp) -> Result<bool> {
        let (Some(index), Some(lease)) = (launch.lease_index(), launch.lease()) else { return Ok(false) };
        let entry = format!("state_history.{index}");
        let mut ours = running(launch.launch_id);
        ours.insert(format!("{entry}.lease.owner"), lease.owner);
        let mut set = doc! { format!("{entry}.updated_on"): time::to_iso(now) };
        if let Some(checkpoint) = launch.state_history[index].get(CHECKPOINT) {
            set.insert(format!("{entry}.{CHECKPOINT}"), checkpoint.clone());
        }
        if !launch.trackers.is_empty() {
            set.insert("trackers", Bson::Array(launch.trackers.clone()));
        }
        Ok(self.ask(self.launches.update_one(ours, doc! { "$set": set }).run())?.matched_count == 1)
    }
}

fn running(launch_id: LaunchId) -> Document {
    doc! { "launch_id": int(launch_id), "state": State::Running.as_str() }
}
