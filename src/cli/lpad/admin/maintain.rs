//! `lpad admin maintain`: what idle workers do, now and then, by hand or by a service.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;

use super::super::{Context, steer};
use crate::cli::exit::Exit;
use crate::launchpad::lost::{RESERVATION_EXPIRATION, unreserved};
use crate::store::{Store, Verb};
use crate::verbs::mend;
use crate::verbs::steer::Act;
use crate::workflow::{FwId, duration};

/// Arguments of `lpad admin maintain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Again and again, until it is stopped
    #[arg(long)]
    infinite: bool,

    /// With --infinite: rest for so long in between
    #[arg(long = "maintain_interval", value_name = "DURATION", value_parser = duration::parse, default_value = "120")]
    interval: Duration,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    loop {
        let exit = pass(context, &*store)?;
        if !args.infinite {
            return Ok(exit);
        }
        std::thread::sleep(args.interval);
    }
}

fn pass(context: &Context, store: &dyn Store) -> Result<Exit> {
    tracing::info!("Performing maintenance on Launchpad...");
    mend(context.here(store), None)?;
    let old = unreserved(store, RESERVATION_EXPIRATION)?;
    let mut exit = Exit::Done;
    if !old.is_empty() {
        let fw_ids: Vec<FwId> = old.iter().map(|launch| launch.fw_id).collect();
        let launches: Vec<_> = old.iter().map(|launch| launch.launch_id).collect();
        tracing::info!("Unreserved {} RESERVED launches: {launches:?}", launches.len());
        let act =
            Act { what: "admin maintain", verb: &|_| Verb::Rerun, fw_ids: &fw_ids, seen: HashMap::new(), lowest: None };
        let (turns, stops) = steer::steer_and_stop(context, store, &act, false)?;
        exit = steer::finish(&turns, &stops, Verb::Rerun)?;
    }
    tracing::info!("LaunchPad was MAINTAINED.");
    Ok(exit)
}
