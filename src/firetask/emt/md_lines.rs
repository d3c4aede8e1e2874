//! Reads a file line by line and knows where each is.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

/// The whole lines of a file, and where they are.
pub struct Lines {
    reader: BufReader<File>,
    line: Vec<u8>,
    /// Where the last line begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

impl Lines {
    /// From the beginning.
    pub fn new(file: File) -> Self {
        Self { reader: BufReader::new(file), line: Vec::new(), start: 0, end: 0 }
    }

    /// The next one with its end; empty if it is no text.
    pub fn next(&mut self) -> io::Result<Option<&str>> {
        self.line.clear();
        self.start = self.end;
        self.end += self.reader.read_until(b'\n', &mut self.line)? as u64;
        Ok(self.line.ends_with(b"\n").then(|| std::str::from_utf8(&self.line).unwrap_or_default()))
    }
}
