//! The keys of a screen, in words: how far one is in them.

use super::{Hint, screen};
use crate::tui::fit::broken;
use crate::tui::state::{Scene, Screen};
use crate::tui::{Key, Motion};

/// What is the same on every screen.
const EVERYWHERE: [Hint; 8] = [
    Hint {
        key: "1 2 3 4",
        word: "",
        help: "the tabs; twice for the first screen of one; Tab and Shift-Tab the next one, unless they do something else here",
    },
    Hint { key: "j k, arrows", word: "", help: "move; h l to the sides; Ctrl-N and Ctrl-P, too" },
    Hint { key: "g G, Home End", word: "", help: "to the beginning, to the end" },
    Hint { key: "Ctrl-D Ctrl-U", word: "", help: "half a page; Ctrl-F, Ctrl-B, PgDn, PgUp a whole one" },
    Hint { key: "Esc, q", word: "", help: "back, as Backspace; q also to the Overview, where it ends the monitor" },
    Hint { key: "Ctrl-L", word: "", help: "look again now" },
    Hint { key: "Ctrl-Z, Ctrl-C", word: "", help: "to the shell and back with fg; end" },
    Hint { key: "?, F1", word: "", help: "this page; j k and the like move in it, any other key leaves it" },
];

/// Columns of the keys.
pub const KEYS: usize = 19;

/// All of them, as wide as the terminal: each with the keys that it is about before its first line.
pub fn lines(screen: &Screen, scene: &Scene) -> Vec<(&'static str, String)> {
    let room = usize::from(scene.width).saturating_sub(KEYS + 3);
    let explained = |hint: &Hint| {
        let keys = std::iter::once(hint.key).chain(std::iter::repeat(""));
        keys.zip(broken(hint.help, room)).collect::<Vec<_>>()
    };
    let own = screen::hints(screen, scene);
    let gap = std::iter::once(vec![("", String::new())]);
    own.iter().map(explained).chain(gap).chain(EVERYWHERE.iter().map(explained)).flatten().collect()
}

/// Where a key leads from this line on; nothing where it leaves.
pub fn key(screen: &Screen, from: u16, key: Key, scene: &Scene) -> Option<u16> {
    let motion = Motion::of(key).filter(|motion| !matches!(motion, Motion::Left | Motion::Right))?;
    let page = usize::from(scene.body());
    let last = lines(screen, scene).len().saturating_sub(page);
    u16::try_from(motion.leads(usize::from(from), last + 1, page)).ok()
}
