//! How a running task is told to stop.
//!
//! The worker raises it (a signal came, or the lease is lost); the task looks at it between two
//! steps, or is woken by it. Once raised it stays so: every firework gets its own.

use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

/// Asks one running firework to stop.
#[derive(Default)]
pub struct Interrupt(Mutex<State>);

#[derive(Default)]
struct State {
    raised: bool,
    urgent: bool,
    listener: Option<Box<dyn Fn() + Send>>,
}

impl Interrupt {
    /// Asks to stop. An urgent request allows no time for tidying up.
    pub fn raise(&self, urgent: bool) {
        let mut state = self.lock();
        state.raised = true;
        state.urgent |= urgent;
        if let Some(listener) = &state.listener {
            listener();
        }
    }

    /// Whether to stop.
    pub fn is_raised(&self) -> bool {
        self.lock().raised
    }

    /// Whether to stop at once.
    pub fn is_urgent(&self) -> bool {
        self.lock().urgent
    }

    /// Waits for that long; true, and at once, when it is to stop.
    pub fn is_raised_within(&self, time: Duration) -> bool {
        let (sender, heard) = mpsc::channel();
        let _listening = self.listen(move || {
            let _ = sender.send(());
        });
        heard.recv_timeout(time).is_ok()
    }

    /// Calls `wake` at every request until the answer is dropped, and now if there was one before.
    pub fn listen(&self, wake: impl Fn() + Send + 'static) -> Listening<'_> {
        let mut state = self.lock();
        if state.raised {
            wake();
        }
        state.listener = Some(Box::new(wake));
        Listening(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that is listening.
pub struct Listening<'a>(&'a Interrupt);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.lock().listener = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_hear_earlier_and_later_requests() {
        let interrupt = Interrupt::default();
        let (sender, heard) = mpsc::channel();
        let also = sender.clone();
        drop(interrupt.listen(move || sender.send(()).expect("is heard")));
        interrupt.raise(false);
        assert!(heard.try_recv().is_err(), "nobody listened any more");
        let _listening = interrupt.listen(move || also.send(()).expect("is heard"));
        assert!(heard.try_recv().is_ok() && !interrupt.is_urgent());
        interrupt.raise(true);
        assert!(heard.try_recv().is_ok() && interrupt.is_urgent());
    }

    #[test]
    fn a_pause_ends_when_it_is_raised() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.is_raised_within(Duration::from_millis(1)));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| interrupt.is_raised_within(Duration::from_secs(60)));
            interrupt.raise(false);
            assert!(waiting.join().expect("ends"));
        });
    }
}
