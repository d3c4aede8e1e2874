//! Launch directories: `launcher_…` with FireWorks' UTC stamp, made when they are named so that
//! no two processes can take the same one. What a firework names itself (`_launch_dir`) is made
//! when it is run.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bson::Document;
use jiff::{SignedDuration, Timestamp};

use super::RocketError;
use crate::firetask::expand_variables;
use crate::workflow::reserved::own_directory;

/// Names and makes the directories of one claim.
pub struct Directories<'a> {
    /// Where the worker was started; an absolute path.
    base: &'a Path,
    /// Every firework has a directory of its own below `base`; otherwise they run in it.
    separate: bool,
    made: RefCell<Vec<PathBuf>>,
    failed: RefCell<Option<RocketError>>,
}

impl<'a> Directories<'a> {
    /// Nothing is made yet.
    pub fn new(base: &'a Path, separate: bool) -> Self {
        Directories { base, separate, made: RefCell::default(), failed: RefCell::default() }
    }

    /// The directory for a firework with this spec.
    pub fn name(&self, spec: &Document) -> PathBuf {
        if let Some(wanted) = own_directory(spec) {
            // Made when it is needed: that it cannot be made concerns this firework alone.
            return self.base.join(expand_variables(wanted, |name| std::env::var(name).ok()));
        }
        if !self.separate {
            return self.base.to_owned();
        }
        match make_launcher(self.base) {
            Ok(path) => {
                self.made.borrow_mut().push(path.clone());
                path
            }
            Err(source) => {
                let path = self.base.to_owned();
                self.failed.borrow_mut().get_or_insert(RocketError::Directory { path: path.clone(), source });
                path
            }
        }
    }

    /// Ends the naming: directories that nobody uses are removed, and a failure comes out.
    pub fn settle(self, used: &[&str]) -> Result<(), RocketError> {
        for path in self.made.into_inner() {
            if !used.iter().any(|used| Path::new(used) == path) {
                remove_unused(self.base, &path);
            }
        }
        self.failed.into_inner().map_or(Ok(()), Err)
    }
}

/// Whether a firework names its directory itself.
pub fn has_own_directory(spec: &Document) -> bool {
    own_directory(spec).is_some()
}

fn make_launcher(base: &Path) -> io::Result<PathBuf> {
    let mut at = Timestamp::now();
    loop {
        let path = base.join(at.strftime("launcher_%Y-%m-%d-%H-%M-%S-%6f").to_string());
        match fs::create_dir(&path) {
            // Another process was there in the same microsecond.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                at = at.checked_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::UNIX_EPOCH);
            }
            result => return result.map(|()| path),
        }
    }
}

/// Removes a `launcher_…` directory in which nothing has happened.
pub fn remove_unused(base: &Path, path: &Path) {
    let is_ours = path.parent() == Some(base)
        && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("launcher_"));
    if is_ours {
        // One that is not empty stays, which is what we want.
        let _ = fs::remove_dir(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn unused_directories_go() {
        let base = tempfile::tempdir().expect("a directory");
        let directories = Directories::new(base.path(), true);
        let names: Vec<PathBuf> = (0..50).map(|_| directories.name(&doc! {})).collect();
        let named = directories.name(&doc! {"_launch_dir": "mine/deep"});
        fs::create_dir_all(&named).expect("makes it");
        assert_eq!(named, base.path().join("mine/deep"));
        let used = names[7].to_str().expect("is UTF-8");
        directories.settle(&[used]).expect("no failure");
        let left = fs::read_dir(base.path()).expect("reads").count();
        assert_eq!(left, 2, "the used one and the named one");
        assert!(names[7].is_dir() && named.is_dir());
    }

    #[test]
    fn a_failure_comes_out() {
        let directories = Directories::new(Path::new("/proc/none"), true);
        directories.name(&doc! {});
        assert!(matches!(directories.settle(&[]), Err(RocketError::Directory { .. })));
    }
}
