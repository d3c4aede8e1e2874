//! Fireworks of a higher priority run first.

use crate::launchpad::deed;
use crate::store::{Priority, Result, Store};
use crate::workflow::FwId;

/// Sets the priority of fireworks, and notes it. Returns how many there were.
pub fn set_priority(store: &dyn Store, fw_ids: Vec<FwId>, priority: i64) -> Result<u64> {
    let count = store.set_priority(&fw_ids, priority)?;
    deed::of_fireworks(store, "set_priority", fw_ids, Some(format!("to {priority}")));
    Ok(count)
}

/// Sets each priority as long as it is what was seen, and notes it. Returns the fireworks that have the new one.
pub fn set_priorities(store: &dyn Store, priorities: Vec<Priority>, note: &str) -> Result<Vec<FwId>> {
    let changed = store.set_priorities(&priorities)?;
    deed::of_fireworks(store, "set_priority", changed.clone(), Some(note.to_owned()));
    Ok(changed)
}
