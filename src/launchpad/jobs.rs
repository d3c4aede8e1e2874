//! Our jobs in a queue, with what the launchpad knows of them: the fireworks that they run or are for, who has
//! submitted them, what they say of themselves.

use std::collections::HashMap;

use super::crew::is_same;
use crate::queue::{JobId, QueuedJob};
use crate::store::ledger::{Entry, Key, Ledger, Word};
use crate::workflow::queue_job::names_of;
use crate::workflow::{FwId, Launch, QueueJob, State};

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// As the queue shows it.
    pub queued: QueuedJob,
    /// The cluster it is on, or what stands for it.
    pub cluster: String,
    /// The fireworks that it runs, or that are reserved for it, by id.
    pub runs: Vec<(FwId, State)>,
    /// Who has submitted it: the id of a launcher, or its host and process.
    pub launcher: Option<String>,
    /// The last it said.
    pub word: Option<Word>,
}

impl Job {
    /// Its name, as launches have it.
    pub fn name(&self) -> QueueJob {
        QueueJob { id: self.queued.id.id.clone(), cluster: Some(self.cluster.clone()), restarts: 0 }
    }
}

/// Puts together what a queue lists and what is in the launchpad. `home` is the cluster of jobs that do not say.
pub fn jobs(listed: Vec<QueuedJob>, home: &str, open: &[Launch], ledgers: &[(Key, Ledger)]) -> Vec<Job> {
    let by_name = by_name(open);
    let job = |queued: QueuedJob| {
        let cluster = queued.id.cluster.clone().unwrap_or_else(|| home.to_owned());
        let mut job = Job { queued, cluster, runs: Vec::new(), launcher: None, word: None };
        let name = job.name();
        let named = by_name.get(&name.id).into_iter().flatten();
        job.runs =
            named.filter(|(one, _)| is_same(one, &name)).map(|(_, launch)| (launch.fw_id, launch.state)).collect();
        job.runs.sort_unstable();
        job.runs.dedup();
        if let Some((ledger, entry)) = place(ledgers, &job) {
            job.launcher = launcher(ledger, entry);
            job.word = entry.word;
        }
        job
    };
    listed.into_iter().map(job).collect()
}

/// The launches of jobs, by the names of these.
fn by_name(open: &[Launch]) -> HashMap<String, Vec<(QueueJob, &Launch)>> {
    let mut by_name: HashMap<String, Vec<(QueueJob, &Launch)>> = HashMap::new();
    for (job, launch) in open.iter().flat_map(|launch| launch.queue_jobs().map(move |job| (job, launch))) {
        for name in names_of(&job.id) {
            by_name.entry(name.to_owned()).or_default().push((job.clone(), launch));
        }
    }
    by_name
}

/// The place that a job has.
fn place<'a>(ledgers: &'a [(Key, Ledger)], job: &Job) -> Option<(&'a Ledger, &'a Entry)> {
    let of_cluster = ledgers.iter().filter(|(key, _)| key.cluster == job.cluster);
    let mut all = of_cluster.flat_map(|(_, ledger)| ledger.jobs.iter().map(move |entry| (ledger, entry)));
    all.find(|(_, entry)| is_place_of(entry, &job.queued.id))
}

fn is_place_of(entry: &Entry, job: &JobId) -> bool {
    entry.job.as_ref().is_some_and(|one| one.id == job.id)
}

fn launcher(ledger: &Ledger, entry: &Entry) -> Option<String> {
    let holder = &entry.holder;
    let daemon = ledger.daemons.iter().find(|daemon| daemon.holder == *holder);
    let process = || (!holder.host.is_empty()).then(|| format!("{}:{}", holder.host, holder.pid));
    daemon.map(|daemon| daemon.id.clone()).or_else(process)
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use jiff::Timestamp;

    use super::*;
    use crate::queue::{Details, JobState};
    use crate::store::ledger::{Daemon, Holder, JobName};

    fn queued(id: &str) -> QueuedJob {
        let (id, state, details) = (JobId::new(id), JobState::Running, Details::default());
        QueuedJob { id, state, running_for: None, token: None, dir: None, details }
    }

    fn launch(fw_id: FwId, job: &str, cluster: &str) -> Launch {
        let lease = doc! {
            "owner": "o", "host": "h", "pid": 1, "until": "2026-01-01T00:00:00Z", "job": {"id": job, "cluster": cluster},
        };
        let history = [doc! {"state": "RUNNING", "lease": lease}];
        let document = doc! {"launch_id": fw_id, "fw_id": fw_id, "state": "RUNNING", "state_history": history};
        Launch::from_document(&document).expect("a launch")
    }

    fn taken(job: &str, pid: u32) -> Entry {
        Entry {
            token: format!("/{job}"),
            element: None,
            holder: Holder { host: "login1".into(), pid, ..Holder::default() },
            taken: Timestamp::UNIX_EPOCH,
            group: None,
            job: Some(JobName { id: job.into(), cluster: None }),
            word: Some(Word::Idle(Timestamp::UNIX_EPOCH)),
            missed: None,
        }
    }

    #[test]
    fn jobs_are_known_by_number_and_cluster() {
        let open =
            [launch(9, "12_3", "east"), launch(4, "12_3", "east"), launch(5, "12_3", "west"), launch(6, "1", "east")];
        let daemon = Daemon {
            id: "launcher-7".into(),
            holder: Holder { host: "login1".into(), pid: 7, ..Holder::default() },
            command: String::new(),
            log: None,
            status: String::new(),
            began: Timestamp::UNIX_EPOCH,
            heard: Timestamp::UNIX_EPOCH,
            stop: false,
        };
        let ledger = Ledger { jobs: vec![taken("12_3", 7), taken("13", 8)], daemons: vec![daemon], revision: 0 };
        let key = |cluster: &str| Key { cluster: cluster.into(), user: "1000".into() };
        let west = Ledger { jobs: vec![taken("14", 9)], ..Ledger::default() };
        let ledgers = [(key("east"), ledger), (key("west"), west)];
        let found = jobs(["12_3", "13", "14"].map(queued).into(), "east", &open, &ledgers);
        let seen: Vec<_> = found.iter().map(|job| (job.runs.clone(), job.launcher.as_deref())).collect();
        let runs = vec![(4, State::Running), (9, State::Running)];
        assert_eq!(seen, [(runs, Some("launcher-7")), (vec![], Some("login1:8")), (vec![], None)]);
        assert!(found[0].word.is_some() && found[2].word.is_none());
    }
}
