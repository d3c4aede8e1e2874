//! `lpad cancel_qid`: undoes what a queue job was submitted for, or runs, and cancels the job.

use anyhow::Result;

use super::steer::Act;
use super::{Context, steer};
use crate::cli::exit::{Exit, failure};
use crate::launchpad::deed;
use crate::launchpad::reservation::Sought;
use crate::store::Verb;
use crate::store::history::Deed;

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
    let sought = Sought::find(&*store, &args.qid)?;
    let act = Act { what: "cancel_qid", verb: &|_| Verb::Rerun, fw_ids: &sought.fw_ids, lowest: None };
    let (turns, stopped, mut stops) = steer::take_ground(&*store, &act, args.keep_running)?;
    if !args.keep_running {
        stops.extend(steer::stop(context, &stopped, Some(&sought)));
    }
    if !turns.is_empty() {
        return steer::finish(&turns, stops, Verb::Rerun);
    }
    if stops.is_empty() {
        let qid = &args.qid;
        let why = "no firework waits for it or runs in it, and no job of a launcher that is not over has it";
        let text = format!("Can't find any reserved jobs with reservation id: {qid}; {why}; nothing was changed");
        return Err(failure(Exit::NothingSelected, text));
    }
    let note = Some(format!("job {}, which had no firework", args.qid));
    deed::record(&*store, Deed { what: "cancel_qid".to_owned(), note, ..Deed::default() });
    let failed = steer::tell(stops);
    if failed.is_empty() { Ok(Exit::Done) } else { Err(failure(Exit::Error, failed.join("\n"))) }
}
