//! `qlaunch`: has a queue run what is READY.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bson::Bson;
use clap::Subcommand;
use jiff::Timestamp;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::cli::common::{CommonArgs, open_store};
use crate::cli::exit::{self, Exit};
use crate::cli::output;
use crate::cli::queue::{OpenQueue, open_queue};
use crate::config::qadapter::QueueType;
use crate::config::{Settings, duration};
use crate::launcher::rocket_launch::{RocketOptions, rocket_launch};
use crate::launcher::{
    Ended, Launcher, LauncherError, Launches, MEND, Rapidfire, Reserve, Script, Summary, is_singleshot, walltime,
};
use crate::launchpad::mend::mend_beside;
use crate::launchpad::witness::Watcher;
use crate::queue::local;
use crate::rocket::identity::Identity;
use crate::rocket::{self, Rescuer};
use crate::store::{self, Location, Store};
use crate::workflow::{FWorker, FwId};

/// Have a queue run what is READY
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// The queue adapter's file, instead of my_qadapter.yaml; without one the queue is Slurm where there is an sbatch,
    /// else this machine
    #[arg(short, long = "queueadapter_file", global = true, value_name = "FILE")]
    queueadapter_file: Option<PathBuf>,

    /// Where jobs are submitted from, and blocks are made
    #[arg(long = "launch_dir", global = true, value_name = "DIR", default_value = ".")]
    launch_dir: PathBuf,

    /// Reserve a firework for each job, which gets its name and its `_queueadapter`, and runs it alone
    #[arg(short, long, global = true)]
    reserve: bool,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Submit one job, unless nothing is READY
    Singleshot {
        /// With -r: a job for this firework
        #[arg(short, long = "fw_id", value_name = "ID")]
        fw_id: Option<FwId>,
    },
    /// Submit jobs until everything READY has one, each in a folder of its own
    Rapidfire(RapidfireArgs),
    /// Print the script that a job would be submitted with, and submit nothing
    Preview,
    /// What the local queue starts its jobs with
    #[command(hide = true)]
    LocalJob {
        /// The record of the job
        record: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct RapidfireArgs {
    /// Keep at most so many jobs of this launchpad queued or running; 0: no limit, and on this machine one for each
    /// core
    #[arg(short, long = "maxjobs_queue", value_name = "N", default_value_t = 0)]
    maxjobs_queue: usize,

    /// Launch folders in a block
    #[arg(short = 'b', long = "maxjobs_block", value_name = "N", default_value_t = 500)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    maxjobs_block: usize,

    /// How many jobs to submit in all; 0: until nothing READY is left without a job; infinite: until stopped
    #[arg(long, value_name = "N|infinite", default_value = "0", value_parser = launches, allow_negative_numbers = true)]
    nlaunches: Launches,

    /// End after this time, whatever is left
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,

    /// Longest time between two looks at the queue [default: RAPIDFIRE_SLEEP_SECS, 60]
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    sleep: Option<Duration>,
}

/// As FireWorks reads it; -1 is infinite there, too.
fn launches(text: &str) -> Result<Launches, String> {
    match text {
        "infinite" | "-1" => Ok(Launches::Infinite),
        "0" => Ok(Launches::UntilSettled),
        _ => text.parse().map(Launches::Count).map_err(|_| "write a number or `infinite`".to_owned()),
    }
}

/// Runs `qlaunch`. The code is 128 plus the number of the signal that stopped it.
pub fn run(args: Args) -> Result<ExitCode> {
    if let Verb::LocalJob { record } = &args.verb {
        local::supervise(record)?;
        return Ok(Exit::Done.into());
    }
    if let (Verb::Singleshot { fw_id: Some(_) }, false) = (&args.verb, args.reserve) {
        return Err(exit::failure(Exit::Usage, "--fw_id needs -r: other jobs take what is READY when they start"));
    }
    let settings = args.common.settings_with_queue(args.queueadapter_file.as_deref())?;
    let (options, environment) = rocket_options(&args.common, &settings)?;
    let OpenQueue { queue, adapter, launchpad, state, program } = open_queue(&settings, environment)?;
    tracing::info!("queue: {}", queue.describe());

    let given = adapter.rocket_launch.as_deref().or(args.reserve.then_some("rlaunch singleshot"));
    let command = rocket_launch(given, &program, &options);
    if args.reserve && !is_singleshot(&command) {
        return Err(exit::failure(
            Exit::Usage,
            format!(
                "-r submits a job for each firework: `rocket_launch` must be a singleshot (rlaunch singleshot), and is `{command}`"
            ),
        ));
    }
    let name = &settings.fw_config.submit_script_name;
    let script = Script::new(name, adapter.template.clone(), &adapter.keys, command);
    if let Verb::Preview = args.verb {
        return preview(&script, &args.launch_dir);
    }
    let store = open_store(&settings)?;
    let failed = |error| coded(error, adapter.is_guess && adapter.queue == QueueType::Slurm);
    let turn = state.join(launchpad.as_str()).join("turn.lock");
    // Jobs of this machine have no limit.
    let limited = adapter.keys.get("walltime").filter(|_| adapter.queue == QueueType::Slurm);
    let time = limited.and_then(|text| walltime(text));
    let signal = caught_signal()?;
    let identity = Identity::of_this_process();
    let worker = if args.reserve { able_worker(&*store, &settings.fworker, time)? } else { settings.fworker.clone() };
    let reserve = Reserve {
        store: &*store,
        worker: &worker,
        order: settings.fw_config.order,
        host: (&identity.host, &identity.ip),
        command: &|own| rocket_launch(own.or(given), &program, &options),
    };
    let watcher = Watcher::new(queue.as_ref());
    let witness = Rescuer::new(&*store, &launchpad, &watcher);
    let launcher = Launcher {
        queue: queue.as_ref(),
        script: &script,
        claimable: &|limit| {
            store.count_claimable(&able_worker(&*store, &settings.fworker, time)?, Timestamp::now(), limit)
        },
        mend: &|| mend_beside(&*store, &witness, MEND, settings.volley.max_lost),
        stop: &|| signal.load(Ordering::Relaxed) != 0,
        turn: Some(&turn),
        reserve: args.reserve.then_some(&reserve),
    };
    if args.reserve {
        launcher.free_forgotten(&*store, Timestamp::now()).map_err(failed)?;
    }
    match args.verb {
        Verb::Rapidfire(wanted) => {
            let asked = rapidfire(wanted, &args.launch_dir, &settings, adapter.queue);
            let summary = launcher.rapidfire(&asked).map_err(failed)?;
            say_summary(&summary, queue.name())?;
            if summary.ended == Ended::Stopped {
                let signal = u8::try_from(signal.load(Ordering::Relaxed)).unwrap_or_default();
                return Ok(ExitCode::from(128 + signal));
            }
        }
        Verb::LocalJob { .. } | Verb::Preview => {}
        Verb::Singleshot { fw_id } => match launcher.singleshot(&args.launch_dir, fw_id).map_err(failed)? {
            Some(job) => output::text(&format!("submitted job {job} to the {} queue", queue.name()))?,
            None => match fw_id {
                Some(fw_id) => return Err(anyhow::anyhow!("firework {fw_id} is not READY: no job submitted")),
                None => output::text("nothing is READY for this worker: no job submitted")?,
            },
        },
    }
    Ok(Exit::Done.into())
}

/// Prints the script of a job that starts in `dir`.
fn preview(script: &Script, dir: &Path) -> Result<ExitCode> {
    let dir = std::path::absolute(dir).context("no current folder")?;
    if !script.passes_signals_on() {
        output::note(
            "warning: the template runs $${rocket_launch} in the foreground and passes no signals on: a worker does \
             not hear of the end of its job when Slurm tells the script (--signal=B:..., scancel -b). `exec \
             $${rocket_launch}`, or the `trap` of the template that comes with Volley, would see to that",
        );
    }
    output::text(script.text(&dir).trim_end())?;
    Ok(Exit::Done.into())
}

/// The worker of the jobs, which takes what it can: a job for what it has just found that it cannot
/// run, or that needs more time than it has, would be in vain.
fn able_worker(store: &dyn Store, worker: &FWorker, time: Option<Duration>) -> store::Result<FWorker> {
    let mut able = worker.clone();
    for record in store.worker_records()? {
        record.heed(&mut able, Timestamp::now());
    }
    if let Some(time) = time {
        let too_long = |walltime: &Bson| rocket::is_too_short(time, walltime);
        able.cannot.walltimes = store.claimable_walltimes(&able)?.into_iter().filter(too_long).collect();
    }
    if able.cannot != worker.cannot {
        tracing::debug!("worker {} cannot run {:?}", able.name, able.cannot);
    }
    Ok(able)
}

/// What rapidfire means on this queue.
fn rapidfire(wanted: RapidfireArgs, dir: &Path, settings: &Settings, queue: QueueType) -> Rapidfire {
    let most = match (wanted.maxjobs_queue, queue) {
        (0, QueueType::Slurm) => None,
        // Nobody holds local jobs back; more than cores would only slow each other down.
        (0, QueueType::Local) => Some(std::thread::available_parallelism().map_or(1, usize::from)),
        (most, _) => Some(most),
    };
    Rapidfire {
        launches: wanted.nlaunches,
        most,
        block: wanted.maxjobs_block,
        new_block: settings.fw_config.always_create_new_block,
        sleep: wanted.sleep.unwrap_or(settings.fw_config.rapidfire_sleep),
        timeout: wanted.timeout,
        dir: dir.to_owned(),
    }
}

/// How jobs find this launchpad and worker: options, and what is added to their environment. A URI
/// with a password goes the second way: command lines and scripts can be read by others.
fn rocket_options(common: &CommonArgs, settings: &Settings) -> Result<(RocketOptions, Vec<(String, String)>)> {
    const VARIABLE: &str = "VOLLEY_LAUNCHPAD";
    let mut environment = Vec::new();
    let launchpad = match (&settings.launchpad_file, &settings.location) {
        (Some(path), _) | (None, Location::Sqlite(path)) => Some(path.to_string_lossy().into_owned()),
        (None, Location::Mongo(_)) => match common.launchpad.clone().or_else(|| std::env::var(VARIABLE).ok()) {
            Some(uri) if has_secret(&uri) => {
                environment.push((VARIABLE.to_owned(), uri));
                None
            }
            uri => uri,
        },
    };
    let config_dir = common.config_dir.as_ref().map(std::path::absolute).transpose().context("no current folder")?;
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let options = RocketOptions {
        launchpad,
        fworker: settings.fworker_file.as_ref().map(text),
        config_dir: config_dir.as_ref().map(text),
    };
    Ok((options, environment))
}

/// Whether a URI has a password, of the user or of a key, or a token.
fn has_secret(uri: &str) -> bool {
    let uri = uri.to_lowercase();
    ["@", "password", "token"].iter().any(|sign| uri.contains(sign))
}

/// The first Ctrl-C or SIGTERM, 0 before; a second Ctrl-C ends the program at once.
fn caught_signal() -> Result<Arc<AtomicUsize>> {
    let again = Arc::new(AtomicBool::new(false));
    let caught = Arc::new(AtomicUsize::new(0));
    // In this order: the first signal must not find the flag set by itself.
    signal_hook::flag::register_conditional_shutdown(SIGINT, 128 + SIGINT, Arc::clone(&again))?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&again))?;
        signal_hook::flag::register_usize(signal, Arc::clone(&caught), usize::try_from(signal)?)?;
    }
    Ok(caught)
}

fn say_summary(summary: &Summary, queue: &str) -> Result<()> {
    let reason = match summary.ended {
        Ended::Done => "",
        Ended::Timeout => "; ended by --timeout",
        Ended::Stopped => "; stopped",
    };
    match summary.submitted.len() {
        0 if reason.is_empty() => output::text("nothing is READY without a job: no job submitted"),
        count => output::text(&format!("submitted {} to the {queue} queue{reason}", output::number(count, "job"))),
    }
}

/// What the queue says has an exit code of its own. Who has an `sbatch` need not have a Slurm.
fn coded(error: LauncherError, is_guess: bool) -> anyhow::Error {
    match error {
        LauncherError::Queue { .. } if is_guess => {
            let advice = "Slurm was chosen because there is an sbatch; with `_fw_q_type: LOCAL` in my_qadapter.yaml \
                          this machine runs the jobs";
            exit::failure(Exit::Queue, format!("{error}\n{advice}"))
        }
        LauncherError::Queue { .. } => exit::failure(Exit::Queue, error),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_secrets_off_the_command_line() {
        assert!(has_secret("mongodb://me:secret@db.example/fireworks"));
        assert!(has_secret("mongodb://db.example/?tlsCertificateKeyFilePassword=secret"));
        assert!(!has_secret("mongodb://db.example:27017/fireworks"));
    }

    #[test]
    fn reads_numbers_of_launches() {
        assert_eq!(launches("infinite"), Ok(Launches::Infinite));
        assert_eq!(launches("-1"), Ok(Launches::Infinite));
        assert_eq!(launches("0"), Ok(Launches::UntilSettled));
        assert_eq!(launches("12"), Ok(Launches::Count(12)));
        assert!(launches("many").is_err());
    }
}
