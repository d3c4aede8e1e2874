//! What can happen to the monitor.

use jiff::Timestamp;

use super::ask::{Reply, Slot, Trouble};
use super::key::Key;

/// Something has happened.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The terminal has so many columns and lines.
    Resize(u16, u16),
    /// The terminal is looked at, or no longer.
    Focus(bool),
    /// The time it is here.
    Clock(Timestamp),
    /// Whether anything has changed in the store, or why that is not known.
    Pulse(Result<bool, Trouble>),
    /// A question is answered.
    Reply(Box<Reply>),
    /// A question was left out: a newer one has taken its place.
    Dropped(Slot),
    /// A line of the log.
    Log(String),
    /// It goes on after it was stopped.
    Continued,
    /// Somebody wants it to end.
    End,
    /// A thread has died, and of what.
    Broken(String),
}

/// What is to be done about it.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// A question goes to its lane.
    Ask(Box<super::ask::Ask>),
    /// The store is looked at so often from now on.
    Pace(std::time::Duration),
    /// The shell has the terminal until it is brought back.
    Suspend,
    /// It has the terminal again, which may have become anything meanwhile.
    Resume,
    /// All of the screen is drawn.
    Redraw,
    /// It ends.
    Quit,
}
