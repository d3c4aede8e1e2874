//! Mending by hand, and before a workflow changes: with all that this host and its queue know of the
//! dead.

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use crate::cli::queue::open_queue;
use crate::launchpad::witness::Watcher;
use crate::queue::LaunchpadId;
use crate::rocket::Rescuer;
use crate::store::{Blind, Mended, Mending, Store, Witness};
use crate::workflow::{FwId, Launch, Loss};

/// Opens the queue only when there is somebody to ask about.
pub struct Late<'a> {
    context: &'a Context,
    store: &'a dyn Store,
}

impl<'a> Late<'a> {
    /// For the queue of the settings, and a launchpad.
    pub fn new(context: &'a Context, store: &'a dyn Store) -> Self {
        Late { context, store }
    }
}

impl Witness for Late<'_> {
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        if launches.is_empty() {
            return Vec::new();
        }
        match open_queue(&self.context.settings, Vec::new()) {
            Ok(open) => Watcher::new(&*open.queue).losses(launches),
            Err(error) => {
                tracing::debug!("no queue to ask about jobs: {error:#}");
                vec![None; launches.len()]
            }
        }
    }

    fn rescue(&self, launch: &Launch) -> bool {
        let launchpad = LaunchpadId::of(&self.context.settings.location);
        Rescuer::new(self.store, &launchpad, &Blind).rescue(launch)
    }
}

/// Puts right what the dead have left behind, in the workflows of these fireworks or everywhere, and
/// tells the log.
pub fn mend(context: &Context, store: &dyn Store, only: Option<&[FwId]>) -> Result<Vec<Mended>> {
    let (witness, max_lost) = (Late::new(context, store), context.settings.volley.max_lost);
    let mending = Mending { only, max_lost, witness: &witness, ..Mending::default() };
    let mended = store.mend(&mending, Timestamp::now())?;
    mended.iter().for_each(|one| tracing::info!("mended: {one}"));
    Ok(mended)
}
