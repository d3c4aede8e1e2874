//! FireWorks' folders: `block_<stamp>/launcher_<stamp>`, stamps in UTC down to the microsecond.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::LauncherError;

const BLOCK: &str = "block_";
const LAUNCHER: &str = "launcher_";

/// The block that new launch folders go to.
#[derive(Debug)]
pub struct Blocks {
    parent: PathBuf,
    most: usize,
    current: Option<(PathBuf, usize)>,
}

impl Blocks {
    /// Begins with the block `named`, or the newest one in `parent`, unless `always_new`; `most` folders
    /// fit in one.
    pub fn new(parent: &Path, named: Option<&Path>, most: usize, always_new: bool) -> Result<Self, LauncherError> {
        let parent = std::path::absolute(parent).map_err(io(parent))?;
        std::fs::create_dir_all(&parent).map_err(io(&parent))?;
        let block = match named.map(|named| parent.join(named)) {
            Some(block) => {
                std::fs::create_dir_all(&block).map_err(io(&block))?;
                Some(block)
            }
            None if always_new => None,
            // The stamps sort by time.
            None => folders(&parent, BLOCK)?.into_iter().max(),
        };
        let current = match block {
            None => None,
            Some(block) => {
                let count = folders(&block, LAUNCHER)?.len();
                Some((block, count))
            }
        };
        Ok(Blocks { parent, most, current })
    }

    /// The folder of the blocks, as an absolute path.
    pub fn parent(&self) -> &Path {
        &self.parent
    }

    /// Makes a launch folder, and a block when there is none or it is full.
    pub fn launcher(&mut self) -> Result<PathBuf, LauncherError> {
        let (block, count) = match self.current.take().filter(|(_, count)| *count < self.most) {
            Some(current) => current,
            None => (make(&self.parent, BLOCK)?, 0),
        };
        let launcher = make(&block, LAUNCHER)?;
        self.current = Some((block, count + 1));
        Ok(launcher)
    }
}

/// Whether a folder is one of ours, by its name.
pub fn is_launcher(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(LAUNCHER.as_bytes())
}

fn make(parent: &Path, prefix: &str) -> Result<PathBuf, LauncherError> {
    loop {
        let path = parent.join(format!("{prefix}{}", Timestamp::now().strftime("%Y-%m-%d-%H-%M-%S-%6f")));
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            // Another launcher had this microsecond.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io(&path)(error)),
        }
    }
}

fn folders(parent: &Path, prefix: &str) -> Result<Vec<PathBuf>, LauncherError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(io(parent))? {
        let entry = entry.map_err(io(parent))?;
        if entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()) && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> LauncherError {
    let path = path.to_owned();
    move |source| LauncherError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_blocks_one_after_the_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut blocks = Blocks::new(folder.path(), None, 2, false).expect("made");
        let first: Vec<PathBuf> = (0..3).map(|_| blocks.launcher().expect("made")).collect();
        assert_eq!(first[0].parent(), first[1].parent());
        assert_ne!(first[1].parent(), first[2].parent());

        let mut later = Blocks::new(folder.path(), None, 2, false).expect("made");
        let fourth = later.launcher().expect("made");
        assert_eq!(first[2].parent(), fourth.parent());
        let mut anew = Blocks::new(folder.path(), None, 2, true).expect("made");
        assert_ne!(fourth.parent(), anew.launcher().expect("made").parent());
        assert_eq!(folders(folder.path(), BLOCK).expect("listed").len(), 3);

        let mut named = Blocks::new(folder.path(), Some(Path::new("mine")), 1, false).expect("made");
        let parents = [(); 2].map(|()| named.launcher().expect("made").parent().expect("has one").to_owned());
        assert_eq!(parents[0], folder.path().join("mine"));
        assert_ne!(parents[1], parents[0], "it is full");
    }

    #[test]
    fn stamps_are_fireworks() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = make(folder.path(), LAUNCHER).expect("made");
        let name = path.file_name().expect("named").to_string_lossy().into_owned();
        let form: String = name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(form, "launcher_0000-00-00-00-00-00-000000");
    }
}
