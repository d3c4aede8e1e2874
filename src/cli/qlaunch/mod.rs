//! `qlaunch`: has a queue run what is READY.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use crate::cli::common::CommonArgs;
use crate::cli::exit::{self, Exit};
use crate::config::duration;
use crate::queue::local;

use jobs::Jobs;

mod able;
mod context;
mod detach;
mod elastic;
mod jobs;
mod preview;
mod rapidfire;
mod repeat;
mod rocket;
mod signal;
mod singleshot;
mod status;
mod stop;
mod suits;

/// Have a queue run what is READY
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

/// The options of every verb.
#[derive(Debug, clap::Args)]
struct Options {
    #[command(flatten)]
    common: CommonArgs,

    /// The queue adapter's file, instead of my_qadapter.yaml; without one the queue is Slurm where there is an sbatch,
    /// else this machine
    #[arg(short, long = "queueadapter_file", global = true, value_name = "FILE")]
    queueadapter_file: Option<PathBuf>,

    /// Where jobs are submitted from, and blocks are made
    #[arg(long = "launch_dir", global = true, value_name = "DIR", default_value = ".")]
    launch_dir: PathBuf,

    /// The block to begin with, below the launch_dir; it need not exist [default: the newest]
    #[arg(long = "block_dir", global = true, value_name = "DIR")]
    block_dir: Option<PathBuf>,

    /// Reserve a firework for each job, which gets its name and its `_queueadapter`, and runs it alone
    #[arg(short, long, global = true)]
    reserve: bool,

    /// Submit jobs although nothing is READY; also -fm
    #[arg(long = "fill_mode", global = true)]
    fill_mode: bool,

    /// Do it again after so long (90, 90s, 10m), until stopped; 0: once
    #[arg(short, long, global = true, value_name = "TIME", value_parser = duration::parse, default_value = "0")]
    #[arg(hide_default_value = true)]
    daemon: Duration,

    /// Go on in the background, in a session of its own: the end of the terminal or of the login is not heard
    #[arg(long, global = true)]
    detach: bool,

    /// Where --detach writes [default: qlaunch-ID.log in the launch_dir]
    #[arg(long, global = true, value_name = "FILE")]
    log: Option<PathBuf>,

    /// The name of a launcher that was detached
    #[arg(long = "in-session", global = true, value_name = "ID", hide = true)]
    in_session: Option<String>,

    /// Longest time between two listings of the queue (90, 90s, 10m) [default: 60s]
    #[arg(long, global = true, value_name = "TIME", value_parser = duration::parse)]
    poll: Option<Duration>,

    /// FireWorks' way to launch on another host
    #[arg(long = "remote_host", global = true, hide = true, num_args = 1.., value_parser = elsewhere)]
    #[arg(aliases = ["remote_config_dir", "remote_user", "remote_password", "remote_shell", "remote_keyfile"])]
    #[arg(alias = "remote_setup")]
    _remote_host: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Submit one job, unless nothing is READY
    Singleshot(singleshot::Args),
    /// Submit jobs until everything READY has one, each in a folder of its own
    Rapidfire(rapidfire::Args),
    /// Keep pilots in the queue, jobs that run one firework after the other, as many as there is work for
    Elastic(elastic::Args),
    /// Print the script that a job would be submitted with, and submit nothing
    Preview,
    /// List the launchers of this launchpad that go on, wherever they run, and the places of their jobs
    Status(status::Args),
    /// Ask a launcher to stop, wherever it runs; its jobs go on
    Stop(stop::Args),
    /// What the local queue starts its jobs with
    #[command(hide = true)]
    LocalJob {
        /// The record of the job
        record: PathBuf,
    },
}

fn elsewhere(_: &str) -> Result<String, String> {
    Err("launching on another host is not supported: log in there, as in `ssh HOST qlaunch rapidfire`".to_owned())
}

/// Runs `qlaunch`. The code is 128 plus the number of the signal that stopped it.
pub fn run(args: Args) -> Result<ExitCode> {
    let Args { options, verb } = args;
    check(&options, &verb)?;
    if options.in_session.is_some() {
        detach::leave_session()?;
    } else if options.detach {
        return detach::detach(&options);
    }
    match verb {
        Verb::Singleshot(wanted) => singleshot::run(&wanted, &options),
        Verb::Rapidfire(wanted) => rapidfire::run(&wanted, &options),
        Verb::Elastic(wanted) => elastic::run(&wanted, &options),
        Verb::Preview => preview::run(&Jobs::open(&options)?, &options.launch_dir),
        Verb::Status(wanted) => status::run(&wanted, &options),
        Verb::Stop(wanted) => stop::run(&wanted, &options),
        Verb::LocalJob { record } => {
            local::supervise(&record)?;
            Ok(Exit::Done.into())
        }
    }
}

/// Refuses options that have no meaning together.
fn check(options: &Options, verb: &Verb) -> Result<()> {
    let repeats = matches!(verb, Verb::Singleshot(_) | Verb::Rapidfire(_));
    let is_elastic = matches!(verb, Verb::Elastic(_));
    let why = if options.fill_mode && options.reserve {
        "--fill_mode submits jobs although nothing is READY, and -r one for each READY firework"
    } else if options.detach && !repeats && !is_elastic {
        "--detach is for what goes on: singleshot, rapidfire and elastic"
    } else if !options.daemon.is_zero() && !repeats {
        "--daemon repeats singleshot and rapidfire"
    } else if is_elastic && (options.fill_mode || options.reserve) {
        "pilots take what is READY: -r and --fill_mode have no meaning for them"
    } else if options.log.is_some() && !options.detach {
        "--log is where --detach writes; without it the log goes to stderr"
    } else {
        return Ok(());
    };
    Err(exit::failure(Exit::Usage, why))
}
