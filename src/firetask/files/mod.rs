//! The tasks on files: they write, delete, transfer, compress and archive.
//!
//! Parameters and results are FireWorks'. A path that is not absolute is one in the launch
//! directory.

use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::{Interrupt, TaskFailure};

mod archive;
mod compress;
mod delete;
mod modes;
mod paths;
mod transfer;
mod write;
pub mod zipped;

pub use archive::ArchiveDirTask;
pub use compress::{CompressDirTask, DecompressDirTask};
pub use delete::FileDeleteTask;
pub use modes::Mode;
pub use paths::expand_variables;
pub use transfer::FileTransferTask;
pub use write::FileWriteTask;

/// How much is copied between two looks at the interrupt.
const PIECE: usize = 256 * 1024;

/// What is read ends with an error when somebody asks to stop.
struct Watched<'a, R> {
    inner: R,
    interrupt: &'a Interrupt,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.is_raised() {
            return Err(stopped());
        }
        self.inner.read(buffer)
    }
}

/// The error of whoever was asked to stop. Not `ErrorKind::Interrupted`, at which everybody would try
/// again.
fn stopped() -> io::Error {
    io::Error::other("asked to stop")
}

/// Copies to the end, or until somebody asks to stop.
fn pour(from: impl Read, to: impl Write, interrupt: &Interrupt) -> io::Result<()> {
    let mut to = BufWriter::with_capacity(PIECE, to);
    io::copy(&mut Watched { inner: from, interrupt }, &mut to)?;
    to.flush()
}

/// The failure behind an error: whoever was asked to stop has none.
fn failure(interrupt: &Interrupt, verb: &'static str, path: &Path, source: io::Error) -> TaskFailure {
    if interrupt.is_raised() {
        return TaskFailure::Interrupted;
    }
    TaskFailure::File { verb, path: path.to_owned(), source }
}

/// The same error, with the file it is about.
fn about(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A file that is written under another name, and takes its own when it is complete.
fn unfinished(path: &Path, permissions: fs::Permissions) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    tempfile::Builder::new().prefix(".unfinished").permissions(permissions).tempfile_in(folder)
}

/// What is in a folder, by name.
fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort_unstable();
    Ok(paths)
}
