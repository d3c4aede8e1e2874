//! `lpad recover_offline`: what ran without the launchpad, or could not report to it, is recorded.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::Context;
use crate::cli::exit::{Exit, failure};
use crate::queue::LaunchpadId;
use crate::rocket::drain::{self, Fate, results_below, results_in};
use crate::rocket::recover::{Recovered, recover};
use crate::store::{FireworkQuery, Store};
use crate::workflow::{FwId, LaunchId, State};

/// Arguments of `lpad recover_offline`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to look for results that workers have left, with all below it [default: here, and where RUNNING
    /// fireworks run, as far as that is on this machine]
    #[arg(value_name = "DIR")]
    places: Vec<PathBuf>,

    /// The same
    #[arg(long = "dir", value_name = "DIR")]
    dirs: Vec<PathBuf>,

    /// Exit with 0 whatever could not be recovered
    #[arg(short = 'i', long = "ignore_errors")]
    ignore_errors: bool,

    /// Say why something could not be recovered [FireWorks: -pe]
    #[arg(long = "print-errors", alias = "print_errors")]
    print_errors: bool,
}

/// What was recovered, and what was not.
#[derive(Default)]
struct Tally {
    recovered: Vec<FwId>,
    failed: Vec<FwId>,
    errors: Vec<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let mut tally = Tally::default();
    recover_runs(context, &*store, &mut tally)?;
    recover_results(context, args, &*store, &mut tally)?;
    let Tally { recovered, failed, errors } = tally;
    tracing::info!("FINISHED recovering offline runs. {} job(s) recovered: {recovered:?}", recovered.len());
    if !failed.is_empty() {
        tracing::info!("FAILED to recover offline fw_ids: {failed:?}");
    }
    if args.ignore_errors || errors.is_empty() {
        if args.print_errors {
            errors.iter().for_each(|error| tracing::warn!("{error}"));
        }
        return Ok(Exit::Done);
    }
    let exit = if recovered.is_empty() { Exit::Error } else { Exit::SomeFailed };
    Err(failure(exit, errors.join("\n")))
}

/// Offline runs, of this worker where a file names one.
fn recover_runs(context: &Context, store: &dyn Store, tally: &mut Tally) -> Result<()> {
    let settings = &context.settings;
    let worker = settings.fworker_file.as_ref().map(|_| settings.fworker.name.as_str());
    for run in store.offline_runs()? {
        match recover(store, &run, worker, Timestamp::now()) {
            Ok(Some(Recovered::Gone)) => {
                tracing::warn!("fw_id {}: launch {} is not open any more; forgotten", run.fw_id, run.launch_id);
            }
            Ok(None | Some(Recovered::Waiting)) => {}
            Ok(Some(what)) => {
                tracing::info!("fw_id: {} {}", run.fw_id, said(what));
                tally.recovered.push(run.fw_id);
            }
            Err(error) => {
                tally.failed.push(run.fw_id);
                tally.errors.push(format!("fw_id {}: {error}", run.fw_id));
            }
        }
    }
    Ok(())
}

fn said(what: Recovered) -> String {
    match what {
        Recovered::Ended(state) => state.to_string(),
        Recovered::GivenBack => "was told to end, and is READY again".to_owned(),
        _ => State::Running.to_string(),
    }
}

/// Results that workers have left.
fn recover_results(context: &Context, args: &Args, store: &dyn Store, tally: &mut Tally) -> Result<()> {
    let launchpad = LaunchpadId::of(&context.settings.location);
    let mut files = Vec::new();
    for place in args.places.iter().chain(&args.dirs) {
        let place = std::path::absolute(place).context("no present directory")?;
        if !place.is_dir() {
            anyhow::bail!("{}: there is no such directory", place.display());
        }
        files.extend(results_below(&place));
    }
    if args.places.is_empty() && args.dirs.is_empty() {
        files.extend(results_below(&std::env::current_dir().context("cannot tell the present directory")?));
        files.extend(running_directories(store)?.iter().flat_map(|directory| results_in(directory)));
    }
    files.sort();
    files.dedup();
    for file in files {
        match drain::drain(store, &launchpad, &file) {
            Ok(fate) => {
                drain::tell(&file, &fate.1);
                if fate.1 == Fate::Recorded {
                    tally.recovered.push(fate.0);
                }
            }
            // A worker was faster.
            Err(_) if !file.exists() => {}
            Err(error) => tally.errors.push(error.to_string()),
        }
    }
    Ok(())
}

/// Where RUNNING fireworks run, as far as that is on this machine.
fn running_directories(store: &dyn Store) -> Result<Vec<PathBuf>> {
    let running = FireworkQuery { states: vec![State::Running], ..FireworkQuery::default() };
    let launches: Vec<LaunchId> =
        store.find_fireworks(&running)?.into_iter().flat_map(|firework| firework.launches).collect();
    let found = store.find_launches(&launches)?.into_iter().map(|launch| PathBuf::from(launch.launch_dir));
    Ok(found.filter(|directory| directory.is_dir()).collect())
}
