//! `rerun`: run fireworks again, and what depends on them.

use jiff::Timestamp;

use crate::store::{Store, StoreError, Verb};
use crate::workflow::FwId;

/// What became of a firework that was to be rerun.
#[derive(Debug)]
pub struct Rerun {
    /// Which.
    pub fw_id: FwId,
    /// Every firework that was reset with it, or why none was.
    pub result: Result<Vec<FwId>, StoreError>,
}

/// Reruns fireworks one after another; one that refuses does not stop the others, a store that
/// does not answer does.
pub fn rerun(store: &dyn Store, fw_ids: &[FwId], now: Timestamp) -> Vec<Rerun> {
    let mut done = Vec::new();
    for &fw_id in fw_ids {
        let result = store.steer(Verb::Rerun, fw_id, now);
        let away = matches!(result, Err(StoreError::Unreachable { .. }));
        done.push(Rerun { fw_id, result });
        if away {
            break;
        }
    }
    done
}
