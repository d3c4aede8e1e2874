//! `copy`: a whole launchpad into another store.

use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bson::Document;

use super::LaunchpadError;
use crate::store::{self, Batch, Kind, Location, Store, StoreError};
use crate::workflow::{FwId, LaunchId, State, as_int, int_list};

/// What has been copied: by id, since what changes meanwhile comes again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// Workflows, by one of their fireworks.
    pub workflows: BTreeSet<FwId>,
    /// All fireworks.
    pub fireworks: BTreeSet<FwId>,
    /// Those that are RUNNING or RESERVED, in the copy for nobody.
    pub active: BTreeSet<FwId>,
    /// All launches.
    pub launches: BTreeSet<LaunchId>,
}

/// Copies everything. `seen` hears how many fireworks there are so far. A new file appears only
/// when it is complete; a store that is there already must be empty, and is so again when the copy
/// fails.
pub fn copy(from: &dyn Store, to: &Location, seen: &mut dyn FnMut(usize)) -> Result<Copied, LaunchpadError> {
    match to {
        Location::Sqlite(path) if !path.exists() => copy_to_new_file(from, path, seen),
        location => copy_into(from, &*store::open(location)?, seen),
    }
}

fn copy_into(from: &dyn Store, to: &dyn Store, seen: &mut dyn FnMut(usize)) -> Result<Copied, LaunchpadError> {
    let mut copied = Copied::default();
    to.import(&mut |take| {
        from.export(&mut |batch| {
            copied.count(&batch);
            seen(copied.fireworks.len());
            take(batch)
        })
    })?;
    Ok(copied)
}

/// Under another name until it is complete.
fn copy_to_new_file(from: &dyn Store, path: &Path, seen: &mut dyn FnMut(usize)) -> Result<Copied, LaunchpadError> {
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let unfinished = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".unfinished")
        // As the umask says, like every launchpad.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(io)?
        .into_temp_path();
    let copied = {
        // Closed at the end of the block: then all of it is in the one file.
        let to = store::open(&Location::Sqlite(unfinished.to_path_buf()))?;
        copy_into(from, &*to, seen)?
    };
    unfinished.persist_noclobber(path).map_err(|error| io(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    Ok(copied)
}

impl Copied {
    fn count(&mut self, batch: &Batch) {
        let documents = batch.documents.iter();
        let id = |document: &Document, key: &str| document.get(key).and_then(as_int);
        match batch.kind {
            Kind::Workflows => {
                self.workflows.extend(documents.filter_map(|one| int_list(one.get("nodes")).into_iter().min()));
            }
            Kind::Launches => self.launches.extend(documents.filter_map(|launch| id(launch, "launch_id"))),
            Kind::Fireworks => {
                let active = [State::Running, State::Reserved].map(State::as_str);
                for firework in documents {
                    let Some(fw_id) = id(firework, "fw_id") else { continue };
                    self.fireworks.insert(fw_id);
                    if firework.get_str("state").is_ok_and(|state| active.contains(&state)) {
                        self.active.insert(fw_id);
                    } else {
                        self.active.remove(&fw_id);
                    }
                }
            }
            Kind::Files | Kind::OfflineRuns | Kind::Events | Kind::Counters => {}
        }
    }
}
