//! What a run of molecular dynamics needs to go on: in its launch, or where that would be too large for a launch,
//! in a file of the launch directory.

use std::cell::Cell;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bson::Document;
use tracing::warn;

/// The file.
const NAME: &str = "md.restart.bson";
/// Where a launch says that there is one.
const FILE: &str = "file";

/// More than this is in the file, bytes: a launch may be kept twice in a document of 16 MB.
const LARGE: usize = 1024 * 1024;

/// Where all that is needed goes.
pub struct Restart<'a> {
    directory: &'a Path,
    /// Keys that can be large.
    heavy: &'static [&'static str],
    warned: Cell<bool>,
}

impl<'a> Restart<'a> {
    /// In this directory.
    pub fn new(directory: &'a Path, heavy: &'static [&'static str]) -> Self {
        Self { directory, heavy, warned: Cell::new(false) }
    }

    /// What the launch is to keep of `progress`; the file is written if that is not all.
    pub fn keep(&self, mut progress: Document) -> Document {
        let Some(bytes) = progress.to_vec().ok().filter(|bytes| bytes.len() > LARGE) else { return progress };
        if let Err(error) = replace(&self.directory.join(NAME), &bytes)
            && !self.warned.replace(true)
        {
            let path = self.directory.join(NAME);
            warn!("cannot write {}: {error}; a run that is stopped now cannot go on later", path.display());
        }
        self.heavy.iter().for_each(|key| drop(progress.remove(key)));
        progress.insert(FILE, NAME);
        progress
    }
}

/// All that an earlier run has kept, whose launch has `progress`. The file may be of a later step.
pub fn whole(progress: &Document, directory: &Path) -> Option<Document> {
    let Ok(name) = progress.get_str(FILE) else { return Some(progress.clone()) };
    let path = directory.join(name);
    let read = fs::read(&path).and_then(|bytes| Document::from_reader(bytes.as_slice()).map_err(io::Error::other));
    let trouble = |error: &io::Error| warn!("cannot go on from the earlier run, {}: {error}", path.display());
    read.inspect_err(trouble).ok()
}

/// Replaces a file, whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".md.restart")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
