//! `lpad get_qids`: the queue jobs that fireworks wait for, or ran in.

use anyhow::Result;

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::select::Ids;
use crate::launchpad::reservation::queue_ids;

/// Arguments of `lpad get_qids`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The fireworks: 7 or 1,2,5-9
    #[arg(short = 'i', long = "fw_id", value_name = "IDS")]
    ids: Ids,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    for job in queue_ids(&*store, &args.ids.0)? {
        // FireWorks' word for a firework without one. It prints no JSON here, whatever is asked for.
        output::text(job.as_deref().unwrap_or("None"))?;
    }
    Ok(Exit::Done)
}
