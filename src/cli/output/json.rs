//! JSON as Python's `json.dump(indent=4)` lays it out: floats as Python's `repr`, everything outside
//! ASCII escaped. Who compares our output with FireWorks' finds the same bytes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::science::io::python::repr;

const INDENT: &[u8] = b"    ";

/// Writes a value on several lines; the first is not indented, those that follow are so by `depth` steps more.
pub fn pretty(out: &mut impl Write, value: &Value, depth: usize) -> io::Result<()> {
    let mut layout = PrettyFormatter::with_indent(INDENT);
    for _ in 0..depth {
        // Its only way to begin further to the right.
        layout.begin_array(&mut io::sink())?;
    }
    write(out, value, layout)
}

/// Writes a value on one line.
pub fn compact(out: &mut impl Write, value: &Value) -> io::Result<()> {
    write(out, value, CompactFormatter)
}

fn write(out: &mut impl Write, value: &Value, layout: impl Formatter) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Python(layout));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// A layout in which numbers and strings are Python's.
struct Python<F>(F);

impl<F: Formatter> Formatter for Python<F> {
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(repr(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let is_plain = |c: char| c.is_ascii() && c != '\u{7f}';
        let mut rest = fragment;
        while let Some(at) = rest.find(|c| !is_plain(c)) {
            out.write_all(&rest.as_bytes()[..at])?;
            rest = &rest[at..];
            let end = rest.find(is_plain).unwrap_or(rest.len());
            for unit in rest[..end].encode_utf16() {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[end..];
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_strings_are_pythons() {
        let value = json!({"f": [1.0, 1e-5, 1e16, 0.1], "i": 3, "s": "é\n\u{1f600}\u{7f}\"", "e": [{}, []]});
        let mut out = Vec::new();
        compact(&mut out, &value).expect("writes");
        let text = String::from_utf8(out).expect("ASCII");
        let expected = r#"{"f":[1.0,1e-05,1e+16,0.1],"i":3,"s":"\u00e9\n\ud83d\ude00\u007f\"","e":[{},[]]}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).expect("is JSON"), value);
    }

    #[test]
    fn a_value_may_begin_further_to_the_right() {
        let mut out = Vec::new();
        pretty(&mut out, &json!({"a": [1], "b": {}}), 1).expect("writes");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "{\n        \"a\": [\n            1\n        ],\n        \"b\": {}\n    }"
        );
    }
}
