//! `lpad admin unlock`: locks of workflows are taken from whoever holds them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use anyhow::Result;
use bson::doc;
use jiff::Timestamp;

use super::super::Context;
use super::super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{Progress, number};
use crate::launchpad::selection::Chosen;
use crate::launchpad::{deed, listing};
use crate::store::{Store, Unlocking, WorkflowQuery};
use crate::workflow::FwId;

/// Arguments of `lpad admin unlock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    change: ChangeArgs,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let what = |count, _| format!("unlock {}", number(count, "workflow"));
    let found = args.change.ill_workflows(context, &*store, what)?;
    let (mut held, mut taken) = (Vec::new(), Vec::new());
    let locked = locked(&*store, &found)?;
    let progress = Progress::new("unlocking workflows", locked.len());
    for workflow in &locked {
        let fw_id = workflow.id;
        match store.unlock(fw_id, args.change.says_yes(), Timestamp::now())? {
            Unlocking::Free => tracing::debug!("the workflow of fw_id {fw_id} is not locked"),
            Unlocking::Taken(by) => {
                taken.push(workflow.lowest());
                tracing::warn!("FORCIBLY RELEASING LOCK DUE TO USER COMMAND, WF: {fw_id}; it was held by {by}");
            }
            Unlocking::Held(by) => held.push(format!(
                "the workflow of fw_id {fw_id} is locked by {by}, which may be alive; its lock ends by itself, at most 30 s after its holder has died (--yes takes it at once)"
            )),
        }
        progress.advance(1);
    }
    drop(progress);
    tracing::info!("Finished unlocking {} Workflows", taken.len());
    let unlocked = taken.len();
    deed::of_workflows(&*store, "admin unlock", taken, None);
    match (unlocked, held.is_empty()) {
        (0, true) => {
            let text = format!("none of {} is locked; nothing was changed", number(found.len(), "workflow"));
            Err(failure(Exit::NothingSelected, text))
        }
        (_, true) => Ok(Exit::Done),
        (0, false) => Err(failure(Exit::Error, held.join("\n"))),
        (_, false) => Err(failure(Exit::SomeFailed, held.join("\n"))),
    }
}

/// Those that are locked, which are few.
fn locked<'w>(store: &dyn Store, workflows: &'w [Chosen]) -> Result<Vec<&'w Chosen>> {
    let query = WorkflowQuery {
        fw_ids: Some(workflows.iter().map(|workflow| workflow.id).collect()),
        matching: Some(doc! { "locked": { "$exists": true } }),
        ..WorkflowQuery::default()
    };
    let mut ids: HashSet<FwId> = HashSet::new();
    store.each_workflow(&query, &mut |some| {
        ids.extend(some.iter().filter_map(listing::workflow_id));
        ControlFlow::Continue(())
    })?;
    Ok(workflows.iter().filter(|workflow| ids.contains(&workflow.id)).collect())
}
