//! Whole workflows go, with their fireworks and launches, and what runs in them is ended.

use std::collections::BTreeSet;

use super::Here;
use super::steer::stop;
use crate::launchpad::cancel::{Runs, Stop};
use crate::launchpad::delete::{Deletion, delete};
use crate::launchpad::selection::Chosen;
use crate::launchpad::{LaunchpadError, deed};
use crate::workflow::decide::Refusal;
use crate::workflow::{FwId, Launch, State};

/// What has been deleted.
#[derive(Debug)]
pub struct Deleted {
    /// How many workflows.
    pub count: usize,
    /// Which fireworks.
    pub gone: BTreeSet<FwId>,
    /// What ran in them.
    pub stopped: Vec<Launch>,
    /// What became of it.
    pub stops: Vec<Stop>,
    /// Why some were left alone.
    pub refused: Vec<Refusal>,
    /// Why not all are gone that should be.
    pub failed: Option<String>,
}

/// Deletes workflows, those with a state that was `seen` as long as they are in it; with `keep` what runs in them
/// goes on to its end. `done` hears how many have gone.
pub fn delete_workflows(
    here: Here<'_>,
    doomed: &[Chosen],
    seen: impl Fn(&Chosen) -> Option<State>,
    keep: bool,
    done: impl FnMut(usize),
) -> Result<Deleted, LaunchpadError> {
    let ids: Vec<FwId> = doomed.iter().map(|workflow| workflow.id).collect();
    let runs = Runs::before(here.store, &ids, keep)?;
    let Deletion { gone, mut refused, failed: mut error } = delete(here.store, doomed, seen, done);
    if let Some(error) = error.take_if(|_| gone.is_empty()) {
        return Err(error);
    }
    let deleted: Vec<FwId> = doomed.iter().filter(|workflow| gone.contains(&workflow.id)).map(Chosen::lowest).collect();
    let count = deleted.len();
    deed::of_workflows(here.store, "delete_wflows", deleted, None);
    let (stopped, mut stops) = runs.stopped_by(here.store, &gone)?;
    stops.extend(stop(here, &stopped, None));
    if error.is_none() {
        // Somebody else has deleted the rest.
        let of = |refusal: &Refusal| if let Refusal::Moved { fw_id, .. } = refusal { Some(*fw_id) } else { None };
        let known: BTreeSet<FwId> = refused.iter().filter_map(of).chain(gone.iter().copied()).collect();
        let is_missing = |workflow: &&Chosen| !workflow.members.iter().any(|fw_id| known.contains(fw_id));
        refused.extend(doomed.iter().filter(is_missing).map(|workflow| Refusal::Unknown(workflow.id)));
    }
    let left = doomed.len() - count - refused.len();
    let failed = error.map(|error| format!("{left} of {} workflows are left: {error}", doomed.len()));
    Ok(Deleted { count, gone, stopped, stops, refused, failed })
}
