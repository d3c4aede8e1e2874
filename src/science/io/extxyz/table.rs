//! The rows of a frame: columns as `Properties` names them, of kind S, R, I or L.

use std::fmt;

use super::comment::Comment;
use crate::science::atoms::Atoms;
use crate::science::column::{Column, Values};
use crate::science::elements;
use crate::science::error::{Error, Result};
use crate::science::io::frame::{Frame, Results};

/// Names with a meaning of their own, so that no column of the atoms can have them.
const OWN: [&str; 10] =
    ["species", "symbols", "Z", "numbers", "pos", "positions", "move_mask", "force", "forces", "energies"];

/// One column of the table: name, kind, words per row.
struct Property<'a> {
    name: &'a str,
    kind: char,
    width: usize,
}

pub(super) fn read(comment: Comment, rows: &[(&str, usize)], comment_line: usize) -> Result<Frame> {
    let text = comment.properties.as_deref().unwrap_or("species:S:1:pos:R:3");
    let properties =
        parse(text).ok_or_else(|| Error::at(comment_line, format!("Properties={text} is not name:kind:count:...")))?;
    let needed = properties.iter().fold(0usize, |sum, property| sum.saturating_add(property.width));
    let mut words = Vec::new();
    for (row, line) in rows {
        let before = words.len();
        words.extend(row.split_whitespace().take(needed).map(|word| (word, *line)));
        // Plain XYZ may have more columns, which nobody has given a meaning.
        let found = row.split_whitespace().count();
        if words.len() - before < needed || (found > needed && comment.properties.is_some()) {
            return Err(Error::at(*line, format!("{found} columns where Properties needs {needed}")));
        }
    }
    let (mut numbers, mut positions) = (None, None);
    let (mut energies, mut forces, mut fixed) = (None, None, Vec::new());
    let mut columns = Vec::new();
    let mut offset = 0;
    for property in &properties {
        let mut cells = Vec::with_capacity(rows.len() * property.width);
        for row in words.chunks(needed.max(1)) {
            cells.extend_from_slice(&row[offset..offset + property.width]);
        }
        offset += property.width;
        let vectors = || Ok::<_, Error>(reals(&cells)?.as_chunks::<3>().0.to_vec());
        match (property.name, property.kind, property.width) {
            ("species", 'S', 1) => numbers = Some(each(&cells, elements::number)?),
            ("Z" | "numbers", 'I', 1) if numbers.is_none() => {
                let number = |word: &str| {
                    word.parse().map_err(|_| Error::bad("Z", "must be a number")).and_then(elements::checked_number)
                };
                numbers = Some(each(&cells, number)?);
            }
            ("pos" | "positions", 'R', 3) => positions = Some(vectors()?),
            ("forces" | "force", 'R', 3) => forces = Some(vectors()?),
            ("energies", 'R', 1) => energies = Some(reals(&cells)?),
            ("move_mask", 'L', width @ (1 | 3)) => fixed = held(&cells, width)?,
            (name, kind, width) => columns.push((name, column(&cells, kind, width)?)),
        }
    }
    let missing = |what: &str| Error::at(comment_line, format!("Properties={text} has no {what}"));
    let mut atoms = Atoms::new(numbers.ok_or_else(|| missing("species"))?, positions.ok_or_else(|| missing("pos"))?)?;
    let periodic = [comment.cell.is_some(); 3];
    atoms = atoms.with_cell(comment.cell.unwrap_or_default(), comment.pbc.unwrap_or(periodic))?;
    for (name, column) in columns {
        atoms = atoms.with_column(name, column)?;
    }
    let atoms = atoms.with_fixed(fixed)?.with_info(comment.info);
    Ok(Frame { atoms, results: Results { energy: comment.energy, energies, forces, stress: comment.stress } })
}

fn parse(text: &str) -> Option<Vec<Property<'_>>> {
    let words: Vec<&str> = text.split(':').collect();
    words
        .chunks(3)
        .map(|chunk| match *chunk {
            [name, kind @ ("S" | "R" | "I" | "L"), width] => {
                let width = width.parse().ok().filter(|width| *width > 0)?;
                Some(Property { name, kind: kind.chars().next()?, width })
            }
            _ => None,
        })
        .collect()
}

fn each<T>(cells: &[(&str, usize)], read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    cells.iter().map(|(word, line)| read(word).map_err(|error| Error::at(*line, error.to_string()))).collect()
}

fn reals(cells: &[(&str, usize)]) -> Result<Vec<f64>> {
    let read = |word: &str| word.parse().ok().filter(|x: &f64| x.is_finite());
    each(cells, |word| read(word).ok_or_else(|| Error::bad(format!("{word:?}"), "must be a finite number")))
}

/// T or F, true or false.
pub(super) fn flag(word: &str) -> Option<bool> {
    match word {
        "T" | "True" | "true" | "TRUE" => Some(true),
        "F" | "False" | "false" | "FALSE" => Some(false),
        _ => None,
    }
}

fn flags(cells: &[(&str, usize)]) -> Result<Vec<bool>> {
    each(cells, |word| flag(word).ok_or_else(|| Error::bad(format!("{word:?}"), "must be T or F")))
}

fn held(cells: &[(&str, usize)], width: usize) -> Result<Vec<usize>> {
    let mut fixed = Vec::new();
    for (index, row) in flags(cells)?.chunks(width).enumerate() {
        if row.iter().all(|free| !free) {
            fixed.push(index);
        } else if row.iter().any(|free| !free) {
            let line = cells[index * width].1;
            return Err(Error::at(line, "atoms fixed in some directions only are not supported"));
        }
    }
    Ok(fixed)
}

fn column(cells: &[(&str, usize)], kind: char, width: usize) -> Result<Column> {
    let values = match kind {
        'I' => Values::Int(each(cells, |word| {
            word.parse().map_err(|_| Error::bad(format!("{word:?}"), "must be a whole number"))
        })?),
        'R' => Values::Real(reals(cells)?),
        'L' => Values::Bool(flags(cells)?),
        _ => Values::Text(cells.iter().map(|(word, _)| (*word).to_owned()).collect()),
    };
    Ok(Column { width: (width > 1).then_some(width), values })
}

/// A column to write: name, kind letter, words per row, all words.
pub(super) struct Written {
    name: String,
    kind: char,
    width: usize,
    words: Vec<String>,
}

/// Everything beside species and positions.
pub(super) fn columns(atoms: &Atoms, results: &Results) -> Vec<Written> {
    let mut written = Vec::new();
    let mut push = |name: &str, kind, width, words| written.push(Written { name: name.to_owned(), kind, width, words });
    for (name, column) in atoms.columns() {
        let (kind, words) = match &column.values {
            Values::Int(values) => ('I', values.iter().map(i64::to_string).collect()),
            Values::Real(values) => ('R', reals_text(values)),
            Values::Bool(values) => ('L', values.iter().map(|value| flag_text(*value)).collect()),
            Values::Text(values) => ('S', values.clone()),
        };
        // Words cannot hold blanks, nor names colons: such a column has no place in this format.
        let fits = |word: &String| !word.is_empty() && !word.contains(char::is_whitespace);
        let named = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if words.iter().all(fits) && !name.is_empty() && name.chars().all(named) && !OWN.contains(&name) {
            push(name, kind, column.width.unwrap_or(1), words);
        }
    }
    let fixed = atoms.fixed();
    if !fixed.is_empty() {
        push("move_mask", 'L', 1, (0..atoms.len()).map(|index| flag_text(!fixed.contains(&index))).collect());
    }
    if let Some(energies) = &results.energies {
        push("energies", 'R', 1, reals_text(energies));
    }
    if let Some(forces) = &results.forces {
        push("forces", 'R', 3, reals_text(forces.as_flattened()));
    }
    written
}

fn reals_text(values: &[f64]) -> Vec<String> {
    values.iter().map(|x| format!("{x:?}")).collect()
}

fn flag_text(flag: bool) -> String {
    (if flag { "T" } else { "F" }).to_owned()
}

pub(super) fn properties(columns: &[Written]) -> String {
    let mut text = "species:S:1:pos:R:3".to_owned();
    for Written { name, kind, width, .. } in columns {
        text.push_str(&format!(":{name}:{kind}:{width}"));
    }
    text
}

pub(super) fn write(out: &mut impl fmt::Write, atoms: &Atoms, columns: &[Written]) -> fmt::Result {
    for (index, (symbol, [x, y, z])) in atoms.symbols().zip(atoms.positions()).enumerate() {
        write!(out, "{symbol} {x:?} {y:?} {z:?}")?;
        for Written { width, words, .. } in columns {
            // A row that is missing would be a shape that results cannot have.
            for word in words.iter().skip(index * width).take(*width) {
                write!(out, " {word}")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
