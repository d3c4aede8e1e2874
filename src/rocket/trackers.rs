//! Looks at the files that a running firework wants followed (`_trackers`): their last lines go into
//! the launch with every sign of life.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bson::Bson;
use tracing::warn;

use crate::firetask::zipped::{self, Compression};
use crate::launchpad::last_lines::{self, MOST_BYTES};
use crate::store::{Claim, Seen};
use crate::workflow::tracker::BadTracker;
use crate::workflow::{Launch, LaunchId, Tracker};

/// The trackers of one launch. What a file held when it was last there is kept.
#[derive(Debug)]
pub struct Trackers {
    launch_id: LaunchId,
    directory: PathBuf,
    list: Mutex<Vec<Tracker>>,
}

impl Trackers {
    /// Those that the launch was claimed with; of those that are none the log tells.
    pub fn of(claim: &Claim) -> Self {
        let good = |tracker: Result<Tracker, BadTracker>| {
            tracker.inspect_err(|error| warn!("fw_id: {}: {error}", claim.firework.fw_id)).ok()
        };
        Trackers {
            launch_id: claim.launch.launch_id,
            directory: PathBuf::from(&claim.launch.launch_dir),
            list: Mutex::new(Tracker::of(&claim.firework.spec).into_iter().filter_map(good).collect()),
        }
    }

    /// Looks at all of them. `None` when there are none.
    pub fn look(&self) -> Option<Seen> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        for tracker in list.iter_mut() {
            match last_lines(tracker, &self.directory) {
                Ok(Some(lines)) => tracker.content = lines,
                Ok(None) => {}
                Err(error) => warn!("cannot follow {}: {error}", tracker.filename),
            }
        }
        let trackers: Vec<Bson> = list.iter().map(|tracker| tracker.to_document().into()).collect();
        (!trackers.is_empty()).then_some(Seen { launch_id: self.launch_id, trackers })
    }

    /// Looks at all of them, and tells the launch.
    pub fn show(&self, launch: &mut Launch) {
        if let Some(seen) = self.look() {
            launch.trackers = seen.trackers;
        }
    }
}

/// The last lines of a tracker's file, when it is there.
fn last_lines(tracker: &Tracker, directory: &Path) -> io::Result<Option<String>> {
    let path = directory.join(&tracker.filename);
    let path = if tracker.allow_zipped { zipped::find(path) } else { path };
    if !path.exists() {
        return Ok(None);
    }
    if Compression::of(&path).is_some() {
        return Ok(Some(last_lines::of_bytes(&end_of_stream(zipped::open(&path)?)?, tracker.lines())));
    }
    last_lines::of_file(&path, tracker.lines()).map(Some)
}

/// The last bytes of what can only be read from its beginning.
fn end_of_stream(mut stream: impl Read) -> io::Result<Vec<u8>> {
    let mut end = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            end.drain(..end.len().saturating_sub(MOST_BYTES));
            return Ok(end);
        }
        end.extend_from_slice(&buffer[..length]);
        if end.len() > 2 * MOST_BYTES {
            end.drain(..end.len() - MOST_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;
    use std::fs;

    fn tracker(filename: &str, nlines: i32, allow_zipped: bool) -> Tracker {
        let document = doc! {"filename": filename, "nlines": nlines, "allow_zipped": allow_zipped};
        Tracker::from_bson(&document.into()).expect("is good")
    }

    #[test]
    fn long_and_compressed_files_are_read_to_their_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let long: String = (0..9000).map(|line| format!("{line} {}\n", "x".repeat(100))).collect();
        fs::write(folder.path().join("log"), &long).expect("writes");
        let (log, old) = (folder.path().join("log"), folder.path().join("old.gz"));
        zipped::copy(&log, &old, &crate::firetask::Interrupt::default()).expect("compresses");
        let expected: Vec<&str> = long.lines().collect();
        for (name, count, zipped) in [("log", 1, false), ("log", 700, false), ("old", 700, true), ("old.gz", 3, false)]
        {
            let lines = last_lines(&tracker(name, count, zipped), folder.path()).expect("reads").expect("is there");
            let count = usize::try_from(count).expect("is positive");
            assert_eq!(lines.lines().collect::<Vec<_>>(), expected[9000 - count..], "{name}");
        }
        assert_eq!(last_lines(&tracker("old", 3, false), folder.path()).expect("is no error"), None);
        fs::write(folder.path().join("one"), "y".repeat(3 * MOST_BYTES)).expect("writes");
        let line = last_lines(&tracker("one", 1, false), folder.path()).expect("reads").expect("is there");
        assert_eq!(line.len(), MOST_BYTES);
    }

    #[test]
    fn what_was_seen_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let trackers = Trackers {
            launch_id: 7,
            directory: folder.path().to_owned(),
            list: Mutex::new(vec![tracker("log", 1, false), tracker("folder", 1, false)]),
        };
        let contents = || {
            let seen = trackers.look().expect("there are some").trackers;
            let content = |tracker: &Bson| Some(tracker.as_document()?.get_str("content").ok()?.to_owned());
            seen.iter().map(content).collect::<Vec<_>>()
        };
        fs::create_dir(folder.path().join("folder")).expect("makes it");
        assert_eq!(contents(), [None, None]);
        fs::write(folder.path().join("log"), "a\nb\n").expect("writes");
        assert_eq!(contents(), [Some("b".to_owned()), None]);
        fs::remove_file(folder.path().join("log")).expect("removes");
        assert_eq!(contents(), [Some("b".to_owned()), None]);
    }
}
