//! What there is to do for the keeper of the leases.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::{Desk, PATIENCE, REPORT_AFTER, Running, held};
use crate::rocket::trackers::Trackers;
use crate::store::{Claim, Held, Outcome};
use crate::workflow::{Launch, LaunchId};

/// The longest time that a task waits for the checkpoint before it.
const NOTE_PATIENCE: Duration = Duration::from_secs(5);

/// Something for the keeper to do.
pub enum Chore {
    /// Renew the leases of all these; those that run may have files to be followed.
    Renew(Vec<Held>, Vec<Arc<Trackers>>),
    /// Write how far this one has come.
    Note(Box<Launch>),
    /// Hand these back; they have been taken from the desk.
    Release(Vec<Claim>),
    /// Report these; they have been taken from the desk.
    Report(Vec<Outcome>),
    /// The worker is finished.
    Leave,
}

impl Desk {
    /// Waits for the keeper's next chore.
    pub fn next_chore(&self, renew: Duration) -> Chore {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Chore::Leave;
            }
            let now = Instant::now();
            let paused = state.pause_until.filter(|&until| until > now);
            let due = |at: Option<Instant>| at.map(|at| paused.map_or(at, |until| until.max(at)));
            let renew_at = due(state.leased.filter(|_| state.holds_any()).map(|leased| leased + renew));
            // As long as one begins after the other, what waits will have its turn.
            let last = state.running.iter().map(|running| running.since).chain(state.put).max();
            let release_at = due(last.filter(|_| !state.waiting.is_empty()).map(|last| last + PATIENCE));
            let note_at = due((!state.notes.is_empty()).then_some(now));
            // What the other thread is sending must arrive first.
            let report_at =
                due(state.done_since.filter(|_| state.sending.is_empty()).map(|since| since + REPORT_AFTER));
            let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if is_due(renew_at) {
                return Chore::Renew(state.all_held(), state.watched());
            }
            if is_due(note_at) {
                let launch = state.notes.remove(0);
                state.noting = Some(launch.launch_id);
                return Chore::Note(Box::new(launch));
            }
            if is_due(release_at) {
                // Slots that were free for them may have something else to do.
                state.vacated += 1;
                self.changed.notify_all();
                return Chore::Release(state.waiting.drain(..).collect());
            }
            if is_due(report_at) {
                return Chore::Report(state.take_done());
            }
            let next = [renew_at, note_at, release_at, report_at].into_iter().flatten().min();
            state = match next {
                Some(at) => self.wait(state, at - now),
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Has the keeper write how far a running launch has come, and waits until that is done; not for
    /// a store that does not answer. Later news replace those that could not be written.
    pub fn note(&self, launch: Launch) {
        let mut state = self.lock();
        let launch_id = launch.launch_id;
        let mut is_stuck = state.noting == Some(launch_id);
        match state.notes.iter_mut().find(|noted| noted.launch_id == launch_id) {
            Some(noted) => {
                *noted = launch;
                is_stuck = true;
            }
            None => state.notes.push(launch),
        }
        self.changed.notify_all();
        let deadline = Instant::now() + if is_stuck { Duration::ZERO } else { NOTE_PATIENCE };
        loop {
            let now = Instant::now();
            let is_noted = |noted: &Launch| noted.launch_id == launch_id;
            let is_written = !state.notes.iter().any(is_noted) && state.noting != Some(launch_id);
            if is_written || now >= deadline || state.pause_until.is_some_and(|until| until > now) {
                return;
            }
            state = self.wait(state, deadline - now);
        }
    }

    /// What came with [`Chore::Note`] is written, or never will be.
    pub fn noted(&self) {
        self.lock().noting = None;
        self.changed.notify_all();
    }

    /// It could not be written yet, and there may be later news.
    pub fn put_back_note(&self, launch: Launch, pause: Duration) {
        let mut state = self.lock();
        let launch_id = launch.launch_id;
        state.noting = None;
        let is_known = state.notes.iter().any(|noted| noted.launch_id == launch_id);
        if !is_known && state.find(launch_id).is_some() {
            state.notes.push(launch);
        }
        state.pause_until = Some(Instant::now() + pause);
        self.changed.notify_all();
    }

    /// The keeper could not do a chore: what it took comes back, and it rests for `pause`.
    pub fn put_back(&self, outcomes: Vec<Outcome>, pause: Duration) {
        let mut state = self.lock();
        if !outcomes.is_empty() {
            state.sending.clear();
            state.done.splice(0..0, outcomes);
            state.done_since.get_or_insert_with(Instant::now);
        }
        state.pause_until = Some(Instant::now() + pause);
        self.changed.notify_all();
    }

    /// All leases were renewed at `at`, except those of `lost` launches, which leave the desk.
    /// Returns the claims among them that had not begun, and the outcomes.
    pub fn renewed(&self, lost: &[LaunchId], at: Instant) -> (Vec<Claim>, Vec<Outcome>) {
        let mut state = self.lock();
        state.leased = Some(at);
        let is_lost = |held: Held| lost.contains(&held.launch_id);
        let (done, kept) = state.done.drain(..).partition(|outcome| is_lost(held(outcome)));
        state.done = kept;
        state.running.iter_mut().filter(|running| is_lost(running.held)).for_each(Running::lose);
        let (gone, kept) = state.waiting.drain(..).partition(|claim| is_lost(claim.held()));
        state.waiting = kept;
        if !gone.is_empty() {
            state.vacated += 1;
            self.changed.notify_all();
            self.ready.notify_all();
        }
        (Vec::from(gone), done)
    }
}
