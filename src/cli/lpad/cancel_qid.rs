//! `lpad cancel_qid`: undoes what a queue job was submitted for, and cancels the job.

use anyhow::Result;

use super::{Context, steer};
use crate::cli::exit::{Exit, failure};
use crate::launchpad::reservation::reserved_by;
use crate::store::Verb;

/// Arguments of `lpad cancel_qid`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The id that the queue gave the job
    #[arg(long, value_name = "ID")]
    qid: String,

    /// Leave the job alone, as FireWorks does; its firework is READY again all the same
    #[arg(long = "keep-running")]
    keep_running: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let fw_ids = reserved_by(&*store, &args.qid)?;
    if fw_ids.is_empty() {
        let qid = &args.qid;
        return Err(failure(
            Exit::NothingSelected,
            format!("Can't find any reserved jobs with reservation id: {qid}; nothing was changed"),
        ));
    }
    let (turns, stops) = steer::steer_and_stop(context, &*store, Verb::Rerun, &fw_ids, args.keep_running)?;
    steer::finish(&turns, stops, Verb::Rerun, "FWs")
}
