//! `lpad explain -i ID`: why a firework does not run, or what became of it.

use anyhow::Result;

use super::healing::Late;
use super::{Context, unable};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Format};
use crate::cli::queue::open_queue;
use crate::launchpad::explain::{facts, shown};
use crate::workflow::FwId;

/// Arguments of `lpad explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The firework
    #[arg(short = 'i', long = "fw_id", value_name = "ID")]
    fw_id: FwId,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let facts = facts(
        &*store,
        args.fw_id,
        |firework| {
            Ok(unable::reasons(&*store, std::slice::from_ref(firework))?.into_iter().map(|(_, why)| why).collect())
        },
        |job| {
            let open = open_queue(&context.settings, Vec::new()).map_err(|error| format!("{error:#}"))?;
            let standings = open.queue.standings(std::slice::from_ref(job)).map_err(|error| error.to_string())?;
            Ok(standings.get(job).cloned())
        },
        &Late::new(context, &*store),
    )?;
    if context.format == Format::Table {
        shown::lines(&facts).iter().try_for_each(|line| output::text(line))?;
    } else {
        output::value(context.format, &shown::value(&facts))?;
    }
    Ok(Exit::Done)
}
