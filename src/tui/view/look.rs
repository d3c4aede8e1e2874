//! Colours: the sixteen of the terminal, so that they suit a dark one and a light one; none where NO_COLOR is set.

use ratatui::style::{Color, Modifier, Style};

use crate::workflow::State;

/// How things are set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether there are colours.
    pub colours: bool,
}

impl Look {
    /// The colour of a state: those of `lpad`.
    pub fn state(self, state: State) -> Style {
        self.colour(match state {
            State::Completed => Color::Green,
            State::Fizzled => Color::Red,
            State::Running => Color::Yellow,
            State::Ready => Color::Blue,
            State::Reserved => Color::Magenta,
            State::Waiting => Color::Cyan,
            State::Paused => Color::LightMagenta,
            // No dark gray: on some terminals that is the background.
            State::Defused | State::Archived => return self.faint(),
        })
    }

    fn colour(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    /// What a reader looks for first.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What may be passed over.
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Where one is.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What is wrong.
    pub fn alarm(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }
}
