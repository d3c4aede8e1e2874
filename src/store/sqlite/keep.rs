//! What is written of a launch while it runs: its lease, its checkpoint, what its trackers see.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::claim::running;
use super::{SqlError, find, graph, retire};
use crate::store::{Held, Seen};
use crate::workflow::checkpoint::CHECKPOINT;
use crate::workflow::{Launch, LaunchId, Lease, time};

/// Extends leases. Returns the launches that are no longer running, or no longer counted.
pub fn renew(
    tx: &Transaction<'_>,
    held: &[Held],
    seen: &[Seen],
    lease: &Lease,
    now: Timestamp,
) -> Result<Vec<LaunchId>, SqlError> {
    let mut lost = Vec::new();
    for held in held {
        let Some(mut launch) = running_or_kept(tx, *held)? else {
            // It may have been reported in this very moment.
            if !find::launches(tx, &[held.launch_id])?.iter().any(|launch| launch.was_ended_by(&lease.owner)) {
                lost.push(held.launch_id);
            }
            continue;
        };
        if let Some(entry) = launch.lease_index().and_then(|index| launch.state_history.get_mut(index)) {
            entry.insert("lease", lease.to_document());
            entry.insert("updated_on", time::to_iso(now));
        }
        if let Some(seen) = seen.iter().find(|seen| seen.launch_id == held.launch_id) {
            launch.trackers = seen.trackers.clone();
        }
        graph::save_launch(tx, &launch)?;
    }
    Ok(lost)
}

fn running_or_kept(tx: &Transaction<'_>, held: Held) -> Result<Option<Launch>, SqlError> {
    let running = running(tx, held)?;
    if running.is_some() { Ok(running) } else { retire::kept(tx, held) }
}

/// Writes how far a launch has come, as long as it runs under the same lease.
pub fn checkpoint(tx: &Transaction<'_>, launch: &Launch, now: Timestamp) -> Result<bool, SqlError> {
    let owner = |launch: &Launch| launch.lease().map(|lease| lease.owner);
    let held = Held { fw_id: launch.fw_id, launch_id: launch.launch_id };
    let ours = running_or_kept(tx, held)?.filter(|stored| owner(stored) == owner(launch));
    let Some(mut stored) = ours else { return Ok(false) };
    let reached = launch.lease_index().and_then(|index| launch.state_history[index].get(CHECKPOINT));
    if let Some(entry) = stored.lease_index().and_then(|index| stored.state_history.get_mut(index)) {
        entry.insert("updated_on", time::to_iso(now));
        entry.extend(reached.map(|checkpoint| (CHECKPOINT.to_owned(), checkpoint.clone())));
    }
    stored.trackers = launch.trackers.clone();
    graph::save_launch(tx, &stored)?;
    Ok(true)
}
