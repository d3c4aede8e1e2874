//! The ways of bringing a file or folder to its place: what Python's `shutil` does under these names.
//! Owners and extended attributes are not copied.

use std::fs::{self, File, FileTimes, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::Path;

use super::{about, pour, stopped};
use crate::firetask::Interrupt;

/// One of FireWorks' modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Moves a file or folder.
    Move,
    /// Copies a file, with its permissions.
    Copy,
    /// Copies a file, with its permissions and times.
    Copy2,
    /// Copies a folder that must not be there yet, with all that is in it.
    CopyTree,
    /// Copies what is in a file to a file.
    CopyFile,
}

impl Mode {
    /// The mode of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "move" | "mv" => Mode::Move,
            "copy" | "cp" => Mode::Copy,
            "copy2" => Mode::Copy2,
            "copytree" => Mode::CopyTree,
            "copyfile" => Mode::CopyFile,
            _ => return None,
        })
    }

    /// What it does, in a word.
    pub fn verb(self) -> &'static str {
        if self == Mode::Move { "move" } else { "copy" }
    }

    /// Does it.
    pub fn transfer(self, src: &Path, dest: &Path, interrupt: &Interrupt) -> io::Result<()> {
        let extent = match self {
            Mode::Move => return shift(src, dest, interrupt),
            Mode::CopyTree => return copy_tree(src, dest, Links::Followed, interrupt),
            Mode::CopyFile => return copy_file(src, dest, Extent::Contents, interrupt),
            Mode::Copy => Extent::Permissions,
            Mode::Copy2 => Extent::Times,
        };
        match src.file_name() {
            Some(name) if dest.is_dir() => copy_file(src, &dest.join(name), extent, interrupt),
            _ => copy_file(src, dest, extent, interrupt),
        }
    }
}

/// How much of a file is copied; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    Contents,
    Permissions,
    Times,
}

/// What becomes of links in a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    /// What they point to is copied.
    Followed,
    /// They are made again.
    Kept,
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn copy_file(src: &Path, dest: &Path, extent: Extent, interrupt: &Interrupt) -> io::Result<()> {
    // What nobody can copy is refused before the destination is made, or cut to nothing.
    let found = fs::metadata(src).map_err(about(src))?;
    if found.is_dir() {
        return Err(refused("it is a folder: use the mode `copytree`"));
    }
    // Reading from a pipe would wait for ever.
    if !found.is_file() && !found.file_type().is_char_device() {
        return Err(about(src)(refused("is not a file")));
    }
    if let Ok(there) = fs::metadata(dest) {
        if same(&found, &there) {
            return Err(refused("both are the same file"));
        }
        if there.file_type().is_fifo() {
            return Err(about(dest)(refused("is a named pipe")));
        }
    }
    let from = File::open(src).map_err(about(src))?;
    let to = File::create(dest).map_err(about(dest))?;
    pour(from, &to, interrupt).map_err(about(src))?;
    if extent >= Extent::Times {
        to.set_times(times(&found)?).map_err(about(dest))?;
    }
    if extent >= Extent::Permissions {
        to.set_permissions(found.permissions()).map_err(about(dest))?;
    }
    Ok(())
}

fn times(of: &Metadata) -> io::Result<FileTimes> {
    Ok(FileTimes::new().set_accessed(of.accessed()?).set_modified(of.modified()?))
}

fn copy_tree(src: &Path, dest: &Path, links: Links, interrupt: &Interrupt) -> io::Result<()> {
    let found = fs::metadata(src).map_err(about(src))?;
    if !found.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
    }
    make_parents(dest)?;
    fs::create_dir(dest).map_err(about(dest))?;
    let own = fs::metadata(dest).map_err(about(dest))?;
    Tree { own: &own, links, interrupt }.copy(src, &found, dest)
}

fn make_parents(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| fs::create_dir_all(parent).map_err(about(parent)))
}

/// A folder that is copied with all that is in it.
struct Tree<'a> {
    /// The copy. When it is made inside the folder it is not copied in turn, for ever.
    own: &'a Metadata,
    links: Links,
    interrupt: &'a Interrupt,
}

impl Tree<'_> {
    /// Fills a folder that is there. Goes on after an error, and tells of the first.
    fn copy(&self, src: &Path, found: &Metadata, dest: &Path) -> io::Result<()> {
        let entries = fs::read_dir(src).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(about(src))?;
        let mut result = Ok(());
        for entry in entries {
            let (from, to) = (entry.path(), dest.join(entry.file_name()));
            if fs::metadata(&from).is_ok_and(|found| same(&found, self.own)) {
                continue;
            }
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            result = result.and(match fs::metadata(&from) {
                _ if is_link && self.links == Links::Kept => copy_link(&from, &to),
                Ok(found) if found.is_dir() => {
                    fs::create_dir(&to).map_err(about(&to)).and_then(|()| self.copy(&from, &found, &to))
                }
                _ => copy_file(&from, &to, Extent::Times, self.interrupt),
            });
            if self.interrupt.is_raised() {
                // Never as if all had been copied: what is moved is deleted then.
                return Err(stopped());
            }
        }
        let stat = File::open(dest).and_then(|folder| {
            folder.set_times(times(found)?)?;
            folder.set_permissions(found.permissions())
        });
        result.and(stat.map_err(about(dest)))
    }
}

fn copy_link(src: &Path, dest: &Path) -> io::Result<()> {
    fs::read_link(src).and_then(|target| symlink(target, dest)).map_err(about(src))
}

fn shift(src: &Path, dest: &Path, interrupt: &Interrupt) -> io::Result<()> {
    let name = src.file_name().ok_or_else(|| refused("it has no name"))?;
    let mut place = dest.to_owned();
    if let Ok(there) = fs::metadata(dest)
        && there.is_dir()
        // Python renames a folder to itself.
        && !fs::metadata(src).is_ok_and(|found| same(&found, &there))
    {
        place.push(name);
        if place.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is there already", place.display())));
        }
    }
    if fs::symlink_metadata(src).is_ok_and(|found| found.is_dir()) {
        // Python does so for folders only.
        make_parents(&place)?;
    }
    match fs::rename(src, &place) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => across(src, &place, interrupt),
        // Python tries to copy after any error, and so leaves a copy of what it cannot take away.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput && place.starts_with(src) => {
            Err(refused("a folder cannot be moved into itself"))
        }
        Err(error) => Err(match fs::symlink_metadata(src) {
            Ok(_) => about(&place)(error),
            Err(error) => about(src)(error),
        }),
        Ok(()) => Ok(()),
    }
}

/// Moves to another file system: whole or not at all, as long as the source can be deleted.
fn across(src: &Path, place: &Path, interrupt: &Interrupt) -> io::Result<()> {
    let parent = place.parent().unwrap_or(place);
    let folder = tempfile::Builder::new().prefix(".moving").tempdir_in(parent)?;
    let copy = folder.path().join("copy");
    let found = fs::symlink_metadata(src).map_err(about(src))?;
    if found.is_symlink() {
        copy_link(src, &copy)?;
    } else if found.is_dir() {
        copy_tree(src, &copy, Links::Kept, interrupt)?;
    } else {
        copy_file(src, &copy, Extent::Times, interrupt)?;
    }
    fs::rename(&copy, place).map_err(about(place))?;
    let removed = if found.is_dir() { fs::remove_dir_all(src) } else { fs::remove_file(src) };
    removed.map_err(about(src))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_moved_whole_stays() {
        let (here, interrupt) = (tempfile::tempdir().expect("a folder"), Interrupt::default());
        let there = tempfile::tempdir_in("/dev/shm").expect("a folder");
        let (src, dest) = (here.path().join("folder"), there.path().join("folder"));
        fs::create_dir_all(src.join("without/files")).expect("makes it");
        interrupt.raise(false);
        across(&src, &dest, &interrupt).expect_err("is stopped");
        assert!(src.join("without/files").is_dir());
        assert_eq!(fs::read_dir(there.path()).expect("reads").count(), 0);
    }

    #[test]
    fn a_folder_may_be_copied_below_itself() {
        let (here, interrupt) = (tempfile::tempdir().expect("a folder"), Interrupt::default());
        let src = here.path().join("folder");
        fs::create_dir_all(src.join("a/b")).expect("makes it");
        let dest = src.join("a/b/copy");
        Mode::CopyTree.transfer(&src, &dest, &interrupt).expect("copies");
        assert!(dest.join("a/b").is_dir() && !dest.join("a/b/copy").exists());
    }
}
