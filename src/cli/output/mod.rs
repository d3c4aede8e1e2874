//! How results reach people and programs: a table on a terminal, JSON of FireWorks' shape in a
//! pipe or with `-o json`. Standard output holds nothing else.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::Value;

mod colour;
mod json;
mod lines;
mod list;
mod progress;
mod stream;
mod styled;
mod summaries;
mod table;
mod tabulate;
mod times;
mod yaml;

pub use colour::{Color, Ink, choose, is_coloured, paint};
pub use lines::{fitting, wrapped};
pub use list::{List, value};
pub use progress::Progress;
pub use stream::{Out, is_terminal, kept, size, width};
pub use styled::styled;
pub use summaries::SummaryColumns;
pub use table::{Cell, Table};
pub use tabulate::{Column, tabulate};
pub use times::moment;
pub use yaml::document as yaml_document;

pub use crate::launchpad::shorten::plain;
pub use crate::launchpad::words::{ago, date, id_line, number, stretch};

/// What `-o` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs; what FireWorks prints
    Json,
    /// For programs, one result in each line
    Jsonl,
    /// For both
    Yaml,
    /// Ids alone in one line, as `-i` takes them: 1,2,5-9
    Ids,
}

impl Format {
    /// What was asked for, or what suits the reader.
    pub fn resolve(asked: Option<Format>) -> Format {
        asked.unwrap_or_else(|| if is_terminal() { Format::Table } else { Format::Json })
    }
}

/// Prints a list as FireWorks does: a single result without its list.
pub fn list(format: Format, values: Vec<Value>) -> Result<()> {
    let mut list = List::new(format);
    values.into_iter().try_for_each(|value| list.push(value))?;
    list.end()
}

/// Prints rows that FireWorks does not have: always a list, however many there are.
pub fn rows(format: Format, rows: Vec<Value>) -> Result<()> {
    match format {
        Format::Jsonl => list(format, rows),
        _ => value(format, &Value::Array(rows)),
    }
}

/// Prints a line, or several.
pub fn text(text: &str) -> Result<()> {
    // Dropping a reader half way is no error: the context keeps the I/O error for `cli::main`.
    writeln!(Out, "{text}").context("cannot write to standard output")
}

/// A text of several lines, without what a terminal would take for a command: names, traces and file
/// contents may hold anything.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
}

/// Says something to the person, on standard error. Where nobody can hear it (a full disk, a pipe
/// that was closed) the work goes on all the same.
pub fn note(text: &str) {
    prompt(&format!("{text}\n"));
}

/// The same without an end of line: the answer follows.
pub fn prompt(text: &str) {
    let mut stderr = std::io::stderr().lock();
    drop(stderr.write_all(printable(text).as_bytes()).and_then(|()| stderr.flush()));
}
