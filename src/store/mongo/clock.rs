//! The server's clock. The clocks of hosts differ, by minutes at times; who is dead is judged by
//! the one clock that all have in common.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::doc;
use jiff::Timestamp;

use super::{MongoStore, unreadable};
use crate::store::Result;
use crate::workflow::time;

/// How long an answer of the server is extrapolated: a machine may sleep, and its counter with it.
const FRESH: Duration = Duration::from_secs(60);

/// What the server's clock showed, and when that was.
pub type Clock = Mutex<Option<(Instant, Timestamp)>>;

impl MongoStore {
    /// The time it is on the server, to the length of a round trip; asked for once a minute at most.
    pub(super) fn server_time(&self) -> Result<Timestamp> {
        let known = *self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, showed)) = known.filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(showed + at.elapsed());
        }
        let at = Instant::now();
        let answer = self.ask(self.database.run_command(doc! { "hello": 1 }).run())?;
        let showed = answer.get("localTime").and_then(time::from_bson);
        let showed = showed.ok_or_else(|| unreadable(&self.settings.place(), "the time of the server"))?;
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, showed));
        Ok(showed)
    }
}
