//! What the lanes work with.

use std::sync::OnceLock;

use crate::config::Settings;
use crate::queue::Queue;
use crate::store::Store;
use crate::verbs::Here;

/// The settings and the launchpad, for all threads.
pub struct Desk {
    /// All that is set.
    pub settings: Settings,
    /// The launchpad.
    pub store: Box<dyn Store>,
    queue: OnceLock<Box<dyn Queue>>,
}

impl Desk {
    /// With nothing but these.
    pub fn new(settings: Settings, store: Box<dyn Store>) -> Self {
        Desk { settings, store, queue: OnceLock::new() }
    }

    /// Where the verbs stand.
    pub fn here(&self) -> Here<'_> {
        Here { settings: &self.settings, store: &*self.store }
    }

    /// The queue of the settings, or why there is none. It is opened once: it knows its site then.
    pub fn queue(&self) -> Result<&dyn Queue, String> {
        match self.queue.get() {
            Some(queue) => Ok(&**queue),
            None => self.here().queue().map(|queue| &**self.queue.get_or_init(|| queue)),
        }
    }
}
