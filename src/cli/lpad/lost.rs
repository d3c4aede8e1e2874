//! Which of the fireworks that do not run were lost when they last did, and why.

use std::collections::BTreeMap;

use crate::store::{Result, Store};
use crate::workflow::{Cause, Firework, Launch, LaunchId, State};

/// A line for each.
pub fn lines(store: &dyn Store, fireworks: &[Firework]) -> Result<Vec<String>> {
    let last: Vec<(&Firework, LaunchId)> = fireworks
        .iter()
        .filter(|firework| matches!(firework.state, State::Ready | State::Fizzled))
        .filter_map(|firework| Some((firework, *firework.launches.iter().chain(&firework.archived_launches).max()?)))
        .collect();
    if last.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<LaunchId> = last.iter().map(|(_, id)| *id).collect();
    let launches: BTreeMap<LaunchId, Launch> =
        store.find_launches(&ids)?.into_iter().map(|launch| (launch.launch_id, launch)).collect();
    let line = |(firework, id): &(&Firework, LaunchId)| {
        // What a user has ended was not lost.
        let loss = launches.get(id)?.loss().filter(|loss| loss.cause != Cause::User)?;
        Some(format!("{} {}: its last run was lost: {loss}", firework.fw_id, firework.name))
    };
    Ok(last.iter().filter_map(line).collect())
}
