//! `lpad rerun_fws`: run fireworks again, from the beginning or from the task they had come to.

use anyhow::Result;

use super::steer::StopArgs;
use super::{Context, steer};
use crate::cli::exit::Exit;
use crate::store::Verb;
use crate::workflow::LaunchId;
use crate::workflow::decide::{Recovery, RecoveryMode};

/// Arguments of `lpad rerun_fws`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    stop: StopArgs,

    /// Go on at the task that the last run had come to, with what the tasks before it had left
    #[arg(long = "task-level")]
    task_level: bool,

    /// With --task-level: go on from this launch [FireWorks: -lid]
    #[arg(long = "launch_id", value_name = "ID", requires = "task_level")]
    launch_id: Option<LaunchId>,

    /// With --task-level: copy the files of that run into the new directory [FireWorks: -cp]
    #[arg(long = "copy-data", requires = "task_level", conflicts_with = "previous_dir")]
    copy_data: bool,

    /// With --task-level: run in the directory of that run [FireWorks: -pd]
    #[arg(long = "previous-dir", requires = "task_level")]
    previous_dir: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let mode = match (args.copy_data, args.previous_dir) {
        (true, _) => RecoveryMode::Copy,
        (_, true) => RecoveryMode::PreviousDirectory,
        _ => RecoveryMode::Fresh,
    };
    let verb = match (args.task_level, context.settings.fw_config.except_details_on_rerun) {
        (true, _) => Verb::Recover(Recovery { launch_id: args.launch_id, mode }),
        (false, true) => Verb::RerunWithDetails,
        (false, false) => Verb::Rerun,
    };
    steer::stop_fireworks(context, &args.stop, verb)
}
