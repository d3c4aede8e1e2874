//! The comment line of a frame: key=value pairs, values perhaps quoted or in brackets.

use std::fmt;

use serde_json::{Map, Number, Value};

use super::table;
use crate::science::atoms::Atoms;
use crate::science::io::frame::Results;
use crate::science::linear::Mat3;

/// Keys that say something of their own, so that no note can have their name.
const OWN: [&str; 6] = ["Lattice", "pbc", "Properties", "energy", "free_energy", "stress"];

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
            "energy" => match *numbers(&value)? {
                [energy] => comment.energy = Some(energy),
                _ => return Err(format!("energy needs one number, not {value:?}")),
            },
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
    let number = |word: &str| word.parse().ok().filter(|x: &f64| x.is_finite());
    words(text).map(|word| number(word).ok_or_else(|| format!("{word:?} is not a finite number"))).collect()
}

/// Blanks and commas part the items of a list.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| letter.is_whitespace() || letter == ',').filter(|word| !word.is_empty())
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
        Some('[') => ']',
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

/// A value by its looks: number, flag, list of either, JSON, or text.
fn guess(text: &str) -> Value {
    if let Some(json) = text.strip_prefix("_JSON ").and_then(|json| serde_json::from_str(json).ok()) {
        return json;
    }
    let number = |word: &str| {
        let whole = word.parse::<i64>().ok().map(Number::from);
        whole.or_else(|| Number::from_f64(word.parse().ok()?)).map(Value::Number)
    };
    let numbers: Option<Vec<Value>> = words(text).map(number).collect();
    let items = numbers.or_else(|| words(text).map(|word| table::flag(word).map(Value::Bool)).collect());
    match items {
        Some(mut items) if items.len() == 1 => items.remove(0),
        Some(items) if items.len() > 1 => items.into(),
        _ => text.into(),
    }
}

/// Writes the line. `free_energy` is written as ASE does: without smearing it is the energy.
pub(super) fn write(out: &mut impl fmt::Write, atoms: &Atoms, results: &Results, properties: &str) -> fmt::Result {
    let join = |numbers: &[f64]| numbers.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(" ");
    if atoms.cell().as_flattened().iter().any(|x| *x != 0.0) {
        write!(out, "Lattice=\"{}\" ", join(atoms.cell().as_flattened()))?;
    }
    write!(out, "Properties={properties} ")?;
    for (key, value) in atoms.info().iter().filter(|(key, _)| !OWN.contains(&key.as_str())) {
        write!(out, "{}={} ", quoted(key), info(value))?;
    }
    if let Some(energy) = results.energy {
        write!(out, "energy={energy:?} free_energy={energy:?} ")?;
    }
    if let Some([xx, yy, zz, yz, xz, xy]) = results.stress {
        write!(out, "stress=\"{}\" ", join(&[xx, xy, xz, xy, yy, yz, xz, yz, zz]))?;
    }
    let pbc = atoms.pbc().map(|periodic| if periodic { "T" } else { "F" });
    writeln!(out, "pbc=\"{}\"", pbc.join(" "))
}

/// A note so that `guess`, and ASE, make the same of it: plainly if that works, else as JSON.
fn info(value: &Value) -> String {
    match value {
        Value::Number(number) if guess(&number.to_string()) == *value => number.to_string(),
        Value::Bool(flag) => (if *flag { "T" } else { "F" }).to_owned(),
        // Python takes more words for numbers than Rust, as 1_000 or inf.
        Value::String(text) if is_prose(text) => quoted(text),
        _ => quoted(&format!("_JSON {value}")),
    }
}

/// Whether nobody could take the text for anything but a text.
fn is_prose(text: &str) -> bool {
    let first = words(text).next().unwrap_or_default();
    first.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && first.parse::<f64>().is_err()
        && table::flag(first).is_none()
        && text.trim() == text
        && !text.contains(char::is_control)
}

/// A word in quotes, if it needs them.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-+.:/".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}
