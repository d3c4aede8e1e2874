//! Our jobs in the queue.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::launchpad::jobs::Job;
use crate::tui::ask::queue::Jobs;

/// The queue.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    /// Our jobs, or why they are not known.
    pub jobs: Option<Jobs>,
    /// Since when that is so.
    pub at: Option<Timestamp>,
    /// Where one is: the id of a job.
    pub cursor: Option<String>,
    /// The ids of jobs that are marked.
    pub marks: BTreeSet<String>,
    /// It is to be asked again, whatever was known.
    pub is_stale: bool,
    /// When it is to be asked again, for jobs may have been cancelled.
    pub again: Option<Timestamp>,
}

impl Queue {
    /// The jobs that are known.
    pub fn listed(&self) -> &[Job] {
        self.jobs.as_ref().and_then(|jobs| jobs.as_ref().ok()).map_or(&[], |listing| &listing.jobs)
    }

    /// The place of the one that is chosen.
    pub fn row(&self) -> usize {
        let is_it = |job: &Job| self.cursor.as_deref() == Some(job.queued.id.id.as_str());
        self.listed().iter().position(is_it).unwrap_or(0)
    }

    /// The one that is chosen.
    pub fn chosen(&self) -> Option<&Job> {
        self.listed().get(self.row())
    }

    /// What an action is about: the marked ones, or the one that is chosen.
    pub fn meant(&self) -> Vec<&Job> {
        let marked = |job: &&Job| self.marks.contains(&job.queued.id.id);
        match self.marks.is_empty() {
            true => self.chosen().into_iter().collect(),
            false => self.listed().iter().filter(marked).collect(),
        }
    }

    /// How long a job may still run.
    pub fn time_left(&self, job: &Job, now: Timestamp) -> Option<SignedDuration> {
        let left = SignedDuration::try_from(job.queued.details.left?).ok()?;
        Some((left - now.duration_since(self.at?)).max(SignedDuration::ZERO))
    }

    /// For how long it has run.
    pub fn running_for(&self, job: &Job, now: Timestamp) -> Option<SignedDuration> {
        let ran = SignedDuration::try_from(job.queued.running_for?).ok()?;
        Some(ran + now.duration_since(self.at?).max(SignedDuration::ZERO))
    }
}
