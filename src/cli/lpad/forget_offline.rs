//! `lpad forget_offline`: offline runs that `recover_offline` is not to ask about any more.

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::Exit;
use crate::store::OfflineEnd;

pub fn run(context: &Context, args: &ChangeArgs) -> Result<Exit> {
    let store = context.open()?;
    let ids = args.fireworks(context, &*store, |fireworks| format!("forget the offline runs of {fireworks}"))?;
    let mut count = 0;
    for run in store.offline_runs()?.iter().filter(|run| ids.contains(&run.fw_id)) {
        count += usize::from(store.close_offline_run(run.launch_id, OfflineEnd::Forgotten, Timestamp::now())?);
    }
    tracing::info!("Finished forget_offline, {count} runs of {} FWs", ids.len());
    Ok(Exit::Done)
}
