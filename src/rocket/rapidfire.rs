//! `rlaunch rapidfire`: one firework after the other, and side by side, until there is reason to stop.

use std::str::FromStr;
use std::time::{Duration, Instant};

use bson::Bson;
use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::RocketError;
use super::batch::Batch;
use super::drain::Drainer;
use super::mender::Mender;
use super::outlook::more_may_come;
use super::report::Patience;
use super::worker::Worker;
use crate::store::ledger::Word;
use crate::store::{Location, StoreError, jitter};

/// First look for new work while there is room for some, and the longest time between two.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LAST_LOOK: Duration = Duration::from_secs(15);
/// The same of a launchpad in a file, which costs nobody else anything.
const LAST_LOOK_IN_FILE: Duration = Duration::from_secs(1);
/// How often a worker asks whether a large one waits for room, while it has work for single slots.
const ASK_FOR_LARGE: Duration = Duration::from_millis(250);
/// How often a worker looks that keeps room for a large firework, which others may take.
const LARGE_LOOK: Duration = Duration::from_secs(1);

/// When `rapidfire` stops.
#[derive(Debug, Clone, PartialEq)]
pub struct Rapidfire {
    /// How many run side by side.
    pub slots: usize,
    /// The nodes that are dealt out to them; those of the Slurm job, or this host, where nothing is said.
    pub nodes: Option<Vec<String>>,
    /// After so many fireworks.
    pub nlaunches: Limit,
    /// How long a loop without work lasts; new work ends it.
    pub sleep: Duration,
    /// Nothing is begun after this time.
    pub timeout: Option<Duration>,
    /// How many loops without work.
    pub max_loops: Option<u64>,
    /// After so long without work.
    pub max_idle: Option<Duration>,
    /// But not, in a queue job, when no more than so many of its kind would be left.
    pub least: Option<usize>,
    /// Only fireworks whose `spec._queueadapter` is this one; null for those that have none.
    pub resources: Option<Bson>,
}

/// How many fireworks to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Until nothing is READY and nothing that runs can make anything READY.
    UntilDone,
    /// So many.
    Count(u64),
    /// No end.
    Infinite,
}

/// A number of launches that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number, 0 (until nothing is left) or `infinite`")]
pub struct BadLimit;

impl FromStr for Limit {
    type Err = BadLimit;

    /// FireWorks' `--nlaunches`.
    fn from_str(text: &str) -> Result<Self, BadLimit> {
        match text {
            "infinite" | "-1" => Ok(Limit::Infinite),
            "0" => Ok(Limit::UntilDone),
            _ => text.parse().map(Limit::Count).map_err(|_| BadLimit),
        }
    }
}

/// Runs fireworks until `options` say stop. Returns how many.
pub fn run(worker: &Worker<'_>, options: &Rapidfire) -> Result<u64, RocketError> {
    let deadline = options.timeout.map(after);
    worker.desk.set_deadline(deadline);
    let in_time = || deadline.is_none_or(|deadline| Instant::now() < deadline);
    let mut loops = 0;
    let mut drainer = Drainer::new(worker.base, &worker.launchpad);
    drainer.look(worker.store);
    let mender = Mender::new(worker.store, worker.settings);
    let mut series = Series::new(worker, options, mender, drainer);
    while options.max_loops != Some(loops) && in_time() {
        series.drain()?;
        let is_over = match options.nlaunches {
            // What the dead have left behind is work, too.
            Limit::UntilDone => {
                !more_may_come(worker.store, &worker.able.fworker())?
                    && (worker.desk.stopped().is_some() || !series.mender.look_last())
            }
            Limit::Count(count) => worker.desk.begun() >= count,
            Limit::Infinite => false,
        };
        if worker.able.lacks_time() {
            info!("What is READY takes longer than this worker has: leaving it to others");
            break;
        }
        if is_over || worker.desk.begins_nothing() {
            break;
        }
        match series.idle(deadline)? {
            Idle::Looped => loops += 1,
            Idle::Leave => break,
            Idle::Woken => {}
        }
        info!("Checking for FWs to run...");
    }
    Ok(worker.desk.begun())
}

/// The time after so long; a time beyond all reason is a hundred years.
fn after(length: Duration) -> Instant {
    Instant::now() + length.min(Duration::from_secs(100 * 366 * 86_400))
}

struct Series<'a> {
    worker: &'a Worker<'a>,
    options: &'a Rapidfire,
    batch: Batch,
    /// When there was last something claimed, and how many were begun before.
    claimed: (Instant, u64),
    mender: Mender<'a>,
    drainer: Drainer<'a>,
    /// The store has answered before: when it does not now, it may again.
    answered: bool,
    /// When it was found that no large firework is to be made room for.
    none_is_large: Option<Instant>,
    /// Since when there is nothing to do.
    idle_since: Option<Instant>,
}

/// What was there to be claimed.
enum Found {
    /// As much as there was room for.
    Enough,
    /// Less.
    Some,
    /// Nothing.
    Nothing,
    /// Nothing that might overtake a large one, which has no room yet.
    Large,
    /// Nothing is to be begun any more.
    NoMore,
}

/// How a time without work has ended.
enum Idle {
    /// There may be work.
    Woken,
    /// The whole time has passed.
    Looped,
    /// It has lasted too long.
    Leave,
}

impl<'a> Series<'a> {
    fn new(worker: &'a Worker<'a>, options: &'a Rapidfire, mender: Mender<'a>, drainer: Drainer<'a>) -> Self {
        let (batch, claimed) = (Batch::new(), (Instant::now(), 0));
        let (none_is_large, idle_since) = (None, None);
        Series { worker, options, batch, claimed, mender, drainer, answered: false, none_is_large, idle_since }
    }

    /// Runs until nothing can be claimed and nothing runs.
    fn drain(&mut self) -> Result<(), RocketError> {
        let desk = self.worker.desk;
        let mut pause = FIRST_LOOK;
        loop {
            let vacated = desk.vacated();
            let found = self.refill()?;
            let look = match found {
                Found::NoMore => None,
                Found::Enough | Found::Some => {
                    pause = FIRST_LOOK;
                    matches!(found, Found::Some).then_some(pause)
                }
                Found::Nothing => {
                    pause = (pause * 2).min(self.last_look());
                    Some(jitter(pause))
                }
                Found::Large => Some(jitter(LARGE_LOOK)),
            };
            // What has ended since it was looked for work is not reported, and may bring some.
            let is_settled = desk.is_idle() && desk.vacated() == vacated;
            if !matches!(found, Found::Enough | Found::Some) && is_settled {
                return Ok(());
            }
            desk.wait_for_room(vacated, look);
        }
    }

    /// Reports what is done, which may make other fireworks READY, and claims for the slots that are
    /// free.
    fn refill(&mut self) -> Result<Found, RocketError> {
        let (worker, desk) = (self.worker, self.worker.desk);
        if desk.begins_nothing() {
            worker.leave()?;
            return if desk.is_idle() { worker.failure().map(|()| Found::NoMore) } else { Ok(Found::NoMore) };
        }
        worker.report()?;
        self.learn();
        let left = match self.options.nlaunches {
            Limit::Count(count) => usize::try_from(count.saturating_sub(desk.begun())).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let free = desk.free_room().slots;
        let size = self.batch.size().max(free).min(left);
        if free == 0 || size == 0 {
            return Ok(if left == 0 { Found::NoMore } else { Found::Nothing });
        }
        let is_busy = desk.free_room() != desk.room();
        if is_busy && self.none_is_large.is_none_or(|at| at.elapsed() >= ASK_FOR_LARGE) {
            self.none_is_large = None;
            if self.patiently("cannot look for work", || Ok(worker.best_lacks_room()?))? {
                debug!("keeping room for a large firework");
                return Ok(Found::Large);
            }
            self.none_is_large = Some(Instant::now());
        }
        let claimed = self.patiently("cannot claim", || worker.claim(size, None, true))?;
        if claimed == 0 {
            // A free slot does for others what an idle worker does.
            self.drainer.look(worker.store);
            self.mender.look_idle();
            return Ok(Found::Nothing);
        }
        self.claimed.0 = Instant::now();
        if self.idle_since.take().is_some() {
            worker.say(Word::Started);
        }
        Ok(if claimed < size { Found::Some } else { Found::Enough })
    }

    /// Learns from what has been begun since something was last claimed.
    fn learn(&mut self) {
        let (since, before) = self.claimed;
        let begun = self.worker.desk.begun();
        if begun > before {
            self.batch.learn(usize::try_from(begun - before).unwrap_or(usize::MAX), since.elapsed());
            self.claimed = (Instant::now(), begun);
            self.mender.look_busy();
        }
    }

    /// Asks the store, again where it has answered before.
    fn patiently<T>(&mut self, what: &str, ask: impl Fn() -> Result<T, RocketError>) -> Result<T, RocketError> {
        let mut patience = Patience::new(self.worker.desk);
        loop {
            match ask() {
                Ok(answer) => {
                    self.answered = true;
                    return Ok(answer);
                }
                Err(RocketError::Store(error)) if self.answered && patience.wait(what, &error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn last_look(&self) -> Duration {
        match self.worker.settings.location {
            Location::Sqlite(_) => LAST_LOOK_IN_FILE,
            Location::Mongo(_) => LAST_LOOK,
        }
    }

    /// Waits for new work.
    fn idle(&mut self, deadline: Option<Instant>) -> Result<Idle, RocketError> {
        let (worker, options) = (self.worker, self.options);
        info!("Sleeping for {} secs", options.sleep.as_secs_f64());
        if self.idle_since.is_none() {
            self.idle_since = Some(Instant::now());
            worker.say(Word::Idle);
        }
        let end = after(options.sleep);
        let end = deadline.map_or(end, |deadline| deadline.min(end));
        let mut pause = FIRST_LOOK;
        loop {
            let now = Instant::now();
            let left = end.saturating_duration_since(now);
            if left.is_zero() {
                return Ok(Idle::Looped);
            }
            let idle_end = self.idle_since.zip(options.max_idle).map(|(since, longest)| since + longest);
            if idle_end.is_some_and(|end| end <= now) {
                if self.may_leave() {
                    info!("No work for {} secs: leaving", options.max_idle.unwrap_or_default().as_secs_f64());
                    return Ok(Idle::Leave);
                }
                // It is not asked again and again.
                self.idle_since = Some(now);
            }
            let left = idle_end.map_or(left, |end| left.min(end.saturating_duration_since(now)));
            if worker.desk.sleep(jitter(pause).min(left)) {
                return Ok(Idle::Woken);
            }
            self.drainer.look(worker.store);
            self.mender.look_idle();
            match self.is_there_news() {
                Ok(true) => return Ok(Idle::Woken),
                Ok(false) => {}
                Err(error) if error.is_transient() => warn!("cannot look for work: {error}"),
                Err(error) => return Err(error.into()),
            }
            pause = (pause * 2).min(self.last_look());
        }
    }

    /// Whether there is work, or nothing to wait for any more.
    fn is_there_news(&self) -> Result<bool, StoreError> {
        let (store, fworker) = (self.worker.store, &self.worker.able.fworker());
        Ok(store.count_claimable(fworker, Timestamp::now(), 1)? > 0
            || self.options.nlaunches == Limit::UntilDone && !more_may_come(store, fworker)?)
    }

    /// Whether enough others stay, where there are to be some. A store that does not answer does not
    /// let it go: it cannot know.
    fn may_leave(&self) -> bool {
        match (&self.worker.place, self.options.least) {
            (Some(place), Some(least)) => place.leave(self.worker.store, least),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_fireworks() {
        assert_eq!("infinite".parse(), Ok(Limit::Infinite));
        assert_eq!("0".parse(), Ok(Limit::UntilDone));
        assert_eq!("12".parse(), Ok(Limit::Count(12)));
        assert_eq!("many".parse::<Limit>(), Err(BadLimit));
    }
}
