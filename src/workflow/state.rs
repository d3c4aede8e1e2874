//! The nine states of a firework, with FireWorks' names and ranks.

use std::fmt;
use std::str::FromStr;

/// State of a firework, a launch or a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Put away for good; nothing runs it again.
    Archived,
    /// Its last launch failed.
    Fizzled,
    /// Taken out by the user or by a parent; its children wait.
    Defused,
    /// Held by the user until resumed.
    Paused,
    /// Waits for its parents.
    Waiting,
    /// May be claimed.
    Ready,
    /// A queue job has been submitted for it.
    Reserved,
    /// Claimed by a worker.
    Running,
    /// Done.
    Completed,
}

impl State {
    /// All states, in the order people read them: from the beginning of a life to its ends.
    pub const ALL: [State; 9] = [
        State::Waiting,
        State::Ready,
        State::Reserved,
        State::Running,
        State::Completed,
        State::Fizzled,
        State::Paused,
        State::Defused,
        State::Archived,
    ];

    /// The first letters of its name: they tell it from all others.
    pub fn letters(self) -> &'static str {
        &self.as_str()[..3]
    }

    /// The name that is stored and typed.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Archived => "ARCHIVED",
            State::Fizzled => "FIZZLED",
            State::Defused => "DEFUSED",
            State::Paused => "PAUSED",
            State::Waiting => "WAITING",
            State::Ready => "READY",
            State::Reserved => "RESERVED",
            State::Running => "RUNNING",
            State::Completed => "COMPLETED",
        }
    }

    /// FireWorks' `STATE_RANKS`: how far a firework has come.
    pub fn rank(self) -> i8 {
        match self {
            State::Archived => -2,
            State::Fizzled => -1,
            State::Defused | State::Paused => 0,
            State::Waiting => 1,
            State::Ready => 2,
            State::Reserved => 3,
            State::Running => 4,
            State::Completed => 5,
        }
    }

    /// Whether a launch in this state has its outcome.
    pub fn is_final(self) -> bool {
        matches!(self, State::Completed | State::Fizzled)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown state `{0}` (known: WAITING, READY, RESERVED, RUNNING, COMPLETED, FIZZLED, PAUSED, DEFUSED, ARCHIVED)"
)]
pub struct UnknownState(pub String);

impl FromStr for State {
    type Err = UnknownState;

    /// Reads a state in any case, as `lpad -s` accepts it.
    fn from_str(word: &str) -> Result<Self, UnknownState> {
        State::ALL
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| UnknownState(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_in_any_case() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
            assert_eq!(state.as_str().to_lowercase().parse(), Ok(state));
        }
        assert_eq!("DONE".parse::<State>(), Err(UnknownState("DONE".into())));
    }
}
