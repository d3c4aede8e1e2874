//! `rlaunch`: run fireworks here.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::cli::common::{CommonArgs, open_store};
use crate::config::duration;
use crate::firetask::guard;
use crate::rocket::{self, Done, Limit, Rapidfire};
use crate::workflow::FwId;

/// Run fireworks here
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run one firework in this directory
    Singleshot {
        /// This firework, whatever the worker takes otherwise
        #[arg(short, long = "fw_id", value_name = "ID")]
        fw_id: Option<FwId>,
        /// Run the firework of FW.json, which `qlaunch -r` has left here, without any launchpad
        #[arg(long)]
        offline: bool,
    },
    /// Run fireworks, each in a directory of its own, until none are left
    Rapidfire {
        /// How many: a number, 0 (until none are left or can become ready) or `infinite`
        #[arg(long, value_name = "N", default_value = "0", allow_hyphen_values = true)]
        nlaunches: Limit,
        /// How long to wait when nothing is ready (90, 90s, 10m); new work ends the wait
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        sleep: Option<Duration>,
        /// Begin nothing after this time (90, 90s, 10m)
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        timeout: Option<Duration>,
        /// How often to wait; -1 for no limit
        #[arg(long = "max_loops", value_name = "N", default_value_t = -1, allow_hyphen_values = true)]
        max_loops: i64,
    },
}

/// Runs `rlaunch`. The code is 0 when what was claimed is recorded, whatever came of it, and 128
/// plus the number of the signal that ended it.
pub fn run(args: Args) -> Result<ExitCode> {
    let settings = args.common.settings()?;
    let base = std::env::current_dir().context("cannot tell the present directory")?;
    guard::want(std::env::current_exe().context("cannot tell where this binary is")?, super::GUARD);
    if let Verb::Singleshot { offline: true, .. } = args.verb {
        return Ok(code(rocket::offline::offline(&settings, &base)?));
    }
    let store = open_store(&settings)?;
    let done = match args.verb {
        Verb::Singleshot { fw_id, .. } => rocket::singleshot(&*store, &settings, &base, fw_id)?,
        Verb::Rapidfire { nlaunches, sleep, timeout, max_loops } => {
            let options = Rapidfire {
                nlaunches,
                sleep: sleep.unwrap_or(settings.fw_config.rapidfire_sleep),
                timeout,
                max_loops: u64::try_from(max_loops).ok(),
            };
            rocket::rapidfire(&*store, &settings, &base, &options)?
        }
    };
    Ok(code(done))
}

fn code(done: Done) -> ExitCode {
    done.signal.map_or(ExitCode::SUCCESS, |signal| ExitCode::from(128 + u8::try_from(signal).unwrap_or(0)))
}
