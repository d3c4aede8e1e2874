//! `status`: the whole launchpad at a glance. A fixed number of questions, none of which looks at
//! everything: the numbers of fireworks are counted once for all who look.

use jiff::{SignedDuration, Timestamp};

use super::LaunchpadError;
use super::crew::{Crew, crew};
use super::errors::{Group, newest};
use super::tally::{Tally, tallies};
use crate::store::counts::Counts;
use crate::store::ledger::{Daemon, Key, Ledger, SILENT};
use crate::store::{FireworkQuery, Store, WorkerRecord};
use crate::workflow::State;

/// The launchpad at one moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// Where it is.
    pub place: String,
    /// The time by the store's clock.
    pub at: Timestamp,
    /// How many fireworks and workflows are in which state.
    pub counts: Counts,
    /// Who is at work, and what nobody is about any more.
    pub crew: Crew,
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
    let crew = crew(&store.open_launches()?, at);
    let ledgers = store.ledgers()?;
    let (failures, failures_since) = failures(store, of(State::Fizzled), at)?;
    let lately = FireworkQuery { states: vec![State::Completed], since: Some(at - HOUR), ..FireworkQuery::default() };
    let completed_last_hour = if of(State::Completed) == 0 { 0 } else { store.count_fireworks(&lately)? };
    Ok(Status {
        place: store.describe(),
        at,
        crew: crew.with_idle(&ledgers),
        jobs: jobs(&ledgers),
        launchers: launchers(&ledgers, at),
        unable: store.worker_records()?,
        failures,
        failures_since,
        completed_last_hour,
        counts,
    })
}

/// How many places of jobs there are of which kind.
pub fn jobs(ledgers: &[(Key, Ledger)]) -> Vec<(Key, Tally)> {
    let all = ledgers.iter().map(|(key, ledger)| (key, tallies(ledger)));
    all.flat_map(|(key, tallies)| tallies.into_iter().map(|tally| (key.clone(), tally))).collect()
}

/// The launchers that were heard of lately.
pub fn launchers(ledgers: &[(Key, Ledger)], at: Timestamp) -> Vec<(Key, Daemon)> {
    let daemons = ledgers.iter().flat_map(|(key, ledger)| ledger.daemons.iter().map(move |daemon| (key, daemon)));
    let heard = daemons.filter(|(_, daemon)| at.duration_since(daemon.heard) <= SILENT);
    heard.map(|(key, daemon)| (key.clone(), daemon.clone())).collect()
}

/// The newest failures by their cause, where there are so many, and since when they were looked for, where that
/// is not always.
pub fn failures(
    store: &dyn Store,
    count: u64,
    at: Timestamp,
) -> Result<(Vec<Group>, Option<Timestamp>), LaunchpadError> {
    let since = (count > MANY_FAILURES).then(|| at - DAY);
    Ok((if count == 0 { Vec::new() } else { newest(store, since, FAILURES)? }, since))
}
