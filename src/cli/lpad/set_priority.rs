//! `lpad set_priority P`: fireworks of a higher priority run first.

use anyhow::Result;

use super::change::ChangeArgs;
use super::{Context, steer};
use crate::cli::exit::Exit;
use crate::verbs::priority::set_priority;

/// Arguments of `lpad set_priority`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The priority; higher runs earlier
    #[arg(allow_negative_numbers = true, value_parser = whole)]
    priority: i64,

    #[command(flatten)]
    change: ChangeArgs,
}

fn whole(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "a whole number is expected")
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let what = |fireworks: &str| format!("set the priority of {fireworks} to {}", args.priority);
    let ids = steer::ids(&args.change.fireworks(context, &*store, what)?);
    let count = set_priority(&*store, ids, args.priority)?;
    tracing::info!("Finished setting priorities of {count} FWs");
    Ok(Exit::Done)
}
