//! How many jobs to submit now. Pure.
//!
//! A job that waits will take one READY firework. A job that has run for a while has taken its
//! own. In between nobody knows: a job that has just started may still be loading its modules.
//! Such a fresh job is given the benefit of the doubt both ways: nothing is submitted because it
//! may yet claim, and nothing is called done because it may have claimed already.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::book::{RESERVED, ago};
use crate::queue::{JobState, QueuedJob};
use crate::store::ledger::{Entry, Ledger, Word};

/// For so long a job may have started and not claimed anything.
const FRESH: Duration = Duration::from_secs(30);
/// And for so long its worker, which has said that it begins.
const CLAIMING: Duration = Duration::from_secs(3);
/// So many jobs are submitted at most before the ledger is read again.
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

/// What the job of a place does, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It will take a READY firework: it has not started, or has nothing to do.
    Waits,
    /// It has just started, and may have taken one or not.
    Begins,
    /// It has taken what it runs.
    Runs,
    /// It takes nothing any more.
    Ends,
}

impl Doing {
    /// What a job does: what it has said itself, or what the queue said of it so long ago.
    pub fn of(entry: &Entry, listed: &BTreeMap<&str, &QueuedJob>, age: Duration, now: Timestamp) -> Self {
        // Whatever it does, it takes nothing that is READY.
        if entry.group.as_deref() == Some(RESERVED) {
            return Doing::Runs;
        }
        if let Some(word) = entry.word {
            return match word {
                Word::Started(at) if ago(at, now) < CLAIMING => Doing::Begins,
                Word::Started(_) => Doing::Runs,
                Word::Idle(_) => Doing::Waits,
                Word::Ending(_) => Doing::Ends,
            };
        }
        let job = entry.job.as_ref().and_then(|job| listed.get(job.id.as_str()));
        match job.map(|job| (job.state, job.running_for)) {
            None | Some((JobState::Waiting, _)) => Doing::Waits,
            Some((JobState::Running, Some(time))) if time + age < FRESH => Doing::Begins,
            Some((JobState::Running, _)) => Doing::Runs,
            Some((JobState::Ending | JobState::Finished | JobState::Unknown, _)) => Doing::Ends,
        }
    }
}

impl Places {
    /// Of the jobs of a ledger, that do these things, where at most `most` may be queued or running,
    /// and `left` may still be submitted.
    pub fn of(doing: &[Doing], most: Option<usize>, left: Option<usize>) -> Self {
        let count = |which: fn(&Doing) -> bool| doing.iter().filter(|one| which(one)).count();
        let room = most.map_or(BURST, |most| most.saturating_sub(doing.len()));
        Places {
            waiting: count(|one| *one == Doing::Waits),
            fresh: count(|one| *one == Doing::Begins),
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

    /// What to do where jobs are wanted whether anything is READY or not.
    pub fn fill(self) -> Plan {
        Plan { submit: self.free, settled: true }
    }
}

/// What the jobs of a ledger do; `listed` is what the queue said so long ago.
pub fn doings(ledger: &Ledger, listed: &[QueuedJob], age: Duration, now: Timestamp) -> Vec<Doing> {
    let listed: BTreeMap<&str, &QueuedJob> = listed.iter().map(|job| (job.id.id.as_str(), job)).collect();
    ledger.jobs.iter().map(|entry| Doing::of(entry, &listed, age, now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Details, JobId};
    use crate::store::ledger::{Holder, JobName};

    #[test]
    fn plans_by_table() {
        let (waits, fresh, old, ends) = (Doing::Waits, Doing::Begins, Doing::Runs, Doing::Ends);
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
            (9, vec![old, ends], Some(2), None, 0, false),
            (9, vec![old, old, old], Some(2), None, 0, false),
            // So does what may still be submitted.
            (9, vec![], None, Some(2), 2, false),
            // Nobody knows whether these have claimed.
            (3, vec![fresh, fresh, fresh], Some(4), None, 0, false),
            (4, vec![fresh, fresh, fresh], Some(4), None, 1, false),
            (3, vec![fresh, waits, waits], None, None, 0, false),
        ] {
            let places = Places::of(&jobs_there, most, left);
            assert_eq!(places.plan(ready), Plan { submit, settled }, "{ready} {jobs_there:?} {most:?} {left:?}");
            // A count that stops at the limit leads to the same.
            assert_eq!(places.plan(ready.min(places.ready_limit())), Plan { submit, settled });
        }
    }

    #[test]
    fn many_go_in_bursts() {
        let places = Places::of(&[], None, None);
        assert_eq!(places.plan(places.ready_limit()), Plan { submit: BURST, settled: false });
        assert_eq!(Places::of(&[Doing::Waits], Some(3), None).fill(), Plan { submit: 2, settled: true });
    }

    /// What a job says of itself is newer than what the queue said.
    #[test]
    fn a_job_does_what_it_says() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let (now, age) = (at(1000), Duration::from_secs(20));
        let entry = |job: Option<&str>, word| Entry {
            token: "/a".into(),
            element: None,
            holder: Holder::default(),
            taken: at(0),
            group: None,
            job: job.map(|id| JobName { id: id.into(), cluster: None }),
            word,
            missed: None,
        };
        let listed = |id: &str, state, seconds| QueuedJob {
            id: JobId::new(id),
            state,
            running_for: Some(Duration::from_secs(seconds)),
            token: None,
            dir: None,
            details: Details::default(),
        };
        let queue = [
            listed("1", JobState::Waiting, 0),
            listed("2", JobState::Running, 5),
            listed("3", JobState::Ending, 9),
            listed("5", JobState::Running, 10),
        ];
        for (job, word, expected) in [
            (None, None, Doing::Waits),
            (Some("1"), None, Doing::Waits),
            (Some("2"), None, Doing::Begins),
            (Some("5"), None, Doing::Runs),
            (Some("3"), None, Doing::Ends),
            (Some("4"), None, Doing::Waits),
            (Some("1"), Some(Word::Started(at(999))), Doing::Begins),
            (Some("1"), Some(Word::Started(at(990))), Doing::Runs),
            (Some("2"), Some(Word::Idle(at(1))), Doing::Waits),
            (Some("2"), Some(Word::Ending(at(1))), Doing::Ends),
        ] {
            let ledger = Ledger { jobs: vec![entry(job, word)], ..Ledger::default() };
            assert_eq!(doings(&ledger, &queue, age, now), [expected], "{job:?} {word:?}");
        }
        let reserved = Entry { group: Some(RESERVED.into()), ..entry(Some("1"), None) };
        let ledger = Ledger { jobs: vec![reserved], ..Ledger::default() };
        assert_eq!(doings(&ledger, &queue, age, now), [Doing::Runs], "it is for one firework alone");
    }
}
