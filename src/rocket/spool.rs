//! `FW_result.json`: what came out of a launch, on disk before the store hears of it.
//!
//! Written whole or not at all (temporary file, rename), and removed when the store has it in its
//! journal. What the store never takes stays, so that nothing is lost: whoever comes by later
//! records it (see [`super::drain`]), and what cannot be recorded any more is put aside under a
//! name that says so.
//!
//! A killed process loses nothing that it has written; only a machine that goes down loses what was
//! not synced. A sync costs up to some milliseconds, so that a short run whose store answers is
//! cheaper to repeat than to sync: only a run that took [`WORTH_A_SYNC`] is synced at once, the
//! others as soon as the store does not answer.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bson::{Bson, Document};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::queue::LaunchpadId;
use crate::store::Outcome;
use crate::workflow::checkpoint::CHECKPOINT;
use crate::workflow::{FwAction, FwId, Launch, LaunchId, State, exact_json, json as documents, time};

/// The version of the format. 1 had neither the launchpad nor the times of the run, and lost types
/// that JSON has not.
pub const VERSION: u64 = 2;
/// From this length on a run is synced before the store hears of it.
pub const WORTH_A_SYNC: SignedDuration = SignedDuration::from_secs(1);
/// Name of the file.
pub const FILE_NAME: &str = "FW_result.json";

/// Why a result is put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// The launch is not its worker's any more: rerun, deleted, or taken for lost.
    Lost,
    /// The launchpad cannot take it as it is.
    Refused,
}

/// Where the outcome of a launch is kept.
pub fn path(outcome: &Outcome) -> PathBuf {
    Path::new(&outcome.launch.launch_dir).join(FILE_NAME)
}

/// The name of a file that had to make room for that of a later launch in the same directory.
fn numbered(directory: &Path, launch_id: LaunchId) -> PathBuf {
    directory.join(format!("FW_result.{launch_id}.json"))
}

/// Writes an outcome, of a launch in the launchpad `launchpad`.
pub fn write(outcome: &Outcome, launchpad: &LaunchpadId) -> io::Result<()> {
    let launch = &outcome.launch;
    let running = launch.lease_index().map(|index| &launch.state_history[index]);
    let document = json!({
        "volley_result": VERSION,
        "launch_id": launch.launch_id,
        "fw_id": launch.fw_id,
        "launchpad": launchpad.as_str(),
        "owner": launch.lease().map(|lease| lease.owner),
        "state": outcome.state.as_str(),
        "started": launch.started().map(time::to_iso),
        "ended": time::to_iso(outcome.ended),
        "running": running.map(exact_json::value),
        "trackers": launch.trackers.iter().map(documents::from_bson).collect::<Vec<_>>(),
        "action": exact_json::value(&outcome.action.to_document()),
    });
    let (directory, path) = (Path::new(&launch.launch_dir), path(outcome));
    // An earlier launch may have run here, and its result may still wait.
    if let Some(earlier) = launch_of(&path).filter(|&earlier| earlier != launch.launch_id) {
        fs::rename(&path, numbered(directory, earlier))?;
    }
    // Readable as the umask says, like every other file of a launch.
    let mut file = tempfile::Builder::new()
        .prefix(".FW_result")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    // In one piece: a writer that is not buffered makes a system call of every comma.
    file.write_all(format!("{document}\n").as_bytes())?;
    if launch.started().is_none_or(|start| outcome.ended.duration_since(start) >= WORTH_A_SYNC) {
        file.as_file().sync_all()?;
    }
    file.persist(path)?;
    Ok(())
}

/// Makes sure that what [`write`] left survives the machine: file and name.
pub fn sync(outcomes: &[Outcome]) {
    for outcome in outcomes {
        let file = path(outcome);
        let synced = File::open(&file)
            .and_then(|file| file.sync_all())
            .and_then(|()| File::open(&outcome.launch.launch_dir)?.sync_all());
        if let Err(error) = synced {
            tracing::warn!("cannot sync {}: {error}", file.display());
        }
    }
}

/// The file of a launch, when it is there.
pub fn file_of(directory: &Path, launch_id: LaunchId) -> Option<PathBuf> {
    let names = [directory.join(FILE_NAME), numbered(directory, launch_id)];
    names.into_iter().find(|path| launch_of(path) == Some(launch_id))
}

/// The store has it.
pub fn remove(outcome: &Outcome) {
    remove_of(Path::new(&outcome.launch.launch_dir), outcome.launch.launch_id);
}

/// The store has the result of a launch that is in this directory. Whoever was faster is welcome.
pub fn remove_of(directory: &Path, launch_id: LaunchId) {
    let Some(file) = file_of(directory, launch_id) else { return };
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("cannot remove {}, which has been recorded: {error}", file.display());
        }
        _ => {}
    }
}

/// Keeps the result of a launch where nobody tries to record it again. Returns where it is, if it
/// was there.
pub fn put_aside(directory: &Path, launch_id: LaunchId, why: Aside) -> Option<PathBuf> {
    let file = file_of(directory, launch_id)?;
    let word = match why {
        Aside::Lost => "lost",
        Aside::Refused => "refused",
    };
    let plain = directory.join(format!("FW_result.{word}.json"));
    // What was put aside before stays.
    let to = if plain.exists() { directory.join(format!("FW_result.{word}.{launch_id}.json")) } else { plain };
    match fs::rename(&file, &to) {
        Ok(()) => Some(to),
        // Somebody else has just done so.
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!("cannot rename {}: {error}", file.display());
            Some(file)
        }
    }
}

/// The results that wait in a directory.
pub fn waiting_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_waiting(path)).collect();
    found.sort();
    found
}

fn is_waiting(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let middle = name.strip_prefix("FW_result.").and_then(|rest| rest.strip_suffix(".json"));
    name == FILE_NAME || middle.is_some_and(|number| number.parse::<LaunchId>().is_ok())
}

/// Whose result a file holds, from its first bytes; nothing when there is none.
fn launch_of(path: &Path) -> Option<LaunchId> {
    const KEY: &str = "\"launch_id\":";
    let mut start = [0; 256];
    let length = File::open(path).and_then(|mut file| file.read(&mut start)).ok()?;
    let start = String::from_utf8_lossy(&start[..length]);
    let rest = &start[start.find(KEY)? + KEY.len()..];
    rest.split([',', '}']).next()?.trim().parse().ok()
}

/// A result as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Spooled {
    /// The firework.
    pub fw_id: FwId,
    /// The launch.
    pub launch_id: LaunchId,
    /// The worker that ran it.
    pub owner: String,
    /// The launchpad that it belongs to, where the file says so.
    pub launchpad: Option<String>,
    state: State,
    started: Option<Timestamp>,
    ended: Timestamp,
    running: Document,
    trackers: Vec<Bson>,
    action: FwAction,
}

/// Why a result cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadResult {
    /// The file system refuses.
    #[error("cannot read {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A later Volley wrote it.
    #[error("{} was written by a newer Volley (version {version}, this one knows {VERSION}); upgrade Volley", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// It is not what it should be.
    #[error("{} is no result of a launch: {reason}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
}

/// Reads a result.
pub fn read(path: &Path) -> Result<Spooled, BadResult> {
    let text = fs::read_to_string(path).map_err(|source| BadResult::Io { path: path.to_owned(), source })?;
    let broken = |reason: String| BadResult::Broken { path: path.to_owned(), reason };
    let value: Value = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    match value["volley_result"].as_u64() {
        None => Err(broken("it has no `volley_result`".to_owned())),
        Some(version) if version > VERSION => Err(BadResult::Newer { path: path.to_owned(), version }),
        Some(version) => parse(&value, version).map_err(broken),
    }
}

fn parse(value: &Value, version: u64) -> Result<Spooled, String> {
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let missing = |key: &str| format!("`{key}` is missing or wrong");
    let document = |key: &str| match (&value[key], version) {
        (Value::Null, _) => Ok(Document::new()),
        (Value::Object(map), 1) => Ok(documents::to_document(map)),
        (one, _) => exact_json::from_value(one.clone()).map_err(|reason| format!("`{key}`: {reason}")),
    };
    Ok(Spooled {
        fw_id: value["fw_id"].as_i64().ok_or_else(|| missing("fw_id"))?,
        launch_id: value["launch_id"].as_i64().ok_or_else(|| missing("launch_id"))?,
        owner: text("owner").ok_or_else(|| missing("owner"))?,
        launchpad: text("launchpad"),
        state: text("state").and_then(|state| state.parse().ok()).ok_or_else(|| missing("state"))?,
        started: text("started").as_deref().and_then(time::from_text),
        ended: text("ended").as_deref().and_then(time::from_text).ok_or_else(|| missing("ended"))?,
        running: document("running")?,
        trackers: value["trackers"].as_array().into_iter().flatten().map(documents::to_bson).collect(),
        action: FwAction::from_document(&document("action")?).map_err(|error| error.to_string())?,
    })
}

impl Spooled {
    /// As the worker would have reported it, of the launch as it is stored.
    pub fn outcome(self, mut launch: Launch, followed: bool) -> Outcome {
        if launch.state == State::Running {
            let index = launch.lease_index();
            if let Some(entry) = index.and_then(|index| launch.state_history.get_mut(index)) {
                // The store knows the lease better, and the worker how far it came.
                entry.extend(self.running.into_iter().filter(|(key, _)| key == CHECKPOINT));
            }
            if let Some(started) = self.started {
                launch.begin(started);
            }
            if !self.trackers.is_empty() {
                launch.trackers = self.trackers;
            }
        }
        Outcome { launch, state: self.state, action: self.action, ended: self.ended, followed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Location;
    use crate::workflow::Lease;
    use crate::workflow::launch::Place;
    use bson::doc;

    /// What version 1 looks like; readers of later versions must still take it.
    const FIRST: &str = r#"{"volley_result":1,"fw_id":5,"launch_id":3,"owner":"me","state":"COMPLETED","ended":"1970-01-01T00:00:00.000000+00:00","action":{"stored_data":{"x":1.5},"exit":false,"update_spec":{},"mod_spec":[],"additions":[],"detours":[],"append_wfs":[],"defuse_children":false,"defuse_workflow":false,"propagate":false}}
"#;
    /// And version 2.
    const SECOND: &str = r#"{"volley_result":2,"launch_id":3,"fw_id":5,"launchpad":"lp-cbb4dd4c8ac170c5","owner":"me","state":"COMPLETED","started":"1970-01-01T00:00:00.000000+00:00","ended":"1970-01-01T00:00:00.000000+00:00","running":{"state":"RUNNING","created_on":"1970-01-01T00:00:00.000000+00:00","updated_on":"1970-01-01T00:00:00.000000+00:00","lease":{"owner":"me","host":"","boot_id":"","pid":7,"until":"1970-01-01T00:00:00.000000+00:00"}},"trackers":[],"action":{"stored_data":{"x":{"$numberLong":"1"}},"exit":false,"update_spec":{},"mod_spec":[],"additions":[],"detours":[],"append_wfs":[],"defuse_children":false,"defuse_workflow":false,"propagate":false}}
"#;

    fn outcome(directory: &Path, launch_id: LaunchId) -> Outcome {
        let launch_dir = directory.display().to_string();
        let at = Timestamp::UNIX_EPOCH;
        let lease = Lease { owner: "me".into(), pid: 7, until: at, ..Lease::default() };
        let place =
            Place { fworker: doc! {}, launch_dir, host: "h".into(), ip: "127.0.0.1".into(), ..Place::default() };
        let action = FwAction { stored_data: doc! {"x": 1_i64}, ..FwAction::default() };
        let launch = Launch::running(launch_id, 5, &place, &lease, at);
        Outcome { launch, state: State::Completed, action, ended: at, followed: false }
    }

    fn launchpad() -> LaunchpadId {
        LaunchpadId::of(&Location::Sqlite("/no/such/folder/lp.db".into()))
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("reads").flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn is_written_whole_and_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let outcome = outcome(directory.path(), 3);
        write(&outcome, &launchpad()).expect("writes");
        write(&outcome, &launchpad()).expect("replaces");
        assert_eq!(fs::read_to_string(path(&outcome)).expect("exists"), SECOND);
        assert_eq!(names(directory.path()), [FILE_NAME]);
        let again = read(&path(&outcome)).expect("reads").outcome(outcome.launch.clone(), false);
        assert_eq!((again.launch, again.action), (outcome.launch.clone(), outcome.action.clone()));
        remove(&outcome);
        remove(&outcome);
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn old_files_are_read_and_newer_ones_are_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join(FILE_NAME);
        fs::write(&file, FIRST).expect("writes");
        let first = read(&file).expect("reads");
        assert_eq!((first.fw_id, first.launch_id, first.owner.as_str(), first.launchpad), (5, 3, "me", None));
        assert_eq!(first.action.stored_data, doc! {"x": 1.5});
        assert_eq!(launch_of(&file), Some(3));
        for (text, reason) in [
            (FIRST.replace("\"volley_result\":1", "\"volley_result\":3"), "written by a newer Volley (version 3"),
            (FIRST.replace("\"owner\":\"me\",", ""), "`owner` is missing"),
            ("{}".to_owned(), "no `volley_result`"),
            (FIRST[..80].to_owned(), "is no result of a launch"),
        ] {
            fs::write(&file, text).expect("writes");
            let error = read(&file).expect_err("is refused").to_string();
            assert!(error.contains(reason) && error.contains("FW_result.json"), "{error}");
        }
    }

    #[test]
    fn one_that_waits_makes_room_and_is_not_lost() {
        let directory = tempfile::tempdir().expect("a directory");
        for launch_id in [3, 4, 5] {
            write(&outcome(directory.path(), launch_id), &launchpad()).expect("writes");
        }
        assert_eq!(names(directory.path()), ["FW_result.3.json", "FW_result.4.json", FILE_NAME]);
        assert_eq!(waiting_in(directory.path()).len(), 3);
        remove(&outcome(directory.path(), 3));
        for launch_id in [4, 5] {
            put_aside(directory.path(), launch_id, Aside::Lost).expect("was there");
        }
        assert_eq!(names(directory.path()), ["FW_result.lost.5.json", "FW_result.lost.json"]);
        assert!(waiting_in(directory.path()).is_empty());
        assert_eq!(put_aside(directory.path(), 4, Aside::Refused), None);
    }
}
