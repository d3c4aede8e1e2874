//! `lpad defuse_wflows`: whole workflows are taken out.

use anyhow::Result;

use super::steer::StopArgs;
use super::{Context, steer};
use crate::cli::exit::Exit;
use crate::store::Verb;

/// Arguments of `lpad defuse_wflows`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    stop: StopArgs,

    /// Also what is COMPLETED or FIZZLED; it loses its launches
    #[arg(long = "defuse_all_states")]
    all_states: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let verb = if args.all_states { Verb::DefuseWholeWorkflow } else { Verb::DefuseWorkflow };
    steer::stop_workflows(context, &args.stop, verb)
}
