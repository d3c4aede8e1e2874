//! A key or an answer goes to the screen it is for.

use super::{Hint, Step, files, firework, graph, list, list_filter, list_window, overview, queue};
use crate::tui::Key;
use crate::tui::ask::{Answer, Ask};
use crate::tui::state::firework::Pane;
use crate::tui::state::{Scene, Screen};

/// Whether letters are text that is typed.
pub fn types(screen: &Screen) -> bool {
    match screen {
        Screen::Workflows(one) => list::types(one),
        Screen::Fireworks(one) => list::types(one),
        _ => false,
    }
}

/// A key; nothing where it is none of this screen.
pub fn key(screen: &mut Screen, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    match screen {
        Screen::Overview(one) => overview::key(one, key, scene),
        Screen::Workflows(one) => list::key_in_workflows(one, key, scene),
        Screen::Fireworks(one) => list::key_in_fireworks(one, key, scene),
        Screen::Queue(one) => queue::key(one, key, scene),
        Screen::Graph(one) => graph::key(one, key, scene),
        Screen::Firework(one) => firework::key(one, key, scene),
    }
}

/// Text that is pasted.
pub fn paste(screen: &mut Screen, text: &str, scene: &Scene) -> Vec<Step> {
    match screen {
        Screen::Workflows(one) => list_filter::paste(one, text, scene),
        Screen::Fireworks(one) => list_filter::paste(one, text, scene),
        _ => Vec::new(),
    }
}

/// What is asked so that it is fresh.
pub fn asks(screen: &Screen, scene: &Scene) -> Vec<Ask> {
    match screen {
        Screen::Overview(one) => overview::asks(one, scene),
        Screen::Workflows(one) => list::asks_of_workflows(one, scene),
        Screen::Fireworks(one) => list::asks_of_fireworks(one, scene),
        Screen::Queue(one) => queue::asks(one, scene),
        Screen::Graph(one) => graph::asks(one, scene),
        Screen::Firework(one) => firework::asks(one, scene),
    }
}

/// What is asked every second, because it changes without the store's knowing.
pub fn grows(screen: &Screen, scene: &Scene) -> Vec<Ask> {
    match screen {
        Screen::Overview(one) => overview::grows(one, scene),
        Screen::Queue(one) => queue::grows(one, scene),
        Screen::Firework(one) if one.pane == Pane::Files => files::grows(&one.files),
        _ => Vec::new(),
    }
}

/// An answer, perhaps to somebody else.
pub fn take(screen: &mut Screen, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    match screen {
        Screen::Overview(one) => overview::take(one, ask, answer, scene),
        Screen::Workflows(one) => list::take_workflows(one, ask, answer, scene),
        Screen::Fireworks(one) => list::take_fireworks(one, ask, answer, scene),
        Screen::Queue(one) => queue::take(one, ask, answer, scene),
        Screen::Graph(one) => graph::take(one, ask, answer, scene),
        Screen::Firework(one) => firework::take(one, ask, answer, scene),
    }
}

/// A question, perhaps of somebody else, has no answer. Whether this screen tells why.
pub fn fail(screen: &mut Screen, ask: &Ask, why: &str) -> bool {
    match screen {
        Screen::Workflows(one) => list_window::fail(one, ask, why),
        Screen::Fireworks(one) => list_window::fail(one, ask, why),
        Screen::Graph(one) => graph::fail(one, ask, why),
        Screen::Firework(one) => firework::fail(one, ask, why),
        Screen::Overview(_) | Screen::Queue(_) => false,
    }
}

/// Its keys, but those that may change nothing.
pub fn hints(screen: &Screen, scene: &Scene) -> Vec<Hint> {
    let mut hints = all_hints(screen);
    hints.retain(|hint| !(scene.read_only && hint.acts()));
    hints
}

fn all_hints(screen: &Screen) -> Vec<Hint> {
    match screen {
        Screen::Overview(_) => overview::HINTS.to_vec(),
        Screen::Workflows(one) => list::hints(one),
        Screen::Fireworks(one) => list::hints(one),
        Screen::Queue(_) => queue::HINTS.to_vec(),
        Screen::Graph(_) => graph::HINTS.to_vec(),
        Screen::Firework(one) => firework::hints(one),
    }
}
