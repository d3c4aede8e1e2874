//! How much was completed, and how much has failed, period by period: what a screen shows as it grows. What is
//! known stays; only what may have changed since is asked for again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::LaunchpadError;
use super::report::{Interval, Period, report};
use crate::store::Store;
use crate::store::tally::Counted;
use crate::workflow::State;

/// The last periods of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Throughput {
    step: Step,
    counts: BTreeMap<i64, Count>,
    asked: Option<i64>,
}

/// How long a period is, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An hour by minutes.
    Minutes,
    /// A day by hours.
    Hours,
}

/// What became of fireworks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// So many were completed.
    pub completed: u64,
    /// So many have failed.
    pub fizzled: u64,
}

impl Step {
    /// How long a period is.
    pub fn length(self) -> SignedDuration {
        match self {
            Step::Minutes => SignedDuration::from_mins(1),
            Step::Hours => SignedDuration::from_hours(1),
        }
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        match self {
            Step::Minutes => 60,
            Step::Hours => 24,
        }
    }

    /// The number of the period of a moment.
    fn place(self, at: Timestamp) -> i64 {
        at.as_second().div_euclid(self.length().as_secs())
    }

    /// The number of the period that a report names.
    fn named(self, date_key: &str) -> Option<i64> {
        let rest = match self {
            Step::Minutes => ":00Z",
            Step::Hours => ":00:00Z",
        };
        format!("{date_key}{rest}").parse().ok().map(|at| self.place(at))
    }
}

impl Throughput {
    /// Nothing is known yet.
    pub fn new(step: Step) -> Self {
        Throughput { step, counts: BTreeMap::new(), asked: None }
    }

    /// How many periods are to be asked for: those since it was asked last, and that one.
    pub fn missing(&self, now: Timestamp) -> u32 {
        let since = self.asked.map_or(i64::MAX, |asked| (self.step.place(now) - asked).saturating_add(1));
        u32::try_from(since.max(1)).unwrap_or(u32::MAX).min(self.step.count())
    }

    /// Takes what was asked for then.
    pub fn take(&mut self, periods: &[Period], asked: u32, now: Timestamp) {
        let newest = self.step.place(now);
        self.asked = Some(newest);
        let kept = newest - i64::from(asked)..;
        self.counts.retain(|place, _| !kept.contains(place) || *place == kept.start);
        for period in periods {
            let of = |wanted| period.states.iter().find(|(state, _)| *state == wanted).map_or(0, |(_, count)| *count);
            // The oldest one is cut off at its beginning.
            if let Some(place) = self.step.named(&period.date_key).filter(|place| *place > kept.start) {
                self.counts.insert(place, Count { completed: of(State::Completed), fizzled: of(State::Fizzled) });
            }
        }
        let oldest = newest - i64::from(self.step.count());
        self.counts.retain(|place, _| *place > oldest);
    }

    /// No period counts less than the shorter ones in it, which were asked for later.
    pub fn raise(&mut self, shorter: &Throughput) {
        let mut sums: BTreeMap<i64, Count> = BTreeMap::new();
        for (place, count) in &shorter.counts {
            let seconds = place * shorter.step.length().as_secs();
            let sum = sums.entry(seconds.div_euclid(self.step.length().as_secs())).or_default();
            (sum.completed, sum.fizzled) = (sum.completed + count.completed, sum.fizzled + count.fizzled);
        }
        for (place, sum) in sums {
            let count = self.counts.entry(place).or_default();
            *count = Count { completed: count.completed.max(sum.completed), fizzled: count.fizzled.max(sum.fizzled) };
        }
    }

    /// All periods up to now, the oldest first.
    pub fn series(&self, now: Timestamp) -> Vec<Count> {
        let newest = self.step.place(now);
        let places = newest + 1 - i64::from(self.step.count())..=newest;
        places.map(|place| self.counts.get(&place).copied().unwrap_or_default()).collect()
    }

    /// Whether anything was asked.
    pub fn is_known(&self) -> bool {
        self.asked.is_some()
    }
}

/// The periods that are missing.
pub fn periods(store: &dyn Store, step: Step, count: u32, now: Timestamp) -> Result<Vec<Period>, LaunchpadError> {
    let interval = match step {
        Step::Minutes => Interval::Minutes,
        Step::Hours => Interval::Hours,
    };
    report(store, Counted::Fireworks, interval, count, None, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(date_key: &str, completed: u64, fizzled: u64) -> Period {
        let states = vec![(State::Completed, completed), (State::Fizzled, fizzled), (State::Ready, 9)];
        Period { date_key: date_key.to_owned(), states }
    }

    fn at(text: &str) -> Timestamp {
        format!("2026-11-26T{text}Z").parse().expect("a date")
    }

    #[test]
    fn what_is_known_is_not_asked_again() {
        let mut minutes = Throughput::new(Step::Minutes);
        assert_eq!(minutes.missing(at("12:00:30")), 60);
        let first =
            [period("2026-11-26T12:00", 5, 1), period("2026-11-26T11:01", 7, 0), period("2026-11-26T11:00", 1, 0)];
        minutes.take(&first, 60, at("12:00:30"));
        let series = minutes.series(at("12:00:50"));
        assert_eq!((series.len(), series[0].completed, series[59]), (60, 7, Count { completed: 5, fizzled: 1 }));

        assert_eq!((minutes.missing(at("12:00:59")), minutes.missing(at("12:02:01"))), (1, 3));
        // A part of 11:59 only, which is known as a whole.
        let later =
            [period("2026-11-26T12:01", 2, 0), period("2026-11-26T12:00", 6, 1), period("2026-11-26T11:59", 1, 0)];
        minutes.take(&later, 3, at("12:02:01"));
        let series = minutes.series(at("12:02:01"));
        let shown: Vec<u64> = series[56..].iter().map(|count| count.completed).collect();
        assert_eq!((shown, series[0].completed), (vec![0, 6, 2, 0], 0));
        assert_eq!(minutes.missing(at("23:00:00")), 60);
    }

    #[test]
    fn an_hour_counts_no_less_than_its_minutes() {
        let (mut minutes, mut hours) = (Throughput::new(Step::Minutes), Throughput::new(Step::Hours));
        hours.take(&[period("2026-11-26T12", 4, 0), period("2026-11-26T11", 90, 0)], 24, at("12:10:00"));
        let since = [period("2026-11-26T12:11", 70, 1), period("2026-11-26T12:09", 4, 0)];
        minutes.take(&[&since[..], &[period("2026-11-26T11:50", 8, 0)]].concat(), 60, at("12:11:10"));
        hours.raise(&minutes);
        let series = hours.series(at("12:11:10"));
        assert_eq!(series[22..], [Count { completed: 90, fizzled: 0 }, Count { completed: 74, fizzled: 1 }]);
    }

    #[test]
    fn hours_are_named_by_hours() {
        let mut hours = Throughput::new(Step::Hours);
        hours.take(&[period("2026-11-26T03", 4, 2)], 24, at("12:59:00"));
        assert_eq!(hours.series(at("12:59:30"))[14], Count { completed: 4, fizzled: 2 });
    }
}
