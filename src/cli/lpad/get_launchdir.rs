//! `lpad get_launchdir ID`: where a firework ran, for `cd $(lpad get_launchdir 7)`.

use anyhow::Result;

use super::Context;
use crate::cli::exit::{Exit, failure};
use crate::cli::output;
use crate::launchpad::launchdir::launchdir;
use crate::workflow::FwId;

/// Arguments of `lpad get_launchdir`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The firework
    fw_id: Option<FwId>,

    /// The same, as other verbs are told
    #[arg(short = 'i', long = "fw_id", value_name = "FW_ID", conflicts_with = "fw_id")]
    id: Option<FwId>,

    /// Which of its launches; -1 is the last
    #[arg(long = "launch_idx", default_value_t = -1, allow_negative_numbers = true)]
    launch_index: i64,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let Some(fw_id) = args.fw_id.or(args.id) else {
        return Err(failure(Exit::Usage, "say which firework: `lpad get_launchdir ID`"));
    };
    let store = context.open()?;
    let dir = launchdir(&*store, fw_id, args.launch_index)?;
    // FireWorks' word for a firework that never ran.
    output::text(dir.as_deref().unwrap_or("None"))?;
    Ok(Exit::Done)
}
