//! Where the output of a command goes: on to our own streams or into a file, and what is kept of it.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Stdio;

use super::TaskFailure;
use super::process::{ProcessError, Sink};

/// How much of stderr is shown when a command fails.
const TAIL_BYTES: usize = 8 * 1024;
const TAIL_LINES: usize = 20;

/// The sink of a standard output that may have a file, and may be kept.
pub fn stdout(file: Option<&File>, keep: bool) -> io::Result<Sink> {
    Ok(match (file, keep) {
        (None, false) => Sink::Direct(Stdio::inherit()),
        (None, true) => Sink::Keep(None),
        (Some(file), false) => Sink::Direct(Stdio::from(file.try_clone()?)),
        (Some(file), true) => Sink::Keep(Some(Box::new(file.try_clone()?))),
    })
}

/// The sink of a standard error. Always through our hands: when a command fails its last lines are
/// wanted.
pub fn stderr(file: Option<&File>, keep: bool) -> io::Result<Sink> {
    Ok(match (file, keep) {
        (None, false) => Sink::Tail(Box::new(Passed), TAIL_BYTES),
        (None, true) => Sink::Keep(None),
        (Some(file), false) => Sink::Tail(Box::new(file.try_clone()?), TAIL_BYTES),
        (Some(file), true) => Sink::Keep(Some(Box::new(file.try_clone()?))),
    })
}

/// Our own stderr; whether it can still be written is not the command's business.
struct Passed;

impl Write for Passed {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The last lines of a standard error.
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// The failure of a task whose command came to no end; `file` names the copy of a stream.
pub fn failure(error: ProcessError, command: &str, file: impl Fn(u8) -> PathBuf) -> TaskFailure {
    match error {
        ProcessError::Interrupted => TaskFailure::Interrupted,
        ProcessError::Start(source) => TaskFailure::Start { command: command.to_owned(), source },
        ProcessError::Copy { stream, source } => TaskFailure::File { verb: "write", path: file(stream), source },
    }
}
