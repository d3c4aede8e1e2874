//! `lpad set_priority P`: fireworks of a higher priority run first.

use anyhow::Result;

use super::{Context, selected};
use crate::cli::confirm::{Change, ConfirmArgs, Kind};
use crate::cli::exit::Exit;
use crate::cli::select::RequiredSelectArgs;
use crate::workflow::FwId;

/// Arguments of `lpad set_priority`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The priority; higher runs earlier
    #[arg(allow_negative_numbers = true)]
    priority: i64,

    #[command(flatten)]
    select: RequiredSelectArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let found = selected(args.select.selection().find_fireworks(&*store))?;
    let ids: Vec<FwId> = found.iter().map(|firework| firework.fw_id).collect();
    let change = Change {
        what: format!("set the priority of {} fireworks to {}", ids.len(), args.priority),
        count: ids.len(),
        preview: super::preview(&found),
        kind: Kind::Change,
    };
    args.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;
    let count = store.set_priority(&ids, args.priority)?;
    tracing::info!("Finished setting priorities of {count} FWs");
    Ok(Exit::Done)
}
