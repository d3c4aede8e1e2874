//! Who is certainly dead, and why: seen from this host, and from its queue.
//!
//! A worker is lost when its queue says that its job is over or has begun anew, or when it was a
//! process of this host and is gone. Where both is so the queue's reason is the better one. Whoever
//! does not answer, or answers what is not certain, proves nothing: then the lease decides.

use crate::queue::{JobId, KnownJob, Queue, process};
use crate::store::Witness;
use crate::workflow::{Cause, Launch, Lease, Loss};

mod jobs;

use jobs::{Asked, Word};

/// Sees the processes of this host, and the jobs of a queue.
pub struct Watcher<'a> {
    host: String,
    boot: String,
    queue: &'a dyn Queue,
}

impl<'a> Watcher<'a> {
    /// On this host.
    pub fn new(queue: &'a dyn Queue) -> Self {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        Watcher { host, boot: process::boot(), queue }
    }

    /// What the queue says of each launch.
    fn words(&self, launches: &[&Launch]) -> Vec<Word> {
        let asked: Vec<Option<Asked>> = launches.iter().map(|launch| Asked::of(launch, &self.host)).collect();
        let mut jobs: Vec<JobId> = asked.iter().flatten().map(|asked| asked.job.clone()).collect();
        jobs.sort_unstable();
        jobs.dedup();
        let known = if jobs.is_empty() { Ok(Vec::new()) } else { self.queue.fates(&jobs) };
        let known = known.unwrap_or_else(|error| {
            tracing::debug!("the {} queue does not tell what became of jobs: {error}", self.queue.name());
            Vec::new()
        });
        let known: Vec<(JobId, KnownJob)> = jobs.into_iter().zip(known).collect();
        let word = |asked: &Asked| {
            let place = known.binary_search_by(|(job, _)| job.cmp(&asked.job)).ok()?;
            Some(asked.judge(self.queue.name(), &known[place].1))
        };
        asked.iter().map(|asked| asked.as_ref().and_then(word).unwrap_or(Word::Nothing)).collect()
    }

    /// Why the process of a lease is gone. Containers may share a kernel, and not their processes.
    fn gone(&self, lease: &Lease) -> Option<Loss> {
        let here = !self.boot.is_empty() && lease.boot_id == self.boot && lease.host == self.host;
        let gone = here && process::is_gone(lease.pid, lease.born);
        gone.then(|| Loss::new(Cause::Unexplained, format!("process {} on {} is gone", lease.pid, lease.host)))
    }
}

impl Witness for Watcher<'_> {
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        let judged = self.words(launches).into_iter().zip(launches).map(|(word, launch)| match word {
            Word::Lost(loss) => Some(loss),
            // Its queue will know better why.
            Word::Ending => None,
            Word::Nothing => launch.lease().and_then(|lease| self.gone(&lease)),
        });
        judged.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use bson::{Document, doc};

    use super::*;
    use crate::queue::{Fate, Job, QueueError, QueuedJob, Standing};

    /// A queue that knows what it is told, and remembers what it was asked.
    struct Told(Vec<(&'static str, Fate)>, Mutex<Vec<usize>>);

    impl Told {
        fn new(jobs: &[(&'static str, Fate)]) -> Self {
            Told(jobs.to_vec(), Mutex::new(Vec::new()))
        }
    }

    impl Queue for Told {
        fn name(&self) -> &'static str {
            "Slurm"
        }

        fn describe(&self) -> String {
            "a queue of a test".into()
        }

        fn cluster(&self) -> crate::queue::Result<String> {
            Ok("east".into())
        }

        fn submit(&self, _: &Job) -> crate::queue::Result<JobId> {
            Ok(JobId::new("1"))
        }

        fn list(&self) -> crate::queue::Result<Vec<QueuedJob>> {
            Ok(Vec::new())
        }

        fn cancel(&self, _: &[JobId]) -> crate::queue::Result<()> {
            Ok(())
        }

        fn standings(&self, _: &[JobId]) -> crate::queue::Result<BTreeMap<JobId, Standing>> {
            Ok(BTreeMap::new())
        }

        fn fates(&self, jobs: &[JobId]) -> crate::queue::Result<Vec<KnownJob>> {
            self.1.lock().expect("is free").push(jobs.len());
            if self.0.is_empty() {
                return Err(QueueError::Hangs { command: "squeue".into(), seconds: 10 });
            }
            let is_here = |job: &JobId| job.cluster.as_deref() != Some("west");
            let fate =
                |job: &JobId| self.0.iter().find(|(id, _)| *id == job.id && is_here(job)).map(|(_, fate)| fate.clone());
            let known = |job| match fate(job).unwrap_or(Fate::Unknown) {
                fate @ (Fate::Gone | Fate::Unknown) => KnownJob::absent(fate),
                fate => KnownJob { fate, dir: Some("/".into()) },
            };
            Ok(jobs.iter().map(known).collect())
        }
    }

    fn over(cause: Cause, text: &str) -> Fate {
        Fate::Over(Loss::new(cause, text))
    }

    fn here(pid: u32, born: Option<u64>) -> Lease {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        Lease { owner: "o".into(), host, boot_id: process::boot(), pid, born, ..Lease::default() }
    }

    fn running(lease: &Lease, job: Option<(&str, i64)>) -> Launch {
        let mut lease = lease.to_document();
        if let Some((id, restarts)) = job {
            lease.insert("job", doc! {"id": id, "cluster": "east", "restarts": restarts});
        }
        launch(vec![doc! {"state": "RUNNING", "created_on": "2026-01-01T01:00:00", "lease": lease}], "/a", "node1")
    }

    fn launch(history: Vec<Document>, dir: &str, host: &str) -> Launch {
        let state = history.last().and_then(|entry| entry.get_str("state").ok()).expect("a state").to_owned();
        let document = doc! {
            "launch_id": 7, "fw_id": 5, "launch_dir": dir, "host": host, "state": state, "state_history": history,
        };
        Launch::from_document(&document).expect("a launch")
    }

    fn reserved(id: &str, dir: &str, host: &str) -> Launch {
        let entry = doc! {"state": "RESERVED", "created_on": "2026-01-01T01:00:00", "reservation_id": id};
        launch(vec![entry], dir, host)
    }

    fn loss(queue: &Told, launch: &Launch) -> Option<(Cause, String)> {
        let found = Watcher::new(queue).losses(&[launch]).pop().expect("an answer for each");
        found.map(|loss| (loss.cause, loss.text))
    }

    fn some(cause: Cause, text: &str) -> Option<(Cause, String)> {
        Some((cause, text.to_owned()))
    }

    /// The process of this test, and its grandfather of the same id.
    fn alive() -> Lease {
        here(std::process::id(), process::started(std::process::id()))
    }

    fn dead() -> Lease {
        here(std::process::id(), process::started(std::process::id()).map(|born| born - 1))
    }

    #[test]
    fn a_process_that_is_gone_is_lost() {
        let queue = Told::new(&[]);
        let gone = format!("process {} on {} is gone", dead().pid, dead().host);
        assert_eq!(loss(&queue, &running(&dead(), None)), some(Cause::Unexplained, &gone));
        for lease in [
            alive(),
            // Another boot, another host of the same kernel, one that does not say.
            Lease { boot_id: "another".into(), ..dead() },
            Lease { host: "container".into(), ..dead() },
            Lease { boot_id: String::new(), ..dead() },
            // Whoever has its id may be it.
            Lease { born: None, ..dead() },
        ] {
            assert_eq!(loss(&queue, &running(&lease, None)), None, "{lease:?}");
        }
    }

    #[test]
    fn the_reason_of_the_queue_is_the_better_one() {
        let queue = Told::new(&[
            ("1", over(Cause::Timeout, "TIMEOUT")),
            ("2", Fate::Gone),
            ("3", Fate::Waiting),
            ("4", Fate::Running { restarts: 1 }),
            ("5", Fate::Ending),
            ("6", Fate::Unknown),
        ]);
        let gone = format!("process {} on {} is gone", dead().pid, dead().host);
        for (job, dead_too, expected) in [
            (("1", 0), false, some(Cause::Timeout, "Slurm job 1: TIMEOUT")),
            (("1", 0), true, some(Cause::Timeout, "Slurm job 1: TIMEOUT")),
            (("2", 0), false, some(Cause::Unexplained, "Slurm job 2 is gone")),
            (("3", 0), false, some(Cause::Requeued, "Slurm job 3: requeued")),
            (("4", 0), false, some(Cause::Requeued, "Slurm job 4: requeued")),
            (("4", 1), false, None),
            (("4", 1), true, some(Cause::Unexplained, &gone)),
            (("5", 0), true, None),
            (("6", 0), false, None),
            (("6", 0), true, some(Cause::Unexplained, &gone)),
            (("9", 0), false, None),
        ] {
            let lease = if dead_too { dead() } else { alive() };
            assert_eq!(loss(&queue, &running(&lease, Some(job))), expected, "{job:?} {dead_too}");
        }
    }

    #[test]
    fn a_queue_that_does_not_answer_proves_nothing() {
        let queue = Told::new(&[]);
        assert_eq!(loss(&queue, &running(&alive(), Some(("1", 0)))), None);
        assert_eq!(*queue.1.lock().expect("is free"), [1]);
    }

    #[test]
    fn all_jobs_are_asked_about_at_once() {
        let queue = Told::new(&[("1", over(Cause::Timeout, "TIMEOUT"))]);
        let launches = ["1", "2", "1", "3"].map(|id| running(&alive(), Some((id, 0))));
        let losses = Watcher::new(&queue).losses(&launches.iter().collect::<Vec<_>>());
        assert_eq!(losses.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true, false]);
        assert_eq!(*queue.1.lock().expect("is free"), [3]);
        Watcher::new(&queue).losses(&[&running(&alive(), None)]);
        assert_eq!(queue.1.lock().expect("is free").len(), 1, "without jobs nobody is asked");
    }

    #[test]
    fn nobody_is_asked_about_the_local_job_of_a_worker() {
        let queue = Told::new(&[("5", over(Cause::Unexplained, "another user's"))]);
        let in_job = |lease: Lease, host: &str| {
            let job = crate::workflow::QueueJob { id: "5".into(), cluster: Some(format!("@{host}")), restarts: 0 };
            running(&Lease { job: Some(job), ..lease }, None)
        };
        let host = alive().host;
        assert_eq!(loss(&queue, &in_job(alive(), &host)), None);
        assert_eq!(loss(&queue, &in_job(alive(), "elsewhere")), None);
        let gone = format!("process {} on {host} is gone", dead().pid);
        assert_eq!(loss(&queue, &in_job(dead(), &host)), some(Cause::Unexplained, &gone));
        assert!(queue.1.lock().expect("is free").is_empty());
    }

    #[test]
    fn a_reserved_job_is_known_by_number_and_folder() {
        let queue = Told::new(&[("1", over(Cause::Cancelled, "CANCELLED")), ("2", Fate::Gone), ("3", Fate::Waiting)]);
        let host = alive().host;
        let cancelled = some(Cause::Cancelled, "Slurm job 1: CANCELLED");
        assert_eq!(loss(&queue, &reserved("1", "/", "login2")), cancelled);
        assert_eq!(loss(&queue, &reserved("1", "/tmp", "login2")), None, "another job of that number");
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/", &link).expect("links");
        assert_eq!(loss(&queue, &reserved("1", &link.to_string_lossy(), "login2")), cancelled, "by another name");
        assert_eq!(loss(&queue, &reserved("2", "/", "login2")), None, "perhaps known there");
        assert_eq!(loss(&queue, &reserved("2", "/", &host)), some(Cause::Unexplained, "Slurm job 2 is gone"));
        let mut elsewhere = reserved("2", "/", &host);
        elsewhere.note_job("2", Some("west"));
        assert_eq!(loss(&queue, &elsewhere), None, "in another cluster");
        assert_eq!(loss(&queue, &reserved("3", "/", &host)), None);
        assert_eq!(loss(&queue, &reserved("1", "/nowhere", &host)), None, "may run offline, for all we see");
        // Python's worker in that job, which has no lease.
        let began = doc! {"state": "RUNNING", "created_on": "2026-01-01T02:00:00"};
        let mut python = reserved("1", "/", "node1");
        python.state_history.push(began.clone());
        python.state = crate::workflow::State::Running;
        assert_eq!(loss(&queue, &python), cancelled);
        // One of ours that was begun by hand, outside of the job.
        let mut ours = reserved("1", "/", "node1");
        ours.state_history.push(running(&alive(), None).state_history[0].clone());
        ours.state = crate::workflow::State::Running;
        assert_eq!(loss(&queue, &ours), None);
    }
}
