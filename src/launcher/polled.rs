//! A queue that is listed once in a while, for all who ask about its jobs.
//!
//! A controller serves a whole cluster; what it has said of all our jobs at once answers most
//! questions about one of them until the next listing is due.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::queue::{Fate, Job, JobId, JobState, KnownJob, Queue, QueuedJob, Result, Standing};

/// A queue, and what it said last.
pub struct Polled<'q> {
    queue: &'q dyn Queue,
    every: Duration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    at: Option<Instant>,
    jobs: Vec<QueuedJob>,
    /// What it has said of others since.
    asked: BTreeMap<JobId, KnownJob>,
}

impl<'q> Polled<'q> {
    /// Lists `queue` by itself as often as `every`.
    pub fn new(queue: &'q dyn Queue, every: Duration) -> Self {
        Polled { queue, every, known: Mutex::default() }
    }

    /// How long ago it was listed.
    pub fn age(&self) -> Option<Duration> {
        self.lock().at.map(|at| at.elapsed())
    }

    /// Whether a listing is due.
    pub fn is_due(&self) -> bool {
        self.age().is_none_or(|age| age >= self.every)
    }

    /// Lists it now.
    pub fn refresh(&self) -> Result<Vec<QueuedJob>> {
        let jobs = self.queue.list()?;
        *self.lock() = Known { at: Some(Instant::now()), jobs: jobs.clone(), asked: BTreeMap::new() };
        Ok(jobs)
    }

    /// What was listed last, and how long ago.
    pub fn listed(&self) -> Option<(Vec<QueuedJob>, Duration)> {
        let known = self.lock();
        Some((known.jobs.clone(), known.at?.elapsed()))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue for Polled<'_> {
    fn name(&self) -> &'static str {
        self.queue.name()
    }

    fn describe(&self) -> String {
        self.queue.describe()
    }

    fn realm(&self) -> Option<String> {
        self.queue.realm()
    }

    fn cluster(&self) -> Result<String> {
        self.queue.cluster()
    }

    fn check(&self, job: &Job) -> Result<()> {
        self.queue.check(job)
    }

    fn most_elements(&self) -> Result<Option<u32>> {
        self.queue.most_elements()
    }

    fn other_hosts(&self, job: &Job) -> Result<Vec<String>> {
        self.queue.other_hosts(job)
    }

    fn submit(&self, job: &Job) -> Result<JobId> {
        self.queue.submit(job)
    }

    fn list(&self) -> Result<Vec<QueuedJob>> {
        self.refresh()
    }

    fn cancel(&self, jobs: &[JobId]) -> Result<()> {
        self.queue.cancel(jobs)
    }

    fn standings(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Standing>> {
        self.queue.standings(jobs)
    }

    /// What the last listing tells; it is asked about other jobs once between two listings.
    fn fates(&self, jobs: &[JobId]) -> Result<Vec<KnownJob>> {
        if self.is_due() {
            self.refresh()?;
        }
        let mut known = self.lock();
        let answered = |known: &Known, job: &JobId| {
            let Some(found) = known.jobs.iter().find(|listed| listed.id.id == job.id) else {
                return known.asked.get(job).cloned();
            };
            let fate = match found.state {
                JobState::Waiting => Fate::Waiting,
                // How often it was begun anew is not listed.
                JobState::Running => Fate::Unknown,
                JobState::Ending | JobState::Finished | JobState::Unknown => return None,
            };
            Some(KnownJob { fate, dir: found.dir.clone() })
        };
        let mut fates: Vec<Option<KnownJob>> = jobs.iter().map(|job| answered(&known, job)).collect();
        let open: Vec<usize> = (0..jobs.len()).filter(|&at| fates[at].is_none()).collect();
        if !open.is_empty() {
            let asked: Vec<JobId> = open.iter().map(|&at| jobs[at].clone()).collect();
            for (at, fate) in open.into_iter().zip(self.queue.fates(&asked)?) {
                // What is ending will be over soon.
                if fate.fate != Fate::Ending {
                    known.asked.insert(jobs[at].clone(), fate.clone());
                }
                fates[at] = Some(fate);
            }
        }
        Ok(fates.into_iter().map(|fate| fate.unwrap_or_else(|| KnownJob::absent(Fate::Unknown))).collect())
    }
}
