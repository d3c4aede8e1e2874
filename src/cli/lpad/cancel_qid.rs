//! `lpad cancel_qid`: undoes what a queue job was submitted for, or runs, and cancels the job.

use anyhow::Result;

use super::{Context, steer};
use crate::cli::exit::{Exit, failure};
use crate::launchpad::reservation::Sought;
use crate::store::Verb;
use crate::verbs::steer::cancel_jobs;
use crate::verbs::told::Told;

/// Arguments of `lpad cancel_qid`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The id that the queue gave the job; that of an array stands for all its elements
    #[arg(long, value_name = "ID")]
    qid: String,

    /// Leave the job alone, as FireWorks does; its fireworks are READY again all the same
    #[arg(long = "keep-running")]
    keep_running: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let sought = Sought::find(&*store, vec![args.qid.clone()])?;
    let (turns, stops) = cancel_jobs(context.here(&*store), &sought, args.keep_running)?;
    if !turns.is_empty() {
        return steer::finish(&turns, &stops, Verb::Rerun);
    }
    if stops.is_empty() {
        let qid = &args.qid;
        let why = "no firework waits for it or runs in it, and no job of a launcher that is not over has it";
        let text = format!("Can't find any reserved jobs with reservation id: {qid}; {why}; nothing was changed");
        return Err(failure(Exit::NothingSelected, text));
    }
    let mut told = Told::default();
    told.stops(&stops);
    steer::say(&told);
    if told.refused.is_empty() { Ok(Exit::Done) } else { Err(failure(Exit::Error, told.refused.join("\n"))) }
}
