//! JSON text as Python's `json` module writes it: `repr` floats, ", " and ": " as separators.
//! Hashes of structures are taken over such text, so it has to agree to the last character.

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
    let scientific = format!("{x:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific; // inf or NaN, which no structure holds
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if x == 0.0 || (-4..16).contains(&exponent) {
        // `Display` never uses an exponent, and leaves ".0" out.
        let plain = x.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A JSON value as `json.dumps` writes it.
pub fn dumps(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(x) if number.is_f64() => repr(x),
            _ => number.to_string(),
        },
        Value::Array(items) => {
            format!("[{}]", items.iter().map(dumps).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let members = map.iter().map(|(key, value)| format!("{}: {}", quoted(key), dumps(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => quoted(text),
        Value::Null | Value::Bool(_) => value.to_string(),
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
