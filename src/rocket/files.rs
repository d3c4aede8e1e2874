//! Files that one firework hands to the next: `_files_out` of the parent names them, FireWorks
//! passes their paths on as `_files_prev`, and `_files_in` of the child says what to call them.

use std::io;
use std::path::{Path, PathBuf};

use bson::{Document, doc};
use tracing::warn;

use super::glob::glob;
use super::prepare::{Fault, Unprepared};
use crate::firetask::{Interrupt, zipped};
use crate::workflow::reserved::{FILES_IN, FILES_OUT, FILES_PREV, files};

/// Copies what the parents have passed on into the launch directory.
pub fn copy_in(spec: &Document, directory: &Path, interrupt: &Interrupt) -> Result<(), Unprepared> {
    let passed = files(spec, FILES_PREV).map_err(Fault::from)?;
    for (name, to) in files(spec, FILES_IN).map_err(Fault::from)? {
        let Some((_, from)) = passed.iter().find(|(passed, _)| *passed == name) else {
            warn!("no parent has passed on the file `{name}` that `{FILES_IN}` names");
            continue;
        };
        let (from, to) = (directory.join(from), directory.join(to));
        // A file must not be copied onto itself: it would be empty.
        if from.canonicalize().is_ok_and(|from| to.canonicalize().is_ok_and(|to| from == to)) {
            continue;
        }
        zipped::copy(&from, &to, interrupt).map_err(|source| {
            if interrupt.is_raised() { Unprepared::Interrupted } else { cannot_copy(from, to, source) }
        })?;
    }
    Ok(())
}

fn cannot_copy(from: PathBuf, to: PathBuf, source: io::Error) -> Unprepared {
    match Unprepared::full(&to, source) {
        Ok(full) => full,
        Err(source) => Fault::FileIn { from, to, source }.into(),
    }
}

/// What tells the children where the files are that `_files_out` names.
pub fn pass_on(spec: &Document, directory: &Path) -> Vec<Document> {
    let wanted = files(spec, FILES_OUT).unwrap_or_else(|error| {
        warn!("{error}");
        Vec::new()
    });
    let passed = wanted.into_iter().filter_map(|(name, pattern)| {
        // Of several FireWorks takes the last in the order of the alphabet.
        let found = glob(directory, pattern).into_iter().max();
        if found.is_none() {
            warn!("no file matches `{pattern}`, which `{FILES_OUT}` passes on as `{name}`");
        }
        Some(doc! { "_set": { format!("{FILES_PREV}->{name}"): found? } })
    });
    passed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_last_match_is_passed_on() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["out.1", "out.2", "out.10"] {
            fs::write(folder.path().join(file), "").expect("writes");
        }
        let mods = pass_on(&doc! {FILES_OUT: {"a": "out.*", "b": "none"}}, folder.path());
        let path = folder.path().join("out.2").display().to_string();
        assert_eq!(mods, [doc! {"_set": {"_files_prev->a": path}}]);
    }

    #[test]
    fn a_file_is_not_copied_onto_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a"), "x").expect("writes");
        copy_in(&doc! {FILES_IN: {"f": "a"}, FILES_PREV: {"f": "./a"}}, folder.path(), &Interrupt::default())
            .expect("does nothing");
        assert_eq!(fs::read_to_string(folder.path().join("a")).expect("reads"), "x");
    }
}
