//! What dead workers leave behind, and how it is told from what the living are about: the part of
//! mending that needs no store. A worker of ours is judged by its lease; one of Python FireWorks,
//! which has none, by its pings and by how long a half-done step has been standing.

use std::collections::BTreeMap;
use std::fmt;

use bson::Bson;
use jiff::{SignedDuration, Timestamp};

use crate::workflow::{Cause, FwId, Launch, LaunchId, Lease, Loss, State, retry::MAX_LOST, time};

/// How long a step may stand half done before whoever was about it counts as dead. Python's own
/// processes wait for a lock for five minutes, then give up.
pub const DEAD: SignedDuration = SignedDuration::from_mins(10);

/// How long a firework may be RUNNING before its claim has made the launch: as long as a lease.
pub const UNLAUNCHED: SignedDuration = SignedDuration::from_mins(2);

/// How long a launch may have ended before its worker has told the firework: as long as it holds a
/// lock.
pub const SETTLING: SignedDuration = SignedDuration::from_secs(30);

/// How long a launch of Python FireWorks may go without a ping: its `RUN_EXPIRATION_SECS`.
pub const RUN_EXPIRATION: SignedDuration = SignedDuration::from_hours(4);

/// How to mend.
pub struct Mending<'a> {
    /// Nothing is done when anybody has looked less than so long ago: a fleet shares the work.
    pub every: SignedDuration,
    /// Only in the workflows of these fireworks, whoever has looked; everywhere without.
    pub only: Option<&'a [FwId]>,
    /// After so many losses in a row for which it may be to blame a firework is FIZZLED.
    pub max_lost: u64,
    /// Who may know that a worker is dead before its lease ends, and why.
    pub witness: &'a dyn Witness,
}

impl Default for Mending<'_> {
    /// Everywhere, and at once.
    fn default() -> Self {
        Mending { every: SignedDuration::ZERO, only: None, max_lost: MAX_LOST, witness: &Blind }
    }
}

/// Somebody who sees more of workers than their leases.
pub trait Witness: Sync {
    /// For each of these launches, RUNNING or RESERVED, why it is certainly lost, if it is. They come
    /// without their actions.
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>>;

    /// Records what a launch has left behind that is about to be taken for lost. Returns whether there
    /// was an outcome: then it is not lost, also when the outcome cannot be recorded yet.
    fn rescue(&self, _launch: &Launch) -> bool {
        false
    }
}

/// What a witness knows of launches that are open.
pub fn losses(witness: &dyn Witness, launches: &BTreeMap<LaunchId, Launch>) -> BTreeMap<LaunchId, Loss> {
    let open: Vec<&Launch> = launches.values().filter(|launch| !launch.state.is_final()).collect();
    if open.is_empty() {
        return BTreeMap::new();
    }
    let known = open.iter().zip(witness.losses(&open));
    known.filter_map(|(launch, loss)| Some((launch.launch_id, loss?))).collect()
}

/// Sees nothing.
pub struct Blind;

impl Witness for Blind {
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        vec![None; launches.len()]
    }
}

/// Something that was put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The firework, or one of its workflow.
    pub fw_id: FwId,
    /// What was done.
    pub what: Mend,
}

/// What can be put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mend {
    /// It was RESERVED or RUNNING without a launch, and is READY again.
    Freed(State),
    /// Its launch had ended, and neither it nor its workflow knew.
    Settled(LaunchId),
    /// The lease of its launch had ended; it is not yet taken for lost.
    Suspected(LaunchId),
    /// Its launch was lost; it is READY again, or FIZZLED after too many such losses.
    Lost(LaunchId, Loss),
    /// The lock of its workflow was that of a dead process.
    Unlocked,
    /// Its workflow had another state than follows from its fireworks, or had other states for so
    /// many of them than they have.
    Corrected(usize),
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fw_id = self.fw_id;
        match &self.what {
            Mend::Freed(state) => write!(f, "fw_id {fw_id} was {state} without a launch: READY again"),
            Mend::Settled(launch) => write!(f, "fw_id {fw_id}: launch {launch} had ended, and is applied now"),
            Mend::Suspected(launch) => {
                write!(f, "fw_id {fw_id}: the lease of launch {launch} has ended; it may be lost")
            }
            Mend::Lost(launch, loss) => write!(f, "fw_id {fw_id}: launch {launch} is lost ({loss})"),
            Mend::Unlocked => write!(f, "the workflow of fw_id {fw_id} was locked by a dead process: unlocked"),
            Mend::Corrected(0) => write!(f, "the workflow of fw_id {fw_id}: its state corrected"),
            Mend::Corrected(count) => write!(f, "the workflow of fw_id {fw_id}: {count} of its fw_states corrected"),
        }
    }
}

/// What is wrong with a firework that is RUNNING or RESERVED.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Case {
    /// This launch of it has ended.
    Ended(LaunchId),
    /// The lease of this launch has ended. Nobody may have been able to renew it: the store was away.
    Suspect(LaunchId),
    /// This launch of it is lost.
    Lost(LaunchId, Loss),
    /// This launch, which has no lease, has not been heard of: one of Python FireWorks, or one that
    /// was reserved and never begun.
    Silent(LaunchId, Loss),
    /// The launch that it lists last does not exist.
    Unlaunched,
}

impl Case {
    /// The launch that has not been heard of.
    pub fn silent(&self) -> Option<LaunchId> {
        match self {
            Case::Silent(launch_id, _) => Some(*launch_id),
            _ => None,
        }
    }
}

/// The launch that a firework follows: of those that it lists the one that has come farthest, as in
/// FireWorks; of equals the last.
pub fn followed<'l>(listed: &[LaunchId], launches: &'l BTreeMap<LaunchId, Launch>) -> Option<&'l Launch> {
    listed.iter().filter_map(|id| launches.get(id)).max_by_key(|launch| launch.state.rank())
}

/// Judges a RUNNING firework, or a RESERVED one that a witness knows something of, by the clock of
/// its store. `loss` is what the witness knows of the launch that it follows.
pub fn judge(updated_on: &Bson, launch: Option<&Launch>, loss: Option<Loss>, at: Timestamp) -> Option<Case> {
    let older_than =
        |limit: SignedDuration, date: Option<Timestamp>| date.filter(|date| at.duration_since(*date) > limit);
    let Some(launch) = launch else {
        return older_than(UNLAUNCHED, time::from_bson(updated_on)).map(|_| Case::Unlaunched);
    };
    let id = launch.launch_id;
    match (launch.state, launch.lease()) {
        (state, Some(lease)) if state.is_final() => {
            let is_over = lease.until < at && older_than(SETTLING, launch.last_heard()).is_some();
            is_over.then_some(Case::Ended(id))
        }
        (state, None) if state.is_final() => older_than(DEAD, launch.last_heard()).map(|_| Case::Ended(id)),
        (State::Running | State::Reserved, _) if loss.is_some() => loss.map(|loss| Case::Lost(id, loss)),
        (State::Running, Some(lease)) => judge_lease(id, &lease, at),
        (State::Running, None) => {
            older_than(RUN_EXPIRATION, launch.last_heard()).map(|since| Case::Silent(id, silence(since)))
        }
        // Whoever was to take it up told the firework first.
        (State::Reserved, _) => older_than(UNLAUNCHED, time::from_bson(updated_on)).map(|_| {
            let text = "whoever was to run it was gone before it had begun";
            Case::Silent(id, Loss::new(Cause::Unexplained, text))
        }),
        _ => None,
    }
}

/// An expired lease is suspected first. When it is found unchanged at least one interval of its
/// renewal later, then its owner has had the time to renew it, and has not.
fn judge_lease(id: LaunchId, lease: &Lease, at: Timestamp) -> Option<Case> {
    let doubt = doubt(lease, at)?;
    if lease.suspected.is_none() {
        return Some(Case::Suspect(id));
    }
    doubt.is_zero().then(|| {
        let (pid, host, until) = (lease.pid, &lease.host, time::to_iso(lease.until));
        let text = format!("the lease of process {pid} on {host} ended at {until}, and was not renewed");
        Case::Lost(id, Loss::new(Cause::Unexplained, text))
    })
}

/// For how long a lease that has ended is still given the chance to be renewed.
pub fn doubt(lease: &Lease, at: Timestamp) -> Option<SignedDuration> {
    if lease.until >= at {
        return None;
    }
    let waited = lease.suspected.map_or(SignedDuration::ZERO, |since| at.duration_since(since));
    Some((lease.renewed_every() - waited).max(SignedDuration::ZERO))
}

/// Why a silent launch counts as lost.
pub fn silence(since: Timestamp) -> Loss {
    Loss::new(Cause::Unexplained, format!("no ping since {}", time::to_iso(since)))
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::*;

    fn launch(id: i64, history: Vec<Document>) -> Launch {
        let state = history.last().and_then(|entry| entry.get_str("state").ok()).expect("a state").to_owned();
        Launch::from_document(&doc! {"launch_id": id, "fw_id": 1, "state": state, "state_history": history})
            .expect("a launch")
    }

    fn judged(listed: &[LaunchId], launches: Vec<Launch>) -> Option<Case> {
        let launches = launches.into_iter().map(|launch| (launch.launch_id, launch)).collect();
        let at = time::from_text("2026-01-01T12:00:00Z").expect("a date");
        judge(&"2026-01-01T11:00:00".into(), followed(listed, &launches), None, at)
    }

    fn date(text: &str) -> Bson {
        time::to_bson_date(time::from_text(text).expect("a date"))
    }

    #[test]
    fn python_is_judged_by_its_pings_whatever_their_form() {
        let running = |ping: Bson| {
            let entry = doc! {"state": "RUNNING", "created_on": "2026-01-01T01:00:00", "updated_on": ping};
            judged(&[7], vec![launch(7, vec![entry])])
        };
        for ping in [Bson::from("2026-01-01T07:00:00.000001+00:00"), "2026-01-01T07:00:00".into()] {
            assert!(matches!(running(ping.clone()), Some(Case::Silent(7, _))), "{ping}");
        }
        assert!(matches!(running(date("2026-01-01T07:59:59Z")), Some(Case::Silent(7, _))));
        for ping in ["2026-01-01T08:30:00.000001+00:00".into(), date("2026-01-01T08:30:00Z")] {
            assert_eq!(running(ping), None);
        }
    }

    #[test]
    fn an_expired_lease_is_suspected_before_it_is_lost() {
        let found = |until: &str, suspected: Option<&str>| {
            let mut lease = doc! {"owner": "o", "host": "h", "pid": 1, "renew": 20, "until": until};
            lease.extend(suspected.map(|at| ("suspected".to_owned(), at.into())));
            let entry = doc! {"state": "RUNNING", "created_on": "2026-01-01T01:00:00", "lease": lease};
            judged(&[7], vec![launch(7, vec![entry])])
        };
        let over = "2026-01-01T11:59:59Z";
        assert_eq!(found("2026-01-01T12:00:00Z", None), None);
        assert_eq!(found(over, None), Some(Case::Suspect(7)));
        assert_eq!(found(over, Some("2026-01-01T11:59:41Z")), None, "its owner may renew it");
        assert!(matches!(found(over, Some("2026-01-01T11:59:40Z")), Some(Case::Lost(7, _))));
    }

    #[test]
    fn a_witness_is_believed_at_once() {
        let lease = doc! {"owner": "o", "host": "h", "pid": 1, "until": "2026-01-01T13:00:00Z"};
        let entry = doc! {"state": "RUNNING", "created_on": "2026-01-01T01:00:00", "lease": lease};
        let loss = Loss::new(Cause::NodeFail, "Slurm job 12: NODE_FAIL");
        let at = time::from_text("2026-01-01T12:00:00Z").expect("a date");
        let judged = judge(&Bson::Null, Some(&launch(7, vec![entry])), Some(loss.clone()), at);
        assert_eq!(judged, Some(Case::Lost(7, loss)));
    }

    #[test]
    fn a_reservation_that_was_not_taken_up_wholly_is_lost_after_a_while() {
        let entry = doc! {"state": "RESERVED", "created_on": "2026-01-01T01:00:00"};
        let reserved = launch(7, vec![entry]);
        let judged = |told: &str| {
            let at = time::from_text("2026-01-01T12:00:00Z").expect("a date");
            judge(&told.into(), Some(&reserved), None, at)
        };
        assert_eq!(judged("2026-01-01T11:58:30Z"), None);
        assert!(matches!(judged("2026-01-01T11:57:30Z"), Some(Case::Silent(7, _))));
    }

    #[test]
    fn an_end_is_known_after_a_while() {
        let ended = |id, end: &str| {
            launch(
                id,
                vec![
                    doc! {"state": "RUNNING", "created_on": "2026-01-01T01:00:00"},
                    doc! {"state": "COMPLETED", "created_on": end},
                ],
            )
        };
        assert_eq!(judged(&[7], vec![ended(7, "2026-01-01T11:49:59")]), Some(Case::Ended(7)));
        assert_eq!(judged(&[7], vec![ended(7, "2026-01-01T11:51:00")]), None);
        let runs = launch(8, vec![doc! {"state": "RUNNING", "created_on": "2026-01-01T11:59:00"}]);
        let both = vec![ended(7, "2026-01-01T01:00:00"), runs];
        assert_eq!(judged(&[8], both.clone()), None, "a launch that was put away does not count");
        assert_eq!(judged(&[7, 8], both), Some(Case::Ended(7)), "duplicates: the one that has come farthest");
        assert_eq!(judged(&[9], Vec::new()), Some(Case::Unlaunched));
    }
}
