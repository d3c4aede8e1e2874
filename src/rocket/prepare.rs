//! What happens in the launch directory before the first task.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bson::Bson;

use super::directory::has_own_directory;
use super::{files, recovery};
use crate::firetask::Interrupt;
use crate::launchpad::fw_json;
use crate::store::Claim;
use crate::workflow::checkpoint::{BadRecovery, Recovery};
use crate::workflow::limits::BadLimit;
use crate::workflow::reserved::{BadKey, check_files};
use crate::workflow::{Checkpoint, FwAction, Launch};

/// Why a run cannot begin.
#[derive(Debug)]
pub enum Unprepared {
    /// The disk refuses, for which no firework is to blame.
    Disk {
        /// The directory or file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// We were asked to stop.
    Interrupted,
    /// The firework asks for the impossible: any worker would fail like this one, and go on
    /// failing while others wait.
    Firework(Fault),
}

/// What a firework asks for in vain.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A directory that cannot be.
    #[error("`_launch_dir`: cannot write {}: {source}", .path.display())]
    LaunchDir {
        /// It, or a file in it.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A run to go on from, which is none.
    #[error(transparent)]
    Recovery(#[from] BadRecovery),
    /// A task to go on from, which there is not.
    #[error("spec._recovery: `_task_n` is {task}, and the firework has {count} tasks, counted from 0")]
    NoTask {
        /// The position asked for.
        task: usize,
        /// How many tasks there are.
        count: usize,
    },
    /// The directory of the earlier run, which cannot be read here.
    #[error("`_recovery`: cannot copy {}, of the earlier run: {source}", .path.display())]
    PreviousDirectory {
        /// It, or a file in it.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A reserved key that cannot be followed.
    #[error(transparent)]
    Key(#[from] BadKey),
    /// A limit that is none.
    #[error(transparent)]
    Limit(#[from] BadLimit),
    /// A file that a parent has passed on.
    #[error("`_files_in`: cannot copy {} to {}: {source}", .from.display(), .to.display())]
    FileIn {
        /// The file.
        from: PathBuf,
        /// What it is to be called.
        to: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl From<Fault> for Unprepared {
    fn from(fault: Fault) -> Self {
        Unprepared::Firework(fault)
    }
}

impl Unprepared {
    /// Takes errors that say that the disk is full; hands back all others.
    pub fn full(path: &Path, source: io::Error) -> Result<Self, io::Error> {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Ok(Unprepared::Disk { path: path.to_owned(), source })
            }
            _ => Err(source),
        }
    }
}

impl Fault {
    /// The action of the firework then.
    pub fn fizzled(&self, claim: &Claim) -> FwAction {
        let (fw_id, name) = (claim.firework.fw_id, &claim.firework.name);
        let text = format!("firework {fw_id} ({name})\n  in directory {}\n{self}", claim.launch.launch_dir);
        FwAction::fizzled(None, &text, Bson::Null)
    }
}

/// Makes what is still missing of the launch directory, and fills it. `others` are the firework's
/// other launches, for FW.json, when that is to be written. Returns where the run starts.
pub fn prepare(claim: &Claim, others: Option<&[Launch]>, interrupt: &Interrupt) -> Result<Checkpoint, Unprepared> {
    let (spec, directory) = (&claim.firework.spec, Path::new(&claim.launch.launch_dir));
    if has_own_directory(spec) {
        fs::create_dir_all(directory).map_err(|source| unwritable(claim, directory.to_owned(), source))?;
    }
    check_files(spec).map_err(Fault::from)?;
    let start = match Recovery::of(spec).map_err(Fault::from)? {
        Some(recovery) => {
            let (task, count) = (recovery.from.task, claim.firework.tasks().count());
            if task >= count {
                return Err(Fault::NoTask { task, count }.into());
            }
            recovery::set_up(&recovery, directory, interrupt)?;
            recovery.from
        }
        None => {
            files::copy_in(spec, directory, interrupt)?;
            Checkpoint::default()
        }
    };
    if let Some(others) = others {
        fw_json::write(claim, others).map_err(|(path, source)| unwritable(claim, path, source))?;
    }
    Ok(start)
}

/// A full disk is nobody's fault; a directory that the firework itself names may be hopeless.
fn unwritable(claim: &Claim, path: PathBuf, source: io::Error) -> Unprepared {
    use io::ErrorKind::{
        AlreadyExists, InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem,
    };
    let hopeless = matches!(
        source.kind(),
        AlreadyExists
            | InvalidFilename
            | InvalidInput
            | NotADirectory
            | NotFound
            | PermissionDenied
            | ReadOnlyFilesystem
    );
    if hopeless && has_own_directory(&claim.firework.spec) {
        return Fault::LaunchDir { path, source }.into();
    }
    Unprepared::Disk { path, source }
}
