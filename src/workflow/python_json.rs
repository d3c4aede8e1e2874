//! JSON as Python's `json` module writes and reads it, byte for byte: FireWorks keeps actions that
//! are too large for a document in this form. It has NaN and the infinities, which JSON has not.
//! What JSON cannot say otherwise becomes a string, as FireWorks' serialisation makes it.

use std::fmt::Write;

use bson::{Bson, Document};
use serde_json::Value;

use super::json;

/// A document as `json.dumps` writes it.
pub fn to_text(document: &Document) -> String {
    let mut text = String::new();
    write_document(&mut text, document);
    text
}

/// Reads what `json.dumps` has written; none when it is no object.
pub fn from_text(text: &str) -> Option<Document> {
    if let Ok(map) = serde_json::from_str(text) {
        return Some(json::to_document(&map));
    }
    let map = serde_json::from_str(&with_marks(text)).ok()?;
    Some(json::to_document(&map).into_iter().map(|(key, value)| (key, without_marks(value))).collect())
}

fn write_document(text: &mut String, document: &Document) {
    text.push('{');
    for (position, (key, value)) in document.iter().enumerate() {
        text.push_str(if position > 0 { ", " } else { "" });
        write_string(text, key);
        text.push_str(": ");
        write_value(text, value);
    }
    text.push('}');
}

fn write_value(text: &mut String, value: &Bson) {
    match value {
        Bson::Document(document) => write_document(text, document),
        Bson::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position > 0 { ", " } else { "" });
                write_value(text, item);
            }
            text.push(']');
        }
        Bson::String(string) => write_string(text, string),
        Bson::Double(number) => text.push_str(&float(*number)),
        Bson::ObjectId(id) => write_string(text, &id.to_hex()),
        Bson::Null | Bson::Boolean(_) | Bson::Int32(_) | Bson::Int64(_) => text.push_str(&value.to_string()),
        Bson::DateTime(_) => match json::from_bson(value) {
            Value::String(date) => write_string(text, &date),
            _ => text.push_str("null"),
        },
        other => write_string(text, &other.to_string()),
    }
}

/// Everything that is not ASCII is escaped.
fn write_string(text: &mut String, string: &str) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    text.push('"');
    let mut rest = string;
    loop {
        let plain = rest.as_bytes().iter().take_while(|byte| is_plain(byte)).count();
        text.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let Some(character) = rest.chars().next() else { break };
        rest = &rest[character.len_utf8()..];
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

/// Python's `repr`: the shortest digits, an exponent of at least two digits with its sign.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    let digits = format!("{number:?}");
    let Some((mantissa, exponent)) = digits.split_once('e') else { return digits };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |exponent| ("-", exponent));
    format!("{}e{sign}{exponent:0>2}", mantissa.strip_suffix(".0").unwrap_or(mantissa))
}

/// What stands before the name of a number that JSON has not, while it is a string, and the names.
const MARK: &str = "\u{0}";
const NAMES: [(&str, f64); 3] = [("-Inf", f64::NEG_INFINITY), ("Inf", f64::INFINITY), ("NaN", f64::NAN)];

/// Makes marked strings of the numbers that JSON has not.
fn with_marks(text: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (outside, string) = rest.split_at(rest.find('"').unwrap_or(rest.len()));
        // The longer name first: one ends with the other.
        marked.push_str(
            &outside
                .replace("NaN", "\"\\u0000NaN\"")
                .replace("-Infinity", "\"\\u0000-Inf\"")
                .replace("Infinity", "\"\\u0000Inf\""),
        );
        let (inside, behind) = string.split_at(length_of_string(string));
        marked.push_str(inside);
        rest = behind;
    }
    marked
}

/// The length of the string that a text begins with, quotes and all.
fn length_of_string(text: &str) -> usize {
    let mut at = 1;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find(['"', '\\'])) {
        at += next + 1;
        if text.as_bytes()[at - 1] == b'"' {
            return at;
        }
        // What an escape begins with is no end.
        at += 1;
    }
    text.len()
}

fn without_marks(value: Bson) -> Bson {
    match value {
        Bson::String(string) => {
            let name = string.strip_prefix(MARK).and_then(|rest| NAMES.iter().find(|(name, _)| *name == rest));
            name.map_or(Bson::String(string.clone()), |(_, number)| Bson::Double(*number))
        }
        Bson::Array(items) => items.into_iter().map(without_marks).collect(),
        Bson::Document(document) => {
            Bson::Document(document.into_iter().map(|(key, value)| (key, without_marks(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn is_what_python_writes() {
        let date = bson::DateTime::from_millis(1_700_000_000_120);
        let document = doc! {
            "a": [1, 2.0, 1e16, 1.5e-7, 0.0001, 123456789.25, true, Bson::Null], "b": {}, "c": [],
            "d": "é\u{1F600} \"\\/\n\u{1}\u{7f}", "e": date, "f": 5_000_000_000_i64,
        };
        // json.dumps of the same in Python 3.11, the date by isoformat().
        let expected = concat!(
            r#"{"a": [1, 2.0, 1e+16, 1.5e-07, 0.0001, 123456789.25, true, null], "b": {}, "c": [], "#,
            r#""d": "\u00e9\ud83d\ude00 \"\\/\n\u0001\u007f", "e": "2023-11-14T22:13:20.120000", "f": 5000000000}"#
        );
        assert_eq!(to_text(&document), expected);
        let back = from_text(expected).expect("reads");
        assert_eq!(
            (back.get("a"), back.get("d"), back.get("f")),
            (document.get("a"), document.get("d"), document.get("f"))
        );
    }

    #[test]
    fn numbers_that_json_has_not_come_back() {
        let document = doc! {"NaN": [f64::INFINITY, f64::NEG_INFINITY], "t": "a \"NaN\", -Infinity", "n": f64::NAN};
        let text = to_text(&document);
        assert_eq!(text, r#"{"NaN": [Infinity, -Infinity], "t": "a \"NaN\", -Infinity", "n": NaN}"#);
        let back = from_text(&text).expect("reads");
        assert_eq!((back.get("NaN"), back.get("t")), (document.get("NaN"), document.get("t")));
        assert!(back.get_f64("n").is_ok_and(f64::is_nan));
        assert_eq!(from_text("{\"a\": NaN"), None);
    }
}
