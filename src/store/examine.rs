//! What can be found wrong in a launchpad, and the words for it.

use std::collections::BTreeMap;

use bson::Bson;
use jiff::{SignedDuration, Timestamp};

use super::mend::{Case, DEAD, followed, judge};
use crate::workflow::{Firework, FwId, Launch, LaunchId, State, as_int};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is of.
    pub trouble: Trouble,
    /// The firework, or one of the workflow, where it is about one.
    pub fw_id: Option<FwId>,
    /// What exactly, and what comes of it.
    pub text: String,
}

/// Kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A firework that no workflow links.
    Orphan,
    /// A workflow that is locked.
    Locked,
    /// A workflow that does not know the states of its fireworks.
    States,
    /// A firework that is RESERVED without a launch.
    Reserved,
    /// A firework that is RUNNING, and nobody runs it.
    Running,
    /// A counter below the highest id.
    Counter,
    /// An index that is missing.
    Index,
    /// A launch that no firework lists, and that nobody is about.
    Launch,
    /// A document that cannot be read.
    Unreadable,
    /// Another time on this host than in the store.
    Clock,
    /// A queue that does not answer.
    Queue,
    /// A file of the queue that cannot be used as it is.
    Adapter,
    /// A folder in which nothing can be launched.
    Folder,
}

impl Trouble {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Trouble::Orphan => "orphan",
            Trouble::Locked => "locked",
            Trouble::States => "fw_states",
            Trouble::Reserved => "reserved",
            Trouble::Running => "running",
            Trouble::Counter => "counter",
            Trouble::Index => "index",
            Trouble::Launch => "launch",
            Trouble::Unreadable => "unreadable",
            Trouble::Clock => "clock",
            Trouble::Queue => "queue",
            Trouble::Adapter => "qadapter",
            Trouble::Folder => "folder",
        }
    }
}

impl Finding {
    /// A firework that no workflow links.
    pub fn orphan(fw_id: FwId, name: &str, state: &str) -> Self {
        let text = format!(
            "`{name}` ({state}) belongs to no workflow: whoever added it died half way; add the workflow again, \
             `lpad admin orphaned` shows what is left of the first try and with --remove deletes it"
        );
        Finding { trouble: Trouble::Orphan, fw_id: Some(fw_id), text }
    }

    /// A document that cannot be read.
    pub fn unreadable(fw_id: Option<FwId>, what: &str) -> Self {
        Finding { trouble: Trouble::Unreadable, fw_id, text: format!("{what}; it has to be put right by hand") }
    }

    /// A counter below the highest id.
    pub fn counter(counter: &str, next: Option<i64>, highest: i64) -> Option<Self> {
        let text = match next {
            Some(next) if next > highest => return None,
            Some(next) => {
                format!("{counter} is {next}, but {highest} is in use: nothing can be added until it is higher")
            }
            None => format!("there is no {counter}; the first addition makes it"),
        };
        Some(Finding { trouble: Trouble::Counter, fw_id: None, text })
    }

    /// A firework that is RUNNING, when nobody runs it. `launches` are those it lists.
    pub fn running(firework: &Firework, launches: &BTreeMap<LaunchId, Launch>, at: Timestamp) -> Option<Self> {
        let launch = followed(&firework.launches, launches);
        let text = match judge(&firework.updated_on, launch, None, at) {
            None | Some(Case::Suspect(_)) => {
                let lease = launch.filter(|launch| launch.state == State::Running).and_then(Launch::lease);
                let lease = lease.filter(|lease| lease.until < at)?;
                let (ago, pid, host) = (age(at, lease.until), lease.pid, lease.host);
                format!(
                    "the lease of process {pid} on {host} ended {ago} ago; unless it is renewed soon, workers take the launch for lost"
                )
            }
            Some(Case::Ended(id)) => {
                format!("launch {id} has ended, and the firework does not know; workers see to it")
            }
            Some(Case::Silent(id, _)) => {
                let ago = launch.and_then(Launch::last_heard).map(|since| age(at, since)).unwrap_or_default();
                format!("launch {id} has not been heard of for {ago}; workers take it for lost")
            }
            Some(Case::Lost(id, loss)) => format!("launch {id} is lost ({loss}); workers see to it"),
            Some(Case::Unlaunched) => "there is no launch of it; workers make it READY".to_owned(),
        };
        Some(Finding { trouble: Trouble::Running, fw_id: Some(firework.fw_id), text })
    }
}

/// The holder of a workflow's lock, for people.
pub fn holder(locked: &Bson) -> String {
    let Some(value) = locked.as_document() else {
        let dead = DEAD.as_mins();
        return format!("a Python FireWorks process (it counts as dead when nothing has changed for {dead} min)");
    };
    let host = value.get_str("host").unwrap_or("an unknown host");
    let pid = value.get("pid").and_then(as_int).unwrap_or_default();
    format!("process {pid} on {host}")
}

/// `3 min`, `5 h`, `2 d`.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let passed = now.duration_since(then).max(SignedDuration::ZERO);
    match (passed.as_secs(), passed.as_mins(), passed.as_hours()) {
        (seconds, 0, _) => format!("{seconds} s"),
        (_, minutes, 0..2) => format!("{minutes} min"),
        (_, _, hours @ 0..48) => format!("{hours} h"),
        (_, _, hours) => format!("{} d", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let at = |seconds| Timestamp::from_second(seconds).expect("in range");
        let shown = |seconds| age(at(seconds), at(0));
        assert_eq!(
            [shown(7), shown(119), shown(7_199), shown(7_200), shown(200_000)],
            ["7 s", "1 min", "119 min", "2 h", "2 d"]
        );
        assert_eq!(age(at(0), at(9)), "0 s");
    }

    #[test]
    fn counters_stand_above_the_ids() {
        assert_eq!(Finding::counter("next_fw_id", Some(5), 4), None);
        assert!(Finding::counter("next_fw_id", Some(5), 5).is_some());
    }
}
