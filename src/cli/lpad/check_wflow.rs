//! `lpad check_wflow`: whether a stored workflow is as it should be. Silent when it is, as in FireWorks.

use anyhow::{Result, bail};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::number;
use crate::launchpad::check;
use crate::workflow::FwId;

/// Arguments of `lpad check_wflow`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Any firework of the workflow
    #[arg(short = 'i', long = "fw_id", value_name = "ID")]
    fw_id: FwId,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let checked = check::stored(&*store, args.fw_id)?;
    if checked.faults.is_empty() {
        tracing::info!("workflow `{}` is sound: {}", checked.name, number(checked.fireworks, "firework"));
        return Ok(Exit::Done);
    }
    let lines: Vec<String> = checked.faults.iter().map(|fault| format!("\n  {fault}")).collect();
    bail!("workflow `{}` is not as it should be:{}", checked.name, lines.concat())
}
