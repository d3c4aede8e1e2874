//! Lists, written one value after the other: memory does not grow with their length.

use std::io::{BufWriter, Write};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Format, Out, json, yaml};

/// What an error of standard output is called. The error itself stays below: that of a reader that
/// has gone away is no error for [`crate::cli::main`].
const CANNOT: &str = "cannot write to standard output";

/// A list on its way to standard output. JSON and YAML are FireWorks': a single value stands without
/// its list, and nothing is `[]`. JSON Lines has a line for each value.
pub struct List {
    format: Format,
    out: BufWriter<Out>,
    /// The first value, until it is known whether it is the only one.
    first: Option<Value>,
    several: bool,
}

impl List {
    /// An empty one.
    pub fn new(format: Format) -> Self {
        let out = BufWriter::with_capacity(1 << 16, Out);
        List { format, out, first: None, several: false }
    }

    /// Adds a value.
    pub fn push(&mut self, value: Value) -> Result<()> {
        if self.format == Format::Jsonl {
            return line(&mut self.out, &value);
        }
        if self.several {
            return self.item(&value, false);
        }
        if let Some(first) = self.first.take() {
            self.several = true;
            self.item(&first, true)?;
            return self.item(&value, false);
        }
        self.first = Some(value);
        Ok(())
    }

    fn item(&mut self, value: &Value, is_first: bool) -> Result<()> {
        if self.format == Format::Yaml {
            let items = std::slice::from_ref(value);
            return self.out.write_all(yaml::list(items).as_bytes()).context(CANNOT);
        }
        self.out.write_all(if is_first { b"[\n    " } else { b",\n    " }).context(CANNOT)?;
        json::pretty(&mut self.out, value, 1).context(CANNOT)
    }

    /// Ends it. What was added may be seen only now.
    pub fn end(mut self) -> Result<()> {
        match (self.format, self.several, self.first.take()) {
            (Format::Jsonl, ..) => {}
            (format, false, first) => {
                write_value(&mut self.out, format, &first.unwrap_or_else(|| Value::Array(Vec::new())))?;
            }
            (Format::Yaml, true, _) => self.out.write_all(b"\n").context(CANNOT)?,
            (_, true, _) => self.out.write_all(b"\n]\n").context(CANNOT)?,
        }
        self.out.flush().context(CANNOT)
    }
}

/// Writes one value and nothing else to standard output.
pub fn value(format: Format, value: &Value) -> Result<()> {
    let mut out = BufWriter::new(Out);
    match format {
        Format::Jsonl => line(&mut out, value)?,
        _ => write_value(&mut out, format, value)?,
    }
    out.flush().context(CANNOT)
}

fn line(out: &mut impl Write, value: &Value) -> Result<()> {
    json::compact(out, value).context(CANNOT)?;
    out.write_all(b"\n").context(CANNOT)
}

fn write_value(out: &mut impl Write, format: Format, value: &Value) -> Result<()> {
    if format == Format::Yaml {
        // FireWorks leaves an empty line after a document.
        return writeln!(out, "{}", yaml::document(value)).context(CANNOT);
    }
    json::pretty(out, value, 0).context(CANNOT)?;
    out.write_all(b"\n").context(CANNOT)
}
