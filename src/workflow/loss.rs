//! Why a launch ended without an outcome.

use std::fmt;

use bson::{Document, doc};

/// The kinds of reasons. Only [`Cause::Unexplained`] and [`Cause::OutOfMemory`] may be the fault of
/// what was run, and are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its worker was not heard of again, and nobody knows why.
    Unexplained,
    /// It took more memory than its job had.
    OutOfMemory,
    /// The time of its job was over.
    Timeout,
    /// Its node failed.
    NodeFail,
    /// Its job had to make room for another.
    Preempted,
    /// Somebody cancelled its job.
    Cancelled,
    /// The queue began its job anew.
    Requeued,
    /// Its worker was told to end by a signal.
    Stopped,
    /// Its worker could not go on: the disk was full.
    Disk,
    /// A verb of a user: rerun, defuse, ...
    User,
}

impl Cause {
    const NAMES: [(Cause, &str); 10] = [
        (Cause::Unexplained, "unexplained"),
        (Cause::OutOfMemory, "oom"),
        (Cause::Timeout, "timeout"),
        (Cause::NodeFail, "node_fail"),
        (Cause::Preempted, "preempted"),
        (Cause::Cancelled, "cancelled"),
        (Cause::Requeued, "requeued"),
        (Cause::Stopped, "stopped"),
        (Cause::Disk, "disk"),
        (Cause::User, "user"),
    ];

    /// Its name, also in documents.
    pub fn as_str(self) -> &'static str {
        Cause::NAMES.iter().find(|(cause, _)| *cause == self).map_or("", |(_, name)| name)
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Cause::NAMES.iter().find(|(_, known)| *known == name).map(|(cause, _)| *cause)
    }

    /// Whether what was run may be to blame, so that it is not tried for ever.
    pub fn counts(self) -> bool {
        matches!(self, Cause::Unexplained | Cause::OutOfMemory)
    }
}

/// Why one launch ended so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What kind of reason.
    pub cause: Cause,
    /// In words, for people.
    pub text: String,
}

impl Loss {
    /// A reason.
    pub fn new(cause: Cause, text: impl Into<String>) -> Self {
        Loss { cause, text: text.into() }
    }

    /// As it stands in the last entry of a launch's history.
    pub fn to_document(&self) -> Document {
        doc! { "lost": &self.text, "cause": self.cause.as_str() }
    }

    /// Reads it from there; earlier versions did not tell causes apart.
    pub fn from_document(document: &Document) -> Option<Self> {
        let cause = document.get_str("cause").ok().and_then(Cause::from_name).unwrap_or(Cause::Stopped);
        Some(Loss::new(cause, document.get_str("lost").ok()?))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_round_trip() {
        for (cause, _) in Cause::NAMES {
            let loss = Loss::new(cause, "why");
            assert_eq!(Loss::from_document(&loss.to_document()), Some(loss));
        }
        assert_eq!(Loss::from_document(&doc! {"lost": "SIGTERM"}), Some(Loss::new(Cause::Stopped, "SIGTERM")));
        assert_eq!(Loss::from_document(&doc! {"state": "FIZZLED"}), None);
    }
}
