//! How results reach people and programs: a table on a terminal, JSON of FireWorks' shape in a
//! pipe or with `-o json`. Standard output holds nothing else.

use std::io::{IsTerminal, Write};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

mod summaries;
mod table;

pub use summaries::SummaryColumns;
pub use table::{Cell, Table};

/// What `-o` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs; what FireWorks prints
    Json,
    /// For both
    Yaml,
}

impl Format {
    /// What was asked for, or what suits the reader.
    pub fn resolve(asked: Option<Format>) -> Format {
        asked.unwrap_or_else(|| if std::io::stdout().is_terminal() { Format::Table } else { Format::Json })
    }
}

/// Prints a value as JSON or YAML, as `lpad` does.
pub fn value(format: Format, value: &Value) -> Result<()> {
    match format {
        Format::Yaml => text(&yaml(value)?),
        Format::Table | Format::Json => {
            let mut out = Vec::new();
            let mut serializer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b"    "));
            value.serialize(&mut serializer).context("cannot write JSON")?;
            text(&String::from_utf8_lossy(&out))
        }
    }
}

/// Prints a list as FireWorks does: a single result without its list.
pub fn list(format: Format, mut values: Vec<Value>) -> Result<()> {
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => value(format, &only),
        (Some(last), false) => {
            values.push(last);
            value(format, &Value::Array(values))
        }
        (None, _) => value(format, &Value::Array(Vec::new())),
    }
}

/// Prints a line, or several.
pub fn text(text: &str) -> Result<()> {
    // Dropping a reader half way is no error: the context keeps the I/O error for `cli::main`.
    writeln!(std::io::stdout().lock(), "{text}").context("cannot write to standard output")
}

/// `1 firework`, `3 fireworks`.
pub fn number(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Says something to the person, on standard error. Where nobody can hear it (a full disk, a pipe
/// that was closed) the work goes on all the same.
pub fn note(text: &str) {
    prompt(&format!("{text}\n"));
}

/// The same without an end of line: the answer follows.
pub fn prompt(text: &str) {
    let mut stderr = std::io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}

/// FireWorks' YAML: keys sorted.
fn yaml(value: &Value) -> Result<String> {
    serde_saphyr::to_string(&sorted(value)).context("cannot write YAML")
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> =
                map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
