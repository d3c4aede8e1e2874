//! What a submission leaves in the file system, for whoever comes after a launcher that died.
//!
//! While a job is being handed over, a lock is held on a file in its folder: by this process and by
//! the `sbatch` it calls, whichever lives longer. So a lock that can be taken says that the job is in
//! the queue by now, or never will be. And a job's first act is to leave its number and token there,
//! which outlasts every listing.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directories::is_launcher;

/// What the file is called that is locked.
const NAME: &str = "volley.intent";
/// What a job's own file is called, before its number.
pub const STARTED: &str = "volley.started.";

/// A submission under way.
#[derive(Debug)]
pub struct Intent {
    path: PathBuf,
    file: Arc<File>,
}

impl Intent {
    /// Begins one; the folder of the token is there.
    pub fn begin(token: &str) -> Result<Self, (PathBuf, io::Error)> {
        let path = path(token);
        let locked = File::options().create(true).append(true).open(&path).and_then(|file| {
            match file.try_lock() {
                // Where files cannot be locked, time has to tell.
                Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
                Err(TryLockError::WouldBlock) => Err(io::Error::other("another launcher submits a job from here")),
            }
        });
        match locked {
            Ok(file) => Ok(Intent { path, file: Arc::new(file) }),
            Err(error) => Err((path, error)),
        }
    }

    /// For whoever hands the job over.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// It is known what came of it.
    pub fn settle(self) {
        remove(&self.path);
    }
}

/// A token for one of several jobs that start in the same folder.
pub fn token_in(dir: &Path, distinct: &str) -> String {
    dir.join(format!("#{distinct}")).to_string_lossy().into_owned()
}

/// The folder that a token names.
pub fn folder(token: &str) -> &Path {
    let path = Path::new(token);
    let is_distinct = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"#"));
    if is_distinct { path.parent().unwrap_or(path) } else { path }
}

/// Whether somebody may still be handing over the job of a token.
pub fn is_under_way(token: &str) -> bool {
    match File::options().append(true).open(path(token)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => true,
        Ok(Ok(()) | Err(TryLockError::Error(_))) | Err(_) => false,
    }
}

/// Whether somebody has begun to hand over the job of a token.
pub fn was_begun(token: &str) -> bool {
    path(token).exists()
}

/// Nobody hands over a job of this token any more.
pub fn forget(token: &str) {
    remove(&path(token));
}

/// Removes a file, and the folder that was made for a job that runs elsewhere.
fn remove(path: &Path) {
    drop(std::fs::remove_file(path));
    let made = path.parent().filter(|dir| dir.file_name().is_some_and(is_launcher));
    drop(made.map(std::fs::remove_dir));
}

/// The number of the job of a token, if it has ever begun; `dir` is where it starts.
pub fn started(dir: &Path, token: &str, element: Option<u32>) -> Option<String> {
    let entries = std::fs::read_dir(dir).ok()?.filter_map(Result::ok);
    let mut numbers = entries.filter_map(|entry| {
        let number = entry.file_name().to_str()?.strip_prefix(STARTED)?.to_owned();
        let is_its = std::fs::read_to_string(entry.path()).is_ok_and(|text| text.trim_end() == token);
        (is_its && element_of(&number) == element).then_some(number)
    });
    numbers.next()
}

/// Which element of an array a job is.
pub fn element_of(job: &str) -> Option<u32> {
    job.split_once('_').and_then(|(_, element)| element.parse().ok())
}

fn path(token: &str) -> PathBuf {
    let folder = folder(token);
    match Path::new(token).file_name().filter(|_| folder != Path::new(token)) {
        Some(distinct) => folder.join(format!("{NAME}{}", distinct.to_string_lossy())),
        None => folder.join(NAME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_says_that_the_job_may_still_come() {
        let dir = tempfile::tempdir().expect("a folder");
        let token = dir.path().to_string_lossy().into_owned();
        assert!(!is_under_way(&token));
        let intent = Intent::begin(&token).expect("is free");
        assert!(is_under_way(&token) && Intent::begin(&token).is_err());
        // A process that has it as its stdin goes on when the launcher is gone.
        let stdin = intent.file().try_clone().expect("is open");
        let mut child = std::process::Command::new("sleep").arg("1000").stdin(stdin).spawn().expect("starts");
        drop(intent);
        assert!(is_under_way(&token));
        child.kill().and_then(|()| child.wait()).expect("ends");
        assert!(!is_under_way(&token));
        Intent::begin(&token).expect("is free").settle();
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 0);
    }

    #[test]
    fn several_jobs_may_start_in_one_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let [one, other] = ["1", "2"].map(|distinct| token_in(dir.path(), distinct));
        assert_eq!((folder(&one), folder("/a/launcher_1")), (dir.path(), Path::new("/a/launcher_1")));
        let _intent = Intent::begin(&one).expect("is free");
        assert!(is_under_way(&one) && !is_under_way(&other));
    }

    #[test]
    fn a_job_that_has_begun_is_known_by_its_token() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |job: &str, token: &str| std::fs::write(dir.path().join(format!("{STARTED}{job}")), token);
        write("12", "/a\n").and_then(|()| write("13_2", "/b\n")).expect("written");
        assert_eq!(started(dir.path(), "/a", None).as_deref(), Some("12"));
        assert_eq!(started(dir.path(), "/b", Some(2)).as_deref(), Some("13_2"));
        assert_eq!(started(dir.path(), "/b", Some(1)), None);
        assert_eq!(started(dir.path(), "/c", None), None);
    }
}
