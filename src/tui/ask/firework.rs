//! Everything about one firework.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Lane, Slot};
use crate::launchpad::LaunchpadError;
use crate::launchpad::explain::{Facts, Subject, brief_subjects, facts};
use crate::launchpad::page::{Page, page};
use crate::launchpad::results::stored_data;
use crate::store::failures::Failure;
use crate::tui::Desk;
use crate::workflow::json::from_document;
use crate::workflow::{FwId, State};

/// This firework.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Which.
    pub fw_id: FwId,
}

/// What is known of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// All of it.
    pub known: Arc<Known>,
}

/// A firework as it was when it was asked for.
#[derive(Debug)]
pub struct Known {
    /// Its page.
    pub page: Page,
    /// What there is to say why it does not run.
    pub facts: Facts,
    /// What is stored: its spec, what it found, its launches.
    pub data: Vec<(&'static str, Value)>,
    /// Why it failed, in full.
    pub trace: Option<String>,
}

impl Ask {
    pub(super) fn slot(&self) -> Slot {
        (Lane::Store, "firework")
    }

    pub(super) fn answer(&self, desk: &Desk) -> Result<Answer> {
        let subjects = brief_subjects(&*desk.store, &[self.fw_id])?;
        let facts = facts(&*desk.store, &subjects, &desk.here())?.into_iter().next();
        let (subject, facts) = subjects.first().zip(facts).ok_or(LaunchpadError::UnknownFireworks(vec![self.fw_id]))?;
        let page = page(&*desk.store, subject, &facts).context("cannot put the page together")?;
        let failed = subject.followed().filter(|_| page.state == State::Fizzled);
        let trace = failed.and_then(|launch| Failure::of(launch).trace);
        Ok(Answer { known: Arc::new(Known { data: data(subject), trace, page, facts }) })
    }
}

fn data(subject: &Subject) -> Vec<(&'static str, Value)> {
    let mut data = vec![("spec", Value::Object(from_document(&subject.firework.spec)))];
    let unread = |launch| subject.unread(launch).map(Value::String);
    let found = subject.followed().map(|launch| unread(launch).unwrap_or_else(|| stored_data(launch)));
    let found = found.filter(|found| !found.is_null());
    data.extend(found.map(|found| ("result", found)));
    let launches = subject.launches.iter().map(|launch| {
        let launch_id = Value::from(launch.launch_id);
        let head = std::iter::once(("launch_id".to_owned(), launch_id));
        let unread = unread(launch).map(|words| ("results".to_owned(), words));
        Value::Object(head.chain(from_document(&launch.to_dictionary())).chain(unread).collect())
    });
    data.push(("launches", launches.collect()));
    data
}
