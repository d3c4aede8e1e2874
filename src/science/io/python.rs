//! JSON text as Python's `json` module writes it: `repr` floats, ", " and ": " as separators.
//! Hashes of structures are taken over such text, so it has to agree to the last character.

use std::fmt::Write as _;

use serde_json::Value;

/// A float as Python's `repr` writes it: the shortest digits that read back the same, without
/// exponent from 1e-4 to 1e16.
///
/// ```
/// # use volley::science::io::python::repr;
/// let written = [0.0, -0.5, 1e-16, -4.6e-19, 0.0001, 1e16, 123456.0].map(repr);
/// assert_eq!(written.join(" "), "0.0 -0.5 1e-16 -4.6e-19 0.0001 1e+16 123456.0");
/// ```
pub fn repr(x: f64) -> String {
    let mut text = String::new();
    push_repr(&mut text, x);
    text
}

fn push_repr(out: &mut String, x: f64) {
    // Writing to a String cannot fail.
    if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
        // `Display` never uses an exponent, and leaves ".0" out.
        let start = out.len();
        let _ = write!(out, "{x}");
        if !out[start..].contains('.') {
            out.push_str(".0");
        }
        return;
    }
    let scientific = format!("{x:e}");
    match scientific.split_once('e').and_then(|(digits, exponent)| Some((digits, exponent.parse::<i32>().ok()?))) {
        Some((digits, exponent)) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            let _ = write!(out, "{digits}e{sign}{:02}", exponent.abs());
        }
        // Infinity or NaN, which no structure holds.
        None => out.push_str(&scientific),
    }
}

/// A string as Python's `repr` writes it.
///
/// ```
/// # use volley::science::io::python::repr_text;
/// assert_eq!(["a", "it's", "'\"'", "two\nlines"].map(repr_text).join(" "), r#"'a' "it's" '\'"\'' 'two\nlines'"#);
/// ```
pub fn repr_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == quote => out.extend(['\\', quote]),
            letter if letter.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push(quote);
    out
}

/// A JSON value as `json.dumps` writes it.
pub fn dumps(value: &Value) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

fn push(out: &mut String, value: &Value) {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(x) if number.is_f64() => push_repr(out, x),
            _ => out.push_str(&number.to_string()),
        },
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                push(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (place, (key, value)) in map.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                out.push_str(&quoted(key));
                out.push_str(": ");
                push(out, value);
            }
            out.push('}');
        }
        Value::String(text) => out.push_str(&quoted(text)),
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

/// A string with everything outside ASCII escaped, as `json.dumps` does.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for letter in Value::from(text).to_string().chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}
