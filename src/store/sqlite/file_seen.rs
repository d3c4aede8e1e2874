//! The file that was opened: SQLite goes on with it when it is removed, or another one takes its place.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::store::{Result, StoreError};

/// Which file it is, and why it cannot be used.
pub struct FileSeen {
    /// Its device and inode, as far as they could be told.
    opened: Option<(u64, u64)>,
    trouble: Option<&'static str>,
}

impl FileSeen {
    /// The one that has just been opened.
    pub fn new(path: &Path) -> Self {
        FileSeen { opened: identity(path), trouble: None }
    }

    /// Looks again. Another one is not opened: beside it may lie the log of the old one, which SQLite would take
    /// for its own.
    pub fn look(&mut self, path: &Path) {
        let now = identity(path);
        self.trouble = match now {
            _ if now == self.opened => None,
            None => Some("the file is gone"),
            Some(_) => Some("the file has been replaced; start this program anew"),
        };
    }

    /// That it was there when somebody looked last.
    pub fn check(&self, path: &Path) -> Result<()> {
        match self.trouble {
            None => Ok(()),
            Some(reason) => {
                let place = format!("SQLite file {}", path.display());
                Err(StoreError::Unreachable { place, reason: reason.to_owned() })
            }
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let data = path.metadata().ok()?;
    Some((data.dev(), data.ino()))
}
