//! Runs that nobody is about any more, reservations that nobody came for, and fireworks that do not
//! know that their launch has ended: what `detect_lostruns` and `detect_unreserved` look for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::store::mend::{self, RUN_EXPIRATION, silence};
use crate::store::{FireworkQuery, Result, Store, Witness, examine::age};
use crate::workflow::launch::representative;
use crate::workflow::{Cause, Firework, FwId, Launch, LaunchId, Loss, State};

/// How long a reservation may stand: FireWorks' `RESERVATION_EXPIRATION_SECS`.
pub const RESERVATION_EXPIRATION: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Which runs are looked at, and when those count as lost that have no lease.
#[derive(Debug, Clone)]
pub struct Search {
    /// For so long Python's runs may go without a ping.
    pub silence: SignedDuration,
    /// Only runs that have been heard of for so long after their beginning, at least.
    pub min_runtime: Option<SignedDuration>,
    /// And at most.
    pub max_runtime: Option<SignedDuration>,
    /// Only runs of these fireworks.
    pub fireworks: Option<Vec<FwId>>,
    /// Only these.
    pub launches: Option<Vec<LaunchId>>,
}

impl Default for Search {
    fn default() -> Self {
        Search { silence: RUN_EXPIRATION, min_runtime: None, max_runtime: None, fireworks: None, launches: None }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Runs that are lost, and why.
    pub launches: Vec<(Launch, Loss)>,
    /// Fireworks that are RUNNING in nothing but such runs.
    pub lost: Vec<Firework>,
    /// Fireworks that are RUNNING although the launch that they follow has ended.
    pub inconsistent: Vec<Firework>,
}

/// Looks, and changes nothing.
pub fn search(store: &dyn Store, witness: &dyn Witness, search: &Search) -> Result<Found> {
    let at = store.clock()?;
    let mut runs = store.open_launches()?;
    let wanted = |launch: &Launch| {
        launch.state == State::Running
            && search.fireworks.as_ref().is_none_or(|ids| ids.contains(&launch.fw_id))
            && search.launches.as_ref().is_none_or(|ids| ids.contains(&launch.launch_id))
            && has_run_for(launch, search.min_runtime, search.max_runtime)
    };
    runs.retain(wanted);
    let seen = witness.losses(&runs.iter().collect::<Vec<_>>());
    let mut found = Found::default();
    for (launch, proof) in runs.into_iter().zip(seen) {
        if let Some(loss) = proof.or_else(|| verdict(&launch, search.silence, at)) {
            found.launches.push((launch, loss));
        }
    }
    let running =
        FireworkQuery { ids: search.fireworks.clone(), states: vec![State::Running], ..FireworkQuery::default() };
    let is_lost = |id: &LaunchId| found.launches.iter().any(|(launch, _)| launch.launch_id == *id);
    let running = store.find_fireworks(&running)?;
    // Launches may be large; only those are read that say something.
    let others: Vec<LaunchId> =
        running.iter().flat_map(|firework| &firework.launches).filter(|id| !is_lost(id)).copied().collect();
    let others: BTreeMap<LaunchId, Launch> =
        store.find_launches(&others)?.into_iter().map(|launch| (launch.launch_id, launch)).collect();
    let (mut lost, mut inconsistent) = (Vec::new(), Vec::new());
    for firework in running {
        let known: Vec<&Launch> = firework.launches.iter().filter_map(|id| others.get(id)).collect();
        if representative(known.iter().copied()).is_some_and(|launch| launch.state.is_final())
            && !firework.launches.iter().any(is_lost)
        {
            inconsistent.push(firework);
        } else if firework.launches.iter().any(is_lost)
            && known.iter().all(|launch| launch.state.rank() <= State::Fizzled.rank())
        {
            lost.push(firework);
        }
    }
    (found.lost, found.inconsistent) = (lost, inconsistent);
    Ok(found)
}

/// Why a run is lost, as far as its own dates say.
pub fn verdict(launch: &Launch, limit: SignedDuration, at: Timestamp) -> Option<Loss> {
    match launch.lease() {
        Some(lease) if lease.until < at => {
            let (pid, host) = (lease.pid, lease.host);
            let text = format!("the lease of process {pid} on {host} ended {} ago", age(at, lease.until));
            Some(Loss::new(Cause::Unexplained, text))
        }
        Some(_) => None,
        None => launch.last_heard().filter(|&heard| at.duration_since(heard) >= limit).map(silence),
    }
}

fn has_run_for(launch: &Launch, least: Option<SignedDuration>, most: Option<SignedDuration>) -> bool {
    let ran = launch.started().zip(launch.last_heard()).map(|(start, heard)| heard.duration_since(start));
    let ran = ran.unwrap_or_default();
    least.is_none_or(|least| ran >= least) && most.is_none_or(|most| ran <= most)
}

/// The fireworks whose runs may still renew the leases that have ended, each with how long to wait for
/// that.
pub fn doubtful(found: &Found, at: Timestamp) -> BTreeMap<FwId, SignedDuration> {
    let doubt = |launch: &Launch| mend::doubt(&launch.lease()?, at).filter(|doubt| !doubt.is_zero());
    found.launches.iter().filter_map(|(launch, _)| Some((launch.fw_id, doubt(launch)?))).collect()
}

/// Ends the lost runs, unless they have been heard of meanwhile. Their fireworks may be claimed again,
/// as far as `max_lost` allows; with 0 they are FIZZLED. What a run has left behind is recorded instead.
pub fn end(store: &dyn Store, witness: &dyn Witness, found: &Found, max_lost: u64, now: Timestamp) -> Result<()> {
    for (launch, loss) in found.launches.iter().filter(|(launch, _)| !witness.rescue(launch)) {
        if found.lost.iter().any(|firework| firework.fw_id == launch.fw_id) {
            // Whoever wants an end does not ask for the cause.
            let loss = if max_lost == 0 { &Loss::new(Cause::Unexplained, loss.text.as_str()) } else { loss };
            store.lose(launch, loss, max_lost, now)?;
        } else {
            // Nobody waits for it, or it is not all that its firework waits for.
            store.retire(&[launch.launch_id], loss, now)?;
        }
    }
    Ok(())
}

/// Reservations that have stood for so long, of fireworks that still wait for them.
pub fn unreserved(store: &dyn Store, limit: SignedDuration) -> Result<Vec<Launch>> {
    let at = store.clock()?;
    let is_old = |launch: &Launch| launch.last_heard().is_some_and(|heard| at.duration_since(heard) >= limit);
    let mut old = store.open_launches()?;
    old.retain(|launch| launch.state == State::Reserved && is_old(launch));
    let ids = Some(old.iter().map(|launch| launch.fw_id).collect());
    let waiting = FireworkQuery { ids, states: vec![State::Reserved], ..FireworkQuery::default() };
    let waiting: Vec<FwId> = store.find_fireworks(&waiting)?.iter().map(|firework| firework.fw_id).collect();
    old.retain(|launch| waiting.contains(&launch.fw_id));
    Ok(old)
}
