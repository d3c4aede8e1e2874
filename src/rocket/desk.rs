//! What a worker holds at the moment, shared by the thread that runs fireworks, the one that keeps
//! their leases, and those that hear signals and look at the clock.
//!
//! A claim is in exactly one place: waiting, running, done (its outcome not yet sent), or being
//! sent. Who wants to start it, hand it back or report it takes it out first, under one lock.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::SIGINT;
use tracing::warn;

use super::trackers::Trackers;
use crate::firetask::Interrupt;
use crate::store::{Claim, Held, Outcome};
use crate::workflow::{Launch, LaunchId};

/// Claimed work that has not begun goes back when it would wait longer than this.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Outcomes are sent when the oldest is so old.
pub const REPORT_AFTER: Duration = Duration::from_secs(1);
/// The longest time that a task waits for the checkpoint before it.
const NOTE_PATIENCE: Duration = Duration::from_secs(5);

/// The desk.
#[derive(Default)]
pub struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Claim>,
    running: Option<Running>,
    done: Vec<Outcome>,
    done_since: Option<Instant>,
    sending: Vec<Held>,
    /// The running launch, when there is news of how far it has come; and whether the keeper is
    /// writing earlier news.
    note: Option<Launch>,
    noting: bool,
    /// When the oldest lease was taken or renewed.
    leased: Option<Instant>,
    /// The keeper tries nothing before this: the store did not answer.
    pause_until: Option<Instant>,
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
pub struct Started {
    /// It.
    pub claim: Claim,
    /// Ends it early.
    pub interrupt: Arc<Interrupt>,
    /// What it wants followed.
    pub trackers: Arc<Trackers>,
}

/// Something for the keeper to do.
pub enum Chore {
    /// Renew the leases of all these; the one that runs may have files to be followed.
    Renew(Vec<Held>, Option<Arc<Trackers>>),
    /// Write how far this one has come.
    Note(Box<Launch>),
    /// Hand these back; they have been taken from the desk.
    Release(Vec<Claim>),
    /// Report these; they have been taken from the desk.
    Report(Vec<Outcome>),
    /// The worker is finished.
    Leave,
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
    /// Puts new claims on the desk; their leases began at `leased`.
    pub fn put(&self, claims: Vec<Claim>, leased: Instant) {
        let mut state = self.lock();
        let oldest = state.leased.filter(|_| state.holds_any());
        state.leased = Some(oldest.map_or(leased, |oldest| oldest.min(leased)));
        state.waiting.extend(claims);
        self.changed.notify_all();
    }

    /// Takes the next claim to run it, unless the worker is to stop.
    pub fn start(&self) -> Option<Started> {
        let mut state = self.lock();
        if state.stop.is_some() {
            return None;
        }
        let claim = state.waiting.pop_front()?;
        let interrupt = Arc::new(Interrupt::default());
        let trackers = Arc::new(Trackers::of(&claim));
        state.running = Some(Running {
            held: claim.held(),
            since: Instant::now(),
            interrupt: Arc::clone(&interrupt),
            trackers: Arc::clone(&trackers),
            lost: false,
            limit: None,
            over: false,
        });
        Some(Started { claim, interrupt, trackers })
    }

    /// Interrupts the running firework at this time, unless it has ended.
    pub fn limit(&self, at: Instant) {
        if let Some(running) = &mut self.lock().running {
            running.limit = Some(at);
        }
        self.changed.notify_all();
    }

    /// Has the keeper write how far the running launch has come, and waits until that is done; not
    /// for a store that does not answer. Later news replace those that could not be written.
    pub fn note(&self, launch: Launch) {
        let mut state = self.lock();
        let is_stuck = state.note.is_some() || state.noting;
        state.note = Some(launch);
        self.changed.notify_all();
        let deadline = Instant::now() + if is_stuck { Duration::ZERO } else { NOTE_PATIENCE };
        loop {
            let now = Instant::now();
            let is_written = state.note.is_none() && !state.noting;
            if is_written || now >= deadline || state.pause_until.is_some_and(|until| until > now) {
                return;
            }
            state = self.wait(state, deadline - now);
        }
    }

    /// What came with [`Chore::Note`] is written, or never will be.
    pub fn noted(&self) {
        self.lock().noting = false;
        self.changed.notify_all();
    }

    /// It could not be written yet, and there is no later news.
    pub fn put_back_note(&self, launch: Launch, pause: Duration) {
        let mut state = self.lock();
        state.noting = false;
        if state.running.as_ref().is_some_and(|running| running.held.launch_id == launch.launch_id) {
            state.note.get_or_insert(launch);
        }
        state.pause_until = Some(Instant::now() + pause);
        self.changed.notify_all();
    }

    /// A launch is somebody else's. Returns whether it is the one that runs; it is stopped.
    pub fn lose(&self, launch_id: LaunchId) -> bool {
        let mut state = self.lock();
        let running = state.running.as_mut().filter(|running| running.held.launch_id == launch_id);
        running.map(Running::lose).is_some()
    }

    /// The running firework has ended; its outcome waits to be reported. It comes back when the
    /// launch has been lost meanwhile.
    pub fn finish(&self, outcome: Outcome) -> Result<(), Box<Outcome>> {
        let mut state = self.lock();
        state.note = None;
        if state.running.take().is_some_and(|running| running.lost) {
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

    /// The running firework has been interrupted, and is not on the desk any more.
    pub fn interrupted(&self) -> Interrupted {
        let mut state = self.lock();
        state.note = None;
        let (lost, over) = state.running.take().map_or((false, false), |running| (running.lost, running.over));
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
        if let Some(running) = state.running.as_mut().filter(|running| is_lost(running.held)) {
            running.lose();
        }
        let (gone, kept) = state.waiting.drain(..).partition(|claim| is_lost(claim.held()));
        state.waiting = kept;
        (Vec::from(gone), done)
    }

    /// Nothing more is started, what runs is interrupted; at the second Ctrl-C at once. Other
    /// signals may be told twice: to every process of a job, and by its script to the worker.
    pub fn stop(&self, stop: Stop) {
        let mut state = self.lock();
        let urgent = state.stop.is_some() && stop.signal == Some(SIGINT);
        state.stop.get_or_insert(stop);
        if let Some(running) = &state.running {
            running.interrupt.raise(urgent);
        }
        self.changed.notify_all();
    }

    /// Why the worker stops, if it does.
    pub fn stopped(&self) -> Option<Stop> {
        self.lock().stop
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
            let limited = state.running.as_mut().filter(|running| !running.over);
            let limit = limited.and_then(|running| {
                running.over = running.limit.is_some_and(|limit| limit <= now);
                if running.over {
                    running.interrupt.raise(false);
                }
                running.limit.filter(|_| !running.over)
            });
            state = match [end, limit].into_iter().flatten().min() {
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

    /// The worker is finished; the keeper may leave.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

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
            let release_at = due(state
                .running
                .as_ref()
                .filter(|_| !state.waiting.is_empty())
                .map(|running| running.since + PATIENCE));
            let note_at = due(state.note.as_ref().map(|_| now));
            // What the other thread is sending must arrive first.
            let report_at =
                due(state.done_since.filter(|_| state.sending.is_empty()).map(|since| since + REPORT_AFTER));
            let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if is_due(renew_at) {
                return Chore::Renew(state.all_held(), state.watched());
            }
            if is_due(note_at)
                && let Some(launch) = state.note.take()
            {
                state.noting = true;
                return Chore::Note(Box::new(launch));
            }
            if is_due(release_at) {
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
}

impl State {
    fn watched(&self) -> Option<Arc<Trackers>> {
        self.running.as_ref().filter(|running| !running.lost).map(|running| Arc::clone(&running.trackers))
    }

    fn take_done(&mut self) -> Vec<Outcome> {
        self.done_since = None;
        let done = std::mem::take(&mut self.done);
        self.sending = done.iter().map(held).collect();
        done
    }

    fn holds_any(&self) -> bool {
        self.running.is_some() || !(self.waiting.is_empty() && self.done.is_empty() && self.sending.is_empty())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::launch::Place;
    use crate::workflow::{Firework, FwAction, Launch, Lease, State as FwState};
    use bson::doc;
    use jiff::Timestamp;

    fn claim(id: i64) -> Claim {
        let at = Timestamp::UNIX_EPOCH;
        let lease = Lease { owner: "me".into(), pid: 7, until: at, ..Lease::default() };
        let place = Place {
            fworker: doc! {},
            launch_dir: "/d".into(),
            host: "h".into(),
            ip: "127.0.0.1".into(),
            ..Place::default()
        };
        Claim {
            firework: Firework::new(id, "fw", doc! {}, FwState::Running, at),
            launch: Launch::running(id, id, &place, &lease, at),
        }
    }

    fn outcome(claim: Claim) -> Outcome {
        let (state, ended) = (FwState::Completed, Timestamp::UNIX_EPOCH);
        Outcome { launch: claim.launch, state, action: FwAction::default(), ended, followed: false }
    }

    fn renewed_ids(desk: &Desk) -> Vec<i64> {
        match desk.next_chore(Duration::ZERO) {
            Chore::Renew(held, _) => held.iter().map(|held| held.fw_id).collect(),
            _ => panic!("renewing is due"),
        }
    }

    #[test]
    fn everything_held_is_renewed_until_it_is_sent() {
        let desk = Desk::default();
        desk.put((1..=3).map(claim).collect(), Instant::now());
        let first = desk.start().expect("waits").claim;
        assert_eq!(renewed_ids(&desk), [2, 3, 1]);
        assert!(desk.finish(outcome(first)).is_ok());
        assert_eq!(renewed_ids(&desk), [2, 3, 1]);
        let sending = desk.take_done();
        assert_eq!((sending.len(), renewed_ids(&desk)), (1, vec![2, 3, 1]));
        // A renewal that fails meanwhile does not make us forget it.
        desk.put_back(Vec::new(), Duration::ZERO);
        assert_eq!(renewed_ids(&desk), [2, 3, 1]);
        desk.sent();
        assert_eq!(renewed_ids(&desk), [2, 3]);
    }

    #[test]
    fn lost_launches_leave() {
        let desk = Desk::default();
        desk.put((1..=3).map(claim).collect(), Instant::now());
        let Started { claim: first, interrupt, .. } = desk.start().expect("waits");
        let (gone, _) = desk.renewed(&[1, 3], Instant::now());
        assert_eq!(gone.iter().map(|claim| claim.firework.fw_id).collect::<Vec<_>>(), [3]);
        assert!(interrupt.is_raised());
        assert!(desk.finish(outcome(first)).is_err(), "is not reported");
        assert_eq!(desk.start().expect("waits").claim.firework.fw_id, 2);
        assert!(desk.start().is_none() && desk.take_done().is_empty());
    }

    #[test]
    fn a_signal_stops_what_runs_and_starts_nothing_more() {
        let desk = Desk::default();
        desk.put((1..=2).map(claim).collect(), Instant::now());
        let interrupt = desk.start().expect("waits").interrupt;
        let stop = |signal| Stop { signal: Some(signal), near_end: false };
        desk.stop(stop(15));
        desk.stop(stop(15));
        assert!(interrupt.is_raised() && !interrupt.is_urgent());
        desk.stop(stop(2));
        assert!(interrupt.is_urgent());
        assert_eq!(desk.interrupted(), Interrupted::Stopped(stop(15)));
        assert!(desk.start().is_none() && desk.sleep(Duration::from_secs(1000)));
        assert_eq!(desk.take_waiting().len(), 1);
    }

    #[test]
    fn the_clock_stops_what_takes_too_long() {
        let soon = || Instant::now() + Duration::from_millis(20);
        let interrupted = |end: Option<Instant>, limit: Option<Instant>| {
            let desk = &Desk::default();
            desk.put(vec![claim(1)], Instant::now());
            let interrupt = desk.start().expect("waits").interrupt;
            std::thread::scope(|scope| {
                scope.spawn(move || desk.keep_time(end));
                limit.iter().for_each(|&at| desk.limit(at));
                assert!(interrupt.is_raised_within(Duration::from_secs(60)));
                desk.close();
            });
            desk.interrupted()
        };
        assert_eq!(interrupted(None, Some(soon())), Interrupted::Over);
        let near_end = Stop { signal: None, near_end: true };
        assert_eq!(interrupted(Some(soon()), None), Interrupted::Stopped(near_end));
    }

    #[test]
    fn chores_that_fail_are_done_again() {
        let desk = Desk::default();
        desk.put((1..=3).map(claim).collect(), Instant::now());
        let first = desk.start().expect("waits").claim;
        assert!(desk.finish(outcome(first)).is_ok());
        desk.put_back(desk.take_done(), Duration::ZERO);
        assert_eq!(desk.start().expect("waits").claim.firework.fw_id, 2);
        assert_eq!(desk.take_done().len(), 1);
    }

    #[test]
    fn nobody_waits_for_a_store_that_does_not_answer() {
        let desk = Desk::default();
        desk.put(vec![claim(1)], Instant::now());
        let launch = desk.start().expect("waits").claim.launch;
        let next = || match desk.next_chore(Duration::from_secs(1000)) {
            Chore::Note(launch) => *launch,
            _ => panic!("there is news"),
        };
        std::thread::scope(|scope| {
            let note = || desk.note(launch.clone());
            let first = scope.spawn(note);
            let taken = next();
            assert!(!first.is_finished(), "is being written");
            desk.noted();
            first.join().expect("ends");
            let second = scope.spawn(note);
            desk.put_back_note(next(), Duration::from_millis(200));
            second.join().expect("ends while there is a pause");
            desk.note(taken);
            // The later news, after the pause.
            assert_eq!(next(), launch);
        });
        assert!(desk.lose(1) && !desk.lose(2) && desk.interrupted() == Interrupted::Lost);
        desk.put_back_note(launch, Duration::ZERO);
        assert!(desk.lock().note.is_none(), "it does not run any more");
    }
}
