//! What becomes of a firework whose launch failed or was lost: does it run again, when, and with how
//! much more of what it lacked?
//!
//! A spec (`_retry`) or the worker's configuration says how often failures are tried again. Without
//! that only losses are, since they say little about the firework: those for which nobody knows a
//! reason are counted, so that what kills its worker is not run for ever. The policy stands in the
//! launch from its beginning, and the counts in the spec (`_retried`), so that whoever ends the
//! launch decides the same.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};

use super::firework::is_true;
use super::{Cause, as_int, int, time};
use policy::number;

mod grow;
mod policy;

pub use policy::{BadPolicy, Kind, RETRY, RetryPolicy};

/// Where a spec counts what has been.
pub const RETRIED: &str = "_retried";
/// Where a spec says when it may be claimed, at the earliest: an ISO date in UTC.
pub const NOT_BEFORE: &str = "_not_before";
/// Where queue settings of one firework stand.
const QUEUE_ADAPTER: &str = "_queueadapter";

/// Refuses a date that claims would not understand: they compare it as a text.
pub fn check_date(spec: &Document) -> Result<(), String> {
    let is_utc = |text: &&str| ['Z', 'z'].iter().any(|&zone| text.ends_with(zone)) || text.ends_with("+00:00");
    match spec.get(NOT_BEFORE) {
        None | Some(Bson::Null) => Ok(()),
        Some(Bson::String(text)) if time::from_text(text).is_some() && is_utc(&text.as_str()) => Ok(()),
        Some(other) => Err(format!("{other} is no date in UTC; write 2026-12-24T18:00:00Z")),
    }
}

/// After so many losses that count a firework is FIZZLED, unless it is configured otherwise.
pub const MAX_LOST: u64 = 5;

/// What a launch knows of the attempts before it, and of those that may follow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attempts {
    policy: Option<RetryPolicy>,
    /// Retries that the policy has granted in a row.
    retried: u64,
    /// Losses in a row that count.
    lost: u64,
}

impl Attempts {
    /// Those of a firework that begins now; `default` is the policy of its worker.
    pub fn of(spec: &Document, default: Option<&RetryPolicy>) -> Self {
        let counts = spec.get_document(RETRIED).ok();
        let count = |key| {
            let count = counts.and_then(|counts| counts.get(key)).and_then(as_int);
            count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default()
        };
        // A spec that is wrong here has been refused when it was added, unless Python added it.
        let policy = RetryPolicy::of(spec).ok().flatten().or_else(|| default.cloned());
        Attempts { policy, retried: count("retried"), lost: count("lost") }
    }

    /// As it stands in the RUNNING entry of a launch; nothing where there is nothing to say.
    pub fn to_document(&self) -> Option<Document> {
        if *self == Attempts::default() {
            return None;
        }
        let mut document = self.policy.as_ref().map(RetryPolicy::to_document).unwrap_or_default();
        document.extend(counts(self.retried, self.lost));
        Some(document)
    }

    /// Reads what [`Attempts::to_document`] wrote.
    pub fn from_document(document: &Document) -> Self {
        let mut policy = document.clone();
        policy.remove("retried");
        policy.remove("lost");
        let spec = doc! { RETRIED: document.clone() };
        let policy = RetryPolicy::from_document(&policy).ok();
        Attempts { policy, ..Attempts::of(&spec, None) }
    }

    /// What follows a failure of the tasks; `timed_out` when they took longer than they may.
    pub fn after_failure(&self, timed_out: bool, now: Timestamp) -> Option<Again> {
        let by = |kind| Some((kind, self.by_policy(kind)?));
        let timeout = if timed_out { by(Kind::Timeout) } else { None };
        let (kind, policy) = timeout.or_else(|| by(Kind::Fizzled))?;
        policy.map(|policy| self.granted(policy, kind, now))
    }

    /// What follows a loss; nothing when it is enough. With a `max_lost` of 0 one that counts is enough,
    /// whatever the policy says.
    pub fn after_loss(&self, cause: Cause, max_lost: u64, now: Timestamp) -> Option<Again> {
        if max_lost == 0 && cause.counts() {
            return None;
        }
        if let Some(kind) = Kind::of(cause)
            && let Some(policy) = self.by_policy(kind)
        {
            return policy.map(|policy| self.granted(policy, kind, now));
        }
        let lost = self.lost + u64::from(cause.counts());
        (!cause.counts() || lost < max_lost).then(|| Again { retried: self.retried, lost, ..Again::default() })
    }

    /// The policy, if it speaks of such failures; and then whether it grants one more.
    fn by_policy(&self, kind: Kind) -> Option<Option<&RetryPolicy>> {
        let policy = self.policy.as_ref().filter(|policy| policy.on.contains(&kind))?;
        Some(Some(policy).filter(|policy| kind == Kind::NodeFail || self.retried < policy.max))
    }

    fn granted(&self, policy: &RetryPolicy, kind: Kind, now: Timestamp) -> Again {
        let delay = policy.delay(self.retried);
        let later = SignedDuration::try_from(delay).ok().and_then(|delay| now.checked_add(delay).ok());
        Again {
            not_before: later.filter(|_| !delay.is_zero()),
            retried: self.retried + u64::from(kind != Kind::NodeFail),
            lost: self.lost,
            walltime: policy.walltime.filter(|_| kind == Kind::Timeout),
            mem: policy.mem.filter(|_| kind == Kind::Oom),
        }
    }
}

fn counts(retried: u64, lost: u64) -> Document {
    let counts = [("retried", retried), ("lost", lost)].into_iter().filter(|(_, count)| *count > 0);
    counts.map(|(key, count)| (key.to_owned(), int(i64::try_from(count).unwrap_or(i64::MAX)))).collect()
}

/// That a firework runs again, and what changes in its spec.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Again {
    /// Not before.
    pub not_before: Option<Timestamp>,
    retried: u64,
    lost: u64,
    walltime: Option<f64>,
    mem: Option<f64>,
}

impl Again {
    /// As it stands in the last entry of a launch.
    pub fn to_document(&self) -> Document {
        let mut document = counts(self.retried, self.lost);
        if let Some(at) = self.not_before {
            document.insert("not_before", time::to_iso(at));
        }
        for (key, factor) in [("walltime", self.walltime), ("mem", self.mem)] {
            if let Some(factor) = factor {
                document.insert(key, factor);
            }
        }
        document
    }

    /// Reads what [`Again::to_document`] wrote.
    pub fn from_document(document: &Document) -> Self {
        let Attempts { retried, lost, .. } = Attempts::of(&doc! { RETRIED: document.clone() }, None);
        Again {
            not_before: document.get("not_before").and_then(time::from_bson),
            retried,
            lost,
            walltime: document.get("walltime").and_then(number),
            mem: document.get("mem").and_then(number),
        }
    }

    /// The spec of the next attempt, where it is another one.
    pub fn change(&self, spec: &Document) -> Option<Document> {
        let mut changed = spec.clone();
        let date = self.not_before.map(|at| Bson::String(time::to_iso(at)));
        let counts = counts(self.retried, self.lost);
        let counts = (!counts.is_empty()).then_some(Bson::Document(counts));
        for (key, value) in [(NOT_BEFORE, date), (RETRIED, counts)] {
            match value {
                Some(value) => drop(changed.insert(key, value)),
                None => drop(changed.remove(key)),
            }
        }
        if let Ok(adapter) = changed.get_document_mut(QUEUE_ADAPTER) {
            let more = |key: &str, factor: Option<f64>, grown: fn(&Bson, f64) -> Option<Bson>| {
                let (value, factor) = adapter.get(key).zip(factor)?;
                Some((key.to_owned(), grown(value, factor)?))
            };
            let grown = [more("walltime", self.walltime, grow::walltime), more("mem", self.mem, grow::mem)];
            adapter.extend(grown.into_iter().flatten());
        }
        (changed != *spec).then_some(changed)
    }
}

/// A new beginning: what has failed before does not count any longer.
pub fn forget(spec: &Document) -> Option<Document> {
    let has_any = [RETRIED, NOT_BEFORE].iter().any(|key| spec.get(key).is_some_and(is_true));
    has_any.then(|| {
        let mut changed = spec.clone();
        changed.remove(RETRIED);
        changed.remove(NOT_BEFORE);
        changed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("in range")
    }

    fn attempts(policy: Document, counts: Document) -> Attempts {
        let stored = Attempts::of(&doc! { RETRY: policy, RETRIED: counts }, None);
        assert_eq!(Attempts::from_document(&stored.to_document().expect("something")), stored);
        stored
    }

    #[test]
    fn losses_that_say_nothing_are_counted() {
        let spec = doc! { RETRIED: { "lost": 3 } };
        let attempts = Attempts::of(&spec, None);
        let next = |cause| attempts.after_loss(cause, 5, at(0)).map(|again| again.lost);
        assert_eq!(
            [next(Cause::Unexplained), next(Cause::OutOfMemory), next(Cause::Timeout)],
            [Some(4), Some(4), Some(3)]
        );
        assert_eq!(attempts.after_loss(Cause::Unexplained, 4, at(0)), None, "enough");
        for free in
            [Cause::Timeout, Cause::NodeFail, Cause::Preempted, Cause::Cancelled, Cause::Requeued, Cause::Stopped]
        {
            assert!(attempts.after_loss(free, 1, at(0)).is_some(), "{free:?}");
        }
        assert_eq!(attempts.after_failure(false, at(0)), None, "nobody asked for it");
    }

    #[test]
    fn what_takes_too_long_is_a_timeout() {
        let attempts = attempts(doc! { "max": 1, "on": ["timeout"] }, doc! {});
        assert!(attempts.after_failure(true, at(0)).is_some() && attempts.after_failure(false, at(0)).is_none());
    }

    #[test]
    fn dates_are_in_utc() {
        for (date, is_good) in
            [("2026-12-24T18:00:00Z", true), ("tomorrow", false), ("2026-12-24T18:00:00+09:00", false)]
        {
            assert_eq!(check_date(&doc! { NOT_BEFORE: date }).is_ok(), is_good, "{date}");
        }
    }

    #[test]
    fn a_policy_grants_retries_with_growing_delays() {
        let policy = doc! { "max": 2, "on": ["fizzled", "lost"], "delay": "10s", "backoff": 3 };
        let mut spec = doc! { RETRY: policy, "x": 1 };
        let mut dates = Vec::new();
        for _ in 0..2 {
            let again = Attempts::of(&spec, None).after_failure(false, at(100)).expect("granted");
            assert_eq!(Again::from_document(&again.to_document()), again);
            dates.push(again.not_before.expect("later").as_second());
            spec = again.change(&spec).expect("changes");
        }
        assert_eq!(dates, [110, 130]);
        assert_eq!(Attempts::of(&spec, None).after_failure(false, at(100)), None);
        assert_eq!(Attempts::of(&spec, None).after_loss(Cause::Unexplained, 99, at(0)), None, "they share the count");
        assert!(Attempts::of(&spec, None).after_loss(Cause::Preempted, 1, at(0)).is_some(), "not the firework's");
        assert_eq!(
            forget(&spec).and_then(|spec| Attempts::of(&spec, None).after_failure(false, at(0))).map(|_| ()),
            Some(())
        );
    }

    #[test]
    fn an_end_is_an_end_whatever_the_policy_grants() {
        let attempts = attempts(doc! { "max": 9, "on": ["lost", "timeout"] }, doc! {});
        assert_eq!(attempts.after_loss(Cause::Unexplained, 0, at(0)), None);
        assert!(attempts.after_loss(Cause::Unexplained, 1, at(0)).is_some(), "the policy counts for itself");
        assert!(attempts.after_loss(Cause::Timeout, 0, at(0)).is_some(), "does not count");
    }

    #[test]
    fn a_node_that_fails_is_free_of_charge() {
        let policy = doc! { "max": 0, "on": ["node_fail"], "delay": 60 };
        let again = attempts(policy, doc! {}).after_loss(Cause::NodeFail, 1, at(0)).expect("granted");
        assert_eq!((again.retried, again.not_before), (0, Some(at(60))));
    }

    #[test]
    fn what_was_short_grows() {
        let policy = doc! { "max": 9, "on": ["timeout", "oom"], "grow": { "walltime": 1.5, "mem": 2 } };
        let after = |cause, adapter: Document| {
            let spec = doc! { RETRY: policy.clone(), QUEUE_ADAPTER: adapter };
            let again = Attempts::of(&spec, None).after_loss(cause, 5, at(0)).expect("granted");
            let again = Again::from_document(&again.to_document());
            again.change(&spec).and_then(|spec| spec.get_document(QUEUE_ADAPTER).ok().cloned()).expect("an adapter")
        };
        let adapter = doc! { "walltime": "1-00:00:00", "mem": "4G" };
        assert_eq!(after(Cause::Timeout, adapter.clone()), doc! { "walltime": "1-12:00:00", "mem": "4G" });
        assert_eq!(after(Cause::OutOfMemory, adapter), doc! { "walltime": "1-00:00:00", "mem": "8G" });
        assert_eq!(after(Cause::Timeout, doc! { "walltime": 60 }), doc! { "walltime": "01:30:00" });
        assert_eq!(after(Cause::OutOfMemory, doc! { "mem": 1500 }), doc! { "mem": 3000 });
        assert_eq!(after(Cause::Timeout, doc! { "mem": "4G" }), doc! { "mem": "4G" }, "nothing to grow");
    }
}
