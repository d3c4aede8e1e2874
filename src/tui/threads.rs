//! The threads of the monitor. They end with the process; one that dies says so, and of what.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::mpsc::Sender;
use std::thread;

use super::Event;
use crate::launchpad::shorten::plain;

thread_local! {
    static LAST_WORDS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Starts one; the monitor is told when it panics.
pub fn start(events: &Sender<Event>, work: impl FnOnce() + Send + 'static) {
    let events = events.clone();
    thread::spawn(move || {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            let words = plain(&LAST_WORDS.take());
            // Nobody listens when it ends anyway.
            let _ = events.send(Event::Broken(format!("a thread of the monitor {words}")));
        }
    });
}

/// A thread panics while there is a screen: nothing may be written over it.
pub(super) fn keep_words(panic: &PanicHookInfo<'_>) {
    LAST_WORDS.set(panic.to_string());
    tracing::error!("{}", plain(&panic.to_string()));
}
