//! Looks at the files that a running firework wants followed (`_trackers`): their last lines go into
//! the launch with every sign of life.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bson::Bson;
use tracing::warn;

use crate::firetask::zipped::{self, Compression};
use crate::store::{Claim, Seen};
use crate::workflow::tracker::BadTracker;
use crate::workflow::{Launch, LaunchId, Tracker};

/// Lines may be long; more than this is not kept in a launch.
const MOST_BYTES: usize = 1024 * 1024;
/// How much of a file is read at first.
const FEW_BYTES: usize = 16 * 1024;

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
        return Ok(Some(lines_of(&end_of_stream(zipped::open(&path)?)?, tracker.lines())));
    }
    let mut file = File::open(&path)?;
    let mut size = FEW_BYTES;
    loop {
        let (end, is_whole) = end_of_file(&mut file, size)?;
        let lines = lines_of(&end, tracker.lines());
        // The first line may have been cut, so there must be one before those that are wanted.
        if is_whole || size >= MOST_BYTES || lines_of(&end, tracker.lines() + 1).len() > lines.len() {
            return Ok(Some(lines));
        }
        size *= 4;
    }
}

/// The last bytes of a file, and whether that is all of it.
fn end_of_file(file: &mut File, size: usize) -> io::Result<(Vec<u8>, bool)> {
    let start = file.metadata()?.len().saturating_sub(size as u64);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    // It may grow while it is read.
    file.take(size as u64).read_to_end(&mut end)?;
    Ok((end, start == 0))
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

/// The last so many lines, ended as Python reads them: by a line feed, a carriage return, or both.
fn lines_of(bytes: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let start = text.rmatch_indices('\n').nth(count - 1).map_or(0, |(before, _)| before + 1);
    text[start..].to_owned()
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
    fn lines_are_pythons() {
        for (text, count, expected) in [
            ("a\nb\nc\n", 2, "b\nc"),
            ("a\nb\nc", 2, "b\nc"),
            ("a\n", 5, "a"),
            ("a\r\nb\rc\n\n", 3, "b\nc\n"),
            ("", 1, ""),
            ("é\u{fffd}", 1, "é\u{fffd}"),
        ] {
            assert_eq!(lines_of(text.as_bytes(), count), expected, "{text:?}");
        }
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
