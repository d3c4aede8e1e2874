//! `rlaunch rapidfire`: one firework after the other, until there is reason to stop.

use std::str::FromStr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use super::RocketError;
use super::batch::Batch;
use super::drain::Drainer;
use super::mender::Mender;
use super::outlook::more_may_come;
use super::report::Patience;
use super::worker::Worker;
use crate::store::jitter;

/// First look for new work while idle, and the longest time between two.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LAST_LOOK: Duration = Duration::from_secs(15);

/// When `rapidfire` stops.
#[derive(Debug, Clone, PartialEq)]
pub struct Rapidfire {
    /// After so many fireworks.
    pub nlaunches: Limit,
    /// How long a loop without work lasts; new work ends it.
    pub sleep: Duration,
    /// Nothing is begun after this time.
    pub timeout: Option<Duration>,
    /// How many loops without work.
    pub max_loops: Option<u64>,
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
    let in_time = || deadline.is_none_or(|deadline| Instant::now() < deadline);
    let mut loops = 0;
    let mut drainer = Drainer::new(worker.base, &worker.launchpad);
    drainer.look(worker.store);
    let mender = Mender::new(worker.store, worker.settings);
    let mut series = Series { worker, deadline, batch: Batch::new(), mender, drainer, launched: 0, answered: false };
    while options.max_loops != Some(loops) && in_time() {
        series.drain(options.nlaunches)?;
        let is_over = match options.nlaunches {
            // What the dead have left behind is work, too.
            Limit::UntilDone => {
                !more_may_come(worker.store, &worker.able.fworker())?
                    && (worker.desk.stopped().is_some() || !series.mender.look_last())
            }
            Limit::Count(count) => series.launched >= count,
            Limit::Infinite => false,
        };
        if worker.able.lacks_time() {
            info!("What is READY takes longer than this worker has: leaving it to others");
            break;
        }
        if is_over || worker.desk.stopped().is_some() || !in_time() {
            break;
        }
        if idle(worker, &mut series.mender, &mut series.drainer, options, deadline)? {
            loops += 1;
        }
        info!("Checking for FWs to run...");
    }
    Ok(series.launched)
}

/// The time after so long; a time beyond all reason is a hundred years.
fn after(length: Duration) -> Instant {
    Instant::now() + length.min(Duration::from_secs(100 * 366 * 86_400))
}

struct Series<'a> {
    worker: &'a Worker<'a>,
    deadline: Option<Instant>,
    batch: Batch,
    mender: Mender<'a>,
    drainer: Drainer<'a>,
    launched: u64,
    /// The store has answered before: when it does not now, it may again.
    answered: bool,
}

impl Series<'_> {
    /// Runs until nothing can be claimed.
    fn drain(&mut self, limit: Limit) -> Result<(), RocketError> {
        loop {
            let left = match limit {
                Limit::Count(count) => count.saturating_sub(self.launched),
                _ => u64::MAX,
            };
            let size = self.batch.size().min(usize::try_from(left).unwrap_or(usize::MAX));
            let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if size == 0 || late || self.worker.desk.stopped().is_some() || self.claim(size)? == 0 {
                return Ok(());
            }
            let began = Instant::now();
            let ran = self.worker.run_claimed(self.deadline)?;
            self.launched += ran;
            self.batch.learn(usize::try_from(ran).unwrap_or(usize::MAX), began.elapsed());
            self.mender.look_busy();
        }
    }

    fn claim(&mut self, size: usize) -> Result<usize, RocketError> {
        let mut patience = Patience::new(self.worker.desk);
        loop {
            match self.worker.claim(size, None, true) {
                Ok(count) => {
                    self.answered = true;
                    return Ok(count);
                }
                Err(RocketError::Store(error)) if self.answered && patience.wait("cannot claim", &error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Waits for new work. Returns whether the whole time has passed.
fn idle(
    worker: &Worker<'_>,
    mender: &mut Mender<'_>,
    drainer: &mut Drainer<'_>,
    options: &Rapidfire,
    deadline: Option<Instant>,
) -> Result<bool, RocketError> {
    info!("Sleeping for {} secs", options.sleep.as_secs_f64());
    let end = after(options.sleep);
    let end = deadline.map_or(end, |deadline| deadline.min(end));
    let mut pause = FIRST_LOOK;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(true);
        }
        if worker.desk.sleep(jitter(pause).min(left)) {
            return Ok(false);
        }
        drainer.look(worker.store);
        mender.look_idle();
        let fworker = &*worker.able.fworker();
        let news = worker.store.count_claimable(fworker, Timestamp::now(), 1).and_then(|count| {
            Ok(count > 0 || options.nlaunches == Limit::UntilDone && !more_may_come(worker.store, fworker)?)
        });
        match news {
            Ok(true) => return Ok(false),
            Ok(false) => {}
            Err(error) if error.is_transient() => warn!("cannot look for work: {error}"),
            Err(error) => return Err(error.into()),
        }
        pause = (pause * 2).min(LAST_LOOK);
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
