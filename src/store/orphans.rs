//! Fireworks that belong to no workflow: whoever added them died half way, or somebody has deleted by
//! hand what they belonged to.

use super::Result;
use crate::workflow::FwId;

/// The part of a store that knows of them.
pub trait Orphans {
    /// Those of the fireworks that belong to no workflow, in the order in which they are given.
    fn orphans(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>>;

    /// Deletes those of the fireworks that belong to no workflow, with the launches that nobody else
    /// lists. Returns which they were.
    fn delete_orphans(&self, fw_ids: &[FwId]) -> Result<Vec<FwId>>;
}
