//! `status`: the whole launchpad at a glance. A fixed number of questions, none of which looks at
//! everything: the numbers of fireworks are counted once for all who look.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::LaunchpadError;
use super::errors::{Group, newest};
use super::lost::verdict;
use super::tally::{Tally, tallies};
use crate::store::counts::Counts;
use crate::store::ledger::{Daemon, Key, SILENT};
use crate::store::mend::RUN_EXPIRATION;
use crate::store::{FireworkQuery, Store, WorkerRecord};
use crate::workflow::{FwId, Loss, State};

/// The launchpad at one moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// Where it is.
    pub place: String,
    /// The time by the store's clock.
    pub at: Timestamp,
    /// How many fireworks and workflows are in which state.
    pub counts: Counts,
    /// Who runs something, by name and host, and how much; the busiest first.
    pub workers: Vec<Worker>,
    /// Runs that nobody seems to be about any more.
    pub lost: Vec<(FwId, Loss)>,
    /// The places of jobs in queues, as they were seen last.
    pub jobs: Vec<(Key, Tally)>,
    /// The launchers that were heard of lately.
    pub launchers: Vec<(Key, Daemon)>,
    /// What workers say that they cannot run.
    pub unable: Vec<WorkerRecord>,
    /// The newest failures by their cause, and since when they were looked for, where that is not always.
    pub failures: Vec<Group>,
    /// Since when they were looked for.
    pub failures_since: Option<Timestamp>,
    /// How many fireworks were completed in the last hour.
    pub completed_last_hour: u64,
}

/// A worker that runs something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// How many fireworks it runs there.
    pub running: usize,
}

/// So many failures are looked at; where there are many more, only those of the last day.
const FAILURES: usize = 500;
const MANY_FAILURES: u64 = 5000;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Looks.
pub fn status(store: &dyn Store) -> Result<Status, LaunchpadError> {
    let counts = store.counts()?;
    let at = store.clock()?;
    let of = |state: State| counts.fireworks.get(&state).copied().unwrap_or(0);
    let mut workers: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut lost = Vec::new();
    for launch in store.open_launches()?.iter().filter(|launch| launch.state == State::Running) {
        if let Some(loss) = verdict(launch, RUN_EXPIRATION, at) {
            lost.push((launch.fw_id, loss));
            continue;
        }
        let name = launch.fworker.as_document().and_then(|worker| worker.get_str("name").ok()).unwrap_or_default();
        *workers.entry((name.to_owned(), launch.host.clone())).or_default() += 1;
    }
    let mut workers: Vec<Worker> =
        workers.into_iter().map(|((name, host), running)| Worker { name, host, running }).collect();
    workers.sort_by_key(|worker| std::cmp::Reverse(worker.running));
    let (mut jobs, mut launchers) = (Vec::new(), Vec::new());
    for (key, ledger) in store.ledgers()? {
        jobs.extend(tallies(&ledger).into_iter().map(|tally| (key.clone(), tally)));
        let heard = ledger.daemons.into_iter().filter(|daemon| at.duration_since(daemon.heard) <= SILENT);
        launchers.extend(heard.map(|daemon| (key.clone(), daemon)));
    }
    let failures_since = (of(State::Fizzled) > MANY_FAILURES).then(|| at - DAY);
    let failures = if of(State::Fizzled) == 0 { Vec::new() } else { newest(store, failures_since, FAILURES)? };
    let lately = FireworkQuery { states: vec![State::Completed], since: Some(at - HOUR), ..FireworkQuery::default() };
    let completed_last_hour = if of(State::Completed) == 0 { 0 } else { store.count_fireworks(&lately)? };
    Ok(Status {
        place: store.describe(),
        at,
        workers,
        lost,
        jobs,
        launchers,
        unable: store.worker_records()?,
        failures,
        failures_since,
        completed_last_hour,
        counts,
    })
}
