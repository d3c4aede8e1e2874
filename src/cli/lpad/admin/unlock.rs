//! `lpad admin unlock`: locks of workflows are taken from whoever holds them.

use anyhow::Result;
use jiff::Timestamp;

use super::super::Context;
use super::super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::number;
use crate::launchpad::listing;
use crate::store::Unlocking;

/// Arguments of `lpad admin unlock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    change: ChangeArgs,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let what = |count, _| format!("unlock {}", number(count, "workflow"));
    let found = args.change.workflows(context, &*store, what)?;
    let mut held = Vec::new();
    for fw_id in found.iter().filter_map(listing::workflow_id) {
        match store.unlock(fw_id, args.change.says_yes(), Timestamp::now())? {
            Unlocking::Free => tracing::info!("the workflow of fw_id {fw_id} is not locked"),
            Unlocking::Taken(by) => {
                tracing::warn!("FORCIBLY RELEASING LOCK DUE TO USER COMMAND, WF: {fw_id}; it was held by {by}");
            }
            Unlocking::Held(by) => held.push(format!(
                "the workflow of fw_id {fw_id} is locked by {by}, which may be alive; its lock ends by itself, at most 30 s after its holder has died (--yes takes it at once)"
            )),
        }
    }
    tracing::info!("Finished unlocking {} Workflows", found.len() - held.len());
    match held.len() {
        0 => Ok(Exit::Done),
        count if count < found.len() => Err(failure(Exit::SomeFailed, held.join("\n"))),
        _ => Err(failure(Exit::Error, held.join("\n"))),
    }
}
