//! `lpad delete_wflows`: whole workflows go, with their fireworks and launches.

use anyhow::Result;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::Exit;
use crate::launchpad::delete::delete;

pub fn run(context: &Context, args: &ChangeArgs) -> Result<Exit> {
    let store = context.open()?;
    let doomed = args.doomed_workflows(context, &*store)?;
    let gone = delete(&*store, &doomed)?;
    tracing::info!("Finished deleting {} WFs ({} FWs)", doomed.len(), gone.len());
    Ok(Exit::Done)
}
