//! Mending by hand, and before a workflow changes: with all that this host and its queue know of the
//! dead.

use jiff::Timestamp;

use super::Here;
use crate::store::{Mended, Mending, Result};
use crate::workflow::FwId;

/// Puts right what the dead have left behind, in the workflows of these fireworks or everywhere, and
/// tells the log.
pub fn mend(here: Here<'_>, only: Option<&[FwId]>) -> Result<Vec<Mended>> {
    let mending = Mending { only, max_lost: here.settings.volley.max_lost, witness: &here, ..Mending::default() };
    let mended = here.store.mend(&mending, Timestamp::now())?;
    mended.iter().for_each(|one| tracing::info!("mended: {one}"));
    Ok(mended)
}

/// Finishes first what the dead have left half done in the workflows that are about to change. Trouble
/// with it is no reason not to change them.
pub fn heal(here: Here<'_>, fw_ids: &[FwId]) {
    if let Err(error) = mend(here, Some(fw_ids)) {
        tracing::warn!("cannot look for what dead workers left behind: {error}");
    }
}
