//! Putting right what dead workers have left behind. Every transition of ours is a transaction, so
//! there is only what was copied from a launchpad whose workers were in the middle of something.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Transaction;

use super::{SqlError, find, finish, transfer};
use crate::store::mend::{Case, judge, silence};
use crate::store::{FireworkQuery, Held, Mend, Mended};
use crate::workflow::{Launch, LaunchId, State};

/// Looks at every firework that is RUNNING; one machine has few.
pub fn mend(tx: &Transaction<'_>, now: Timestamp) -> Result<Vec<Mended>, SqlError> {
    let running = FireworkQuery { states: vec![State::Running], ..FireworkQuery::default() };
    let mut done = Vec::new();
    for firework in find::fireworks(tx, &running)? {
        let launches: BTreeMap<LaunchId, Launch> =
            find::launches(tx, &firework.launches)?.into_iter().map(|launch| (launch.launch_id, launch)).collect();
        let fw_id = firework.fw_id;
        let what = match judge(&firework.updated_on, &firework.launches, &launches, now) {
            None | Some(Case::Unlaunched) => continue,
            Some(Case::Ended(launch_id)) => {
                finish::settle(tx, fw_id, &launches[&launch_id], now)?;
                Mend::Settled(launch_id)
            }
            Some(Case::Silent(launch_id, _)) if transfer::runs_offline(tx, launch_id)? => continue,
            Some(Case::Silent(launch_id, since)) => {
                let reason = silence(since);
                finish::give_back(tx, Held { fw_id, launch_id }, &reason, now)?;
                Mend::Lost(launch_id, reason)
            }
        };
        done.push(Mended { fw_id, what });
    }
    Ok(done)
}
