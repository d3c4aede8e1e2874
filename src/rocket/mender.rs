//! What a worker does for others while there is nothing to run: it puts right what the dead have
//! left behind, now and then.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::store::Store;

/// How often, by this worker, and by the whole fleet.
const EVERY: Duration = Duration::from_secs(60);

/// Remembers when it last did.
#[derive(Default)]
pub struct Mender {
    last: Option<Instant>,
}

impl Mender {
    /// Looks for something to mend, if that is due. Trouble with it is nothing to stop for.
    pub fn look(&mut self, store: &dyn Store) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let every = SignedDuration::try_from(EVERY).unwrap_or(SignedDuration::MAX);
        match store.mend(every, Timestamp::now()) {
            Ok(mended) => mended.iter().for_each(|one| info!("mended: {one}")),
            Err(error) => warn!("cannot look for what dead workers left behind: {error}"),
        }
    }
}
