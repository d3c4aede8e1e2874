//! When all will be done, if it goes on as it does.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::throughput::{Step, Throughput};
use super::words::{number, stretch};
use crate::workflow::State;

/// What is to be expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Forecast {
    /// There is nothing.
    Empty,
    /// Nothing is left that would run.
    Done,
    /// So many wait, and nothing can run: what they wait for has failed, or is held.
    Stuck(u64),
    /// So many are left, and nobody runs any of them.
    Idle(u64),
    /// So many are left; too little was completed lately to tell more.
    Unknown(u64),
    /// So many are left.
    Ends {
        /// How many.
        left: u64,
        /// How many are completed in an hour.
        per_hour: f64,
        /// How long that takes.
        within: SignedDuration,
    },
}

/// Why fewer may end than are left, as far as that is known without looking for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Something waits, and something has failed or is held, which it may wait for.
    pub held: bool,
    /// There are tasks that a worker cannot run.
    pub unable: bool,
}

impl Doubts {
    /// As the numbers and the workers tell.
    pub fn of(counts: &BTreeMap<State, u64>, unable: bool) -> Self {
        let any = |state: State| counts.get(&state).is_some_and(|count| *count > 0);
        let held = any(State::Waiting) && [State::Fizzled, State::Defused, State::Paused].into_iter().any(any);
        Doubts { held, unable: unable && any(State::Ready) }
    }

    fn words(self) -> &'static str {
        match (self.held, self.unable) {
            (false, false) => "",
            (true, false) => "; those that wait for what has failed or is held will not end",
            (false, true) => "; those that no worker can run will not end",
            (true, true) => "; those that wait for what has failed or is held, or that no worker can run, will not end",
        }
    }
}

/// From so many completed fireworks on a rate is a good one; below, a longer time is looked at.
const MANY: u64 = 20;
/// With fewer nothing is said.
const FEW: u64 = 3;
/// Minutes that are looked at first.
const LATELY: usize = 10;

/// Expects that the rest takes as long each as what was completed lately.
pub fn forecast(counts: &BTreeMap<State, u64>, minutes: &Throughput, hours: &Throughput, now: Timestamp) -> Forecast {
    let of = |state: State| counts.get(&state).copied().unwrap_or(0);
    let (running, able) = (of(State::Running), of(State::Ready) + of(State::Reserved) + of(State::Running));
    let left = able + of(State::Waiting);
    if counts.values().all(|count| *count == 0) {
        return Forecast::Empty;
    }
    if left == 0 {
        return Forecast::Done;
    }
    if able == 0 {
        return Forecast::Stuck(left);
    }
    let minute = completed(minutes, now);
    let lately = rate(&minute[minute.len().saturating_sub(LATELY)..], Step::Minutes, now);
    let tries = [lately, rate(&minute, Step::Minutes, now), rate(&completed(hours, now), Step::Hours, now)];
    let known = |least: u64| tries.iter().flatten().find(|rate| rate.of >= least);
    // Of those that show as many the shortest time is the last one.
    let most = || tries.iter().rev().flatten().filter(|rate| rate.of >= FEW).max_by_key(|rate| rate.of);
    match known(MANY).or_else(most) {
        _ if running == 0 => Forecast::Idle(left),
        None => Forecast::Unknown(left),
        Some(rate) => {
            let seconds = left as f64 / rate.per_hour * 3600.0;
            let within = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX);
            Forecast::Ends { left, per_hour: rate.per_hour, within }
        }
    }
}

/// So many in an hour, as so many have shown.
struct Rate {
    of: u64,
    per_hour: f64,
}

fn completed(throughput: &Throughput, now: Timestamp) -> Vec<u64> {
    throughput.series(now).iter().map(|count| count.completed).collect()
}

/// The rate since the first period in which anything was completed.
fn rate(series: &[u64], step: Step, now: Timestamp) -> Option<Rate> {
    let first = series.iter().position(|count| *count > 0)?;
    let of = series[first..].iter().sum();
    let length = step.length().as_secs();
    // The last period is not over. What has just ended together has not taken a moment.
    let over = now.as_second().rem_euclid(length);
    let seconds = (series.len() - 1 - first) as i64 * length + over;
    Some(Rate { of, per_hour: of as f64 / seconds.max(length) as f64 * 3600.0 })
}

impl Forecast {
    /// In words.
    pub fn words(self, doubts: Doubts) -> String {
        let left = |count: u64| number(usize::try_from(count).unwrap_or(usize::MAX), "firework");
        match self {
            Forecast::Empty | Forecast::Done | Forecast::Stuck(_) => self.plainly(left),
            _ if doubts == Doubts::default() => self.plainly(left),
            _ => self.plainly(|left| format!("up to {left}")) + doubts.words(),
        }
    }

    fn plainly(self, fireworks: impl Fn(u64) -> String) -> String {
        match self {
            Forecast::Empty => "the launchpad is empty".to_owned(),
            Forecast::Done => "nothing is left to run".to_owned(),
            Forecast::Stuck(left) => {
                let wait = if left == 1 { "waits" } else { "wait" };
                format!("{} {wait} for what has failed or is held; nothing can run", fireworks(left))
            }
            Forecast::Idle(left) => format!("{} to go; nothing runs", fireworks(left)),
            Forecast::Unknown(left) => format!("{} to go; too few were completed to tell how long", fireworks(left)),
            Forecast::Ends { left, per_hour, within } => {
                let rate = match per_hour / 60.0 {
                    minute if minute >= 10.0 => format!("{minute:.0}/min"),
                    minute if minute >= 1.0 => format!("{minute:.1}/min"),
                    _ if per_hour >= 10.0 => format!("{per_hour:.0}/h"),
                    _ => format!("{per_hour:.1}/h"),
                };
                let within = if within.as_secs() == 0 { "a moment".to_owned() } else { stretch(within) };
                format!("{} to go at {rate}: about {within}", fireworks(left))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launchpad::report::Period;

    fn now() -> Timestamp {
        "2026-11-26T12:00:30Z".parse().expect("a date")
    }

    fn series(step: Step, counts: &[(&str, u64)]) -> Throughput {
        let mut throughput = Throughput::new(step);
        let period = |&(key, count): &(&str, u64)| Period {
            date_key: format!("2026-11-26T{key}"),
            states: vec![(State::Completed, count)],
        };
        throughput.take(&counts.iter().map(period).collect::<Vec<_>>(), step.count(), now());
        throughput
    }

    fn words(counts: &[(State, u64)], minutes: &[(&str, u64)], hours: &[(&str, u64)]) -> String {
        let counts: BTreeMap<State, u64> = counts.iter().copied().collect();
        forecast(&counts, &series(Step::Minutes, minutes), &series(Step::Hours, hours), now())
            .words(Doubts::of(&counts, false))
    }

    #[test]
    fn says_what_it_knows() {
        use State::{Completed, Fizzled, Ready, Running, Waiting};
        assert_eq!(words(&[], &[], &[]), "the launchpad is empty");
        assert_eq!(words(&[(Completed, 7), (Fizzled, 1)], &[], &[]), "nothing is left to run");
        let stuck = "1 firework waits for what has failed or is held; nothing can run";
        assert_eq!(words(&[(Waiting, 1), (Fizzled, 1)], &[], &[]), stuck);
        assert_eq!(words(&[(Ready, 3)], &[("11:59", 50)], &[]), "3 fireworks to go; nothing runs");
        let unknown = "3 fireworks to go; too few were completed to tell how long";
        assert_eq!(words(&[(Ready, 2), (Running, 1)], &[("11:59", 2)], &[]), unknown);
    }

    #[test]
    fn what_has_just_ended_together_is_no_rate() {
        // A second after the minute has begun.
        let at = "2026-11-26T12:00:01Z".parse().expect("a date");
        let mut minutes = Throughput::new(Step::Minutes);
        let ended = Period { date_key: "2026-11-26T12:00".to_owned(), states: vec![(State::Completed, 30)] };
        minutes.take(&[ended], Step::Minutes.count(), at);
        let counts = [(State::Running, 300)].into();
        let said = forecast(&counts, &minutes, &Throughput::new(Step::Hours), at).words(Doubts::default());
        assert_eq!(said, "300 fireworks to go at 30/min: about 10 min");
    }

    #[test]
    fn does_not_promise_what_cannot_run() {
        use State::{Fizzled, Ready, Running, Waiting};
        let counts = [(Waiting, 2), (Ready, 3), (Running, 1), (Fizzled, 1)];
        assert_eq!(
            words(&counts, &[("11:59", 20), ("12:00", 10)], &[]),
            "up to 6 to go at 20/min: about 18 s; those that wait for what has failed or is held will not end"
        );
        let doubts = |counts: &[(State, u64)]| Doubts::of(&counts.iter().copied().collect(), true);
        assert_eq!(doubts(&counts), Doubts { held: true, unable: true });
        assert_eq!(doubts(&[(Ready, 1), (Fizzled, 1)]), Doubts { held: false, unable: true });
        assert_eq!(doubts(&[(Running, 1), (Fizzled, 1)]), Doubts::default());
        assert_eq!(
            Forecast::Idle(1).words(Doubts { held: false, unable: true }),
            "up to 1 to go; nothing runs; those that no worker can run will not end"
        );
    }

    #[test]
    fn the_shortest_time_that_shows_enough_counts() {
        use State::{Ready, Running};
        let rest = [(Ready, 90), (Running, 10)];
        // 30 in a minute and a half.
        assert_eq!(
            words(&rest, &[("11:59", 20), ("12:00", 10), ("11:10", 900)], &[]),
            "100 fireworks to go at 20/min: about 5 min"
        );
        // 7 in the last minutes are few: 30 since 11:10.
        let slow = [("11:59", 7), ("11:10", 23)];
        assert_eq!(words(&rest, &slow, &[]), "100 fireworks to go at 36/h: about 2 h 48 min");
        // The hour has no more than its last minutes.
        assert_eq!(
            words(&[(Running, 4)], &[("11:57", 3)], &[("11", 3)]),
            "4 fireworks to go at 51/h: about 4 min 40 s"
        );
        // 24 in twelve hours.
        assert_eq!(words(&rest, &[], &[("00", 10), ("11", 14)]), "100 fireworks to go at 2.0/h: about 2 d 2 h");
        assert_eq!(
            words(&[(Running, 1)], &[("11:59", 1), ("11:40", 3)], &[]),
            "1 firework to go at 12/h: about 5 min 7 s"
        );
    }
}
