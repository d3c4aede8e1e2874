//! How many jobs to submit now. Pure.
//!
//! A job that waits will take one READY firework. A job that has run for a while has taken its
//! own. In between nobody knows: a job that has just started may still be loading its modules.
//! Such a fresh job is given the benefit of the doubt both ways: nothing is submitted because it
//! may yet claim, and nothing is called done because it may have claimed already.

use std::time::Duration;

use crate::queue::{JobState, QueuedJob};

/// For so long a job may have started and not claimed anything.
const FRESH: Duration = Duration::from_secs(30);
/// So many jobs are submitted at most before the queue is asked again.
const BURST: usize = 500;

/// What is there, and what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    waiting: usize,
    fresh: usize,
    free: usize,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Jobs to submit.
    pub submit: usize,
    /// Every READY firework has a job then.
    pub settled: bool,
}

impl Places {
    /// Of `jobs`, where at most `most` may be queued or running, and `left` may still be submitted.
    pub fn of(jobs: &[QueuedJob], most: Option<usize>, left: Option<usize>) -> Self {
        let count = |which: fn(&QueuedJob) -> bool| jobs.iter().filter(|job| which(job)).count();
        let is_fresh =
            |job: &QueuedJob| job.state == JobState::Running && job.running_for.is_some_and(|time| time < FRESH);
        let room = most.map_or(BURST, |most| most.saturating_sub(jobs.len()));
        Places {
            waiting: count(|job| job.state == JobState::Waiting),
            fresh: count(is_fresh),
            free: room.min(left.unwrap_or(BURST)).min(BURST),
        }
    }

    /// Where every job is for a firework that is reserved: none of them will take a READY one.
    pub fn reserving(self) -> Self {
        Places { waiting: 0, fresh: 0, ..self }
    }

    /// Beyond this number of READY fireworks it does not matter how many there are.
    pub fn ready_limit(self) -> u64 {
        (self.waiting + self.fresh + self.free + 1) as u64
    }

    /// What to do for `ready` fireworks.
    pub fn plan(self, ready: u64) -> Plan {
        let ready = usize::try_from(ready).unwrap_or(usize::MAX);
        let submit = ready.saturating_sub(self.waiting + self.fresh).min(self.free);
        Plan { submit, settled: ready <= self.waiting + submit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::JobId;

    fn jobs(states: &[(JobState, u64)]) -> Vec<QueuedJob> {
        let job = |(state, seconds): &(JobState, u64)| QueuedJob {
            id: JobId::new("1"),
            state: *state,
            running_for: Some(Duration::from_secs(*seconds)),
        };
        states.iter().map(job).collect()
    }

    #[test]
    fn plans_by_table() {
        use JobState::{Ending, Running, Unknown, Waiting};
        let (waits, fresh, old, ends) = ((Waiting, 0), (Running, 1), (Running, 3600), (Ending, 60));
        for (ready, jobs_there, most, left, submit, settled) in [
            // Nothing to do.
            (0, vec![], None, None, 0, true),
            (0, vec![old], Some(4), None, 0, true),
            // One job each, and no more.
            (3, vec![], None, None, 3, true),
            (3, vec![waits, waits], None, None, 1, true),
            (2, vec![waits, waits], None, None, 0, true),
            (3, vec![old, old], None, None, 3, true),
            // The limit counts whatever is there.
            (9, vec![], Some(4), None, 4, false),
            (9, vec![waits, old, ends], Some(4), None, 1, false),
            (9, vec![old, (Unknown, 0)], Some(2), None, 0, false),
            (9, vec![old, old, old], Some(2), None, 0, false),
            // So does what may still be submitted.
            (9, vec![], None, Some(2), 2, false),
            // Nobody knows whether these have claimed.
            (3, vec![fresh, fresh, fresh], Some(4), None, 0, false),
            (4, vec![fresh, fresh, fresh], Some(4), None, 1, false),
            (3, vec![fresh, waits, waits], None, None, 0, false),
        ] {
            let places = Places::of(&jobs(&jobs_there), most, left);
            assert_eq!(places.plan(ready), Plan { submit, settled }, "{ready} {jobs_there:?} {most:?} {left:?}");
            // A count that stops at the limit leads to the same.
            assert_eq!(places.plan(ready.min(places.ready_limit())), Plan { submit, settled });
        }
    }

    #[test]
    fn many_go_in_bursts() {
        let places = Places::of(&[], None, None);
        assert_eq!(places.plan(places.ready_limit()), Plan { submit: BURST, settled: false });
    }
}
