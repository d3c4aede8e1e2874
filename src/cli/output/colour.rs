//! Colours: on a terminal that has them, unless NO_COLOR is set; `--color` says otherwise.

use std::sync::OnceLock;

use crate::workflow::State;

/// When there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal; not where NO_COLOR is set, or TERM is dumb
    Auto,
    /// Also in a pipe
    Always,
    /// None
    Never,
}

static CHOSEN: OnceLock<Color> = OnceLock::new();

/// Follows `--color`. To be called once, before anything is printed.
pub fn choose(color: Color) {
    CHOSEN.get_or_init(|| color);
}

/// Whether there are colours.
pub fn is_coloured() -> bool {
    match CHOSEN.get().copied().unwrap_or(Color::Auto) {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            super::is_terminal() && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

/// How a piece of text is set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The colour of a state.
    State(State),
    /// What a reader looks for first.
    Strong,
    /// What may be passed over.
    Faint,
}

/// A text in a colour, where there are colours.
pub fn paint(text: &str, ink: Ink) -> String {
    if is_coloured() && !text.is_empty() { coloured(text, ink) } else { text.to_owned() }
}

/// A text in a colour.
pub fn coloured(text: &str, ink: Ink) -> String {
    format!("\u{1b}[{}m{text}\u{1b}[0m", code(ink))
}

/// The colours of FireWorks' web pages, as near as a terminal of 16 colours comes.
fn code(ink: Ink) -> &'static str {
    match ink {
        Ink::Strong => "1",
        Ink::Faint => "2",
        Ink::State(State::Completed) => "32",
        Ink::State(State::Fizzled) => "31",
        Ink::State(State::Running) => "33",
        Ink::State(State::Ready) => "34",
        Ink::State(State::Reserved) => "35",
        Ink::State(State::Waiting) => "36",
        Ink::State(State::Paused) => "95",
        Ink::State(State::Defused | State::Archived) => "90",
    }
}
