//! The rows of a frame: columns as `Properties` names them, of kind S, R, I or L.

use super::Frame;
use super::comment::Comment;
use crate::science::atoms::Atoms;
use crate::science::column::{Column, Values};
use crate::science::elements;
use crate::science::error::{Error, Result};
use crate::science::linear::Vec3;

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
    let needed: usize = properties.iter().map(|property| property.width).sum();
    let mut words = Vec::with_capacity(rows.len() * needed);
    for (row, line) in rows {
        let before = words.len();
        words.extend(row.split_whitespace().take(needed).map(|word| (word, *line)));
        if words.len() - before < needed {
            let reason = format!("{} columns where Properties needs {needed}", words.len() - before);
            return Err(Error::at(*line, reason));
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
    Ok(Frame { atoms, energy: comment.energy, energies, forces, stress: comment.stress })
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

/// Columns of the frame beside species and positions: name, kind letter, words per row, all words.
fn extras(frame: &Frame) -> Vec<(String, char, usize, Vec<String>)> {
    let real = |values: &[f64]| values.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>();
    let flag = |flag: bool| (if flag { "T" } else { "F" }).to_owned();
    let mut extras = Vec::new();
    for (name, column) in frame.atoms.columns() {
        let (kind, words) = match &column.values {
            Values::Int(values) => ('I', values.iter().map(i64::to_string).collect()),
            Values::Real(values) => ('R', real(values)),
            Values::Bool(values) => ('L', values.iter().map(|value| flag(*value)).collect()),
            Values::Text(values) => ('S', values.clone()),
        };
        // Words cannot hold blanks, nor names colons: such a column has no place in this format.
        let fits = |word: &String| !word.is_empty() && !word.contains(char::is_whitespace);
        if words.iter().all(fits) && !name.contains([':', ' ', '"', '=']) {
            extras.push((name.to_owned(), kind, column.width.unwrap_or(1), words));
        }
    }
    let fixed = frame.atoms.fixed();
    if !fixed.is_empty() {
        let mask = (0..frame.atoms.len()).map(|index| flag(!fixed.contains(&index))).collect();
        extras.push(("move_mask".into(), 'L', 1, mask));
    }
    if let Some(energies) = &frame.energies {
        extras.push(("energies".into(), 'R', 1, real(energies)));
    }
    if let Some(forces) = &frame.forces {
        extras.push(("forces".into(), 'R', 3, real(forces.as_flattened())));
    }
    extras
}

pub(super) fn properties(frame: &Frame) -> String {
    let mut text = "species:S:1:pos:R:3".to_owned();
    for (name, kind, width, _) in extras(frame) {
        text.push_str(&format!(":{name}:{kind}:{width}"));
    }
    text
}

pub(super) fn write(frame: &Frame) -> String {
    let extras = extras(frame);
    let mut text = String::new();
    let row = |v: &Vec3| v.map(|x| format!("{x:?}")).join(" ");
    for (index, (symbol, position)) in frame.atoms.symbols().zip(frame.atoms.positions()).enumerate() {
        text.push_str(&format!("{symbol} {}", row(position)));
        for (_, _, width, words) in &extras {
            text.push(' ');
            text.push_str(&words[index * width..(index + 1) * width].join(" "));
        }
        text.push('\n');
    }
    text
}
