//! Texts in the columns of a terminal, in which some characters take two.

use ratatui::text::Span;

use crate::launchpad::shorten::plain;

/// How many columns a text takes.
pub fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

/// A text in exactly so many columns, in one line; that something is missing is shown.
pub fn fit(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let gap = width.saturating_sub(columns(&text));
    text + &" ".repeat(gap)
}

/// The same, at the right end of the columns.
pub fn fit_right(text: &str, width: usize) -> String {
    let text = cut(text, width);
    " ".repeat(width.saturating_sub(columns(&text))) + &text
}

/// A text in one line of so many columns at most.
pub fn cut(text: &str, room: usize) -> String {
    // A name may be a program; what is not seen need not be measured.
    let text = plain(text.get(..text.floor_char_boundary(room * 8 + 8)).unwrap_or(text));
    if columns(&text) <= room {
        return text;
    }
    pieces(&text, room.saturating_sub(1)).swap_remove(0) + if room > 0 { "…" } else { "" }
}

/// The end of a text, as much of it as goes into so many columns.
pub fn ending(text: &str, room: usize) -> &str {
    let (mut from, mut used) = (text.len(), 0);
    let mut letter = [0; 4];
    for (at, character) in text.char_indices().rev() {
        used += columns(character.encode_utf8(&mut letter));
        if used > room {
            break;
        }
        from = at;
    }
    &text[from..]
}

/// A text in pieces of so many columns; one at least.
pub fn pieces(text: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    let mut letter = [0; 4];
    for character in text.chars() {
        let wide = columns(character.encode_utf8(&mut letter));
        if used + wide > room && used > 0 || wide > room {
            pieces.push(String::new());
            used = 0;
        }
        if let Some(last) = pieces.last_mut().filter(|_| wide <= room) {
            last.push(character);
            used += wide;
        }
    }
    pieces
}

/// A text in lines that are broken between words; a word that is longer than a line is broken as well.
pub fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in plain(text).split(' ') {
        let gap = usize::from(used > 0);
        let wide = columns(word);
        if used + gap + wide > room && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        let Some(line) = lines.last_mut() else { continue };
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        if wide <= room {
            line.push_str(word);
            used += wide;
            continue;
        }
        lines.pop();
        lines.extend(pieces(word, room));
        used = lines.last().map_or(0, |line| columns(line));
    }
    lines
}

/// Where a window of so many lines has to begin so that a line is seen, if it began there before.
pub fn shifted(top: usize, line: usize, room: usize) -> usize {
    top.min(line).max((line + 1).saturating_sub(room.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!((columns("日本"), columns("é")), (4, 1));
        assert_eq!([cut("日本語", 6), cut("日本語", 5), cut("abc", 2), cut("ab", 0)], ["日本語", "日本…", "a…", ""]);
    }

    #[test]
    fn the_end_of_a_text_is_kept() {
        assert_eq!([ending("abc", 2), ending("abc", 9), ending("a日本", 3), ending("", 0)], ["bc", "abc", "本", ""]);
    }

    #[test]
    fn texts_take_just_their_columns() {
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("铜铜铜", 4), "铜… ");
        assert_eq!(fit("铜铜", 4), "铜铜");
        assert_eq!(fit("a\tb", 3), "a b");
        assert_eq!(fit("ab", 0), "");
        assert_eq!(fit_right("7", 3), "  7");
    }

    #[test]
    fn texts_are_broken_between_words_where_they_can_be() {
        assert_eq!(broken("one two three", 8), ["one two", "three"]);
        assert_eq!(broken("a bcdefghij kl", 4), ["a", "bcde", "fghi", "j kl"]);
        assert_eq!(broken("", 4), [""]);
        assert_eq!(broken("日本語", 1), ["", "", "", ""]);
    }

    #[test]
    fn windows_move_as_little_as_they_must() {
        assert_eq!([shifted(0, 3, 4), shifted(0, 4, 4), shifted(5, 2, 4), shifted(5, 2, 0)], [0, 1, 2, 2]);
    }
}
