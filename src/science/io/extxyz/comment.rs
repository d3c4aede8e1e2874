//! The comment line of a frame: key=value pairs, values perhaps quoted or in braces.

use serde_json::{Map, Number, Value};

use super::{Frame, table};
use crate::science::linear::Mat3;

/// What the line says.
#[derive(Debug, Default)]
pub(super) struct Comment {
    pub cell: Option<Mat3>,
    pub pbc: Option<[bool; 3]>,
    pub properties: Option<String>,
    pub energy: Option<f64>,
    pub stress: Option<[f64; 6]>,
    pub info: Map<String, Value>,
}

pub(super) fn read(line: &str) -> Result<Comment, String> {
    let mut comment = Comment::default();
    // A line without a key is the free comment of plain XYZ.
    if !line.contains('=') {
        return Ok(comment);
    }
    for (key, value) in pairs(line)? {
        match key.as_str() {
            "Lattice" => {
                let numbers = <[f64; 9]>::try_from(numbers(&value)?)
                    .map_err(|_| format!("Lattice needs nine numbers, not {value:?}"))?;
                comment.cell = Some(std::array::from_fn(|i| std::array::from_fn(|j| numbers[3 * i + j])));
            }
            "pbc" => {
                let flags: Option<Vec<bool>> = value.split_whitespace().map(table::flag).collect();
                let flags = flags.and_then(|flags| <[bool; 3]>::try_from(flags).ok());
                comment.pbc = Some(flags.ok_or_else(|| format!("pbc needs three of T or F, not {value:?}"))?);
            }
            "Properties" => comment.properties = Some(value),
            "energy" => comment.energy = numbers(&value)?.first().copied(),
            // The same as the energy in everything that writes both here.
            "free_energy" => {}
            "stress" => comment.stress = Some(stress(&numbers(&value)?)?),
            _ => {
                comment.info.insert(key, guess(&value));
            }
        }
    }
    Ok(comment)
}

/// Six Voigt components, or nine of a symmetric matrix.
fn stress(numbers: &[f64]) -> Result<[f64; 6], String> {
    match *numbers {
        [xx, yy, zz, yz, xz, xy] => Ok([xx, yy, zz, yz, xz, xy]),
        [xx, xy, xz, _, yy, yz, _, _, zz] => Ok([xx, yy, zz, yz, xz, xy]),
        _ => Err(format!("stress needs 6 or 9 numbers, not {}", numbers.len())),
    }
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    text.split_whitespace().map(|word| word.parse().map_err(|_| format!("{word:?} is not a number"))).collect()
}

/// Splits a line into keys and values. A key without a value is true.
fn pairs(line: &str) -> Result<Vec<(String, String)>, String> {
    let mut rest = line.trim();
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let (key, after) = word(rest, &['=', ' ', '\t'])?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => word(after.trim_start(), &[' ', '\t'])?,
            None => ("T".to_owned(), after),
        };
        pairs.push((key, value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// The first word of `text`, without its quotes, and what follows it.
fn word<'a>(text: &'a str, ends: &[char]) -> Result<(String, &'a str), String> {
    let closing = match text.chars().next() {
        Some('"') => '"',
        Some('\'') => '\'',
        Some('{') => '}',
        _ => {
            let end = text.find(ends).unwrap_or(text.len());
            return Ok((text[..end].to_owned(), &text[end..]));
        }
    };
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((place, letter)) = letters.next() {
        if letter == closing {
            return Ok((value, &text[place + letter.len_utf8()..]));
        }
        match letter {
            '\\' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped)) => value.push(escaped),
                None => break,
            },
            letter => value.push(letter),
        }
    }
    Err(format!("{closing} is missing after {text:?}"))
}

/// A value by its looks: number, list of numbers, flag, JSON, or text.
fn guess(text: &str) -> Value {
    if let Some(json) = text.strip_prefix("_JSON ").and_then(|json| serde_json::from_str(json).ok()) {
        return json;
    }
    let number = |word: &str| {
        let whole = word.parse::<i64>().ok().map(Number::from);
        whole.or_else(|| Number::from_f64(word.parse().ok()?)).map(Value::Number)
    };
    let words: Option<Vec<Value>> = text.split_whitespace().map(number).collect();
    match words {
        Some(mut words) if words.len() == 1 => words.remove(0),
        Some(words) if words.len() > 1 => words.into(),
        _ => table::flag(text).map_or_else(|| text.into(), Value::Bool),
    }
}

pub(super) fn write(frame: &Frame) -> String {
    let atoms = &frame.atoms;
    let join = |numbers: &[f64]| numbers.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(" ");
    let mut words = Vec::new();
    if atoms.cell().as_flattened().iter().any(|x| *x != 0.0) {
        words.push(format!("Lattice=\"{}\"", join(atoms.cell().as_flattened())));
    }
    words.push(format!("Properties={}", table::properties(frame)));
    for (key, value) in atoms.info() {
        words.push(format!("{}={}", quoted(key), info(value)));
    }
    if let Some(energy) = frame.energy {
        words.push(format!("energy={energy:?}"));
    }
    if let Some([xx, yy, zz, yz, xz, xy]) = frame.stress {
        words.push(format!("stress=\"{}\"", join(&[xx, xy, xz, xy, yy, yz, xz, yz, zz])));
    }
    let pbc = atoms.pbc().map(|periodic| if periodic { "T" } else { "F" });
    words.push(format!("pbc=\"{}\"", pbc.join(" ")));
    words.join(" ")
}

/// A note so that `guess` makes the same of it: plainly if that works, else as JSON.
fn info(value: &Value) -> String {
    let plain = match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => (if *flag { "T" } else { "F" }).to_owned(),
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    if !plain.is_empty() && guess(&plain) == *value { quoted(&plain) } else { quoted(&format!("_JSON {value}")) }
}

/// A word in quotes, if it needs them.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-+.:/".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
