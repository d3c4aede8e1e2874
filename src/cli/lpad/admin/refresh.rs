//! `lpad admin refresh`: what follows from the fireworks of workflows, derived anew.

use anyhow::Result;
use jiff::Timestamp;

use super::super::Context;
use super::super::change::ChangeArgs;
use crate::cli::exit::Exit;
use crate::cli::output::{Progress, number};
use crate::launchpad::deed;
use crate::launchpad::error::list;

pub fn run(context: &Context, args: &ChangeArgs) -> Result<Exit> {
    let store = context.open()?;
    let what = |count, _| format!("refresh {}", number(count, "workflow"));
    let found = args.workflows(context, &*store, what)?;
    let mut mended = Vec::new();
    let progress = Progress::new("refreshing workflows", found.len());
    for workflow in &found {
        let wrong = store.refresh(workflow.id, Timestamp::now())?;
        if !wrong.is_empty() {
            tracing::info!("the workflow of fw_id {}: put right {}", workflow.id, list(&wrong));
            mended.extend(wrong);
        }
        progress.advance(1);
    }
    drop(progress);
    tracing::info!("Finished refreshing {} Workflows", found.len());
    deed::of_fireworks(&*store, "admin refresh", mended, None);
    Ok(Exit::Done)
}
