//! Whether pilots do what they are for. When several in a row do not, no more are submitted for a while,
//! then one, and only when that one works as many as are wanted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::launcher::book::ago;
use crate::store::ledger::{Entry, Word};

/// So many failures in a row are no accident.
const SEVERAL: u32 = 3;
/// The first pause, and the longest: each is twice as long as the one before.
const PAUSES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// A pilot that has worked for so long is a good one.
const WORKS: SignedDuration = SignedDuration::from_secs(10);
/// One that has found nothing for so long finds nothing, though there is something.
const IN_VAIN: SignedDuration = SignedDuration::from_secs(15);

/// How many pilots may be submitted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// As many as are wanted.
    All,
    /// One, to see whether it works by now.
    One,
    /// None for so long, for this reason.
    None(Duration, String),
}

/// What is known of the pilots with the same resources.
#[derive(Debug, Default)]
pub struct Health {
    known: BTreeMap<(String, Option<u32>), Known>,
    /// In a row.
    failures: u32,
    pauses: u32,
    until: Option<Instant>,
    reason: String,
}

#[derive(Debug, Default)]
struct Known {
    has_job: bool,
    started: Option<Timestamp>,
    idle: bool,
    in_vain: bool,
    last: Option<Timestamp>,
    is_judged: bool,
}

/// What a pilot has shown.
enum Shown {
    Nothing,
    Good,
    Bad(String),
}

impl Health {
    /// Looks at the places of the pilots. `ready` fireworks wait for them, and a pilot that has nothing to
    /// do ends by itself after `max_idle`.
    pub fn look(&mut self, pilots: &[&Entry], ready: u64, max_idle: Duration, now: Timestamp, at: Instant) {
        let mut before = std::mem::take(&mut self.known);
        for entry in pilots {
            let key = (entry.token.clone(), entry.element);
            let mut known = before.remove(&key).unwrap_or_default();
            known.has_job |= entry.job.is_some();
            let shown = known.see(entry.word, ready, max_idle, now);
            self.judge(&mut known, shown, at);
            self.known.insert(key, known);
        }
        for mut gone in before.into_values() {
            let shown = gone.gone();
            self.judge(&mut gone, shown, at);
        }
    }

    /// The queue has taken a pilot's job, which may be gone before the next look.
    pub fn expect(&mut self, place: &Entry) {
        let key = (place.token.clone(), place.element);
        self.known.insert(key, Known { has_job: true, ..Known::default() });
    }

    /// The queue does not take a pilot's job.
    pub fn refused(&mut self, reason: String, at: Instant) {
        self.reason = reason;
        self.pause(at);
    }

    /// How many may be submitted.
    pub fn allows(&self, at: Instant) -> Allowed {
        match self.until {
            None => Allowed::All,
            Some(until) if until > at => Allowed::None(until - at, self.reason.clone()),
            // The one that was submitted to see is still to show itself.
            Some(_) if self.known.values().any(|known| !known.is_judged) => {
                Allowed::None(Duration::ZERO, self.reason.clone())
            }
            Some(_) => Allowed::One,
        }
    }

    fn judge(&mut self, known: &mut Known, shown: Shown, at: Instant) {
        if known.is_judged {
            return;
        }
        match shown {
            Shown::Nothing => return,
            Shown::Good => (self.failures, self.pauses, self.until) = (0, 0, None),
            // What was submitted before the pause says nothing new.
            Shown::Bad(_) if self.until.is_some_and(|until| until > at) => {}
            Shown::Bad(reason) => {
                self.failures += 1;
                self.reason = reason;
                if self.until.is_some() || self.failures >= SEVERAL {
                    self.pause(at);
                }
            }
        }
        known.is_judged = true;
    }

    fn pause(&mut self, at: Instant) {
        let time = (PAUSES.0 * 2_u32.saturating_pow(self.pauses)).min(PAUSES.1);
        tracing::warn!("no more pilots for {} s: {}", time.as_secs(), self.reason);
        (self.until, self.pauses, self.failures) = (at.checked_add(time), (self.pauses + 1).min(10), 0);
    }
}

impl Known {
    /// Looks at a pilot that is there.
    fn see(&mut self, word: Option<Word>, ready: u64, max_idle: Duration, now: Timestamp) -> Shown {
        match word {
            None => Shown::Nothing,
            Some(Word::Started(at)) => {
                (self.started, self.last) = (Some(at), Some(now));
                if now.duration_since(at) >= WORKS { Shown::Good } else { Shown::Nothing }
            }
            Some(Word::Idle(at)) => {
                (self.idle, self.last) = (true, Some(now));
                self.in_vain = ready > 0 && now.duration_since(at) >= IN_VAIN;
                if ready == 0 { Shown::Good } else { Shown::Nothing }
            }
            Some(Word::Ending(_)) if self.in_vain => {
                Shown::Bad(format!("a pilot found nothing to run, though {ready} are READY"))
            }
            Some(Word::Ending(_)) if self.idle => Shown::Good,
            Some(Word::Ending(at)) => {
                let quick = WORKS.min(SignedDuration::try_from(max_idle).unwrap_or(WORKS));
                match self.started {
                    Some(started) if at.duration_since(started) >= quick => Shown::Good,
                    // It has begun and ended between two looks.
                    None if quick < WORKS => Shown::Good,
                    _ => Shown::Bad("a pilot ended as soon as it had begun".to_owned()),
                }
            }
        }
    }

    /// Looks at one that is not there any more, and has not said that it ends.
    fn gone(&self) -> Shown {
        match (self.started, self.last) {
            // The queue has not taken its job.
            _ if !self.has_job => Shown::Good,
            (Some(started), Some(last)) if ago(started, last) < WORKS.unsigned_abs() && !self.idle => {
                Shown::Bad("a pilot was gone as soon as it had begun".to_owned())
            }
            (Some(_), _) | (_, Some(_)) => Shown::Good,
            (None, None) => Shown::Bad("the job of a pilot ended before the pilot began".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ledger::{Holder, JobName};

    fn pilot(token: &str, word: Option<Word>) -> Entry {
        Entry {
            token: token.into(),
            element: None,
            holder: Holder::default(),
            taken: Timestamp::UNIX_EPOCH,
            group: Some("null".into()),
            job: Some(JobName { id: token.into(), cluster: None }),
            word,
            missed: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    /// Looks at one pilot after the other as it says these words, at these seconds, and goes.
    fn live(health: &mut Health, token: &str, words: &[(i64, Option<Word>)], ready: u64, base: Instant) {
        for (second, word) in words {
            let entry = pilot(token, *word);
            let when = base + Duration::from_secs(second.unsigned_abs());
            health.look(&[&entry], ready, Duration::from_secs(120), at(*second), when);
        }
        let (second, _) = words.last().expect("it was there");
        let when = base + Duration::from_secs(second.unsigned_abs() + 1);
        health.look(&[], ready, Duration::from_secs(120), at(second + 1), when);
    }

    fn fail(health: &mut Health, base: Instant) {
        health.expect(&pilot("f", None));
        health.look(&[], 5, Duration::from_secs(120), at(1), base + Duration::from_secs(1));
    }

    #[test]
    fn several_failures_in_a_row_pause_it_for_ever_longer() {
        let (mut health, base) = (Health::default(), Instant::now());
        let after = |seconds| base + Duration::from_secs(seconds);
        fail(&mut health, base);
        fail(&mut health, base);
        assert_eq!(health.allows(after(1)), Allowed::All);
        fail(&mut health, base);
        let Allowed::None(left, reason) = health.allows(after(1)) else { panic!("it goes on") };
        assert!(left <= PAUSES.0 && reason.contains("before the pilot began"), "{left:?} {reason}");
        // Then one, and no other before that has shown itself.
        assert_eq!(health.allows(after(62)), Allowed::One);
        let probe = pilot("probe", None);
        health.look(&[&probe], 5, PAUSES.0, at(62), after(62));
        assert!(matches!(health.allows(after(63)), Allowed::None(..)));
        // It fails as well: twice as long.
        health.look(&[], 5, PAUSES.0, at(64), after(64));
        assert!(matches!(health.allows(after(64 + 119)), Allowed::None(..)));
        assert_eq!(health.allows(after(64 + 121)), Allowed::One);
        // The next one works.
        live(&mut health, "good", &[(200, Some(Word::Started(at(200)))), (215, Some(Word::Started(at(200))))], 5, base);
        assert_eq!(health.allows(after(216)), Allowed::All);
        for _ in 0..2 {
            fail(&mut health, after(216));
        }
        assert_eq!(health.allows(after(217)), Allowed::All, "the count begins anew");
    }

    #[test]
    fn judges_by_table() {
        let started = |second| Some(Word::Started(at(second)));
        let (idle, ending) = (|second| Some(Word::Idle(at(second))), |second| Some(Word::Ending(at(second))));
        for (words, ready, is_bad) in [
            // It has never begun.
            (vec![(0, None), (60, None)], 1, true),
            // It has ended at once.
            (vec![(0, None), (1, started(1)), (3, ending(3))], 1, true),
            (vec![(0, None), (5, ending(4))], 1, true),
            (vec![(0, started(0)), (2, started(0))], 1, true),
            // It has worked.
            (vec![(0, started(0)), (12, started(0))], 1, false),
            (vec![(0, started(0)), (40, ending(39))], 1, false),
            // It has found no more.
            (vec![(0, started(0)), (4, idle(3)), (130, ending(124))], 0, false),
            // There is something, and it does not find it.
            (vec![(0, started(0)), (4, idle(3)), (60, idle(3)), (130, ending(124))], 7, true),
            (vec![(0, started(0)), (4, idle(3)), (9, ending(9))], 7, false),
        ] {
            let (mut health, base) = (Health::default(), Instant::now());
            for _ in 0..SEVERAL {
                live(&mut health, "p", &words, ready, base);
            }
            let later = base + Duration::from_secs(131);
            let is_paused = health.until.is_some();
            assert_eq!(is_paused, is_bad, "{words:?} {ready} {:?}", health.allows(later));
        }
    }

    #[test]
    fn a_refusal_pauses_at_once() {
        let (mut health, base) = (Health::default(), Instant::now());
        health.refused("no such partition".into(), base);
        assert!(matches!(health.allows(base), Allowed::None(left, _) if left == PAUSES.0));
        assert_eq!(health.allows(base + PAUSES.0), Allowed::One);
        health.refused("no such partition".into(), base + PAUSES.0);
        assert!(matches!(health.allows(base + PAUSES.0), Allowed::None(left, _) if left == PAUSES.0 * 2));
    }
}
