//! Extended XYZ: one or many frames, each with a line `Lattice="..." Properties=... pbc="..."` and
//! further keys. Written with full precision (ASE writes 8 decimals), read as ASE reads it.
//! <https://github.com/libAtoms/extxyz>; plain XYZ is the same without keys.

mod comment;
mod table;

use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::Vec3;

/// A structure and, where the file has them, results.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The structure; keys of the comment line without a meaning here are its `info`.
    pub atoms: Atoms,
    /// eV.
    pub energy: Option<f64>,
    /// Energy of each atom, eV.
    pub energies: Option<Vec<f64>>,
    /// eV/Angstrom.
    pub forces: Option<Vec<Vec3>>,
    /// xx, yy, zz, yz, xz, xy in eV/Angstrom^3.
    pub stress: Option<[f64; 6]>,
}

impl From<Atoms> for Frame {
    fn from(atoms: Atoms) -> Self {
        Self { atoms, energy: None, energies: None, forces: None, stress: None }
    }
}

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
        frames.push(table::read(comment, &rows, comment_number)?);
    }
    if frames.is_empty() { Err(Error::at(1, "the file has no atoms")) } else { Ok(frames) }
}

/// The text of frames, one after another.
pub fn write(frames: &[Frame]) -> String {
    frames
        .iter()
        .map(|frame| format!("{}\n{}\n{}", frame.atoms.len(), comment::write(frame), table::write(frame)))
        .collect()
}
