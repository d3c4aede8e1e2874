//! Going on from a checkpoint: what the earlier run has left in its directory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tracing::{info, warn};

use super::prepare::{Fault, Unprepared};
use crate::firetask::Interrupt;
use crate::workflow::checkpoint::Recovery;
use crate::workflow::decide::RecoveryMode;

/// Makes the launch directory what the recovery asks for.
pub fn set_up(recovery: &Recovery, directory: &Path, interrupt: &Interrupt) -> Result<(), Unprepared> {
    let earlier = Path::new(&recovery.prev_dir);
    info!("Recovering from task number {} in folder {}.", recovery.from.task, earlier.display());
    if recovery.mode != RecoveryMode::Copy || earlier == directory {
        return Ok(());
    }
    info!("Copying data from recovery folder {} to folder {}.", earlier.display(), directory.display());
    Copy { own: directory, interrupt }.tree(earlier, directory)
}

/// Copies what is in a folder into another, which need not be empty; what links lead to is copied,
/// too.
struct Copy<'a> {
    /// Left out, should it be in the folder.
    own: &'a Path,
    interrupt: &'a Interrupt,
}

impl Copy<'_> {
    fn tree(&self, from: &Path, to: &Path) -> Result<(), Unprepared> {
        // Listed first: what is copied may appear below.
        let entries = fs::read_dir(from).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
        let entries: Vec<PathBuf> = entries.map_err(|error| cannot(from, error))?;
        for path in entries {
            if self.interrupt.is_raised() {
                return Err(Unprepared::Interrupted);
            }
            let Some(name) = path.file_name() else { continue };
            let target = to.join(name);
            match fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => link_alike(&path, &target),
                Err(error) => return Err(cannot(&path, error)),
                Ok(found) if found.is_dir() => {
                    if !leads_back(&path, from, self.own) {
                        fs::create_dir_all(&target).map_err(|error| cannot(&target, error))?;
                        self.tree(&path, &target)?;
                    }
                }
                Ok(found) if found.is_file() => {
                    fs::copy(&path, &target).map_err(|error| cannot(&path, error))?;
                    // Programs like `make` look at it; it is no reason to fail.
                    let _ = File::open(&target).and_then(|file| file.set_modified(found.modified()?));
                }
                Ok(_) => warn!("{} is neither a file nor a folder, and is not copied", path.display()),
            }
        }
        Ok(())
    }
}

fn cannot(path: &Path, error: io::Error) -> Unprepared {
    match Unprepared::full(path, error) {
        Ok(full) => full,
        Err(source) => Fault::PreviousDirectory { path: path.to_owned(), source }.into(),
    }
}

/// Whether a folder is the one that is filled, or one around that which is being copied.
fn leads_back(path: &Path, from: &Path, own: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let Some(path) = real(path) else { return false };
    real(own).is_some_and(|own| own == path) || real(from).is_some_and(|from| from.starts_with(&path))
}

/// A link that leads nowhere leads nowhere from the copy, too.
fn link_alike(path: &Path, target: &Path) {
    if let Err(error) = fs::read_link(path).and_then(|aim| symlink(aim, target)) {
        warn!("cannot copy the link {}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Checkpoint;

    fn recovery(prev_dir: &Path, mode: RecoveryMode) -> Recovery {
        Recovery { from: Checkpoint::default(), prev_dir: prev_dir.display().to_string(), mode }
    }

    #[test]
    fn everything_is_copied_once() {
        let folder = tempfile::tempdir().expect("a folder");
        // The new directory is below the old one, which links to itself.
        let (old, new) = (folder.path(), folder.path().join("launcher"));
        fs::create_dir_all(old.join("sub/deep")).expect("makes it");
        fs::create_dir(&new).expect("makes it");
        fs::write(old.join("a"), "new").expect("writes");
        fs::write(new.join("a"), "old").expect("writes");
        fs::write(old.join("sub/deep/b"), "b").expect("writes");
        symlink("nowhere", old.join("broken")).expect("links");
        symlink(".", old.join("sub/around")).expect("links");
        symlink("sub/deep", old.join("folder")).expect("links");
        let interrupt = Interrupt::default();
        set_up(&recovery(old, RecoveryMode::Copy), &new, &interrupt).expect("copies");
        let read = |name: &str| fs::read_to_string(new.join(name)).expect("reads");
        assert_eq!([read("a"), read("sub/deep/b"), read("folder/b")], ["new", "b", "b"]);
        assert_eq!(fs::read_link(new.join("broken")).expect("is a link"), Path::new("nowhere"));
        assert!(!new.join("launcher").exists() && !new.join("sub/around").exists());
        interrupt.raise(false);
        let stopped = set_up(&recovery(old, RecoveryMode::Copy), &new, &interrupt);
        assert!(matches!(stopped, Err(Unprepared::Interrupted)), "{stopped:?}");
    }

    #[test]
    fn only_a_copy_needs_the_old_directory() {
        let folder = tempfile::tempdir().expect("a folder");
        let (gone, interrupt) = (folder.path().join("gone"), Interrupt::default());
        for mode in [RecoveryMode::Fresh, RecoveryMode::PreviousDirectory] {
            set_up(&recovery(&gone, mode), folder.path(), &interrupt).expect("does nothing");
        }
        let Err(Unprepared::Firework(fault)) = set_up(&recovery(&gone, RecoveryMode::Copy), folder.path(), &interrupt)
        else {
            panic!("there is nothing to copy");
        };
        assert!(fault.to_string().contains("gone"), "{fault}");
    }
}
