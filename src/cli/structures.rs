//! Structures as they are typed: files, `bulk:Cu`, `molecule:N2`, `surface:fcc111:...`.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::science::{Atoms, Error, structure};

/// A structure and where it came from.
#[derive(Debug)]
pub struct Given {
    /// What was typed; of a file with several frames also which (`POSCARs.xyz@3`, from 0, as in ASE).
    pub label: String,
    /// As a workflow stores it: a builder's few words, or all of a file's content.
    pub spec: Value,
    /// The atoms.
    pub atoms: Atoms,
}

/// Reads all of them; all that is wrong is said at once.
pub fn read_all(texts: &[String]) -> Result<Vec<Given>> {
    let (mut given, mut mistakes) = (Vec::new(), Vec::new());
    for text in texts {
        match read(text) {
            Ok(mut found) => given.append(&mut found),
            Err(error) => mistakes.push(named(text, &error.to_string())),
        }
    }
    if !mistakes.is_empty() {
        bail!("{}", mistakes.join("\n"));
    }
    Ok(given)
}

/// An error after what was typed, unless it says itself what it is about.
fn named(text: &str, error: &str) -> String {
    if error.contains(text) { error.to_owned() } else { format!("{text}: {error}") }
}

/// The file and the number in `FILE@NUMBER`, from 0 or, below zero, from the end; a file may have such a name.
fn one_of(path: &str) -> Option<(&str, isize)> {
    let (file, number) = path.rsplit_once('@')?;
    let number = number.parse().ok()?;
    (!Path::new(path).exists()).then_some((file, number))
}

fn read(text: &str) -> crate::science::Result<Vec<Given>> {
    let spec = structure::parse_short(text)?;
    let Some(path) = structure::file(&spec) else {
        let atoms = structure::build(&spec)?;
        return Ok(vec![Given { label: text.to_owned(), spec, atoms }]);
    };
    if let Some((path, place)) = one_of(path) {
        let mut frames = structure::read_frames(Path::new(path))?;
        let count = frames.len();
        let index = if place < 0 { count.checked_sub(place.unsigned_abs()) } else { Some(place.unsigned_abs()) };
        let index = index.filter(|index| *index < count).ok_or_else(|| {
            let are = if count == 1 { "is 1 structure" } else { &format!("are {count} structures") };
            Error::bad(text, format!("there {are} in the file; @0 is the first, @-1 the last"))
        })?;
        let atoms = frames.swap_remove(index);
        return Ok(vec![Given { label: format!("{path}@{index}"), spec: structure::plain(&atoms), atoms }]);
    }
    let frames = structure::read_frames(Path::new(path))?;
    let several = frames.len() > 1;
    let each = frames.into_iter().enumerate().map(|(place, atoms)| {
        let label = if several { format!("{text}@{place}") } else { text.to_owned() };
        Given { label, spec: structure::plain(&atoms), atoms }
    });
    Ok(each.collect())
}
