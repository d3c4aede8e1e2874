//! `lpad rerun_fws`: run fireworks again, and what depends on them.

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::launchpad::rerun::rerun;

pub fn run(context: &Context, args: &ChangeArgs) -> Result<Exit> {
    let store = context.open()?;
    let what = |fireworks: &str| format!("run {fireworks} again, and all that depend on them");
    let ids = args.fireworks(context, &*store, what)?;

    let outcomes = rerun(&*store, &ids, Timestamp::now());
    let refused: Vec<String> = outcomes.iter().filter_map(|one| Some(one.result.as_ref().err()?.to_string())).collect();
    let done = outcomes.len() - refused.len();
    tracing::info!("Finished setting {done} FWs to rerun");
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    let exit = if done > 0 { Exit::SomeFailed } else { Exit::Error };
    Err(failure(exit, refused.join("\n")))
}
