//! `report`: what became of fireworks, workflows or launches, period by period, as FireWorks'
//! `FWReport` counts it.

use bson::Document;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::LaunchpadError;
use crate::store::Store;
use crate::store::tally::{Counted, TallyQuery};
use crate::workflow::State;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// A minute.
    Minutes,
    /// An hour.
    Hours,
    /// A day, in UTC.
    Days,
    /// A month.
    Months,
    /// A year.
    Years,
}

/// The order in which FireWorks lists states.
const RANKS: [State; 9] = [
    State::Archived,
    State::Fizzled,
    State::Defused,
    State::Paused,
    State::Waiting,
    State::Ready,
    State::Reserved,
    State::Running,
    State::Completed,
];

/// The numbers of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// The part of a date in ISO form (UTC) that names it.
    pub date_key: String,
    /// How many came into each state, in FireWorks' order of states.
    pub states: Vec<(State, u64)>,
}

impl Interval {
    /// How many characters of a date name a period, and how long it is.
    fn length(self) -> (usize, Span) {
        match self {
            Interval::Years => (4, Span::new().years(1)),
            Interval::Months => (7, Span::new().months(1)),
            Interval::Days => (10, Span::new().days(1)),
            Interval::Hours => (13, Span::new().hours(1)),
            Interval::Minutes => (16, Span::new().minutes(1)),
        }
    }
}

impl Period {
    /// How many there are altogether.
    pub fn count(&self) -> u64 {
        self.states.iter().map(|(_, count)| count).sum()
    }

    /// Per cent COMPLETED of all that have ended, to a tenth.
    pub fn completed_score(&self) -> f64 {
        let of = |wanted| self.states.iter().find(|(state, _)| *state == wanted).map_or(0, |(_, count)| *count);
        let (completed, fizzled) = (of(State::Completed) as f64, of(State::Fizzled) as f64);
        if completed == 0.0 { 0.0 } else { (completed / (completed + fizzled) * 1000.0).round() / 10.0 }
    }
}

/// The periods in which something happened, newest first; of the last so many, 0 for all there ever were.
pub fn report(
    store: &dyn Store,
    of: Counted,
    interval: Interval,
    periods: u32,
    matching: Option<Document>,
    now: Timestamp,
) -> Result<Vec<Period>, LaunchpadError> {
    let (characters, length) = interval.length();
    let since = (periods > 0).then(|| {
        // More years than there are: all of them.
        let back =
            length.checked_mul(i64::from(periods)).and_then(|back| now.to_zoned(TimeZone::UTC).checked_sub(back));
        back.map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
    });
    let tally = store.tally(&TallyQuery { of, characters, since, matching })?;
    let period = |(date_key, counts): (String, std::collections::BTreeMap<State, u64>)| Period {
        date_key,
        states: RANKS.map(|state| (state, counts.get(&state).copied().unwrap_or_default())).to_vec(),
    };
    Ok(tally.into_iter().rev().map(period).collect())
}
