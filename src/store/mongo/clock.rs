//! The server's clock. The clocks of hosts differ, by minutes at times; who is dead is judged by
//! the one clock that all have in common.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::doc;
use jiff::{SignedDuration, Timestamp};

use super::{MongoStore, unreadable};
use crate::store::Result;
use crate::workflow::{Lease, time};

/// How long an answer of the server is extrapolated.
const FRESH: Duration = Duration::from_secs(60);
/// How far this machine's clock may get away from its counter meanwhile.
const DRIFT: Duration = Duration::from_secs(1);

/// What the server's clock showed, if it was asked.
pub type Clock = Arc<Mutex<Option<Reading>>>;

/// This machine's counter and clock at some time. While it sleeps the counter stands still.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    counter: Instant,
    clock: Timestamp,
}

impl Moment {
    /// Just now.
    pub fn now() -> Self {
        Moment { counter: Instant::now(), clock: Timestamp::now() }
    }

    /// So long ago.
    fn ago(passed: Duration) -> Option<Self> {
        let now = Moment::now();
        let clock = now.clock.checked_sub(SignedDuration::try_from(passed).ok()?).ok()?;
        Some(Moment { counter: now.counter.checked_sub(passed)?, clock })
    }
}

/// A look at the server's clock.
#[derive(Clone, Copy)]
pub struct Reading {
    at: Moment,
    showed: Timestamp,
}

impl Reading {
    /// The time it is by the server's clock, as long as that can be told.
    fn extrapolate(&self, to: Moment) -> Option<Timestamp> {
        let passed = to.counter - self.at.counter;
        let by_clock = to.clock.duration_since(self.at.clock);
        let drift = (by_clock - SignedDuration::try_from(passed).ok()?).unsigned_abs();
        (passed < FRESH && drift < DRIFT).then(|| self.showed + passed)
    }
}

/// Notes what the server's clock showed, of a server that is taken to be so much ahead. The answer took so long.
pub fn listener(clock: &Clock, ahead: SignedDuration) -> impl Fn(Timestamp, Duration) + Send + Sync + 'static {
    let clock = Arc::clone(clock);
    move |showed, took| {
        if let Some(at) = Moment::ago(took) {
            let reading = Reading { at, showed: showed + ahead };
            *clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        }
    }
}

impl MongoStore {
    /// The time it is on the server, to the length of a round trip. The driver asks for it when it connects
    /// and every ten seconds; only when that is long ago, or has not been heard of yet, it is asked for here.
    pub(super) fn server_time(&self) -> Result<Timestamp> {
        let known = *self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Moment::now();
        if let Some(now) = known.and_then(|known| known.extrapolate(begun)) {
            return Ok(now);
        }
        let answer = self.ask(self.database.run_command(doc! { "hello": 1 }).run())?;
        if self.server.meet(&answer) {
            self.repeat_last()?;
        }
        let showed = answer.get("localTime").and_then(time::from_bson);
        let showed = showed.ok_or_else(|| unreadable(&self.settings.place(), "the time of the server"))?;
        self.note_server_time(begun, showed);
        Ok(showed + self.ahead)
    }

    /// An answer to a command that was `begun` then says what the server's clock showed.
    pub(super) fn note_server_time(&self, begun: Moment, showed: Timestamp) {
        let reading = Reading { at: begun, showed: showed + self.ahead };
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    /// A lease that was made at `now` by the clock of its owner, by the server's.
    pub(super) fn by_server_time(&self, lease: &Lease, now: Timestamp) -> Result<Lease> {
        let left = lease.until.duration_since(now);
        Ok(Lease { until: self.server_time()?.checked_add(left).unwrap_or(Timestamp::MAX), ..lease.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_slept_asks_again() {
        let at = Moment { counter: Instant::now(), clock: Timestamp::UNIX_EPOCH };
        let showed = Timestamp::from_second(1_000).expect("in range");
        let reading = Reading { at, showed };
        let later = |counter: u64, clock: i64| {
            let (counter, clock) = (Duration::from_secs(counter), SignedDuration::from_secs(clock));
            reading.extrapolate(Moment { counter: at.counter + counter, clock: at.clock + clock })
        };
        assert_eq!(later(20, 20), Some(showed + SignedDuration::from_secs(20)));
        assert_eq!(later(20, 3_620), None, "it slept for an hour");
        assert_eq!(later(20, -100), None, "its clock was set");
        assert_eq!(later(60, 60), None, "long ago");
    }
}
