//! Looks again and again whether anything has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use super::ask::Trouble;
use super::{Desk, Event, threads};

/// How often it looks, for all threads.
#[derive(Debug, Clone)]
pub struct Pace(Arc<AtomicU64>);

/// A new pace is followed after so long.
const STEP: Duration = Duration::from_millis(100);

impl Pace {
    /// So often.
    pub fn new(every: Duration) -> Self {
        let pace = Pace(Arc::default());
        pace.set(every);
        pace
    }

    /// So often from now on.
    pub fn set(&self, every: Duration) {
        self.0.store(u64::try_from(every.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Starts it; it ends with this process.
pub fn start(desk: Arc<Desk>, pace: Pace, events: Sender<Event>) {
    let told = events.clone();
    threads::start(&told, move || {
        loop {
            let error = match beat(&desk, &pace, &events) {
                Ok(()) => return,
                Err(error) => Trouble::of(&error.into()),
            };
            if events.send(Event::Pulse(Err(error))).is_err() {
                return;
            }
            thread::sleep(pace.get());
        }
    });
}

/// Looks until nobody listens any more.
fn beat(desk: &Desk, pace: &Pace, events: &Sender<Event>) -> crate::store::Result<()> {
    let mut watch = desk.store.watch()?;
    loop {
        let begun = Instant::now();
        let changed = watch.changed(pace.get())?;
        if events.send(Event::Pulse(Ok(changed))).is_err() {
            return Ok(());
        }
        while begun.elapsed() < pace.get() {
            thread::sleep(STEP.min(pace.get().saturating_sub(begun.elapsed())));
        }
    }
}
