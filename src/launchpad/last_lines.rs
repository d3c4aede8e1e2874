//! The ends of files that may be long.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Lines may be long; more than this is not looked at.
pub const MOST_BYTES: usize = 1024 * 1024;
/// How much of a file is read at first.
const FEW_BYTES: usize = 16 * 1024;

/// The last lines of a file, so many at most.
pub fn of_file(path: &Path, count: usize) -> io::Result<String> {
    let length = path.metadata()?.len();
    of_beginning(path, length, count)
}

/// The last lines of the first so many bytes of a file: it may grow while it is read.
pub fn of_beginning(path: &Path, length: u64, count: usize) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut size = FEW_BYTES;
    loop {
        let start = length.saturating_sub(size as u64);
        file.seek(SeekFrom::Start(start))?;
        let mut end = Vec::new();
        (&file).take(length - start).read_to_end(&mut end)?;
        let lines = of_bytes(&end, count);
        // The first line may have been cut, so there must be one before those that are wanted.
        if start == 0 || size >= MOST_BYTES || of_bytes(&end, count + 1).len() > lines.len() {
            return Ok(lines);
        }
        size *= 4;
    }
}

/// The last so many lines, ended as Python reads them: by a line feed, a carriage return, or both.
pub fn of_bytes(bytes: &[u8], count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let start = text.rmatch_indices('\n').nth(count - 1).map_or(0, |(before, _)| before + 1);
    text[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_pythons() {
        for (text, count, expected) in [
            ("a\nb\nc\n", 2, "b\nc"),
            ("a\nb\nc", 2, "b\nc"),
            ("a\n", 5, "a"),
            ("a\r\nb\rc\n\n", 3, "b\nc\n"),
            ("", 1, ""),
            ("é\u{fffd}", 1, "é\u{fffd}"),
        ] {
            assert_eq!(of_bytes(text.as_bytes(), count), expected, "{text:?}");
        }
    }
}
