//! A tree of data: where one moves in it, and what opens.

use ratatui::crossterm::event::KeyCode;
use serde_json::Value;

use super::{Hint, Step, firework};
use crate::tui::state::tree::{Tree, rows};
use crate::tui::{Key, Motion};

/// Its keys.
pub const HINTS: &[Hint] = &[
    Hint { key: "Enter", word: "fold", help: "open what is marked, or close it" },
    Hint { key: "h l z", word: "", help: "close what is marked, or what it is in; open it; z as Enter" },
];

/// A key; nothing where it is none of a tree.
pub fn key(tree: &mut Tree, roots: &[(&'static str, Value)], key: Key, room: usize) -> Option<Vec<Step>> {
    let lines = rows(roots, &tree.opened);
    let row = tree.window.row.min(lines.len().saturating_sub(1));
    let marked = lines.get(row)?;
    let inside = || lines[..row].iter().rposition(|above| above.depth < marked.depth);
    let motion = Motion::of(key);
    match (motion, key.code, key.ctrl) {
        (Some(Motion::Left), ..) if marked.open == Some(true) => tree.fold(&marked.path, false),
        (Some(Motion::Left), ..) => tree.window.row = inside().unwrap_or(row),
        (Some(Motion::Right), ..) if marked.open == Some(false) => tree.fold(&marked.path, true),
        (Some(Motion::Right), ..) => {
            let first = lines.get(row + 1).filter(|below| below.depth > marked.depth);
            tree.window.row = first.map_or(row, |_| row + 1);
        }
        (Some(_), ..) => tree.window = firework::moved(tree.window, key, lines.len(), room)?,
        (None, KeyCode::Enter, _) | (None, KeyCode::Char('z'), false) => {
            if let Some(is_open) = marked.open {
                tree.fold(&marked.path, !is_open);
            }
        }
        _ => return None,
    }
    tree.window = tree.window.within(rows(roots, &tree.opened).len(), room);
    Some(Vec::new())
}
