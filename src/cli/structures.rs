//! Structures as they are typed: files, `bulk:Cu`, `molecule:N2`.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::science::{Atoms, structure};

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

fn read(text: &str) -> crate::science::Result<Vec<Given>> {
    let spec = structure::parse_short(text)?;
    let Some(path) = structure::file(&spec) else {
        let atoms = structure::build(&spec)?;
        return Ok(vec![Given { label: text.to_owned(), spec, atoms }]);
    };
    let frames = structure::read_frames(Path::new(path))?;
    let several = frames.len() > 1;
    let each = frames.into_iter().enumerate().map(|(place, atoms)| {
        let label = if several { format!("{text}@{place}") } else { text.to_owned() };
        Given { label, spec: structure::plain(&atoms), atoms }
    });
    Ok(each.collect())
}
