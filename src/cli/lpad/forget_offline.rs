//! `lpad forget_offline`: offline runs that `recover_offline` is not to ask about any more.

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::number;
use crate::launchpad::deed;
use crate::launchpad::error::list;
use crate::store::{OfflineEnd, OfflineRun};
use crate::workflow::{Firework, FwId, State};

pub fn run(context: &Context, args: &ChangeArgs) -> Result<Exit> {
    let store = context.open()?;
    let found = args.fireworks(context, &*store, |fireworks| format!("forget the offline runs of {fireworks}"))?;
    let is_of = |run: &&OfflineRun| found.iter().any(|firework| firework.fw_id == run.fw_id);
    let mut forgotten: Vec<OfflineRun> = Vec::new();
    for run in store.offline_runs()?.iter().filter(is_of) {
        if store.close_offline_run(run.launch_id, OfflineEnd::Forgotten, Timestamp::now())? {
            forgotten.push(run.clone());
        }
    }
    if forgotten.is_empty() {
        let text =
            format!("{} without an offline run that is not over; nothing was changed", number(found.len(), "firework"));
        return Err(failure(Exit::NothingSelected, text));
    }
    tracing::info!("Finished forget_offline, processed {} FWs", forgotten.len());
    let waits = |firework: &&Firework| {
        let is_open = matches!(firework.state, State::Reserved | State::Running);
        is_open && forgotten.iter().any(|run| firework.launches.contains(&run.launch_id))
    };
    let waiting: Vec<FwId> = found.iter().filter(waits).map(|firework| firework.fw_id).collect();
    if !waiting.is_empty() {
        let ids = list(&waiting);
        tracing::warn!(
            "firework {ids} waits for a run that nobody will report; `lpad rerun_fws -i ID` has it run again"
        );
    }
    deed::of_fireworks(&*store, "forget_offline", forgotten.iter().map(|run| run.fw_id).collect(), None);
    Ok(Exit::Done)
}
