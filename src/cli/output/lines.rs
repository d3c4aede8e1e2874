//! Lines of text that fit the terminal.

use anyhow::Result;

use super::colour::{Ink, paint};
use super::{plain, stream, text};

/// How wide the names before a text are.
const NAMES: usize = 10;

/// Prints a text under a name, broken between words where the terminal ends; nothing where it is empty.
pub fn wrapped(name: &str, words: &str) -> Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    let indent = if name.is_empty() { 0 } else { NAMES + 1 };
    let room = stream::width().map_or(usize::MAX, |width| width.saturating_sub(indent).max(10));
    for (number, line) in broken(&plain(words), room).iter().enumerate() {
        let head = match (indent, number) {
            (0, _) => String::new(),
            (_, 0) => paint(&format!("{name:<NAMES$} "), Ink::Faint),
            _ => " ".repeat(indent),
        };
        text(&format!("{head}{line}"))?;
    }
    Ok(())
}

/// Prints `start`, and `end` behind it where that fits; `plain_end` is that without colours.
pub fn fitting(start: &str, end: &str, plain_end: &str) -> Result<()> {
    let width = start.chars().count() + plain_end.chars().count();
    if stream::width().is_none_or(|most| width <= most) {
        text(&format!("{start}{end}"))
    } else {
        text(start.trim_end())
    }
}

/// A text in lines of so many characters; a word that is longer has one of its own:
/// a path that is broken cannot be copied.
fn broken(text: &str, room: usize) -> Vec<String> {
    let words = text.trim_start_matches(' ');
    let mut used = (text.len() - words.len()).min(room / 2);
    let mut lines = vec![" ".repeat(used)];
    for word in words.split(' ') {
        let length = word.chars().count();
        if lines.last().is_some_and(|line| !line.trim_start().is_empty()) && used + 1 + length > room {
            lines.push(String::new());
            used = 0;
        }
        let Some(line) = lines.last_mut() else { continue };
        if !line.trim_start().is_empty() {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_between_words() {
        assert_eq!(broken("one two three", 8), ["one two", "three"]);
        assert_eq!(broken("abcdefghij kl", 4), ["abcdefghij", "kl"]);
        assert_eq!(broken("  one two three", 8), ["  one", "two", "three"]);
        assert_eq!(broken("", 4), [""]);
        assert_eq!(broken("ééé é", 3), ["ééé", "é"]);
    }
}
