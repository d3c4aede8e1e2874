//! YAML as FireWorks lays it out: blocks, keys sorted. A string that any version of YAML would take
//! for something else is quoted: `no`, `1e3`, dates.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::science::io::python::repr;

/// What YAML 1.1 or 1.2 reads as a number, a date, a truth value or nothing.
static NO_STRING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let number = r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?|\.(?i:inf))|\.(?i:nan)";
    let date = r"\d{4}-\d\d?-\d\d?(([Tt]|[ \t]+)\d\d?:\d\d:\d\d(\.\d*)?([ \t]*(Z|[-+]\d\d?(:\d\d)?))?)?";
    let word = r"(?i:true|false|yes|no|on|off|y|n|null)|~|=|<<|";
    Regex::new(&format!("^({number}|{date}|{word})$")).ok()
});

/// A document.
pub fn document(value: &Value) -> String {
    let mut text = String::new();
    node(&mut text, value, 0);
    text
}

/// Items of a list that may go on.
pub fn list(items: &[Value]) -> String {
    let mut text = String::new();
    items.iter().for_each(|value| item(&mut text, value, 0));
    text
}

/// A value that begins where the text ends; what follows on other lines begins at `column`.
fn node(text: &mut String, value: &Value, column: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            for (position, (key, value)) in entries.into_iter().enumerate() {
                indent(text, if position == 0 { 0 } else { column });
                text.push_str(&string(key));
                text.push(':');
                // FireWorks does not indent a list below its key.
                let column = if value.is_array() { column } else { column + 2 };
                if is_block(value) {
                    text.push('\n');
                    indent(text, column);
                } else {
                    text.push(' ');
                }
                node(text, value, column);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (position, value) in items.iter().enumerate() {
                indent(text, if position == 0 { 0 } else { column });
                item(text, value, column);
            }
        }
        scalar => {
            text.push_str(&inline(scalar));
            text.push('\n');
        }
    }
}

fn item(text: &mut String, value: &Value, column: usize) {
    text.push_str("- ");
    node(text, value, column + 2);
}

fn indent(text: &mut String, column: usize) {
    text.extend(std::iter::repeat_n(' ', column));
}

fn is_block(value: &Value) -> bool {
    value.as_object().is_some_and(|map| !map.is_empty()) || value.as_array().is_some_and(|items| !items.is_empty())
}

/// What stands on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Number(number) if number.is_f64() => number.as_f64().map(float).unwrap_or_default(),
        other => other.to_string(),
    }
}

/// Without a point, YAML 1.1 takes an exponent for a word.
fn float(number: f64) -> String {
    let text = repr(number);
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

fn string(text: &str) -> String {
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')) {
        return escaped(text);
    }
    let is_taken_for_another = NO_STRING.as_ref().is_none_or(|no_string| no_string.is_match(text));
    if is_taken_for_another || !is_plain(text) { format!("'{}'", text.replace('\'', "''")) } else { text.to_owned() }
}

/// Whether nothing in it has a meaning of its own in YAML.
fn is_plain(text: &str) -> bool {
    let begins = text.starts_with(|c| "#,[]{}&*!|>'\"%@` ".contains(c))
        || (text.starts_with(['-', '?', ':']) && text[1..].chars().next().is_none_or(|next| next == ' '))
        || text.starts_with("---")
        || text.starts_with("...");
    !(begins || text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']))
}

fn escaped(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = match c {
            '"' | '\\' => write!(quoted, "\\{c}"),
            '\n' => write!(quoted, "\\n"),
            '\t' => write!(quoted, "\\t"),
            '\r' => write!(quoted, "\\r"),
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                write!(quoted, "\\u{:04x}", c as u32)
            }
            c => write!(quoted, "{c}"),
        };
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_are_fireworks() {
        let value = json!({"b": [1, {"z": 1.5, "x": [[1, 2], []]}], "a": {"f": null, "e": {}}, "c": []});
        let expected = "a:\n  e: {}\n  f: null\nb:\n- 1\n- x:\n  - - 1\n    - 2\n  - []\n  z: 1.5\nc: []\n";
        assert_eq!(document(&value), expected);
        assert_eq!(list(&[json!({"a": 1, "b": 2}), json!(3)]), "- a: 1\n  b: 2\n- 3\n");
    }

    #[test]
    fn strings_stay_strings_and_numbers_numbers() {
        let words = [
            "",
            "no",
            "True",
            "~",
            "1",
            "-1.5",
            "1e3",
            "0x1f",
            "0o7",
            "12:30:45",
            ".5",
            ".nan",
            "1_000",
            "2026-11-22",
            "2026-11-22T15:04:08.651241+00:00",
            "a: b",
            "a #b",
            "- a",
            "-",
            "[a",
            "#a",
            "a:",
            " a",
            "a ",
            "it's",
            "\"q\"",
            "two\nlines",
            "tab\tulator",
            "\u{1}",
            "caf\u{e9}",
            "127.0.0.1",
            "/a/b-c",
            "echo a",
            "1a",
            "{}",
            "%",
            "@a",
            "=",
            "\u{85}",
            "---",
            "y",
        ];
        let value = json!({"words": words.as_slice(), "numbers": [1e-5, 1e20, 0.1, 3, -7], "no": true});
        let text = document(&value);
        let read: Value = serde_saphyr::from_str(&text).expect("is YAML");
        assert_eq!(read, value, "{text}");
        for plain in ["127.0.0.1", "/a/b-c", "echo a", "1a", "caf\u{e9}"] {
            assert!(text.contains(&format!("- {plain}\n")), "{plain}: {text}");
        }
    }
}
