//! Mending beside other work: what it has put right is told to the log, and so is trouble with it,
//! which is nothing to stop for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::store::{Mend, Mending, Store, Witness};

/// Looks for what the dead have left behind, unless anybody has done so less than `every` ago.
/// Returns whether something was put right; a suspicion is not.
pub fn mend_beside(store: &dyn Store, witness: &dyn Witness, every: Duration, max_lost: u64) -> bool {
    let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
    let mending = Mending { every, max_lost, witness, ..Mending::default() };
    match store.mend(&mending, Timestamp::now()) {
        Ok(mended) => {
            mended.iter().for_each(|one| info!("mended: {one}"));
            mended.iter().any(|one| !matches!(one.what, Mend::Suspected(_)))
        }
        Err(error) => {
            warn!("cannot look for what dead workers left behind: {error}");
            false
        }
    }
}
