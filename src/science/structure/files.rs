//! Structure files; the name says which format.

use std::path::Path;

use serde_json::Value;

use super::build;
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::io::{Frame, cif, database, extxyz, poscar, without_mark};

/// What a file can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Poscar,
    Xyz,
    Cif,
    Json,
}

impl Format {
    /// By the extension, else by the names that VASP uses.
    fn of(path: &Path) -> std::result::Result<Self, String> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        match extension.as_str() {
            "vasp" | "poscar" => Ok(Self::Poscar),
            "xyz" | "extxyz" => Ok(Self::Xyz),
            "cif" => Ok(Self::Cif),
            "json" => Ok(Self::Json),
            _ if name.starts_with("POSCAR") || name.starts_with("CONTCAR") => Ok(Self::Poscar),
            _ => {
                let known = "POSCAR*, CONTCAR*, *.vasp, *.xyz, *.extxyz, *.cif, *.json";
                Err(format!("the name does not say its format (known are {known})"))
            }
        }
    }

    fn read(self, text: &str) -> Result<Vec<Atoms>> {
        match self {
            Self::Poscar => Ok(vec![poscar::read(text)?]),
            Self::Xyz => Ok(extxyz::read(text)?.into_iter().map(|frame| frame.atoms).collect()),
            Self::Cif => cif::read(text),
            Self::Json => {
                let value =
                    serde_json::from_str(without_mark(text)).map_err(|error| Error::bad("JSON", error.to_string()))?;
                match &value {
                    Value::Array(items) => items.iter().enumerate().map(item).collect(),
                    value if database::is_database(value) => database::read(value),
                    value => Ok(vec![build(value)?]),
                }
            }
        }
    }

    fn write(self, frames: &[Frame]) -> Result<String> {
        let atoms: Vec<&Atoms> = frames.iter().map(|frame| &frame.atoms).collect();
        match (self, atoms.as_slice()) {
            (Self::Poscar, [atoms]) => poscar::write(atoms),
            (Self::Poscar, several) => {
                Err(Error::bad("POSCAR", format!("holds one structure, not {} (*.extxyz holds many)", several.len())))
            }
            (Self::Xyz, _) => Ok(extxyz::write(frames)),
            (Self::Cif, several) => cif::write(several),
            (Self::Json, _) => Ok(database::write(frames)),
        }
    }
}

/// One structure of a list.
fn item((index, value): (usize, &Value)) -> Result<Atoms> {
    build(value).map_err(|error| Error::bad(format!("structure {index}"), error.to_string()))
}

/// All structures of a file, at least one and none without atoms: the one of POSCAR*, CONTCAR* and *.vasp,
/// the frames of *.xyz and *.extxyz, the blocks of *.cif, and of *.json the rows of a database of ASE's,
/// the items of a list, or the one structure in any form [`build`] takes.
pub fn read_frames(path: &Path) -> Result<Vec<Atoms>> {
    let fail = |reason: String| Error::File { path: path.to_owned(), reason };
    let format = Format::of(path).map_err(fail)?;
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        // Names of authors in older CIF files; a structure has nothing outside ASCII.
        Err(error) if format == Format::Cif => error.into_bytes().into_iter().map(char::from).collect(),
        Err(error) => return Err(fail(error.to_string())),
    };
    let frames = format.read(&text).map_err(|error| fail(error.to_string()))?;
    if frames.is_empty() || frames.iter().any(Atoms::is_empty) {
        return Err(fail(Error::NoAtoms.to_string()));
    }
    Ok(frames)
}

/// The structure of a file; of several the last, as ASE does.
pub fn read_file(path: &Path) -> Result<Atoms> {
    let last = read_frames(path)?.pop();
    last.ok_or_else(|| Error::File { path: path.to_owned(), reason: Error::NoAtoms.to_string() })
}

/// Writes structures to a file in the format of its name, those of [`read_frames`]; *.json becomes a database
/// of ASE's. Extended XYZ and JSON take results too, the others what they know of the structure.
///
/// ```
/// use volley::science::{build::bulk, structure::{read_file, write_file}};
/// let folder = tempfile::tempdir()?;
/// let copper = bulk("Cu", &Default::default())?;
/// write_file(&folder.path().join("copper.extxyz"), &[copper.clone().into()])?;
/// assert_eq!(read_file(&folder.path().join("copper.extxyz"))?, copper);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_file(path: &Path, frames: &[Frame]) -> Result<()> {
    let fail = |reason: String| Error::WriteFile { path: path.to_owned(), reason };
    let format = Format::of(path).map_err(fail)?;
    let text = format.write(frames).map_err(|error| fail(error.to_string()))?;
    std::fs::write(path, text).map_err(|error| fail(error.to_string()))
}

/// Whether [`write_file`] knows what to write to a file of this name.
pub fn check_name(path: &Path) -> Result<()> {
    Format::of(path).map(drop).map_err(|reason| Error::WriteFile { path: path.to_owned(), reason })
}
