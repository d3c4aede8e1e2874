//! Removing launch directories of launches that are gone: those alone that were made for a launch
//! (`launcher_...`), and that nobody else uses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bson::doc;

use super::LaunchpadError;
use crate::store::Store;

/// What became of launch directories.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Those that are gone.
    pub removed: Vec<PathBuf>,
    /// Those that are not on this machine, or were gone before.
    pub absent: usize,
    /// Those that were left alone, or could not be removed, and why.
    pub left: Vec<(PathBuf, String)>,
}

/// As many bytes of names are asked about at once: MongoDB takes regular expressions of 32 kB.
const NAMES: usize = 10_000;

/// What begins the name of a directory that was made for a launch.
const MADE: &str = "launcher_";

/// Removes directories of launches that have been deleted. `needed` are places in use: what is one of
/// them, or above one, stays.
pub fn remove(store: &dyn Store, directories: Vec<PathBuf>, needed: &[PathBuf]) -> Result<Removal, LaunchpadError> {
    let needed: Vec<PathBuf> = needed.iter().map(|path| real(path)).collect();
    let mut removal = Removal::default();
    // Without a slash at the end, which would lead through a link.
    let directories: Vec<PathBuf> = directories.iter().map(|path| path.components().collect()).collect();
    let mut rest = directories.as_slice();
    while !rest.is_empty() {
        let some;
        (some, rest) = rest.split_at(how_many(rest));
        let used = used_by_others(store, some)?;
        for directory in some {
            if !directory.is_absolute() || directory.symlink_metadata().is_err() {
                removal.absent += 1;
                continue;
            }
            match reason_to_stay(directory, &used, &needed) {
                Some(why) => removal.left.push((directory.clone(), why)),
                None => match std::fs::remove_dir_all(directory) {
                    Ok(()) => removal.removed.push(directory.clone()),
                    Err(error) => removal.left.push((directory.clone(), error.to_string())),
                },
            }
        }
    }
    Ok(removal)
}

/// So many of them, and at least one, are asked about together.
fn how_many(directories: &[PathBuf]) -> usize {
    let mut bytes = 0;
    let few = directories.iter().take_while(|directory| {
        bytes += name_of(directory).map_or(0, |name| regex::escape(&name).len());
        bytes < NAMES
    });
    few.count().max(1)
}

/// What follows in the name of a directory that was made for a launch.
fn name_of(directory: &Path) -> Option<String> {
    Some(directory.file_name()?.to_string_lossy().strip_prefix(MADE)?.to_owned())
}

fn reason_to_stay(directory: &Path, used: &BTreeSet<PathBuf>, needed: &[PathBuf]) -> Option<String> {
    if name_of(directory).is_none() {
        return Some("it was not made for a launch alone, as launcher_... are".to_owned());
    }
    if !directory.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Some("it is no directory itself".to_owned());
    }
    let place = real(directory);
    if let Some(other) = used.iter().find(|other| other.starts_with(&place)) {
        let which = if *other == place { "it".to_owned() } else { other.display().to_string() };
        return Some(format!("another launch has {which}"));
    }
    let inside = needed.iter().find(|path| path.starts_with(&place))?;
    Some(format!("{} is in use", inside.display()))
}

/// Directories of launches that are there, as far as they are these or below these: they are looked for by
/// name alone, since there may be several ways to one place.
fn used_by_others(store: &dyn Store, directories: &[PathBuf]) -> Result<BTreeSet<PathBuf>, LaunchpadError> {
    let names: Vec<String> = directories.iter().filter_map(|path| Some(regex::escape(&name_of(path)?))).collect();
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    let named = format!("/{MADE}({})(/|$)", names.join("|"));
    let others = store.find_launches(&store.matching_launches(&doc! { "launch_dir": { "$regex": named } })?)?;
    Ok(others.iter().map(|launch| real(Path::new(&launch.launch_dir))).collect())
}

/// A path without links on the way, as far as it can be followed.
fn real(path: &Path) -> PathBuf {
    let mut parts = path.ancestors();
    let found = parts.find_map(|part| Some((part.canonicalize().ok()?, path.strip_prefix(part).ok()?)));
    found.map_or_else(|| path.to_owned(), |(part, rest)| part.components().chain(rest.components()).collect())
}
