//! What a worker holds at the moment, shared by the threads that run fireworks, the one that claims
//! for them, the one that keeps their leases, and those that hear signals and look at the clock.
//!
//! A claim is in exactly one place: waiting, running, done (its outcome not yet sent), or being
//! sent. Who wants to start it, hand it back or report it takes it out first, under one lock.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::SIGINT;
use tracing::warn;

use super::slots::{Share, Slots};
use super::trackers::Trackers;
use crate::firetask::Interrupt;
use crate::store::{Claim, Held, Outcome};
use crate::workflow::room::Ask;
use crate::workflow::{Launch, LaunchId, Room};

mod chores;
mod occupied;
#[cfg(test)]
mod tests;

pub use chores::Chore;
pub use occupied::Occupied;

/// Claimed work that has not begun goes back when it would wait longer than this.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Outcomes are sent when the oldest is so old.
pub const REPORT_AFTER: Duration = Duration::from_secs(1);

/// The desk.
pub struct Desk {
    slots: Slots,
    state: Mutex<State>,
    /// Something is new.
    changed: Condvar,
    /// There may be something to start.
    ready: Condvar,
}

#[derive(Default)]
struct State {
    /// Slots in which nothing runs.
    free: BTreeSet<usize>,
    waiting: VecDeque<Claim>,
    /// When claims were last put there.
    put: Option<Instant>,
    running: Vec<Running>,
    done: Vec<Outcome>,
    done_since: Option<Instant>,
    sending: Vec<Held>,
    /// Running launches of which there is news of how far they have come; and the one whose earlier
    /// news the keeper is writing.
    notes: Vec<Launch>,
    noting: Option<LaunchId>,
    /// When the oldest lease was taken or renewed.
    leased: Option<Instant>,
    /// The keeper tries nothing before this: the store did not answer.
    pause_until: Option<Instant>,
    /// How many were begun, and how often there may have become room for others.
    begun: u64,
    vacated: u64,
    /// Nothing is begun after this time; nothing at all when it has halted.
    deadline: Option<Instant>,
    halted: bool,
    stop: Option<Stop>,
    closed: bool,
}

struct Running {
    held: Held,
    since: Instant,
    interrupt: Arc<Interrupt>,
    trackers: Arc<Trackers>,
    lost: bool,
    /// When its time is over, and whether that has come.
    limit: Option<Instant>,
    over: bool,
}

/// A claim that is run now.
pub struct Started<'a> {
    /// It.
    pub claim: Claim,
    /// Ends it early.
    pub interrupt: Arc<Interrupt>,
    /// What it wants followed.
    pub trackers: Arc<Trackers>,
    /// What it has of the worker.
    pub share: Share,
    /// Until this is dropped.
    pub occupied: Occupied<'a>,
}

/// How a run ended that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// The worker stops.
    Stopped(Stop),
    /// It has taken longer than it may.
    Over,
    /// The launch is somebody else's.
    Lost,
}

/// Why a worker stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The signal that says so, if one does.
    pub signal: Option<i32>,
    /// Its time is over, or as good as.
    pub near_end: bool,
}

impl Desk {
    /// An empty one.
    pub fn new(slots: Slots) -> Self {
        let state = State { free: (0..slots.count()).collect(), ..State::default() };
        Desk { slots, state: Mutex::new(state), changed: Condvar::new(), ready: Condvar::new() }
    }

    /// All slots and nodes there are.
    pub fn room(&self) -> Room {
        self.slots.room()
    }

    /// What nothing runs in, and nothing waits for.
    pub fn free_room(&self) -> Room {
        let state = self.lock();
        if state.waiting.is_empty() { self.slots.free_room(&state.free) } else { Room { slots: 0, nodes: 0 } }
    }

    /// Nothing is begun after this time.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.lock().deadline = deadline;
    }

    /// Puts new claims on the desk; their leases began at `leased`.
    pub fn put(&self, claims: Vec<Claim>, leased: Instant) {
        let mut state = self.lock();
        let oldest = state.leased.filter(|_| state.holds_any());
        state.leased = Some(oldest.map_or(leased, |oldest| oldest.min(leased)));
        state.waiting.extend(claims);
        state.put = Some(Instant::now());
        self.changed.notify_all();
        self.ready.notify_all();
    }

    /// Takes the next claim to run it, if there is room for it, unless the worker is to stop.
    pub fn start(&self) -> Option<Started<'_>> {
        self.start_from(&mut self.lock())
    }

    /// The same, and waits for it. `None` when the desk is closed.
    pub fn next(&self) -> Option<Started<'_>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(started) = self.start_from(&mut state) {
                return Some(started);
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// In the order in which they were claimed: whoever needs much is not overtaken by others.
    fn start_from(&self, state: &mut State) -> Option<Started<'_>> {
        if state.begins_nothing() {
            // Who waits until nothing runs must hear of a deadline that has passed.
            self.changed.notify_all();
            return None;
        }
        // What cannot be read is refused when it is run.
        let ask = Ask::of(&state.waiting.front()?.firework.spec).unwrap_or(Ask::Slots(1));
        let share = self.slots.share(&state.free, ask)?;
        let claim = state.waiting.pop_front()?;
        let (interrupt, trackers) = (Arc::new(Interrupt::default()), Arc::new(Trackers::of(&claim)));
        state.running.push(Running {
            held: claim.held(),
            since: Instant::now(),
            interrupt: Arc::clone(&interrupt),
            trackers: Arc::clone(&trackers),
            lost: false,
            limit: None,
            over: false,
        });
        state.begun += 1;
        let occupied = self.occupy(state, &share.slots);
        Some(Started { claim, interrupt, trackers, share, occupied })
    }

    /// Interrupts a running firework at this time, unless it has ended.
    pub fn limit(&self, launch_id: LaunchId, at: Instant) {
        if let Some(running) = self.lock().find(launch_id) {
            running.limit = Some(at);
        }
        self.changed.notify_all();
    }

    /// A launch is somebody else's. Returns whether it is one that runs; it is stopped.
    pub fn lose(&self, launch_id: LaunchId) -> bool {
        self.lock().find(launch_id).map(Running::lose).is_some()
    }

    /// A running firework has ended; its outcome waits to be reported. It comes back when the launch
    /// has been lost meanwhile.
    pub fn finish(&self, outcome: Outcome) -> Result<(), Box<Outcome>> {
        let mut state = self.lock();
        if state.take(outcome.launch.launch_id).is_some_and(|running| running.lost) {
            return Err(Box::new(outcome));
        }
        state.done.push(outcome);
        if state.done_since.is_none() {
            state.done_since = Some(Instant::now());
            // The keeper's next chore may come sooner now.
            self.changed.notify_all();
        }
        Ok(())
    }

    /// A running firework has been interrupted, and is not on the desk any more.
    pub fn interrupted(&self, launch_id: LaunchId) -> Interrupted {
        let mut state = self.lock();
        let (lost, over) = state.take(launch_id).map_or((false, false), |running| (running.lost, running.over));
        match state.stop {
            _ if over && !lost => Interrupted::Over,
            Some(stop) if !lost => Interrupted::Stopped(stop),
            _ => Interrupted::Lost,
        }
    }

    /// Takes everything that has not begun.
    pub fn take_waiting(&self) -> Vec<Claim> {
        self.lock().waiting.drain(..).collect()
    }

    /// Takes all outcomes, when no others are on their way; they stay held until [`Desk::sent`].
    pub fn take_done(&self) -> Vec<Outcome> {
        let mut state = self.lock();
        while !state.sending.is_empty() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.take_done()
    }

    /// What was taken with [`Desk::take_done`] has arrived, or never will.
    pub fn sent(&self) {
        self.lock().sending.clear();
        self.changed.notify_all();
    }

    /// Nothing more is started, what runs is interrupted; at the second Ctrl-C at once. Other
    /// signals may be told twice: to every process of a job, and by its script to the worker.
    pub fn stop(&self, stop: Stop) {
        let mut state = self.lock();
        let urgent = state.stop.is_some() && stop.signal == Some(SIGINT);
        state.stop.get_or_insert(stop);
        state.running.iter().for_each(|running| running.interrupt.raise(urgent));
        self.changed.notify_all();
    }

    /// Why the worker stops, if it does.
    pub fn stopped(&self) -> Option<Stop> {
        self.lock().stop
    }

    /// Nothing more is started; what runs comes to its end.
    pub fn halt(&self) {
        self.lock().halted = true;
        self.changed.notify_all();
    }

    /// Whether nothing more is started.
    pub fn begins_nothing(&self) -> bool {
        self.lock().begins_nothing()
    }

    /// Looks at the clock until the desk is closed: stops the worker at `end`, and interrupts what
    /// runs for longer than it may.
    pub fn keep_time(&self, end: Option<Instant>) {
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            let end = end.filter(|_| state.stop.is_none());
            if end.is_some_and(|end| end <= now) {
                warn!("the end of the worker's time is near: stopping");
                drop(state);
                self.stop(Stop { signal: None, near_end: true });
                state = self.lock();
                continue;
            }
            let limits = state.running.iter_mut().filter_map(|running| running.time_left(now));
            state = match limits.chain(end).min() {
                Some(next) => self.wait(state, next - now),
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Waits, at most so long. Returns whether the worker is to stop.
    pub fn sleep(&self, length: Duration) -> bool {
        let deadline = Instant::now() + length;
        let mut state = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if state.stop.is_some() || left.is_zero() {
                return state.stop.is_some();
            }
            state = self.wait(state, left);
        }
    }

    /// The worker is finished; the other threads may leave.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
        self.ready.notify_all();
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, length: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, length).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn lose(&mut self) {
        self.lost = true;
        self.interrupt.raise(false);
    }

    /// When it is to be interrupted; at once when that time has come.
    fn time_left(&mut self, now: Instant) -> Option<Instant> {
        let limit = self.limit.filter(|_| !self.over)?;
        self.over = limit <= now;
        if self.over {
            self.interrupt.raise(false);
            return None;
        }
        Some(limit)
    }
}

impl State {
    fn begins_nothing(&self) -> bool {
        self.stop.is_some() || self.halted || self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    fn find(&mut self, launch_id: LaunchId) -> Option<&mut Running> {
        self.running.iter_mut().find(|running| running.held.launch_id == launch_id)
    }

    /// It does not run any more, and its news do not matter.
    fn take(&mut self, launch_id: LaunchId) -> Option<Running> {
        self.notes.retain(|launch| launch.launch_id != launch_id);
        let position = self.running.iter().position(|running| running.held.launch_id == launch_id)?;
        Some(self.running.swap_remove(position))
    }

    fn watched(&self) -> Vec<Arc<Trackers>> {
        self.running.iter().filter(|running| !running.lost).map(|running| Arc::clone(&running.trackers)).collect()
    }

    fn take_done(&mut self) -> Vec<Outcome> {
        self.done_since = None;
        let done = std::mem::take(&mut self.done);
        self.sending = done.iter().map(held).collect();
        done
    }

    fn holds_any(&self) -> bool {
        let is_empty =
            self.running.is_empty() && self.waiting.is_empty() && self.done.is_empty() && self.sending.is_empty();
        !is_empty
    }

    fn all_held(&self) -> Vec<Held> {
        let waiting = self.waiting.iter().map(Claim::held);
        let running = self.running.iter().filter(|running| !running.lost).map(|running| running.held);
        waiting.chain(running).chain(self.done.iter().map(held)).chain(self.sending.iter().copied()).collect()
    }
}

fn held(outcome: &Outcome) -> Held {
    Held { fw_id: outcome.launch.fw_id, launch_id: outcome.launch.launch_id }
}
