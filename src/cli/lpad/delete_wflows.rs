//! `lpad delete_wflows`: whole workflows go, with their fireworks and launches.

use anyhow::Result;
use bson::Document;

use super::{Context, selected};
use crate::cli::confirm::{Change, ConfirmArgs, Kind};
use crate::cli::exit::Exit;
use crate::cli::select::RequiredSelectArgs;
use crate::launchpad::delete::delete;
use crate::launchpad::listing;

/// Arguments of `lpad delete_wflows`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    select: RequiredSelectArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let found = selected(args.select.selection().find_workflows(&*store))?;
    let members: usize = found.iter().map(|workflow| listing::states(workflow).len()).sum();
    let change = Change {
        what: format!("delete {} workflows with {members} fireworks", found.len()),
        count: found.len(),
        preview: found.iter().map(line).collect(),
        kind: Kind::Delete,
    };
    args.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;
    let gone = delete(&*store, &found)?;
    tracing::info!("Finished deleting {} WFs ({} FWs)", found.len(), gone.len());
    Ok(Exit::Done)
}

fn line(workflow: &Document) -> String {
    let id = listing::workflow_id(workflow).unwrap_or_default();
    let text = |key| workflow.get_str(key).unwrap_or_default();
    format!("{id} {} ({}, {} fireworks)", text("name"), text("state"), listing::states(workflow).len())
}
