//! `lpad admin refresh`: what follows from the fireworks of workflows, derived anew.

use anyhow::Result;
use jiff::Timestamp;

use super::super::Context;
use super::super::change::ChangeArgs;
use crate::cli::exit::Exit;
use crate::cli::output::number;
use crate::launchpad::error::list;
use crate::launchpad::listing;

pub fn run(context: &Context, args: &ChangeArgs) -> Result<Exit> {
    let store = context.open()?;
    let what = |count, _| format!("refresh {}", number(count, "workflow"));
    let found = args.workflows(context, &*store, what)?;
    for fw_id in found.iter().filter_map(listing::workflow_id) {
        let wrong = store.refresh(fw_id, Timestamp::now())?;
        if !wrong.is_empty() {
            tracing::info!("the workflow of fw_id {fw_id}: put right {}", list(&wrong));
        }
    }
    tracing::info!("Finished refreshing {} Workflows", found.len());
    Ok(Exit::Done)
}
