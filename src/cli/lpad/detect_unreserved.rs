//! `lpad detect_unreserved`: reservations that no queue job has come for.

use anyhow::Result;
use jiff::SignedDuration;

use super::get_fws::show;
use super::listing::Shown;
use super::{Context, steer};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::launchpad::lost;
use crate::store::{FireworkQuery, Verb};
use crate::workflow::FwId;

/// Arguments of `lpad detect_unreserved`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Reservations that have stood for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1_209_600)]
    time: u32,

    /// Undo them: the fireworks are READY again, and their queue jobs are cancelled if they still wait
    #[arg(long)]
    rerun: bool,

    /// Show the fireworks, too: ids, count, less, more, all or none
    #[arg(short, long = "display_format", value_name = "FORMAT")]
    display: Option<Shown>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let old = lost::unreserved(&*store, SignedDuration::from_secs(i64::from(args.time)))?;
    let fw_ids: Vec<FwId> = old.iter().map(|launch| launch.fw_id).collect();
    if let Some(display) = args.display.and_then(|shown| shown.0) {
        let these = FireworkQuery { ids: Some(fw_ids.clone()), ..FireworkQuery::default() };
        show(context.format, &*store, &store.find_fireworks(&these)?, display)?;
    }
    let launches: Vec<_> = old.iter().map(|launch| launch.launch_id).collect();
    output::text(&format!("{launches:?}"))?;
    if !args.rerun || fw_ids.is_empty() {
        return Ok(Exit::Done);
    }
    let (turns, stops) = steer::steer_and_stop(context, &*store, Verb::Rerun, &fw_ids, false)?;
    steer::finish(&turns, stops, Verb::Rerun, "FWs")
}
