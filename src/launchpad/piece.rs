//! A piece of a file that may be long and may grow: its end, or what is around a place in it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use super::shorten::plain;

/// Which piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// The end.
    End,
    /// So many bytes after the beginning.
    At(u64),
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its lines; the first and the last one are whole where they are not very long.
    pub lines: Vec<Line>,
    /// Whether the file ends with it.
    pub is_end: bool,
    /// Whether it is text.
    pub is_text: bool,
    /// What the file was like.
    pub stamp: Stamp,
}

/// A line, or a part of a very long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where in the file it begins.
    pub at: u64,
    /// The line, without what a terminal would take for a command.
    pub text: String,
}

/// By this one sees whether a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Its bytes.
    pub length: u64,
    /// When it was written last.
    pub modified: Option<SystemTime>,
}

/// So much is read on each side.
const HALF: u64 = 64 * 1024;
/// What is longer is cut into several lines.
const LONGEST: usize = 4096;
/// Tabs lead to multiples of this.
const TAB: usize = 8;

impl Stamp {
    /// Of a file as it is now. What is no plain file might be read for ever.
    pub fn of(path: &Path) -> io::Result<Self> {
        let data = path.metadata()?;
        if !data.is_file() {
            return Err(io::Error::other("it is no plain file"));
        }
        Ok(Stamp { length: data.len(), modified: data.modified().ok() })
    }
}

/// Reads a piece.
pub fn piece(path: &Path, around: Around) -> io::Result<Piece> {
    let stamp = Stamp::of(path)?;
    let centre = match around {
        Around::End => stamp.length,
        Around::At(at) => at.min(stamp.length),
    };
    let start = centre.saturating_sub(HALF);
    let mut bytes = Vec::new();
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    file.take((2 * HALF).min(stamp.length - start)).read_to_end(&mut bytes)?;
    Ok(Piece::of(&bytes, start, stamp))
}

/// The end of a file, so many bytes at most, as text.
pub fn end(path: &Path, most: u64) -> io::Result<String> {
    let length = Stamp::of(path)?.length;
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Piece {
    /// The bytes that begin at `start`.
    pub fn of(bytes: &[u8], start: u64, stamp: Stamp) -> Self {
        let is_end = start + bytes.len() as u64 >= stamp.length;
        let quarter = bytes.len() / 4;
        let is_break = |byte: &u8| *byte == b'\n';
        // What is cut off at its beginning or its end is left out, but for very long lines.
        let from = if start == 0 { 0 } else { bytes[..quarter].iter().position(is_break).map_or(0, |at| at + 1) };
        let rest = bytes.len() - quarter;
        let last = if is_end { None } else { bytes[rest..].iter().rposition(is_break).map(|at| rest + at + 1) };
        let to = last.unwrap_or(bytes.len());
        let mut lines = Vec::new();
        let mut at = from;
        while at < to {
            let (length, next) = line(&bytes[at..to]);
            lines.push(Line { at: start + at as u64, text: shown(&bytes[at..at + length]) });
            at += next;
        }
        Piece { lines, is_end, is_text: !bytes.contains(&0), stamp }
    }

    /// The whole of a text that is in no file.
    pub fn of_text(text: &str) -> Self {
        Piece::of(text.as_bytes(), 0, Stamp { length: text.len() as u64, modified: None })
    }

    /// The line that begins there, or the next one.
    pub fn line_at(&self, at: u64) -> usize {
        self.lines.partition_point(|line| line.at < at)
    }
}

/// How long the first line is, and where the next one begins. Lines end as Python reads them.
fn line(bytes: &[u8]) -> (usize, usize) {
    let most = bytes.len().min(LONGEST);
    match bytes[..most].iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(end) => (end, end + if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 }),
        None => {
            // No letter is cut in two.
            let is_inside = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
            let end = (most..bytes.len().min(most + 4)).find(|at| !is_inside(at)).unwrap_or(most);
            (end, end)
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains('\t') {
        return plain(&text);
    }
    let (mut wide, mut width) = (String::new(), 0);
    for (number, part) in text.split('\t').enumerate() {
        if number > 0 {
            let room = TAB - width % TAB;
            wide.extend(std::iter::repeat_n(' ', room));
            width += room;
        }
        wide.push_str(part);
        width += part.chars().count();
    }
    plain(&wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("writes");
        file
    }

    #[test]
    fn lines_are_pythons_and_fit_a_terminal() {
        let piece = Piece::of_text("a\tb\r\nc\rd\u{1b}[1m\n\né");
        let lines: Vec<(u64, &str)> = piece.lines.iter().map(|line| (line.at, line.text.as_str())).collect();
        assert_eq!(lines, [(0, "a       b"), (5, "c"), (7, "d [1m"), (13, ""), (14, "é")]);
        assert!(piece.is_end && piece.is_text);
        assert!(Piece::of_text("").lines.is_empty());
    }

    #[test]
    fn a_long_file_is_read_in_pieces_that_join() {
        let text: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        let file = file(text.as_bytes());
        let read = |around| piece(file.path(), around).expect("reads");
        let end = read(Around::End);
        assert!(end.is_end && end.lines.last().expect("lines").text == "line 99999");
        assert!(end.lines.len() > 1000 && end.lines.len() < 20_000);
        // From the end to the beginning, a piece after the other.
        let (mut first, mut pieces) = (end.lines[0].clone(), 0);
        while first.at > 0 {
            let before = read(Around::At(first.at));
            let same = before.line_at(first.at);
            assert_eq!(before.lines[same], first);
            assert!(same > 0, "it comes nearer");
            first = before.lines[0].clone();
            pieces += 1;
        }
        assert!(first.text == "line 0" && pieces > 5);
    }

    #[test]
    fn one_line_that_never_ends_is_cut() {
        let file = file("é".repeat(500_000).as_bytes());
        let mut at = 1_000_000;
        for _ in 0..100 {
            let piece = piece(file.path(), Around::At(at)).expect("reads");
            assert!(piece.lines.iter().skip(1).all(|line| !line.text.contains('\u{fffd}')));
            at = piece.lines[0].at;
        }
        assert_eq!(at, 0);
    }

    #[test]
    fn what_is_no_text_or_no_file_is_told() {
        assert!(!piece(file(b"\x7fELF\0\0").path(), Around::End).expect("reads").is_text);
        assert!(piece(Path::new("/dev/zero"), Around::End).is_err());
        assert!(piece(Path::new("/nowhere/at/all"), Around::End).is_err());
    }
}
