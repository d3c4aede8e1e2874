//! `lpad set_priority P`: fireworks of a higher priority run first.

use anyhow::Result;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::Exit;

/// Arguments of `lpad set_priority`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The priority; higher runs earlier
    #[arg(allow_negative_numbers = true)]
    priority: i64,

    #[command(flatten)]
    change: ChangeArgs,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let what = |fireworks: &str| format!("set the priority of {fireworks} to {}", args.priority);
    let ids = args.change.fireworks(context, &*store, what)?;
    let count = store.set_priority(&ids, args.priority)?;
    tracing::info!("Finished setting priorities of {count} FWs");
    Ok(Exit::Done)
}
