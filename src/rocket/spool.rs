//! `FW_result.json`: what came out of a launch, on disk before the store hears of it.
//!
//! Written whole or not at all (temporary file, rename). It stays in the launch directory; should
//! the store never take it, nothing is lost.
//!
//! A killed process loses nothing that it has written; only a machine that goes down loses what was
//! not synced. A sync costs up to some milliseconds, so that a short run whose store answers is
//! cheaper to repeat than to sync: only a run that took [`WORTH_A_SYNC`] is synced at once, the
//! others as soon as the store does not answer.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde_json::json;

use crate::store::Outcome;
use crate::workflow::{json as documents, time};

/// The version of the format; a reader refuses what it does not know.
pub const VERSION: u32 = 1;
/// From this length on a run is synced before the store hears of it.
pub const WORTH_A_SYNC: SignedDuration = SignedDuration::from_secs(1);
/// Name of the file.
pub const FILE_NAME: &str = "FW_result.json";

/// Where the outcome of a launch is kept.
pub fn path(outcome: &Outcome) -> PathBuf {
    Path::new(&outcome.launch.launch_dir).join(FILE_NAME)
}

/// Writes an outcome.
pub fn write(outcome: &Outcome) -> io::Result<()> {
    let document = json!({
        "volley_result": VERSION,
        "fw_id": outcome.launch.fw_id,
        "launch_id": outcome.launch.launch_id,
        "owner": outcome.launch.lease().map(|lease| lease.owner),
        "state": outcome.state.as_str(),
        "ended": time::to_iso(outcome.ended),
        "action": documents::from_document(&outcome.action.to_document()),
    });
    // Readable as the umask says, like every other file of a launch.
    let mut file = tempfile::Builder::new()
        .prefix(".FW_result")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(&outcome.launch.launch_dir)?;
    // In one piece: a writer that is not buffered makes a system call of every comma.
    file.write_all(format!("{document}\n").as_bytes())?;
    if outcome.launch.started().is_none_or(|start| outcome.ended.duration_since(start) >= WORTH_A_SYNC) {
        file.as_file().sync_all()?;
    }
    file.persist(path(outcome))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::launch::Place;
    use crate::workflow::{FwAction, Launch, Lease, State};
    use bson::doc;
    use jiff::Timestamp;

    /// What version 1 looks like; readers of later versions must still take it.
    const SAMPLE: &str = r#"{"volley_result":1,"fw_id":5,"launch_id":3,"owner":"me","state":"COMPLETED","ended":"1970-01-01T00:00:00.000000+00:00","action":{"stored_data":{"x":1.5},"exit":false,"update_spec":{},"mod_spec":[],"additions":[],"detours":[],"append_wfs":[],"defuse_children":false,"defuse_workflow":false,"propagate":false}}
"#;

    #[test]
    fn is_written_whole_and_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let launch_dir = directory.path().display().to_string();
        let at = Timestamp::UNIX_EPOCH;
        let lease = Lease { owner: "me".into(), host: "h".into(), boot_id: "b".into(), pid: 7, until: at };
        let place =
            Place { fworker: doc! {}, launch_dir, host: "h".into(), ip: "127.0.0.1".into(), ..Place::default() };
        let action = FwAction { stored_data: doc! {"x": 1.5}, ..FwAction::default() };
        let launch = Launch::running(3, 5, &place, &lease, at);
        let outcome = Outcome { launch, state: State::Completed, action, ended: at, followed: false };
        write(&outcome).expect("writes");
        write(&outcome).expect("replaces");
        assert_eq!(std::fs::read_to_string(path(&outcome)).expect("exists"), SAMPLE);
        assert_eq!(std::fs::read_dir(directory.path()).expect("reads").count(), 1);
    }
}
