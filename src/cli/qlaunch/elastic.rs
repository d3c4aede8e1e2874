//! `qlaunch elastic`: keeps as many pilots in the queue as there is work for.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use bson::Bson;

use super::Options;
use super::able::able_worker;
use super::context::Context;
use super::suits::check_array;
use crate::cli::exit::{self, Exit};
use crate::cli::output;
use crate::config::duration;
use crate::launcher::rocket_launch::with_options;
use crate::launcher::{Elastic, Pilots};
use crate::queue::template::shell_word;
use crate::store::{self, Demand};
use crate::workflow::Room;

/// What a pilot's command must run.
const VERB: &str = "rapidfire";
/// What a pilot is told by us.
const OURS: [&str; 5] = ["--nlaunches", "--slots", "--max-idle", "--least", "--queueadapter"];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep so many pilots, whether there is work for them or not
    #[arg(long, value_name = "A", default_value_t = 0)]
    min: usize,

    /// Never have more jobs of this launchpad than this queued or running
    #[arg(long, value_name = "B")]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    max: usize,

    /// A pilot runs so many fireworks side by side
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    slots: u32,

    /// A pilot ends after so long without work (90, 90s, 10m)
    #[arg(long = "max-idle", value_name = "TIME", value_parser = duration::parse, default_value = "2m")]
    max_idle: Duration,

    /// Launch folders in a block
    #[arg(short = 'b', long = "maxjobs_block", value_name = "N", default_value_t = 500)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    maxjobs_block: usize,

    /// Longest time between two looks at the launchpad (90, 90s, 10m)
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "5s")]
    sleep: Duration,
}

/// Submits pilots until it is stopped.
pub fn run(args: &Args, options: &Options) -> Result<ExitCode> {
    if args.min > args.max {
        let why = format!("--min {} is more than --max {}", args.min, args.max);
        return Err(exit::failure(Exit::Usage, why));
    }
    let context = Context::open(options, true)?;
    let given = context.jobs.command(None);
    check(&given)?;
    check_array(&context.jobs, "elastic")?;
    let asked = Elastic {
        least: args.min,
        most: args.max,
        slots: args.slots.into(),
        max_idle: args.max_idle,
        sleep: args.sleep,
        block: args.maxjobs_block,
        new_block: context.jobs.settings.fw_config.always_create_new_block,
        dir: options.launch_dir.clone(),
        block_dir: options.block_dir.clone(),
    };
    let pilots = Pilots { demand: &|| demand(&context, args), command: &|resources| command(&given, args, resources) };
    let submitted =
        context.launch(|launcher| launcher.elastic(&asked, &pilots).map_err(|error| context.jobs.coded(error)))?;
    let (count, queue) = (output::number(submitted.len(), "pilot"), context.jobs.queue.name());
    output::text(&format!("submitted {count} to the {queue} queue; stopped"))?;
    Ok(context.stopped())
}

/// Refuses a command that is no pilot's.
fn check(command: &str) -> Result<()> {
    let Some(_) = with_options(command, VERB, "") else {
        let why = format!("a pilot needs a `rocket_launch` with rapidfire (rlaunch rapidfire), not `{command}`");
        return Err(exit::failure(Exit::Usage, why));
    };
    let word = command.split_whitespace().find(|word| OURS.iter().any(|ours| word.starts_with(ours)));
    word.map_or(Ok(()), |word| {
        let why = format!("`{word}` in `rocket_launch`: qlaunch elastic tells its pilots itself; leave it out");
        Err(exit::failure(Exit::Usage, why))
    })
}

/// What a pilot runs that takes only what asks for these resources.
fn command(given: &str, args: &Args, resources: &str) -> String {
    let (slots, idle, least) = (args.slots, args.max_idle.as_secs().max(1), args.min);
    let own = format!("--nlaunches infinite --slots {slots} --max-idle {idle}s --least {least}");
    let options = format!("{own} --queueadapter {}", shell_word(resources));
    with_options(given, VERB, &options).unwrap_or_else(|| given.to_owned())
}

/// What is READY and fits into a pilot.
fn demand(context: &Context, args: &Args) -> store::Result<Vec<Demand>> {
    let mut worker = context.jobs.settings.fworker.clone();
    let (slots, nodes) = (args.slots as usize, context.jobs.room().nodes);
    worker.cannot.beyond = Some(Room { slots, nodes: usize::MAX });
    let mut demand = context.store.claimable_by_resources(&able_worker(&*context.store, &worker, None)?)?;
    // Only of those without resources of their own it is known what their jobs have, and how long.
    if let Some(plain) = demand.iter_mut().find(|one| one.resources == Bson::Null) {
        worker.cannot.other_than = Some(Bson::Null);
        worker.cannot.beyond = Some(Room { slots, nodes });
        let able = able_worker(&*context.store, &worker, context.walltime())?;
        plain.slots = context.store.claimable_by_resources(&able)?.first().map_or(0, |fits| fits.slots);
    }
    Ok(demand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pilot_is_told_what_it_takes() {
        let args = Args {
            min: 1,
            max: 4,
            slots: 2,
            max_idle: Duration::from_secs(90),
            maxjobs_block: 500,
            sleep: Duration::from_secs(5),
        };
        assert_eq!(
            command("srun v rlaunch rapidfire -s; date", &args, r#"{"mem":"2G"}"#),
            "srun v rlaunch rapidfire --nlaunches infinite --slots 2 --max-idle 90s --least 1 --queueadapter \
             '{\"mem\":\"2G\"}' -s; date"
        );
    }

    #[test]
    fn what_is_no_pilot_is_refused() {
        assert!(check("rlaunch rapidfire").is_ok());
        for command in ["rlaunch singleshot", "rlaunch rapidfire --nlaunches 3", "rlaunch rapidfire --max-idle=5"] {
            assert!(check(command).is_err(), "{command}");
        }
    }
}
