//! Who is at work: worker processes by what they hold, and jobs that have nothing to do by what they say.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::lost::verdict;
use crate::store::ledger::{Key, Ledger, Word};
use crate::store::mend::RUN_EXPIRATION;
use crate::workflow::{FwId, Launch, Loss, QueueJob, State};

/// Who is at work, and what nobody is about any more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Crew {
    /// The workers, by name and host.
    pub members: Vec<Member>,
    /// Runs that nobody seems to be about any more, and why.
    pub lost: Vec<(FwId, Loss)>,
}

/// A worker process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Member {
    /// Name of the worker; of a job that holds nothing it is not known.
    pub name: Option<String>,
    /// Its host; likewise.
    pub host: Option<String>,
    /// Its process; Python's workers do not say.
    pub pid: Option<u32>,
    /// The queue job that it runs in.
    pub job: Option<QueueJob>,
    /// The fireworks that it holds, by id.
    pub runs: Vec<FwId>,
    /// How many it runs side by side, where it says so.
    pub slots: Option<usize>,
    /// When it was last heard of, by the store's clock.
    pub heard: Option<Timestamp>,
    /// Since when it has had nothing to do, by its own clock.
    pub idle: Option<Timestamp>,
}

/// A worker that runs something, whatever its processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// How many fireworks it runs there.
    pub running: usize,
}

/// Those who hold launches that are open. What has a lease tells the process; of Python's workers those of one
/// name on one host are one.
pub fn crew(open: &[Launch], at: Timestamp) -> Crew {
    let mut members: BTreeMap<(String, String, Option<String>), Member> = BTreeMap::new();
    let mut lost = Vec::new();
    for launch in open.iter().filter(|launch| launch.state == State::Running) {
        if let Some(loss) = verdict(launch, RUN_EXPIRATION, at) {
            lost.push((launch.fw_id, loss));
            continue;
        }
        let lease = launch.lease();
        let name = launch.fworker.as_document().and_then(|worker| worker.get_str("name").ok()).unwrap_or_default();
        let key = (name.to_owned(), launch.host.clone(), lease.as_ref().map(|lease| lease.owner.clone()));
        let member = members.entry(key).or_insert_with(|| Member {
            name: Some(name.to_owned()),
            host: Some(launch.host.clone()),
            pid: lease.as_ref().map(|lease| lease.pid),
            job: launch.queue_job(),
            slots: lease.as_ref().and_then(|lease| lease.slots),
            ..Member::default()
        });
        member.runs.push(launch.fw_id);
        member.heard = member.heard.max(launch.last_heard());
    }
    let mut members: Vec<Member> = members.into_values().collect();
    members.iter_mut().for_each(|member| member.runs.sort_unstable());
    Crew { members, lost }
}

impl Crew {
    /// The same with the jobs that have begun, and hold nothing, by these ledgers.
    pub fn with_idle(mut self, ledgers: &[(Key, Ledger)]) -> Self {
        self.members.retain(|member| !member.runs.is_empty());
        for (key, entry) in ledgers.iter().flat_map(|(key, ledger)| ledger.jobs.iter().map(move |entry| (key, entry))) {
            let idle = match entry.word {
                Some(Word::Idle(since)) => Some(since),
                Some(Word::Started(_)) => None,
                Some(Word::Ending(_)) | None => continue,
            };
            let Some(job) = &entry.job else { continue };
            let cluster = Some(job.cluster.as_ref().unwrap_or(&key.cluster).clone());
            let job = QueueJob { id: job.id.clone(), cluster, restarts: 0 };
            if !self.members.iter().any(|member| member.job.as_ref().is_some_and(|one| is_same(one, &job))) {
                self.members.push(Member { job: Some(job), idle, ..Member::default() });
            }
        }
        self
    }

    /// Who runs something, by name and host; the busiest first.
    pub fn workers(&self) -> Vec<Worker> {
        let mut running: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for member in &self.members {
            if let (Some(name), Some(host)) = (&member.name, &member.host) {
                *running.entry((name, host)).or_default() += member.runs.len();
            }
        }
        let worker = |((name, host), running): ((&str, &str), usize)| Worker {
            name: name.to_owned(),
            host: host.to_owned(),
            running,
        };
        let mut workers: Vec<Worker> = running.into_iter().map(worker).collect();
        workers.sort_by_key(|worker| std::cmp::Reverse(worker.running));
        workers
    }

    /// How many slots are busy, and how many there are, as far as workers say.
    pub fn slots(&self) -> (usize, usize) {
        let count = |member: &Member| (member.busy(), member.slots.unwrap_or_else(|| member.busy()));
        self.members.iter().map(count).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// How many fireworks were claimed ahead of their turn.
    pub fn ahead(&self) -> usize {
        self.members.iter().map(Member::ahead).sum()
    }
}

impl Member {
    /// How many of its slots are busy.
    pub fn busy(&self) -> usize {
        self.slots.map_or(self.runs.len(), |slots| slots.min(self.runs.len()))
    }

    /// How many fireworks it holds beyond that: short ones are claimed several at once, and wait for a slot.
    pub fn ahead(&self) -> usize {
        self.runs.len() - self.busy()
    }
}

/// Whether two names are of one job; who does not say of which cluster means this one.
pub fn is_same(one: &QueueJob, other: &QueueJob) -> bool {
    let clusters = one.cluster.as_ref().zip(other.cluster.as_ref());
    one.id == other.id && clusters.is_none_or(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};
    use jiff::SignedDuration;

    use super::*;
    use crate::store::ledger::{Entry, Holder, JobName};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn launch(fw_id: FwId, worker: &str, heard: i64, lease: Option<Document>) -> Launch {
        let heard = crate::workflow::time::to_iso(at(heard));
        let mut running = doc! {"state": "RUNNING", "created_on": &heard, "updated_on": &heard};
        running.extend(lease.map(|lease| ("lease".to_owned(), lease.into())));
        let document = doc! {
            "launch_id": fw_id, "fw_id": fw_id, "state": "RUNNING", "host": "n1", "fworker": {"name": worker},
            "state_history": [running],
        };
        Launch::from_document(&document).expect("a launch")
    }

    fn lease(owner: &str, until: i64, job: Option<&str>) -> Option<Document> {
        let until = crate::workflow::time::to_iso(at(until));
        let mut lease = doc! {"owner": owner, "host": "n1", "pid": 7, "slots": 4, "until": until};
        lease.extend(job.map(|id| ("job".to_owned(), doc! {"id": id, "cluster": "east"}.into())));
        Some(lease)
    }

    fn place(job: &str, word: Word) -> Entry {
        Entry {
            token: format!("/{job}"),
            element: None,
            holder: Holder::default(),
            taken: at(0),
            group: None,
            job: Some(JobName { id: job.into(), cluster: None }),
            word: Some(word),
            missed: None,
        }
    }

    #[test]
    fn workers_are_processes() {
        let open = [
            launch(3, "big", 90, lease("a", 200, Some("12"))),
            launch(1, "big", 95, lease("a", 200, Some("12"))),
            launch(5, "big", 80, lease("b", 200, None)),
            launch(7, "python", 70, None),
            launch(8, "python", 60, None),
            launch(9, "dead", 10, lease("c", 50, None)),
        ];
        let key = Key { cluster: "east".into(), user: "1000".into() };
        let jobs = vec![
            place("12", Word::Idle(at(5))),
            place("13", Word::Idle(at(40))),
            place("14", Word::Ending(at(40))),
            place("15", Word::Started(at(40))),
        ];
        let crew = crew(&open, at(100)).with_idle(&[(key, Ledger { jobs, ..Ledger::default() })]);
        let seen: Vec<_> = crew
            .members
            .iter()
            .map(|one| {
                let job = one.job.as_ref().map(|job| job.id.as_str());
                (one.name.as_deref(), one.runs.as_slice(), one.slots, one.heard.or(one.idle), job)
            })
            .collect();
        assert_eq!(
            seen,
            [
                (Some("big"), &[1, 3][..], Some(4), Some(at(95)), Some("12")),
                (Some("big"), &[5], Some(4), Some(at(80)), None),
                (Some("python"), &[7, 8], None, Some(at(70)), None),
                (None, &[], None, Some(at(40)), Some("13")),
                (None, &[], None, None, Some("15")),
            ]
        );
        assert_eq!(crew.lost.len(), 1);
        assert_eq!((crew.slots(), crew.ahead()), ((5, 10), 0));
        let worker = |name: &str, running| Worker { name: name.into(), host: "n1".into(), running };
        assert_eq!(crew.workers(), [worker("big", 3), worker("python", 2)]);
    }

    #[test]
    fn no_more_is_busy_than_there_are_slots() {
        let open: Vec<Launch> = (1..=6).map(|fw_id| launch(fw_id, "big", 90, lease("a", 200, None))).collect();
        let crew = crew(&open, at(100));
        assert_eq!((crew.slots(), crew.ahead()), ((4, 4), 2));
    }
}
