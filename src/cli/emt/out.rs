//! `--out FILE`: result documents, or the structures that came out.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::recipes;
use crate::science::io::mson::from_mson;
use crate::science::io::{Frame, Results};
use crate::science::structure;

/// Where to write.
pub struct Out<'a> {
    path: &'a Path,
    as_documents: bool,
}

impl<'a> Out<'a> {
    /// Looks at the name before anything is computed: afterwards it would be too late.
    pub fn at(path: &'a Path) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            bail!("--out {}: there is no folder {}", path.display(), folder.display());
        }
        let as_documents = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if !as_documents {
            structure::check_name(path).with_context(|| format!("--out {}", path.display()))?;
        }
        Ok(Self { path, as_documents })
    }

    /// Writes documents as JSON (a single one without a list), or the last structure of each with its results.
    pub fn write(&self, documents: &[&Value]) -> Result<()> {
        if self.as_documents {
            let text = match documents {
                [only] => serde_json::to_string_pretty(only)?,
                all => serde_json::to_string_pretty(all)?,
            };
            return std::fs::write(self.path, text + "\n")
                .with_context(|| format!("cannot write {}", self.path.display()));
        }
        let frames: Result<Vec<Frame>> =
            documents.iter().flat_map(|document| recipes::single(document)).map(frame).collect();
        match frames?.as_slice() {
            [] => bail!("no structure came out that could be written to {}", self.path.display()),
            frames => Ok(structure::write_file(self.path, frames)?),
        }
    }
}

/// The structure of a document with its energy, forces and stress.
fn frame(document: &Value) -> Result<Frame> {
    let results = &document["results"];
    let results = Results {
        energy: results["energy"].as_f64(),
        energies: serde_json::from_value(results["energies"].clone()).ok(),
        forces: serde_json::from_value(results["forces"].clone()).ok(),
        stress: serde_json::from_value(results["stress"].clone()).ok(),
    };
    Ok(Frame { atoms: from_mson(&document["atoms"])?, results })
}
