//! How long the Slurm job lasts that the worker runs in. Read once, at the start.

use std::time::{Duration, Instant};

use bson::Bson;
use jiff::Timestamp;
use tracing::warn;

use crate::queue::slurm::job_end;
use crate::workflow::limits::{Limits, time};
use crate::workflow::{Cause, Launch};

/// So long before the end what runs is stopped; in a short job after nine tenths of it.
const MARGIN: Duration = Duration::from_secs(60);
const LEAST_MARGIN: Duration = Duration::from_secs(10);
/// A SIGUSR1 so long before the end is Slurm's word that it is near: one that is asked for 60 s ahead
/// may come a minute earlier.
const WARNING: Duration = Duration::from_secs(150);

/// The end of a worker's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walltime {
    job: String,
    end: Instant,
    margin: Duration,
}

/// What is to be left to others for want of time.
#[derive(Debug, Clone, PartialEq)]
pub struct TooLong {
    /// What it needs, and what is left.
    pub reason: String,
    /// The `_walltime` that asks for it, where one does: no firework of that one fits any more.
    pub walltime: Option<Bson>,
}

impl Walltime {
    /// Asks the environment, and Slurm where that does not say.
    pub fn of_this_job() -> Option<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let job = variable("SLURM_JOB_ID")?;
        let told = variable("SLURM_JOB_END_TIME").and_then(|text| Timestamp::from_second(text.parse().ok()?).ok());
        let end = match told {
            Some(end) => end,
            None => job_end(&job)
                .inspect_err(|error| warn!("cannot tell when Slurm job {job} ends, and work as if it did not: {error}"))
                .ok()??,
        };
        let left = Duration::try_from(end.duration_since(Timestamp::now())).unwrap_or_default();
        Some(Walltime::new(job, left))
    }

    fn new(job: String, left: Duration) -> Self {
        Walltime { job, end: Instant::now() + left, margin: margin(left) }
    }

    /// When what runs is stopped.
    pub fn stop_at(&self) -> Instant {
        self.end - self.margin
    }

    /// Whether a SIGUSR1 that comes now says that the end is near.
    pub fn is_near(&self) -> bool {
        self.end.saturating_duration_since(Instant::now()) < WARNING.max(self.margin)
    }

    /// Which end, for people.
    pub fn describe(&self) -> String {
        format!("near the end of Slurm job {}", self.job)
    }

    /// Why a firework with these limits and earlier launches cannot be done in the time left, if it
    /// cannot.
    pub fn forbids(&self, limits: &Limits, walltime: Option<&Bson>, earlier: &[Launch]) -> Option<TooLong> {
        let left = self.stop_at().saturating_duration_since(Instant::now());
        let (needed, why, walltime) = match limits.walltime.filter(|&needed| needed > left) {
            Some(needed) => (needed, "needs", walltime.cloned()),
            None => (longest_cut_short(earlier).filter(|&ran| ran >= left)?, "has been cut short after", None),
        };
        let (needed, left, job) = (needed.as_secs(), left.as_secs(), &self.job);
        Some(TooLong { reason: format!("it {why} {needed} s, and Slurm job {job} has {left} s left for it"), walltime })
    }
}

fn margin(length: Duration) -> Duration {
    (length / 10).clamp(LEAST_MARGIN, MARGIN).min(length / 2)
}

/// Whether a job of this length is too short for a firework with this `_walltime`, so that none
/// needs to be submitted for it. One that is no time is for a worker to refuse.
pub fn is_too_short(job: Duration, walltime: &Bson) -> bool {
    time(walltime).is_ok_and(|needed| needed > job - margin(job))
}

/// The longest run that ended with the time of its job, as far as its worker was heard. One that has
/// left its progress needs less the next time.
fn longest_cut_short(launches: &[Launch]) -> Option<Duration> {
    let is_cut = |launch: &&Launch| {
        launch.loss().is_some_and(|loss| loss.cause == Cause::Timeout) && launch.progress().is_none()
    };
    launches.iter().filter(is_cut).filter_map(Launch::heard_for).filter_map(|time| Duration::try_from(time).ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::launch::Place;
    use crate::workflow::{Lease, Loss};
    use bson::doc;

    fn cut_short(seconds: i64, cause: Cause, progress: bool) -> Launch {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let mut launch = Launch::running(1, 1, &Place::default(), &Lease::default(), at(0));
        if progress {
            launch.reach(doc! {"_task_n": 0, "_progress": {"steps": 3}});
        }
        launch.state_history[0].insert("updated_on", crate::workflow::time::to_iso(at(seconds)));
        // Found much later.
        launch.lose(&Loss::new(cause, "over"), 5, at(1_000_000));
        launch
    }

    #[test]
    fn what_cannot_be_done_in_time_is_forbidden() {
        let job = Walltime::new("12".into(), Duration::from_secs(3600));
        let limits = |seconds| Limits { walltime: Some(Duration::from_secs(seconds)), max_runtime: None };
        let text = Bson::from("1h");
        let too_long = job.forbids(&limits(3600), Some(&text), &[]).expect("is too long");
        assert!(too_long.reason.contains("it needs 3600 s, and Slurm job 12 has 35"), "{}", too_long.reason);
        assert_eq!(too_long.walltime, Some(text));
        assert_eq!(job.forbids(&limits(3000), None, &[]), None);

        let forbids = |launch: Launch| job.forbids(&Limits::default(), None, &[launch]);
        let too_long = forbids(cut_short(3550, Cause::Timeout, false)).expect("is too long");
        assert!(too_long.reason.contains("cut short after 3550 s") && too_long.walltime.is_none());
        assert_eq!(forbids(cut_short(1000, Cause::Timeout, false)), None);
        assert_eq!(forbids(cut_short(3550, Cause::Timeout, true)), None, "goes on from there");
        assert_eq!(forbids(cut_short(3550, Cause::Stopped, false)), None);
    }

    #[test]
    fn short_jobs_have_short_margins() {
        for (left, margin) in [(86_400, 60), (300, 30), (60, 10), (8, 4)] {
            let length = Duration::from_secs(left);
            assert!(is_too_short(length, &Bson::Int64(left as i64)) && !is_too_short(length, &"soon".into()));
            assert_eq!(Walltime::new("1".into(), Duration::from_secs(left)).margin, Duration::from_secs(margin));
        }
    }
}
