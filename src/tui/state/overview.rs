//! The whole launchpad at a glance.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::launchpad::crew::{Crew, Member, is_same};
use crate::launchpad::errors::{Cause, Group};
use crate::launchpad::jobs::Job;
use crate::launchpad::throughput::{Step, Throughput};
use crate::store::WorkerRecord;
use crate::store::counts::Counts;
use crate::store::ledger::{Key, Ledger};
use crate::tui::ask::queue::{Jobs, Listing};
use crate::workflow::{FwId, State};

/// What is known of it, part by part.
#[derive(Debug, Clone)]
pub struct Overview {
    /// How many are in which state.
    pub counts: Option<Counts>,
    /// Who is at work.
    pub crew: Option<Crew>,
    /// The places of jobs in queues, and the launchers.
    pub ledgers: Vec<(Key, Ledger)>,
    /// The last hour.
    pub minutes: Throughput,
    /// The last day.
    pub hours: Throughput,
    /// The newest failures.
    pub failures: Vec<Group>,
    /// Since when they were looked for, where that is not always.
    pub failures_since: Option<Timestamp>,
    /// What workers cannot run.
    pub unable: Vec<WorkerRecord>,
    /// Our jobs in the queue, and since when they are known.
    pub jobs: Option<(Jobs, Timestamp)>,
    /// When the queue is to be asked again, for jobs may have been cancelled.
    pub again: Option<Timestamp>,
    /// Where one is; at the first item before any key.
    pub cursor: Option<Item>,
    /// When each part was asked for.
    pub asked: BTreeMap<&'static str, Fresh>,
}

/// How fresh a part is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fresh {
    /// When it was answered, by the clock here.
    pub at: Timestamp,
    /// How often something had changed when it was asked for.
    pub changes: u64,
    /// How many failures there were.
    pub fizzled: u64,
}

/// What can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// The fireworks in a state.
    State(State),
    /// A worker, by what does not change of it.
    Member(Box<Member>),
    /// A run that nobody is about.
    Lost(FwId),
    /// What a worker cannot run: the line that says so.
    Unable(String),
    /// The queue.
    Queue,
    /// Failures of one cause.
    Failure(Cause),
}

impl Item {
    /// A worker, whatever it does by now.
    pub fn member(member: &Member) -> Self {
        let Member { name, host, pid, job, .. } = member.clone();
        Item::Member(Box::new(Member { name, host, pid, job, ..Member::default() }))
    }
}

impl Default for Overview {
    fn default() -> Self {
        Overview {
            counts: None,
            crew: None,
            ledgers: Vec::new(),
            minutes: Throughput::new(Step::Minutes),
            hours: Throughput::new(Step::Hours),
            failures: Vec::new(),
            failures_since: None,
            unable: Vec::new(),
            jobs: None,
            again: None,
            cursor: None,
            asked: BTreeMap::new(),
        }
    }
}

impl Overview {
    /// The states that any firework is in, with how many are.
    pub fn states(&self) -> Vec<(State, u64)> {
        let of = |state: State| self.counts.as_ref()?.fireworks.get(&state).copied();
        let some = State::ALL.into_iter().filter_map(|state| Some((state, of(state)?)));
        some.filter(|(_, count)| *count > 0).collect()
    }

    /// How many fireworks have failed.
    pub fn fizzled(&self) -> u64 {
        self.states().iter().find(|(state, _)| *state == State::Fizzled).map_or(0, |(_, count)| *count)
    }

    /// Who is at work, also in jobs that hold nothing.
    pub fn members(&self) -> &[Member] {
        self.crew.as_ref().map_or(&[], |crew| &crew.members)
    }

    /// What workers cannot run, in a line each.
    pub fn unable_lines(&self) -> Vec<String> {
        let of = |record: &WorkerRecord| -> Vec<String> {
            let line = |(thing, why)| format!("{} on {} cannot run {thing}: {why}", record.name, record.host);
            record.cannot.iter().chain(&record.lacks).map(line).collect()
        };
        self.unable.iter().flat_map(of).collect()
    }

    /// What the queue shows.
    pub fn listing(&self) -> Option<&Listing> {
        self.jobs.as_ref()?.0.as_ref().ok()
    }

    /// The job of a worker, as its queue shows it.
    fn job_of(&self, member: &Member) -> Option<&Job> {
        let name = member.job.as_ref()?;
        self.listing()?.jobs.iter().find(|job| is_same(&job.name(), name))
    }

    /// Where the job of a worker runs.
    pub fn host_of(&self, member: &Member) -> Option<String> {
        self.job_of(member)?.queued.details.hosts.clone()
    }

    /// How long the job of a worker may still run, where its queue says so.
    pub fn time_left(&self, member: &Member, now: Timestamp) -> Option<SignedDuration> {
        let job = self.job_of(member)?;
        let left = SignedDuration::try_from(job.queued.details.left?).ok()?;
        let passed = now.duration_since(self.jobs.as_ref()?.1);
        Some((left - passed).max(SignedDuration::ZERO))
    }

    /// What can be chosen, row by row.
    pub fn rows(&self) -> Vec<Vec<Item>> {
        let mut rows: Vec<Vec<Item>> = vec![self.states().into_iter().map(|(state, _)| Item::State(state)).collect()];
        rows.extend(self.members().iter().map(|member| vec![Item::member(member)]));
        let lost = self.crew.iter().flat_map(|crew| &crew.lost);
        rows.extend(lost.map(|(fw_id, _)| vec![Item::Lost(*fw_id)]));
        rows.extend(self.unable_lines().into_iter().map(|line| vec![Item::Unable(line)]));
        rows.push(vec![Item::Queue]);
        rows.extend(self.failures.iter().map(|group| vec![Item::Failure(group.cause.clone())]));
        rows.retain(|row| !row.is_empty());
        rows
    }

    /// Row and column of where one is.
    pub fn place(&self, rows: &[Vec<Item>]) -> (usize, usize) {
        let find = |item: &Item| {
            let row = rows.iter().position(|row| row.contains(item))?;
            Some((row, rows[row].iter().position(|one| one == item)?))
        };
        self.cursor.as_ref().and_then(find).unwrap_or((0, 0))
    }

    /// What is chosen.
    pub fn chosen(&self) -> Option<Item> {
        let rows = self.rows();
        let (row, column) = self.place(&rows);
        rows.get(row)?.get(column).cloned()
    }

    /// Failures of a cause.
    pub fn group(&self, cause: &Cause) -> Option<&Group> {
        self.failures.iter().find(|group| group.cause == *cause)
    }
}
