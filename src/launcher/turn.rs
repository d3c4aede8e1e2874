//! Launchers of one launchpad take turns, so that two with `-m 4` keep 4 jobs and not 8.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

/// Whose turn it is; over when dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "holds the lock")] Option<File>);

impl Turn {
    /// Waits for our turn; `None` when `given_up` says so. Where files cannot be locked it is
    /// always our turn: a job too many is better than none.
    pub fn wait(path: &Path, given_up: impl Fn() -> bool) -> Option<Turn> {
        let open = || {
            std::fs::create_dir_all(path.parent()?).ok()?;
            File::options().create(true).append(true).open(path).ok()
        };
        let Some(file) = open() else { return Some(Turn(None)) };
        loop {
            match file.try_lock() {
                Ok(()) => return Some(Turn(Some(file))),
                Err(TryLockError::Error(_)) => return Some(Turn(None)),
                Err(TryLockError::WouldBlock) if given_up() => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("made/turn.lock");
        let mine = Turn::wait(&path, || true).expect("free");
        assert!(Turn::wait(&path, || true).is_none());
        drop(mine);
        assert!(Turn::wait(&path, || true).is_some());
    }
}
