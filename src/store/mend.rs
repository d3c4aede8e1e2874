//! What dead workers leave behind, and how it is told from what the living are about: the part of
//! mending that needs no store. A worker of ours is judged by its lease; one of Python FireWorks,
//! which has none, by its pings and by how long a half-done step has been standing.

use std::collections::BTreeMap;
use std::fmt;

use bson::Bson;
use jiff::{SignedDuration, Timestamp};

use crate::workflow::{FwId, Launch, LaunchId, State, time};

/// How long a step may stand half done before whoever was about it counts as dead. Python's own
/// processes wait for a lock for five minutes, then give up.
pub const DEAD: SignedDuration = SignedDuration::from_mins(10);

/// How long a launch of Python FireWorks may go without a ping: its `RUN_EXPIRATION_SECS`.
pub const RUN_EXPIRATION: SignedDuration = SignedDuration::from_hours(4);

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
    /// Its launch had not been heard of; it is READY again.
    Lost(LaunchId, String),
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
            Mend::Lost(launch, reason) => write!(f, "fw_id {fw_id}: launch {launch} is lost ({reason}): READY again"),
            Mend::Unlocked => write!(f, "the workflow of fw_id {fw_id} was locked by a dead process: unlocked"),
            Mend::Corrected(0) => write!(f, "the workflow of fw_id {fw_id}: its state corrected"),
            Mend::Corrected(count) => write!(f, "the workflow of fw_id {fw_id}: {count} of its fw_states corrected"),
        }
    }
}

/// What is wrong with a firework that is RUNNING.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Case {
    /// This launch of it has ended.
    Ended(LaunchId),
    /// This launch of it has not been heard of since.
    Silent(LaunchId, Timestamp),
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

/// Judges a RUNNING firework, by the clock of its store. Launches that it does not list do not
/// count; of several the one that has come farthest does, as in FireWorks.
pub fn judge(
    updated_on: &Bson,
    listed: &[LaunchId],
    launches: &BTreeMap<LaunchId, Launch>,
    at: Timestamp,
) -> Option<Case> {
    let older_than =
        |limit: SignedDuration, date: Option<Timestamp>| date.filter(|date| at.duration_since(*date) > limit);
    let found = listed.iter().filter_map(|id| launches.get(id));
    // Of equals the last.
    let Some(launch) = found.max_by_key(|launch| launch.state.rank()) else {
        return older_than(DEAD, time::from_bson(updated_on)).map(|_| Case::Unlaunched);
    };
    let id = launch.launch_id;
    match launch.state {
        state if state.is_final() => older_than(DEAD, launch.last_heard()).map(|_| Case::Ended(id)),
        State::Running if launch.lease().is_none() => {
            older_than(RUN_EXPIRATION, launch.last_heard()).map(|since| Case::Silent(id, since))
        }
        _ => None,
    }
}

/// Why a silent launch counts as lost.
pub fn silence(since: Timestamp) -> String {
    format!("no ping since {}", time::to_iso(since))
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
        judge(&"2026-01-01T11:00:00".into(), listed, &launches, at)
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
    fn leases_are_not_judged_here() {
        let lease = doc! {"owner": "o", "host": "h", "pid": 1, "until": "2026-01-01T01:00:00Z"};
        let entry = doc! {"state": "RUNNING", "created_on": "2026-01-01T01:00:00", "lease": lease};
        assert_eq!(judged(&[7], vec![launch(7, vec![entry])]), None);
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
