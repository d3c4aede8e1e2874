//! What was asked and is not answered yet, so that nobody asks the same twice.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::tui::ask::{Lane, Slot};

/// By the slots of questions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traffic {
    open: BTreeMap<Slot, Open>,
    rest: BTreeMap<Slot, Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
struct Open {
    count: usize,
    since: Timestamp,
}

/// A question that took so long is not asked again by itself for so many times as long: whatever is asked, the
/// store is busy with one screen for a fifth of the time at most.
const REST: i32 = 4;

impl Traffic {
    /// Something is asked.
    pub fn asked(&mut self, slot: Slot, now: Timestamp) {
        let open = self.open.entry(slot).or_insert(Open { count: 0, since: now });
        open.count += 1;
    }

    /// It is answered, after so long.
    pub fn answered(&mut self, slot: Slot, took: Duration, now: Timestamp) {
        if let Some(open) = self.open.get_mut(&slot) {
            open.count -= 1;
            open.since = now;
            if open.count == 0 {
                self.open.remove(&slot);
            }
        }
        let rest = SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX).saturating_mul(REST);
        self.rest.insert(slot, now.saturating_add(rest).unwrap_or(Timestamp::MAX));
    }

    /// Whether it was asked and is not answered.
    pub fn is_open(&self, slot: &Slot) -> bool {
        self.open.contains_key(slot)
    }

    /// Whether it may be asked again without a user's wish.
    pub fn is_free(&self, slot: &Slot, now: Timestamp) -> bool {
        !self.is_open(slot) && self.rest.get(slot).is_none_or(|until| *until <= now)
    }

    /// Since when the oldest question is open. A queue may take long, and its screen says so itself.
    pub fn oldest(&self) -> Option<Timestamp> {
        let open = self.open.iter().filter(|((lane, _), _)| *lane != Lane::Queue);
        open.map(|(_, open)| open.since).min()
    }
}
