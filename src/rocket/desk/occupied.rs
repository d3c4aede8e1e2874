//! Which slots are taken, and waiting until one of them is free again.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::{Desk, State};

/// Slots in which something runs, until this is dropped.
pub struct Occupied<'a> {
    desk: &'a Desk,
    slots: Vec<usize>,
    /// Whether what runs there counts as begun.
    counts: bool,
}

impl Occupied<'_> {
    /// It could not be run here, after all.
    pub fn in_vain(mut self) {
        self.counts = false;
    }
}

impl Drop for Occupied<'_> {
    fn drop(&mut self) {
        let mut state = self.desk.lock();
        state.free.extend(&self.slots);
        state.vacated += 1;
        state.begun -= u64::from(!self.counts);
        // Nobody else would hear of a thread that has broken down.
        state.halted |= std::thread::panicking();
        if state.waiting.is_empty() || state.begins_nothing() {
            self.desk.changed.notify_all();
        } else {
            self.desk.ready.notify_all();
        }
    }
}

impl Desk {
    pub(super) fn occupy(&self, state: &mut State, slots: &[usize]) -> Occupied<'_> {
        state.free.retain(|slot| !slots.contains(slot));
        Occupied { desk: self, slots: slots.to_vec(), counts: true }
    }

    /// Whether nothing runs, and nothing waits to be run.
    pub fn is_idle(&self) -> bool {
        self.lock().is_idle(self.slots.count())
    }

    /// How many fireworks were begun.
    pub fn begun(&self) -> u64 {
        self.lock().begun
    }

    /// How often slots have become free, or what waited for them has left.
    pub fn vacated(&self) -> u64 {
        self.lock().vacated
    }

    /// Waits until there is something to do for whoever claims: a slot has become free that was not
    /// when it last looked, at `vacated`, and nothing waits for it; or nothing runs any more. While
    /// slots are free, at most so long.
    pub fn wait_for_room(&self, vacated: u64, length: Option<Duration>) {
        let mut end = length.map(|length| Instant::now() + length);
        let mut state = self.lock();
        loop {
            let is_free = state.waiting.is_empty() && !state.free.is_empty();
            let is_wanted = is_free && state.vacated > vacated && !state.begins_nothing();
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let is_over = left.is_some_and(|left| left.is_zero());
            if is_wanted || state.is_idle(self.slots.count()) || is_over && is_free {
                return;
            }
            if is_over {
                end = None;
            }
            state = match left.filter(|_| !is_over) {
                Some(left) => self.wait(state, left),
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Waits until nothing runs; what waits stays.
    pub fn wait_for_all(&self) {
        let mut state = self.lock();
        while state.free.len() < self.slots.count() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn is_idle(&self, slots: usize) -> bool {
        self.free.len() == slots && (self.waiting.is_empty() || self.begins_nothing())
    }
}
