//! `lpad detect_lostruns`: runs that nobody is about any more, and fireworks that do not know that
//! their launch has ended.

use std::time::Duration;

use anyhow::Result;
use bson::Document;
use jiff::{SignedDuration, Timestamp};

use super::Context;
use super::get_fws::show;
use super::listing::Shown;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::select::query;
use crate::launchpad::deed;
use crate::launchpad::lost::{self, Search};
use crate::store::{FireworkQuery, Store};
use crate::verbs::mend;
use crate::workflow::{Firework, FwId, LaunchId, duration};

/// Arguments of `lpad detect_lostruns`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runs of Python FireWorks are lost after so long without a ping (4h, or seconds); those of Volley
    /// when their lease has ended, whatever is said here
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "14400")]
    time: Duration,

    /// End the lost runs; their fireworks are FIZZLED
    #[arg(long, conflicts_with = "rerun")]
    fizzle: bool,

    /// End the lost runs; their fireworks are READY again, however often they have been lost (idle
    /// workers give up after `max_lost` times). Whatever else dead processes have left half done is
    /// finished, too
    #[arg(long)]
    rerun: bool,

    /// Tell fireworks that do not know it that their launch has ended
    #[arg(long)]
    refresh: bool,

    /// Only runs that were heard of for at most so long after they had begun
    #[arg(long = "max_runtime", value_name = "DURATION", value_parser = duration::parse)]
    max_runtime: Option<Duration>,

    /// Only runs that were heard of for at least so long
    #[arg(long = "min_runtime", value_name = "DURATION", value_parser = duration::parse)]
    min_runtime: Option<Duration>,

    /// Only runs of fireworks that match, in MongoDB's language
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
    let here = context.here(&*store);
    let mut found = lost::search(&*store, &here, &args.search(&*store)?)?;
    let doubtful = lost::doubtful(&found, store.clock()?);
    if (args.rerun || args.fizzle)
        && let Some(doubt) = doubtful.values().max()
    {
        // As idle workers do: a lease may have ended because nobody could renew it.
        mend(here, Some(&doubtful.keys().copied().collect::<Vec<_>>()))?;
        tracing::info!("waiting {} s for workers that renew their leases after all", doubt.as_secs() + 1);
        std::thread::sleep(doubt.unsigned_abs() + Duration::from_secs(1));
        found = lost::search(&*store, &here, &args.search(&*store)?)?;
    }
    let now = Timestamp::now();
    if args.rerun || args.fizzle {
        // At once, or never, however often they have been lost: a person has decided.
        lost::end(&*store, &here, &found, if args.fizzle { 0 } else { u64::MAX }, now)?;
        let ended = found.launches.iter().map(|(launch, _)| launch.fw_id).collect();
        let how = if args.fizzle { "--fizzle" } else { "--rerun" };
        deed::of_fireworks(&*store, "detect_lostruns", ended, Some(how.to_owned()));
    }
    if args.rerun {
        mend(here, None)?;
    }
    if args.refresh {
        for firework in &found.inconsistent {
            store.refresh(firework.fw_id, now)?;
        }
        let refreshed = found.inconsistent.iter().map(|firework| firework.fw_id).collect();
        deed::of_fireworks(&*store, "detect_lostruns", refreshed, Some("--refresh".to_owned()));
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
        let signed = |time: Duration| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        let matching = |query: &Document| {
            store.firework_ids(&FireworkQuery { matching: Some(query.clone()), ..FireworkQuery::default() })
        };
        let fireworks = self.query.as_ref().map(matching).transpose()?;
        let launches: Option<Vec<LaunchId>> =
            self.launch_query.as_ref().map(|query| store.matching_launches(query)).transpose()?;
        Ok(Search {
            silence: signed(self.time),
            min_runtime: self.min_runtime.map(signed),
            max_runtime: self.max_runtime.map(signed),
            fireworks,
            launches,
        })
    }
}
