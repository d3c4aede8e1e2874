//! `rlaunch`: run fireworks here.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use bson::Bson;
use clap::Subcommand;
use serde_json::Value;

use crate::cli::common::{CommonArgs, open_store};
use crate::config::{Settings, duration};
use crate::firetask::guard;
use crate::rocket::allocation::{SlotCount, read_node_file};
use crate::rocket::{self, Done, Limit, Rapidfire};
use crate::workflow::{FwId, json};

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
        /// How many run side by side, in this one process: a number, or `auto` (as many as the Slurm job
        /// has tasks, or CPUs divided by --cpus-per-task; outside of one, as this machine has cores)
        #[arg(long, value_name = "N", default_value = "1")]
        slots: SlotCount,
        #[command(flatten)]
        series: Series,
    },
    /// Run fireworks side by side, in one process: `rapidfire --slots N`
    Multi {
        /// How many run side by side
        #[arg(value_name = "N")]
        num_jobs: SlotCount,
        /// A file (or the variable that names it) with the nodes that are dealt out to the slots, one a
        /// line, instead of those of the Slurm job; fireworks find theirs in VOLLEY_NODELIST
        #[arg(long, value_name = "FILE")]
        nodefile: Option<String>,
        /// Taken for FireWorks' sake, without effect: a firework asks for slots (`_slots`) or nodes
        /// (`_nodes`), and knows how many processes it starts on them
        #[arg(long, value_name = "N")]
        ppn: Option<u32>,
        /// Leave this host out of the nodes of --nodefile
        #[arg(long = "exclude_current_node", requires = "nodefile")]
        exclude_current_node: bool,
        #[command(flatten)]
        series: Series,
    },
}

/// What `rapidfire` and `multi` have in common.
#[derive(Debug, clap::Args)]
struct Series {
    /// How many in all: a number, 0 (until none are left or can become ready) or `infinite`
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
    /// End after this time without work (90, 90s, 10m), whatever --nlaunches says
    #[arg(long = "max-idle", value_name = "TIME", value_parser = duration::parse)]
    max_idle: Option<Duration>,
    /// Taken for FireWorks' sake, without effect: the shell redirects (`rlaunch ... > out 2> log`)
    #[arg(long = "local_redirect")]
    local_redirect: bool,
    /// Do not end for want of work while no more than so many jobs of the ledger would be left
    #[arg(long, value_name = "N", hide = true)]
    least: Option<usize>,
    /// Only fireworks with this `_queueadapter`; `null` for those that have none
    #[arg(long, value_name = "JSON", hide = true, value_parser = resources)]
    queueadapter: Option<Bson>,
}

fn resources(text: &str) -> std::result::Result<Bson, String> {
    match serde_json::from_str(text).map_err(|error| error.to_string())? {
        value @ (Value::Null | Value::Object(_)) => Ok(json::to_bson(&value)),
        _ => Err("expected a mapping, or null".to_owned()),
    }
}

impl Series {
    fn options(self, settings: &Settings, slots: SlotCount, nodes: Option<Vec<String>>) -> Rapidfire {
        if self.local_redirect {
            tracing::warn!("--local_redirect has no effect: redirect in the shell, `rlaunch ... > out 2> log`");
        }
        Rapidfire {
            slots: slots.resolve(),
            nodes,
            nlaunches: self.nlaunches,
            sleep: self.sleep.unwrap_or(settings.fw_config.rapidfire_sleep),
            timeout: self.timeout,
            max_loops: u64::try_from(self.max_loops).ok(),
            max_idle: self.max_idle,
            least: self.least,
            resources: self.queueadapter,
        }
    }
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
        Verb::Rapidfire { slots, series } => {
            rocket::rapidfire(&*store, &settings, &base, &series.options(&settings, slots, None))?
        }
        Verb::Multi { num_jobs, nodefile, ppn, exclude_current_node, series } => {
            let nodes = nodefile.map(|file| nodes_of(&file, exclude_current_node)).transpose()?;
            if ppn.is_some() {
                tracing::warn!("--ppn has no effect: fireworks ask for slots (`_slots`) or nodes (`_nodes`)");
            }
            rocket::rapidfire(&*store, &settings, &base, &series.options(&settings, num_jobs, nodes))?
        }
    };
    Ok(code(done))
}

/// The nodes of a file, or of the one that a variable of this name holds, as with PBS_NODEFILE.
fn nodes_of(file: &str, without_this: bool) -> Result<Vec<String>> {
    let path = std::env::var_os(file).map_or_else(|| PathBuf::from(file), PathBuf::from);
    let here = gethostname::gethostname();
    let without = without_this.then(|| here.to_string_lossy());
    Ok(read_node_file(&path, without.as_deref())?)
}

fn code(done: Done) -> ExitCode {
    done.signal.map_or(ExitCode::SUCCESS, |signal| ExitCode::from(128 + u8::try_from(signal).unwrap_or(0)))
}
