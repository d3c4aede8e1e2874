//! `ArchiveDirTask`: the launch directory in one file.
//!
//! The formats of Python's `make_archive`. The archive is not in itself: Python's zip files hold the
//! beginning of themselves.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bson::Document;
use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lzma_rust2::{XzOptions, XzWriter};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::params::{BadTask, Params};
use super::super::{Firetask, Interrupt, Run, TaskFailure};
use super::paths::with_suffix;
use super::{PIECE, Watched, about, failure, pour, sorted_entries, unfinished};
use crate::workflow::FwAction;

/// Makes the archive `base_name`, with the suffix of its `format`.
pub struct ArchiveDirTask;

const NAME: &str = "ArchiveDirTask";

impl Firetask for ArchiveDirTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: NAME, values: task };
        params.refuse_misspelt(&["base_name", "format"])?;
        settings(&params).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let (base_name, format) = settings(&Params { task: NAME, values: run.task })?;
        let path = with_suffix(&run.directory.join(base_name), format.suffix());
        let made = make(run.directory, &path, format, run.interrupt);
        made.map_err(|source| failure(run.interrupt, "make the archive", &path, source))?;
        Ok(FwAction::default())
    }
}

fn settings<'a>(params: &Params<'a>) -> Result<(&'a str, Format), BadTask> {
    let base_name = params.needed_text("base_name", "the name of the archive, without its suffix")?;
    let format = match params.text("format")? {
        None => Format::GzTar,
        Some(name) => {
            let expected = "one of gztar, tar, bztar, xztar, zip";
            Format::parse(name).ok_or_else(|| params.wrong("format", expected))?
        }
    };
    Ok((base_name, format))
}

#[derive(Clone, Copy)]
enum Format {
    Tar,
    GzTar,
    BzTar,
    XzTar,
    Zip,
}

impl Format {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "tar" => Format::Tar,
            "gztar" => Format::GzTar,
            "bztar" => Format::BzTar,
            "xztar" => Format::XzTar,
            "zip" => Format::Zip,
            _ => return None,
        })
    }

    fn suffix(self) -> &'static str {
        match self {
            Format::Tar => ".tar",
            Format::GzTar => ".tar.gz",
            Format::BzTar => ".tar.bz2",
            Format::XzTar => ".tar.xz",
            Format::Zip => ".zip",
        }
    }
}

fn make(folder: &Path, path: &Path, format: Format, interrupt: &Interrupt) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = unfinished(path, Permissions::from_mode(0o666))?;
    let content = Content { folder, not: [path.to_owned(), file.path().to_owned()], interrupt };
    let to = || io::BufWriter::with_capacity(PIECE, file.as_file());
    match format {
        Format::Tar => content.tar(to())?.flush()?,
        Format::GzTar => content.tar(GzEncoder::new(to(), flate2::Compression::default()))?.finish()?.flush()?,
        Format::BzTar => content.tar(BzEncoder::new(to(), bzip2::Compression::best()))?.finish()?.flush()?,
        Format::XzTar => content.tar(XzWriter::new(to(), XzOptions::default())?)?.finish()?.flush()?,
        Format::Zip => content.zip(file.as_file())?,
    }
    file.persist(path)?;
    Ok(())
}

/// What goes into an archive.
struct Content<'a> {
    folder: &'a Path,
    /// The archive itself, under both its names.
    not: [PathBuf; 2],
    interrupt: &'a Interrupt,
}

impl Content<'_> {
    /// Calls `add` with everything below a folder, and its name there; folders come before what is
    /// in them.
    fn each(&self, folder: &Path, add: &mut impl FnMut(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
        for path in sorted_entries(folder)? {
            if self.not.contains(&path) {
                continue;
            }
            add(&path, path.strip_prefix(self.folder).unwrap_or(&path)).map_err(about(&path))?;
            if fs::symlink_metadata(&path)?.is_dir() {
                self.each(&path, add)?;
            }
        }
        Ok(())
    }

    fn tar<W: Write>(&self, to: W) -> io::Result<W> {
        let mut archive = tar::Builder::new(to);
        archive.append_dir(".", self.folder)?;
        self.each(self.folder, &mut |path, name| {
            let found = fs::symlink_metadata(path)?;
            let mut header = tar::Header::new_gnu();
            header.set_metadata(&found);
            // The kind is said elsewhere.
            header.set_mode(found.mode() & 0o7777);
            if found.is_symlink() {
                header.set_size(0);
                archive.append_link(&mut header, name, fs::read_link(path)?)
            } else if found.is_dir() {
                header.set_size(0);
                archive.append_data(&mut header, name, io::empty())
            } else if found.is_file() {
                // A log that somebody is writing may have grown or shrunk by now; its place in the
                // archive has the length it had.
                let content = Watched { inner: File::open(path)?, interrupt: self.interrupt };
                archive.append_data(&mut header, name, content.chain(io::repeat(0)).take(found.len()))
            } else {
                // Pipes and sockets hold nothing.
                Ok(())
            }
        })?;
        archive.into_inner()
    }

    fn zip(&self, to: &File) -> io::Result<()> {
        let mut archive = ZipWriter::new(to);
        self.each(self.folder, &mut |path, name| {
            // Links are followed: there are none in a zip file. One that leads nowhere is left out.
            let Ok(found) = fs::metadata(path) else { return Ok(()) };
            let mut options = SimpleFileOptions::default()
                .unix_permissions(found.permissions().mode())
                .large_file(found.len() >= u64::from(u32::MAX));
            if let Some(time) = found.modified().ok().and_then(dos_time) {
                options = options.last_modified_time(time);
            }
            let name = name.to_string_lossy();
            if found.is_dir() {
                archive.add_directory(name, options)?;
            } else if found.is_file() {
                archive.start_file(name, options)?;
                pour(File::open(path)?, &mut archive, self.interrupt)?;
            }
            Ok(())
        })?;
        archive.finish()?;
        Ok(())
    }
}

/// A time as zip files have it: that of the clock on the wall, from 1980 on.
fn dos_time(time: SystemTime) -> Option<zip::DateTime> {
    let time = Timestamp::try_from(time).ok()?.to_zoned(TimeZone::system());
    let small = |number: i8| u8::try_from(number).ok();
    zip::DateTime::from_date_and_time(
        u16::try_from(time.year()).ok()?,
        small(time.month())?,
        small(time.day())?,
        small(time.hour())?,
        small(time.minute())?,
        small(time.second())?,
    )
    .ok()
}
