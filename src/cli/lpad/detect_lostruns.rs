//! `lpad detect_lostruns`: runs that nobody is about any more, and fireworks that do not know that
//! their launch has ended.

use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use super::get_fws::show;
use super::healing::Late;
use super::listing::Shown;
use super::{Context, healing};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::select::query;
use crate::launchpad::lost::{self, Search};
use crate::store::Store;
use crate::workflow::{Firework, FwId, LaunchId};

/// Arguments of `lpad detect_lostruns`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runs of Python FireWorks are lost after so many seconds without a ping; those of Volley when
    /// their lease has ended, whatever is said here
    #[arg(long, value_name = "SECONDS", default_value_t = 14_400)]
    time: u32,

    /// End the lost runs; their fireworks are FIZZLED
    #[arg(long, conflicts_with = "rerun")]
    fizzle: bool,

    /// End the lost runs; their fireworks are READY again. Whatever else dead processes have left
    /// half done is finished, too, as idle workers do it
    #[arg(long)]
    rerun: bool,

    /// Tell fireworks that do not know it that their launch has ended
    #[arg(long)]
    refresh: bool,

    /// Only runs that were heard of for at most so many seconds
    #[arg(long = "max_runtime", value_name = "SECONDS")]
    max_runtime: Option<u32>,

    /// Only runs that were heard of for at least so many seconds
    #[arg(long = "min_runtime", value_name = "SECONDS")]
    min_runtime: Option<u32>,

    /// Only runs of fireworks that match, in MongoDB's language; on a MongoDB launchpad
    #[arg(short, long, value_name = "QUERY", value_parser = query)]
    query: Option<bson::Document>,

    /// Only launches that match, likewise [FireWorks: -lq]
    #[arg(long = "launch_query", value_name = "QUERY", value_parser = query)]
    launch_query: Option<bson::Document>,

    /// Show the fireworks, too: ids, count, less, more, all or none
    #[arg(short, long = "display_format", value_name = "FORMAT")]
    display: Option<Shown>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let witness = Late::new(context, &*store);
    let mut found = lost::search(&*store, &witness, &args.search(&*store)?)?;
    let doubtful = lost::doubtful(&found, store.clock()?);
    if (args.rerun || args.fizzle)
        && let Some(doubt) = doubtful.values().max()
    {
        // As idle workers do: a lease may have ended because nobody could renew it.
        healing::mend(context, &*store, Some(&doubtful.keys().copied().collect::<Vec<_>>()))?;
        tracing::info!("waiting {} s for workers that renew their leases after all", doubt.as_secs() + 1);
        std::thread::sleep(doubt.unsigned_abs() + Duration::from_secs(1));
        found = lost::search(&*store, &witness, &args.search(&*store)?)?;
    }
    let now = Timestamp::now();
    if args.rerun || args.fizzle {
        // At once, or never, however often they have been lost: a person has decided.
        lost::end(&*store, &witness, &found, if args.fizzle { 0 } else { u64::MAX }, now)?;
    }
    if args.rerun {
        healing::mend(context, &*store, None)?;
    }
    if args.refresh {
        for firework in &found.inconsistent {
            store.refresh(firework.fw_id, now)?;
        }
    }
    let ids = |fireworks: &[Firework]| fireworks.iter().map(|firework| firework.fw_id).collect::<Vec<FwId>>();
    let (lost, inconsistent) = (ids(&found.lost), ids(&found.inconsistent));
    output::text(&format!(
        "\nDetection completed:\n  Lost launches: {}\n  Lost FireWorks: {}\n  Inconsistent FireWorks: {}",
        found.launches.len(),
        lost.len(),
        inconsistent.len()
    ))?;
    for (launch, loss) in &found.launches {
        tracing::info!("launch {} of fw_id {}: {loss}", launch.launch_id, launch.fw_id);
    }
    for (what, ids, fireworks) in [("lost", &lost, &found.lost), ("inconsistent", &inconsistent, &found.inconsistent)] {
        tracing::info!("Detected {} {what} FWs: {ids:?}", ids.len());
        if let Some(display) = args.display.and_then(|shown| shown.0) {
            show(context.format, &*store, fireworks, display)?;
        }
    }
    let hint =
        |what, how| output::text(&format!("You can fix {what} FWs using the {how} to the detect_lostruns command"));
    if !lost.is_empty() && !args.fizzle && !args.rerun {
        hint("lost", "--rerun or --fizzle arguments")?;
    }
    if !inconsistent.is_empty() && !args.refresh {
        hint("inconsistent", "--refresh argument")?;
    }
    Ok(Exit::Done)
}

impl Args {
    fn search(&self, store: &dyn Store) -> Result<Search> {
        let seconds = |seconds: u32| SignedDuration::from_secs(i64::from(seconds));
        let fireworks = self.query.as_ref().map(|query| store.matching_fireworks(query)).transpose()?;
        let launches: Option<Vec<LaunchId>> =
            self.launch_query.as_ref().map(|query| store.matching_launches(query)).transpose()?;
        Ok(Search {
            silence: seconds(self.time),
            min_runtime: self.min_runtime.map(seconds),
            max_runtime: self.max_runtime.map(seconds),
            fireworks,
            launches,
        })
    }
}
