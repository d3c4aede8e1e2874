//! What is tried again, how often and when: `_retry` of a spec, `retry` of volley.yaml.

use std::collections::BTreeSet;
use std::time::Duration;

use bson::{Bson, Document, doc};

use crate::workflow::{Cause, as_int, duration, int};

/// Where a spec says what is tried again.
pub const RETRY: &str = "_retry";

/// A failure that a policy can speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The tasks failed.
    Fizzled,
    /// The worker was not heard of again.
    Lost,
    /// The time of the job was over.
    Timeout,
    /// Too little memory.
    Oom,
    /// The node failed. It is free of charge: this never uses up a retry.
    NodeFail,
}

impl Kind {
    const NAMES: [(Kind, &str); 5] = [
        (Kind::Fizzled, "fizzled"),
        (Kind::Lost, "lost"),
        (Kind::Timeout, "timeout"),
        (Kind::Oom, "oom"),
        (Kind::NodeFail, "node_fail"),
    ];

    fn as_str(self) -> &'static str {
        Kind::NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// That of a loss; the others are never of the firework's making.
    pub fn of(cause: Cause) -> Option<Self> {
        match cause {
            Cause::Unexplained => Some(Kind::Lost),
            Cause::Timeout => Some(Kind::Timeout),
            Cause::OutOfMemory => Some(Kind::Oom),
            Cause::NodeFail => Some(Kind::NodeFail),
            _ => None,
        }
    }
}

/// What is tried again, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// How often in a row.
    pub max: u64,
    /// After what.
    pub on: BTreeSet<Kind>,
    /// Not before so long after the failure.
    pub delay: Duration,
    /// From one failure to the next the delay grows by this factor.
    pub backoff: f64,
    /// After a timeout `_queueadapter.walltime` grows by this factor.
    pub walltime: Option<f64>,
    /// After an out-of-memory `_queueadapter.mem` grows by this factor.
    pub mem: Option<f64>,
}

/// A policy that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it needs {expected}, as in `{{max: 3, on: [fizzled, timeout], delay: 10m, backoff: 2, grow: {{walltime: 1.5}}}}`"
)]
pub struct BadPolicy {
    expected: String,
}

impl RetryPolicy {
    /// Reads a policy as it is written in a spec or in volley.yaml.
    pub fn from_document(document: &Document) -> Result<Self, BadPolicy> {
        let wrong = |expected: &str| BadPolicy { expected: expected.to_owned() };
        let known = ["max", "on", "delay", "backoff", "grow"];
        if let Some(key) = document.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(wrong(&format!("one of max, on, delay, backoff, grow in place of `{key}`")));
        }
        let max = document.get("max").and_then(as_int).and_then(|max| u64::try_from(max).ok());
        let factor = |document: &Document, key: &str| match document.get(key) {
            None | Some(Bson::Null) => Ok(None),
            Some(value) => {
                let factor = number(value).filter(|factor| factor.is_finite() && *factor >= 1.0);
                factor.map(Some).ok_or_else(|| wrong(&format!("a factor of at least 1 for `{key}`")))
            }
        };
        let grow = match document.get("grow") {
            None | Some(Bson::Null) => Document::new(),
            Some(Bson::Document(grow)) if grow.keys().all(|key| ["walltime", "mem"].contains(&key.as_str())) => {
                grow.clone()
            }
            Some(_) => return Err(wrong("a mapping of `walltime` and `mem` to factors for `grow`")),
        };
        Ok(RetryPolicy {
            max: max.ok_or_else(|| wrong("a whole number for `max`"))?,
            on: kinds(document.get("on")).ok_or_else(|| wrong("fizzled, lost, timeout, oom or node_fail for `on`"))?,
            delay: delay(document.get("delay")).ok_or_else(|| wrong("a duration for `delay`"))?,
            backoff: factor(document, "backoff")?.unwrap_or(1.0),
            walltime: factor(&grow, "walltime")?,
            mem: factor(&grow, "mem")?,
        })
    }

    /// As it is stored.
    pub fn to_document(&self) -> Document {
        let on: Vec<&str> = self.on.iter().map(|kind| kind.as_str()).collect();
        let mut document = doc! { "max": int(i64::try_from(self.max).unwrap_or(i64::MAX)), "on": on };
        if !self.delay.is_zero() {
            document.insert("delay", self.delay.as_secs_f64());
            document.insert("backoff", self.backoff);
        }
        let grow: Document = [("walltime", self.walltime), ("mem", self.mem)]
            .into_iter()
            .filter_map(|(key, factor)| Some((key.to_owned(), factor?.into())))
            .collect();
        if !grow.is_empty() {
            document.insert("grow", grow);
        }
        document
    }

    /// What a spec asks for.
    pub fn of(spec: &Document) -> Result<Option<Self>, BadPolicy> {
        match spec.get(RETRY) {
            None | Some(Bson::Null) => Ok(None),
            Some(Bson::Document(policy)) => RetryPolicy::from_document(policy).map(Some),
            Some(_) => Err(BadPolicy { expected: "a mapping".to_owned() }),
        }
    }

    /// How long to wait after the failure that follows so many retries.
    pub(super) fn delay(&self, tried: u64) -> Duration {
        let factor = self.backoff.powi(i32::try_from(tried).unwrap_or(i32::MAX));
        // A year is as good as for ever.
        let seconds = (self.delay.as_secs_f64() * factor).min(366.0 * 86_400.0);
        Duration::from_secs_f64(seconds)
    }
}

/// A number of any type.
pub(super) fn number(value: &Bson) -> Option<f64> {
    value.as_f64().or_else(|| as_int(value).map(|value| value as f64))
}

fn kinds(value: Option<&Bson>) -> Option<BTreeSet<Kind>> {
    let one = |value: &Bson| {
        let name = value.as_str()?;
        Kind::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    };
    match value {
        None | Some(Bson::Null) => Some(BTreeSet::from([Kind::Fizzled])),
        Some(Bson::Array(names)) => names.iter().map(one).collect(),
        Some(name) => Some(BTreeSet::from([one(name)?])),
    }
}

fn delay(value: Option<&Bson>) -> Option<Duration> {
    match value {
        None | Some(Bson::Null) => Some(Duration::ZERO),
        Some(Bson::String(text)) => duration::parse(text).ok(),
        Some(value) => Duration::try_from_secs_f64(number(value)?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        for policy in [
            doc! {},
            doc! { "max": -1 },
            doc! { "max": 1, "on": ["sometimes"] },
            doc! { "max": 1, "delay": "soon" },
            doc! { "max": 1, "backoff": 0.5 },
            doc! { "max": 1, "grow": { "disk": 2 } },
            doc! { "max": 1, "retries": 2 },
        ] {
            assert!(RetryPolicy::from_document(&policy).is_err(), "{policy}");
        }
        assert!(RetryPolicy::of(&doc! { RETRY: 3 }).is_err());
        let short = RetryPolicy::from_document(&doc! { "max": 1 }).expect("reads");
        assert_eq!(short.on, BTreeSet::from([Kind::Fizzled]));
    }
}
