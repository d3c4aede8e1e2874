//! `lpad delete_wflows`: whole workflows go, with their fireworks and launches, and what runs in
//! them is ended.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Context;
use super::steer::{self, StopArgs};
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{Progress, number};
use crate::launchpad::delete::directories;
use crate::launchpad::remove_dirs::remove;
use crate::store::{Location, Store};
use crate::verbs::delete::delete_workflows;
use crate::verbs::told::Told;
use crate::workflow::Launch;

/// Arguments of `lpad delete_wflows`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    stop: StopArgs,

    /// Remove the launch directories, too: those that were made for launches (launcher_...), and that
    /// nothing else uses
    #[arg(long)]
    ldirs: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let more = if args.ldirs { ", and their launch directories" } else { "" };
    let doomed = args.stop.change.doomed_workflows(context, &*store, more)?;
    let ran_in = if args.ldirs {
        directories(&*store, doomed.iter().flat_map(|workflow| &workflow.members).copied().collect())?
    } else {
        Vec::new()
    };
    let progress = Progress::new("deleting workflows", doomed.len());
    let deleted = delete_workflows(
        context.here(&*store),
        &doomed,
        |_| None,
        args.stop.keep.keep_running,
        |count| progress.advance(count),
    )?;
    drop(progress);
    let mut told = Told::default();
    told.stops(&deleted.stops);
    steer::say(&told);
    tracing::info!("Finished deleting {} WFs ({} FWs)", deleted.count, deleted.gone.len());
    let mut failed = told.refused;
    failed.extend(deleted.failed);
    if args.ldirs {
        failed.extend(remove_directories(context, &*store, ran_in, &deleted.stopped)?);
    }
    if failed.is_empty() { Ok(Exit::Done) } else { Err(failure(Exit::SomeFailed, failed.join("\n"))) }
}

/// Removes launch directories, but those that are in use here. Returns what is left of them, and why.
pub fn remove_directories(
    context: &Context,
    store: &dyn Store,
    ran_in: Vec<PathBuf>,
    stopped: &[Launch],
) -> Result<Vec<String>> {
    // A worker may still be about to end what runs in its directory.
    let mut needed: Vec<PathBuf> = stopped.iter().map(|launch| PathBuf::from(&launch.launch_dir)).collect();
    needed.extend(std::env::current_dir());
    needed.extend(std::env::home_dir());
    if let Location::Sqlite(path) = &context.settings.location {
        needed.extend(std::path::absolute(path));
    }
    let removal = remove(store, ran_in, &needed)?;
    tracing::info!(
        "Removed {}",
        number(removal.removed.len(), "launch directory").replace("directorys", "directories")
    );
    if removal.absent > 0 {
        tracing::info!("{} not on this machine, or gone before", removal.absent);
    }
    let line = |(path, why): &(PathBuf, String)| format!("{} was not removed: {why}", Path::display(path));
    Ok(removal.left.iter().map(line).collect())
}
