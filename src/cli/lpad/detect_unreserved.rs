//! `lpad detect_unreserved`: reservations that no queue job has come for.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use jiff::SignedDuration;

use super::get_fws::show;
use super::listing::Shown;
use super::{Context, steer};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::launchpad::lost;
use crate::store::{FireworkQuery, Verb};
use crate::verbs::steer::Act;
use crate::workflow::{FwId, duration};

/// Arguments of `lpad detect_unreserved`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Reservations that have stood for so long: 12h, 14d, or seconds
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "1209600")]
    time: Duration,

    /// Undo them: the fireworks are READY again, and their queue jobs are cancelled if they still wait
    #[arg(long)]
    rerun: bool,

    /// Show the fireworks, too: ids, count, less, more, all or none
    #[arg(short, long = "display_format", value_name = "FORMAT")]
    display: Option<Shown>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let old = lost::unreserved(&*store, SignedDuration::try_from(args.time).unwrap_or(SignedDuration::MAX))?;
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
    let act =
        Act { what: "detect_unreserved", verb: &|_| Verb::Rerun, fw_ids: &fw_ids, seen: HashMap::new(), lowest: None };
    let (turns, stops) = steer::steer_and_stop(context, &*store, &act, false)?;
    steer::finish(&turns, &stops, Verb::Rerun)
}
