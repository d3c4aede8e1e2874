//! Putting right what the dead have left behind. Every transition of ours is a transaction, so there
//! are only runs that nobody goes on with, and what was copied from a launchpad whose workers were in
//! the middle of something.

use std::collections::BTreeMap;

use bson::Bson;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{SqlError, SqliteStore, claim, find, finish, graph, transfer};
use crate::store::mend::{Case, followed, judge, losses};
use crate::store::{FireworkQuery, Mend, Mended, Mending, Result};
use crate::workflow::{Firework, Launch, LaunchId, Loss, State, time};

/// A firework that is RUNNING or RESERVED, and the launch that it follows.
struct Active {
    firework: Firework,
    launch: Option<Launch>,
}

impl SqliteStore {
    /// Looks at everything that is active; one machine has little of it. The witness is asked while
    /// others may write, and what has changed meanwhile is left alone.
    pub(super) fn mend_some(&self, mending: &Mending<'_>, now: Timestamp) -> Result<Vec<Mended>> {
        let at = self.clock();
        if mending.only.is_none() && !self.write(|tx| take_turn(tx, mending, at))? {
            return Ok(Vec::new());
        }
        let active = self.read(|sql| active(sql, mending))?;
        let launches: BTreeMap<LaunchId, Launch> =
            active.iter().filter_map(|one| one.launch.clone()).map(|launch| (launch.launch_id, launch)).collect();
        let mut losses = losses(mending.witness, &launches);
        let mut done = Vec::new();
        for one in active {
            let fw_id = one.firework.fw_id;
            let loss = one.launch.as_ref().and_then(|launch| losses.remove(&launch.launch_id));
            let Some(case) = one.judge(loss, at) else { continue };
            let is_lost = matches!(case, Case::Lost(..) | Case::Silent(..));
            let rescued = one.launch.as_ref().filter(|launch| is_lost && mending.witness.rescue(launch));
            let what = match rescued {
                Some(launch) => Some(Mend::Settled(launch.launch_id)),
                None => self.write(|tx| close_case(tx, &one, case, mending, at, now))?,
            };
            done.extend(what.map(|what| Mended { fw_id, what }));
        }
        Ok(done)
    }
}

/// Whether it is time for a round.
fn take_turn(tx: &Transaction<'_>, mending: &Mending<'_>, at: Timestamp) -> Result<bool, SqlError> {
    let sql = "SELECT value FROM meta WHERE key = 'mended'";
    let last: Option<String> = tx.query_row(sql, [], |row| row.get(0)).optional()?;
    let last = last.and_then(|last| time::from_text(&last));
    if last.is_some_and(|last| at.duration_since(last) < mending.every && last <= at) {
        return Ok(false);
    }
    let sql = "INSERT INTO meta VALUES ('mended', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(sql, params![time::to_iso(at)])?;
    Ok(true)
}

fn active(sql: &Connection, mending: &Mending<'_>) -> Result<Vec<Active>, SqlError> {
    let states = vec![State::Running, State::Reserved];
    let members = mending.only.map(|fw_ids| graph::members(sql, fw_ids)).transpose()?;
    let active = FireworkQuery { states, ids: members, ..FireworkQuery::default() };
    let with_launch = |firework: Firework| {
        let launches: BTreeMap<LaunchId, Launch> =
            find::launches(sql, &firework.launches)?.into_iter().map(|launch| (launch.launch_id, launch)).collect();
        let launch = followed(&firework.launches, &launches).cloned();
        Ok(Active { firework, launch })
    };
    find::fireworks(sql, &active)?.into_iter().map(with_launch).collect()
}

impl Active {
    fn judge(&self, loss: Option<Loss>, at: Timestamp) -> Option<Case> {
        // It waits for its job, unless the launch is missing: here that is made together with the
        // mark, but not in a launchpad that this one was copied from.
        if self.firework.state == State::Reserved && loss.is_none() && self.launch.is_some() {
            return None;
        }
        judge(&self.firework.updated_on, self.launch.as_ref(), loss, at)
    }
}

fn close_case(
    tx: &Transaction<'_>,
    one: &Active,
    case: Case,
    mending: &Mending<'_>,
    at: Timestamp,
    now: Timestamp,
) -> Result<Option<Mend>, SqlError> {
    let fw_id = one.firework.fw_id;
    if find::firework(tx, fw_id)?.as_ref() != Some(&one.firework) {
        return Ok(None);
    }
    let Some(launch) = &one.launch else {
        claim::set_state(tx, fw_id, State::Ready, &[], now)?;
        return Ok(Some(Mend::Freed(one.firework.state)));
    };
    if find::launches(tx, &[launch.launch_id])?.first() != Some(launch) {
        return Ok(None);
    }
    Ok(match case {
        Case::Unlaunched => None,
        Case::Ended(launch_id) => {
            finish::settle(tx, fw_id, launch, now)?;
            Some(Mend::Settled(launch_id))
        }
        Case::Suspect(launch_id) => {
            let mut launch = launch.clone();
            if let Some(lease) = launch.lease_mut() {
                lease.insert("suspected", Bson::String(time::to_iso(at)));
            }
            graph::save_launch(tx, &launch)?;
            Some(Mend::Suspected(launch_id))
        }
        Case::Silent(launch_id, _) if transfer::runs_offline(tx, launch_id)? => None,
        Case::Lost(launch_id, loss) | Case::Silent(launch_id, loss) => {
            let given = finish::lose(tx, fw_id, launch.clone(), &loss, mending.max_lost, now)?;
            given.then_some(Mend::Lost(launch_id, loss))
        }
    })
}
