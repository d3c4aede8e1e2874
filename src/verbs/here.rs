//! Where a person stands: the settings, the launchpad, and what this host and its queue know.

use std::collections::BTreeMap;

use super::queue::open_queue;
use super::unable;
use crate::config::Settings;
use crate::launchpad::LaunchpadError;
use crate::launchpad::explain::Others;
use crate::launchpad::witness::Watcher;
use crate::queue::{JobId, LaunchpadId, Queue, Standing};
use crate::rocket::Rescuer;
use crate::store::{Blind, Store, Witness};
use crate::workflow::{Firework, FwId, Launch, Loss};

/// What verbs need beside what they are about.
#[derive(Clone, Copy)]
pub struct Here<'a> {
    /// All that is set.
    pub settings: &'a Settings,
    /// The launchpad.
    pub store: &'a dyn Store,
}

impl Here<'_> {
    /// The queue of the settings, or why there is none. It is opened only by who has to ask or tell it
    /// something: most verbs do not.
    pub fn queue(&self) -> Result<Box<dyn Queue>, String> {
        open_queue(self.settings, Vec::new()).map(|open| open.queue).map_err(|error| error.in_full())
    }
}

impl Witness for Here<'_> {
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        if launches.is_empty() {
            return Vec::new();
        }
        match self.queue() {
            Ok(queue) => Watcher::new(&*queue).losses(launches),
            Err(error) => {
                tracing::debug!("no queue to ask about jobs: {error}");
                vec![None; launches.len()]
            }
        }
    }

    fn rescue(&self, launch: &Launch) -> bool {
        let launchpad = LaunchpadId::of(&self.settings.location);
        Rescuer::new(self.store, &launchpad, &Blind).rescue(launch)
    }
}

impl Others for Here<'_> {
    fn unable(&self, fireworks: &[Firework]) -> Result<Vec<(FwId, String)>, LaunchpadError> {
        let reasons = unable::reasons(self.store, fireworks)?.into_iter();
        Ok(reasons.map(|(firework, why)| (firework.fw_id, why)).collect())
    }

    fn standings(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Standing>, String> {
        self.queue()?.standings(jobs).map_err(|error| error.to_string())
    }

    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        Witness::losses(self, launches)
    }
}
