//! `lpad update_fws`: changes in the specs of fireworks that do not run.

use std::collections::HashSet;

use anyhow::{Result, anyhow};
use bson::Document;
use jiff::Timestamp;

use super::change::ChangeArgs;
use super::{Context, steer};
use crate::cli::exit::{Exit, failure};
use crate::cli::select::query;
use crate::launchpad::deed;
use crate::launchpad::error::list;
use crate::workflow::{FwId, SpecChange};

/// Arguments of `lpad update_fws`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    change: ChangeArgs,

    /// What to set in the specs, as JSON; a key may be a path: '{"_tasks.1.script": "true"}'
    #[arg(short, long, value_name = "JSON", required = true, value_parser = query)]
    update: Document,

    /// The update is one of MongoDB, of parts of the spec: '{"$unset": {"spec.a": ""}}', with $set and $unset
    #[arg(long)]
    mongo: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let change =
        if args.mongo { SpecChange::of_update(&args.update) } else { SpecChange::setting(args.update.clone()) };
    let change = change.map_err(|error| anyhow!("--update: {error}"))?;
    let store = context.open()?;
    let what = |fireworks: &str| format!("change the specs of {fireworks}");
    let ids = steer::ids(&args.change.fireworks(context, &*store, what)?);
    let changed: HashSet<FwId> = store.update_specs(&ids, &change, Timestamp::now())?.into_iter().collect();
    let left: Vec<FwId> = ids.into_iter().filter(|id| !changed.contains(id)).collect();
    if !changed.is_empty() {
        tracing::info!("Finished updating {} FWs", changed.len());
    }
    // Not the values: they may be secret.
    let mut paths: Vec<&str> = change.paths().collect();
    paths.sort_unstable();
    let note = paths.join(", ");
    deed::of_fireworks(&*store, "update_fws", changed.iter().copied().collect(), Some(note));
    if left.is_empty() {
        return Ok(Exit::Done);
    }
    let exit = if changed.is_empty() { Exit::Error } else { Exit::SomeFailed };
    let why = "a spec can be changed while its firework is READY, WAITING, FIZZLED, DEFUSED or PAUSED; rerun it first";
    Err(failure(exit, format!("unchanged: firework {}: {why}", list(&left))))
}
