//! What a worker does for others: it puts right what the dead have left behind, while there is
//! nothing to run, and now and then while there is.

use std::time::{Duration, Instant};

use super::rescue::Rescuer;
use crate::config::Settings;
use crate::launchpad::mend::mend_beside;
use crate::launchpad::witness::Watcher;
use crate::queue::LaunchpadId;
use crate::queue::slurm::{Programs, Slurm};
use crate::store::Store;

/// How often a busy worker looks.
const BUSY: Duration = Duration::from_secs(60);
/// For so long Slurm may think about what became of its jobs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Remembers when it last looked.
pub struct Mender<'a> {
    store: &'a dyn Store,
    settings: &'a Settings,
    launchpad: LaunchpadId,
    /// Workers of the fleet may run in its jobs, whether or not this one does.
    slurm: Slurm,
    began: Instant,
    last: Option<Instant>,
}

impl<'a> Mender<'a> {
    /// For the launchpad of the settings.
    pub fn new(store: &'a dyn Store, settings: &'a Settings) -> Self {
        let launchpad = LaunchpadId::of(&settings.location);
        let slurm = Slurm::new(launchpad.clone(), Programs::default(), Vec::new(), PATIENCE);
        Mender { store, settings, launchpad, slurm, began: Instant::now(), last: None }
    }

    /// Looks while there is nothing to run, if that is due.
    pub fn look_idle(&mut self) {
        if self.last.is_none_or(|last| last.elapsed() >= self.settings.volley.renew) {
            self.look();
        }
    }

    /// Looks between two batches, if that is due.
    pub fn look_busy(&mut self) {
        if self.last.unwrap_or(self.began).elapsed() >= BUSY {
            self.look();
        }
    }

    /// Looks before there is nothing left to wait for, unless it has done so just now. Returns whether
    /// something was put right: there may be work after all.
    pub fn look_last(&mut self) -> bool {
        self.last.is_none_or(|last| last.elapsed() >= self.settings.volley.renew) && self.look()
    }

    fn look(&mut self) -> bool {
        let config = &self.settings.volley;
        let watcher = Watcher::new(&self.slurm);
        let witness = Rescuer::new(self.store, &self.launchpad, &watcher);
        self.last = Some(Instant::now());
        mend_beside(self.store, &witness, config.renew, config.max_lost)
    }
}
