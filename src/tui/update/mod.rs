//! How the state changes: by events alone, without clock, store or terminal.

mod app;
pub mod dialog;
pub mod files;
pub mod firework;
pub mod graph;
pub mod help;
pub mod list;
mod list_filter;
mod list_window;
mod mark;
pub mod overview;
pub mod queue;
mod screen;
mod sheet;
mod tree;

pub use screen::{hints, types};

use super::ask::Ask;
use super::key::Key;
use super::state::Screen;
use crate::verbs::action::{Action, Target};

/// What a screen wants done beyond itself.
#[derive(Debug)]
pub enum Step {
    /// A question goes out at once.
    Ask(Ask),
    /// Another screen opens above this one.
    Open(Screen),
    /// A tab is shown, with this screen in the place of its first one.
    Show(Screen),
    /// This screen closes.
    Back,
    /// Something is to be done to something, once the user has seen what would happen and agrees.
    Act(Action, Target),
    /// Something is asked of the user first.
    Dialog(super::state::Dialog),
    /// Something is said.
    Say(String),
    /// Something went wrong.
    Fail(String),
}

/// A key, for those who look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// As it is written on the key: `r`, `Enter`, `Ctrl-D`.
    pub key: &'static str,
    /// A word or two.
    pub word: &'static str,
    /// The whole of it.
    pub help: &'static str,
}

impl Hint {
    /// Whether its keys change something, or choose what.
    pub fn acts(&self) -> bool {
        let acts = |word: &str| match word.chars().collect::<Vec<char>>()[..] {
            ['a' | 'A' | '…'] => true,
            [letter] => dialog::action(Key::char(letter)).is_some(),
            _ => word == "Space",
        };
        self.key.split(' ').all(acts)
    }
}
