//! `qlaunch rapidfire`: keeps jobs in the queue.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use super::Options;
use super::context::Context;
use super::repeat::{Pass, repeat};
use super::suits::check_array;
use crate::cli::exit::{self, Exit};
use crate::cli::output;
use crate::config::duration;
use crate::config::qadapter::QueueType;
use crate::launcher::{Ended, Launches, Rapidfire, Summary};

/// Longest time between two looks at the launchpad.
const SLEEP: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub struct Args {
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

    /// End after this time (90, 90s, 10m), whatever is left; 0: do once what is to be done, and wait for nothing (for cron)
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,

    /// Submit up to so many jobs at once, as an array
    #[arg(long = "array-size", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    array_size: Option<u32>,

    /// Longest time between two looks at the launchpad (90, 90s, 10m) [default: 5s]
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

/// Submits jobs as asked.
pub fn run(args: &Args, options: &Options) -> Result<ExitCode> {
    if args.array_size.is_some() && options.reserve {
        let why = "--array-size needs jobs of one script, and with -r each has one of its own";
        return Err(exit::failure(Exit::Usage, why));
    }
    let context = Context::open(options, args.nlaunches == Launches::Infinite)?;
    let counts = if args.maxjobs_queue > 0 {
        Some("-m")
    } else if args.array_size.is_some() {
        Some("--array-size")
    } else {
        matches!(args.nlaunches, Launches::Count(_)).then_some("--nlaunches")
    };
    counts.map_or(Ok(()), |counts| check_array(&context.jobs, counts))?;
    let (asked, queue) = (asked(args, options, &context), context.jobs.queue.name());
    repeat(&context, options, |launcher| Ok(pass(&launcher.rapidfire(&asked)?, queue)))
}

/// What rapidfire means on this queue.
fn asked(args: &Args, options: &Options, context: &Context) -> Rapidfire {
    let most = match (args.maxjobs_queue, context.jobs.adapter.queue) {
        (0, QueueType::Slurm) => None,
        // Nobody holds local jobs back; more than cores would only slow each other down.
        (0, QueueType::Local) => Some(std::thread::available_parallelism().map_or(1, usize::from)),
        (most, _) => Some(most),
    };
    let fw_config = &context.jobs.settings.fw_config;
    Rapidfire {
        launches: args.nlaunches,
        most,
        block: args.maxjobs_block,
        new_block: fw_config.always_create_new_block,
        sleep: args.sleep.unwrap_or(SLEEP),
        array: args.array_size,
        timeout: args.timeout,
        dir: options.launch_dir.clone(),
        block_dir: options.block_dir.clone(),
    }
}

fn pass(summary: &Summary, queue: &str) -> Pass {
    let reason = match summary.ended {
        Ended::Done => "",
        Ended::Timeout => "; ended by --timeout",
        Ended::Stopped => "; stopped",
    };
    let words = match summary.submitted.len() {
        0 if reason.is_empty() => "nothing is READY without a job: no job submitted".to_owned(),
        count => format!("submitted {} to the {queue} queue{reason}", output::number(count, "job")),
    };
    match (summary.ended, summary.refused.first()) {
        (Ended::Stopped, _) => Pass::Stopped(words),
        (_, None) => Pass::Done(words),
        (_, Some((_, reason))) => {
            let ids: Vec<String> = summary.refused.iter().map(|(fw_id, _)| fw_id.to_string()).collect();
            let which = if ids.len() == 1 { "firework" } else { "fireworks" };
            let why = "not taken as their `_queueadapter` has it, and still READY";
            Pass::Partly(words, format!("{why}: {which} {}; the first because {reason}", ids.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_of_launches() {
        assert_eq!(launches("infinite"), Ok(Launches::Infinite));
        assert_eq!(launches("-1"), Ok(Launches::Infinite));
        assert_eq!(launches("0"), Ok(Launches::UntilSettled));
        assert_eq!(launches("12"), Ok(Launches::Count(12)));
        assert!(launches("many").is_err());
    }
}
