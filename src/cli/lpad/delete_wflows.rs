//! `lpad delete_wflows`: whole workflows go, with their fireworks and launches, and what runs in
//! them is ended.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Context;
use super::steer::{self, StopArgs};
use crate::cli::exit::{Exit, failure};
use crate::launchpad::cancel::Runs;
use crate::launchpad::delete::delete;
use crate::launchpad::listing;

pub fn run(context: &Context, args: &StopArgs) -> Result<Exit> {
    let store = context.open()?;
    let doomed = args.change.doomed_workflows(context, &*store)?;
    let ids: Vec<_> = doomed.iter().filter_map(listing::workflow_id).collect();
    let runs = Runs::before(&*store, &ids, args.keep_running)?;
    let gone = delete(&*store, &doomed)?;
    let (stopped, mut stops) = runs.stopped_by(&*store, &gone.iter().copied().collect::<BTreeSet<_>>())?;
    stops.extend(steer::stop(context, &stopped, None));
    let failed = steer::tell(stops);
    tracing::info!("Finished deleting {} WFs ({} FWs)", doomed.len(), gone.len());
    if failed.is_empty() { Ok(Exit::Done) } else { Err(failure(Exit::SomeFailed, failed.join("\n"))) }
}
