//! `lpad rerun_fws`: run fireworks again, and what depends on them.

use anyhow::Result;
use jiff::Timestamp;

use super::{Context, selected};
use crate::cli::confirm::{Change, ConfirmArgs, Kind};
use crate::cli::exit::{Exit, failure};
use crate::cli::select::RequiredSelectArgs;
use crate::launchpad::rerun::rerun;
use crate::workflow::FwId;

/// Arguments of `lpad rerun_fws`.
#[derive(Debug, clap::Args)]
pub struct Args {
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
        what: format!("run {} fireworks again, and all that depend on them", ids.len()),
        count: ids.len(),
        preview: super::preview(&found),
        kind: Kind::Change,
    };
    args.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;

    let outcomes = rerun(&*store, &ids, Timestamp::now());
    let mut refused = Vec::new();
    for outcome in &outcomes {
        if let Err(error) = &outcome.result {
            refused.push(error.to_string());
        }
    }
    let done = outcomes.len() - refused.len();
    tracing::info!("Finished setting {done} FWs to rerun");
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    let exit = if done > 0 { Exit::SomeFailed } else { Exit::Error };
    Err(failure(exit, refused.join("\n")))
}
