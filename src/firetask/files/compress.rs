//! `CompressDirTask` and `DecompressDirTask`: every file of a folder, and of the folders in it, for
//! itself.
//!
//! As in FireWorks: what has the suffix already is left alone, and so are links when files are
//! compressed; a compressed file replaces one of its name. Other than there, a file keeps its
//! permissions and times, and nothing half done is left behind.

use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};

use bson::Document;
use tracing::warn;

use super::super::params::{BadTask, Params};
use super::super::{Firetask, Interrupt, Run, TaskFailure};
use super::paths::with_suffix;
use super::zipped::Compression;
use super::{failure, pour, sorted_entries, unfinished};
use crate::workflow::FwAction;

/// Compresses `dest`, or the launch directory.
pub struct CompressDirTask;

/// Decompresses `dest`, or the launch directory.
pub struct DecompressDirTask;

const COMPRESS: &str = "CompressDirTask";
const DECOMPRESS: &str = "DecompressDirTask";

impl Firetask for CompressDirTask {
    fn name(&self) -> &'static str {
        COMPRESS
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: COMPRESS, values: task };
        params.refuse_misspelt(&["compression", "dest", "ignore_errors"])?;
        params.text("dest")?;
        wanted(&params).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let params = Params { task: COMPRESS, values: run.task };
        let compression = wanted(&params)?;
        each_file(&params, run, |path| compress(compression, path, run.interrupt))
    }
}

impl Firetask for DecompressDirTask {
    fn name(&self) -> &'static str {
        DECOMPRESS
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: DECOMPRESS, values: task };
        params.refuse_misspelt(&["dest", "ignore_errors"])?;
        params.text("dest").map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let params = Params { task: DECOMPRESS, values: run.task };
        each_file(&params, run, |path| decompress(path, run.interrupt))
    }
}

/// Does it to every file, up to the first that fails.
fn each_file(
    params: &Params<'_>,
    run: &Run<'_>,
    work: impl Fn(&Path) -> Result<(), TaskFailure>,
) -> Result<FwAction, TaskFailure> {
    let folder = run.directory.join(params.text("dest")?.unwrap_or_default());
    if !folder.is_dir() {
        // FireWorks finds nothing to do there, and says nothing.
        warn!("{}: there is no folder {}", params.task, folder.display());
        return Ok(FwAction::default());
    }
    match in_folder(&folder, run.interrupt, &work) {
        Err(failure @ TaskFailure::File { .. }) if params.flag("ignore_errors").unwrap_or(false) => {
            warn!("{}: {failure} (ignored)", params.task);
        }
        result => result?,
    }
    Ok(FwAction::default())
}

fn in_folder(
    folder: &Path,
    interrupt: &Interrupt,
    work: &impl Fn(&Path) -> Result<(), TaskFailure>,
) -> Result<(), TaskFailure> {
    let entries = sorted_entries(folder).map_err(|source| failure(interrupt, "read", folder, source))?;
    for path in entries {
        if interrupt.is_raised() {
            return Err(TaskFailure::Interrupted);
        }
        let found = fs::symlink_metadata(&path).map_err(|source| failure(interrupt, "read", &path, source))?;
        if found.is_dir() {
            in_folder(&path, interrupt, work)?;
        } else {
            work(&path)?;
        }
    }
    Ok(())
}

fn wanted(params: &Params<'_>) -> Result<Compression, BadTask> {
    let key = "compression";
    match params.text(key)? {
        None | Some("gz") => Ok(Compression::Gz),
        Some("bz2") => Ok(Compression::Bz2),
        Some(_) => Err(params.wrong(key, "gz or bz2")),
    }
}

fn compress(compression: Compression, path: &Path, interrupt: &Interrupt) -> Result<(), TaskFailure> {
    let has_it = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(compression.suffix()));
    // Reading from a pipe would wait for ever.
    if has_it || !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return Ok(());
    }
    let target = with_suffix(path, &format!(".{}", compression.suffix()));
    let result = replace(path, &target, |from, to| compression.encode(from, to, interrupt));
    result.map_err(|source| failure(interrupt, "compress", path, source))
}

fn decompress(path: &Path, interrupt: &Interrupt) -> Result<(), TaskFailure> {
    let Some(compression) = Compression::of(path) else { return Ok(()) };
    if !fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return Ok(());
    }
    let target: PathBuf = path.with_extension("");
    let result = replace(path, &target, |from, to| pour(compression.decode(from), to, interrupt));
    result.map_err(|source| failure(interrupt, "decompress", path, source))
}

/// Makes one file of another, which is gone then.
fn replace(path: &Path, target: &Path, work: impl FnOnce(&File, &File) -> io::Result<()>) -> io::Result<()> {
    let from = File::open(path)?;
    let found = from.metadata()?;
    let to = unfinished(target, found.permissions())?;
    work(&from, to.as_file())?;
    to.as_file().set_times(FileTimes::new().set_accessed(found.accessed()?).set_modified(found.modified()?))?;
    // Once more: the umask has had its say when the file was made.
    to.as_file().set_permissions(found.permissions())?;
    to.persist(target)?;
    fs::remove_file(path)
}
