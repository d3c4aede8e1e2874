//! The history: who did what, when (`volley_events`). Entries are only ever added; what workers do is
//! in the launches.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::{Author, Result};
use crate::workflow::{FwId, int, int_list, time};

/// What a person did. The store adds who, where and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deed {
    /// The verb: `rerun_fws`.
    pub what: String,
    /// The fireworks that it changed, where it was about fireworks.
    pub fw_ids: Vec<FwId>,
    /// The workflows that it changed as wholes, by the lowest id of a firework in each.
    pub workflows: Vec<FwId>,
    /// Whatever else is worth knowing: `to 5`.
    pub note: Option<String>,
}

/// An entry of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it was written.
    pub at: Timestamp,
    /// The login name of who did it.
    pub user: String,
    /// Where.
    pub host: String,
    /// What.
    pub deed: Deed,
}

impl Event {
    /// What whoever runs this process has done.
    pub fn here(deed: &Deed, at: Timestamp) -> Self {
        let Author { user, host } = Author::here().clone();
        Event { at, user, host, deed: deed.clone() }
    }

    /// As it is stored.
    pub fn to_document(&self) -> Document {
        let ids = |list: &[FwId]| Bson::Array(list.iter().copied().map(int).collect());
        let mut document = doc! {
            "at": time::to_iso(self.at),
            "user": &self.user,
            "host": &self.host,
            "what": &self.deed.what,
            "fw_ids": ids(&self.deed.fw_ids),
            "workflows": ids(&self.deed.workflows),
        };
        document.extend(self.deed.note.as_ref().map(|note| ("note".to_owned(), note.into())));
        document
    }

    /// Reads a stored one; none where it is something else.
    pub fn from_document(document: &Document) -> Option<Self> {
        let text = |key: &str| document.get_str(key).ok().map(str::to_owned);
        let deed = Deed {
            what: text("what")?,
            fw_ids: int_list(document.get("fw_ids")),
            workflows: int_list(document.get("workflows")),
            note: text("note"),
        };
        Some(Event {
            at: document.get("at").and_then(time::from_bson)?,
            user: text("user")?,
            host: text("host")?,
            deed,
        })
    }
}

/// Which entries are wanted; all conditions that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// About one of these fireworks, or of these workflows (named as in [`Deed::workflows`]).
    pub about: Option<(Vec<FwId>, Vec<FwId>)>,
    /// By this user.
    pub user: Option<String>,
    /// Since then.
    pub since: Option<Timestamp>,
    /// At most so many, the newest; 0 for all.
    pub limit: usize,
}

/// The verb under which workflows are added: who did it owns them.
pub const ADD: &str = "add";

/// The verb under which a reset is noted, of which nothing else is left.
pub const RESET: &str = "reset";

/// The part of a store that keeps the history.
pub trait Histories {
    /// Adds an entry. That of [`ADD`] is written by `insert` itself, together with the workflows.
    fn record(&self, deed: &Deed, now: Timestamp) -> Result<()>;

    /// Entries, oldest first.
    fn events(&self, query: &EventQuery) -> Result<Vec<Event>>;

    /// Who added these workflows, each named by the lowest id of a firework in it. Those that Python
    /// FireWorks has added are left out.
    fn owners(&self, workflows: &[FwId]) -> Result<BTreeMap<FwId, String>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back() {
        let at = Timestamp::from_microsecond(1_500_000).expect("in range");
        let deed = Deed { what: ADD.to_owned(), workflows: vec![3, 7], ..Deed::default() };
        let event = Event::here(&deed, at);
        assert_eq!(Event::from_document(&event.to_document()), Some(event.clone()));
        let deed = Deed { what: "set_priority".to_owned(), fw_ids: vec![1], note: Some("to 5".to_owned()), ..deed };
        let noted = Event { deed, ..event };
        assert_eq!(Event::from_document(&noted.to_document()), Some(noted));
        assert_eq!(Event::from_document(&doc! {"what": "add"}), None);
    }
}
