//! Keys as the screens know them.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key that was pressed. A capital letter is its own character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// With Ctrl.
    pub ctrl: bool,
}

impl Key {
    /// A character.
    pub fn char(character: char) -> Self {
        Key { code: KeyCode::Char(character), ctrl: false }
    }

    /// A character with Ctrl.
    pub fn ctrl(character: char) -> Self {
        Key { code: KeyCode::Char(character), ctrl: true }
    }

    /// What a terminal says; nothing where a key is let go. Esc and a key that comes soon after it look the same
    /// as that key with Alt, which nothing here is done with.
    pub fn of(event: KeyEvent) -> Vec<Self> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let key = Key { code: event.code, ctrl };
        let may_be_two = matches!(key.code, KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace);
        match event.kind {
            KeyEventKind::Release => Vec::new(),
            _ if may_be_two && event.modifiers.contains(KeyModifiers::ALT) => vec![KeyCode::Esc.into(), key],
            _ => vec![key],
        }
    }
}

impl From<KeyCode> for Key {
    fn from(code: KeyCode) -> Self {
        Key { code, ctrl: false }
    }
}

/// Where a key moves what is marked, by arrows or as in vi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// A line up.
    Up,
    /// A line down.
    Down,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    First,
    /// To the end.
    Last,
}

impl Motion {
    /// What a key does, if it moves anything.
    pub fn of(key: Key) -> Option<Self> {
        Some(match (key.code, key.ctrl) {
            (KeyCode::Up, _) | (KeyCode::Char('k'), false) | (KeyCode::Char('p'), true) => Motion::Up,
            (KeyCode::Down, _) | (KeyCode::Char('j'), false) | (KeyCode::Char('n'), true) => Motion::Down,
            (KeyCode::Left, _) | (KeyCode::Char('h'), false) => Motion::Left,
            (KeyCode::Right, _) | (KeyCode::Char('l'), false) => Motion::Right,
            (KeyCode::Char('u'), true) => Motion::HalfUp,
            (KeyCode::Char('d'), true) => Motion::HalfDown,
            (KeyCode::PageUp, _) | (KeyCode::Char('b'), true) => Motion::PageUp,
            (KeyCode::PageDown, _) | (KeyCode::Char('f'), true) => Motion::PageDown,
            (KeyCode::Home, _) | (KeyCode::Char('g'), false) => Motion::First,
            (KeyCode::End, _) | (KeyCode::Char('G'), false) => Motion::Last,
            _ => return None,
        })
    }

    /// Where it leads, from a row of so many, with so many on a page. Left and right lead nowhere.
    pub fn leads(self, row: usize, count: usize, page: usize) -> usize {
        let page = page.max(1);
        let to = match self {
            Motion::Up => row.saturating_sub(1),
            Motion::Down => row + 1,
            Motion::HalfUp => row.saturating_sub(page.div_ceil(2)),
            Motion::HalfDown => row + page.div_ceil(2),
            Motion::PageUp => row.saturating_sub(page),
            Motion::PageDown => row + page,
            Motion::First => 0,
            Motion::Last => count,
            Motion::Left | Motion::Right => row,
        };
        to.min(count.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn esc_is_not_lost_where_a_key_follows_soon() {
        let of = |code, modifiers| Key::of(KeyEvent::new(code, modifiers));
        let (esc, y) = (Key::from(KeyCode::Esc), Key::char('y'));
        assert_eq!(of(KeyCode::Char('y'), KeyModifiers::ALT), [esc, y]);
        assert_eq!(of(KeyCode::Char('y'), KeyModifiers::NONE), [y]);
        assert_eq!(of(KeyCode::Left, KeyModifiers::ALT), [Key::from(KeyCode::Left)]);
    }
}
