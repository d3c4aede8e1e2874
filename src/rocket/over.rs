//! A firework that took longer than it may.

use bson::{Bson, doc};
use tracing::warn;

use crate::store::Claim;
use crate::workflow::limits::MAX_RUNTIME;
use crate::workflow::{Cause, FwAction};

/// The action of a firework that was ended because it ran for longer than it may.
pub fn over(claim: &Claim) -> FwAction {
    let Claim { firework, launch } = claim;
    let limit = firework.spec.get(MAX_RUNTIME).cloned().unwrap_or(Bson::Null);
    let why = format!("it was ended: it ran for longer than its `{MAX_RUNTIME}`, {limit}");
    warn!("fw_id: {}: {why}", firework.fw_id);
    let text = format!("firework {} ({})\n  in directory {}\n{why}", firework.fw_id, firework.name, launch.launch_dir);
    FwAction::fizzled(None, &text, doc! { "cause": Cause::Timeout.as_str(), MAX_RUNTIME: limit }.into())
}
