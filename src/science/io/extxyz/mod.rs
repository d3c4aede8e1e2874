//! Extended XYZ: one or many frames, each with a line `Lattice="..." Properties=... pbc="..."` and
//! further keys. Written with full precision (ASE writes 8 decimals), read as ASE reads it.
//! <https://github.com/libAtoms/extxyz>; plain XYZ is the same without keys.

mod comment;
mod table;

use std::fmt;

use serde_json::{Map, Value};

use super::frame::{Frame, Results};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};

/// All frames of a file; at least one.
pub fn read(text: &str) -> Result<Vec<Frame>> {
    let mut lines = super::without_mark(text).lines().zip(1..).peekable();
    let mut frames = Vec::new();
    while let Some((first, number)) = lines.next() {
        if first.trim().is_empty() && !frames.is_empty() {
            continue;
        }
        let count: usize = first
            .trim()
            .parse()
            .map_err(|_| Error::at(number, format!("the number of atoms should be here, not {first:?}")))?;
        let (line, comment_number) =
            lines.next().ok_or_else(|| Error::at(number + 1, "the file ends before the comment line"))?;
        let rows: Vec<(&str, usize)> = lines.by_ref().take(count).collect();
        if rows.len() < count {
            let reason = format!("the file ends after {} of {count} atoms", rows.len());
            return Err(Error::at(comment_number + rows.len(), reason));
        }
        let comment = comment::read(line).map_err(|reason| Error::at(comment_number, reason))?;
        frames.push(table::read(comment, &rows, comment_number).map_err(|error| error.on_line(comment_number))?);
    }
    if frames.is_empty() { Err(Error::at(1, "the file has no atoms")) } else { Ok(frames) }
}

/// What the comment line of a frame notes beside the atoms and their results.
pub fn notes(line: &str) -> Option<Map<String, Value>> {
    comment::read(line).ok().map(|comment| comment.info)
}

/// Writes one frame, so that a file can grow while a relaxation runs.
///
/// ```
/// use volley::science::io::{Results, extxyz};
/// let copper = volley::science::build::bulk("Cu", &Default::default())?;
/// let mut text = String::new();
/// extxyz::write_frame(&mut text, &copper, &Results { energy: Some(-0.5), ..Results::default() })?;
/// assert_eq!(text.lines().last(), Some("Cu 0.0 0.0 0.0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_frame(out: &mut impl fmt::Write, atoms: &Atoms, results: &Results) -> fmt::Result {
    let columns = table::columns(atoms, results);
    writeln!(out, "{}", atoms.len())?;
    comment::write(out, atoms, results, &table::properties(&columns))?;
    table::write(out, atoms, &columns)
}

/// The text of frames, one after another.
pub fn write(frames: &[Frame]) -> String {
    let mut text = String::new();
    for frame in frames {
        // Writing to a String cannot fail.
        let _ = write_frame(&mut text, &frame.atoms, &frame.results);
    }
    text
}
