//! Records results that wait in launch directories (see [`super::spool`]): a worker had run a
//! firework, and could not tell its launchpad any more.
//!
//! Whoever comes by may do it, and two at once do no harm: an outcome is recorded once, under the
//! lease of the worker that ran it, and a file that has gone meanwhile is done with.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use super::report::refused;
use super::spool::{self, Aside, BadResult, FILE_NAME, Spooled};
use crate::queue::{LaunchpadId, process};
use crate::store::{FireworkQuery, Store, StoreError, Verdict};
use crate::workflow::{FwId, Lease, State};

/// How often an idle worker looks.
const EVERY: Duration = Duration::from_secs(60);
/// Launch directories that a worker looks into, newest first: it has better things to do.
const MOST: usize = 20_000;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The launchpad has it, and the file is gone.
    Recorded,
    /// Its worker lives, and will report it.
    Alive,
    /// It belongs to another launchpad.
    Elsewhere,
    /// The launch is not its worker's any more; here it is kept.
    Lost(Option<PathBuf>),
    /// The launchpad cannot take it, and the firework is FIZZLED; here it is kept.
    Refused(Option<PathBuf>),
}

/// Why a result cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    /// The file.
    #[error(transparent)]
    File(#[from] BadResult),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records the result in a file, unless its worker may still do so. Returns the firework, and what
/// became of its result.
pub fn drain(store: &dyn Store, launchpad: &LaunchpadId, file: &Path) -> Result<(FwId, Fate), DrainError> {
    let spooled = spool::read(file)?;
    let fw_id = spooled.fw_id;
    Ok((fw_id, record(store, launchpad, file, spooled, may_live)?))
}

/// Records the result of a worker that is taken for dead.
pub fn rescue(store: &dyn Store, launchpad: &LaunchpadId, file: &Path) -> Result<(FwId, Fate), DrainError> {
    let spooled = spool::read(file)?;
    let fw_id = spooled.fw_id;
    Ok((fw_id, record(store, launchpad, file, spooled, |_, _| false)?))
}

fn record(
    store: &dyn Store,
    launchpad: &LaunchpadId,
    file: &Path,
    spooled: Spooled,
    may_live: impl Fn(&Lease, Timestamp) -> bool,
) -> Result<Fate, DrainError> {
    if spooled.launchpad.as_deref().is_some_and(|theirs| theirs != launchpad.as_str()) {
        return Ok(Fate::Elsewhere);
    }
    let (fw_id, launch_id) = (spooled.fw_id, spooled.launch_id);
    let directory = file.parent().unwrap_or(Path::new("."));
    let lost = || Ok(Fate::Lost(spool::put_aside(directory, launch_id, Aside::Lost)));
    let is_theirs = |lease: &Lease| lease.owner == spooled.owner;
    let launch = store.find_launches(&[launch_id])?.pop();
    let Some(launch) = launch.filter(|one| one.fw_id == fw_id && one.lease().is_some_and(|lease| is_theirs(&lease)))
    else {
        // Version 1 does not say where it belongs; the ids of another launchpad mean nothing.
        return if spooled.launchpad.is_some() { lost() } else { Ok(Fate::Elsewhere) };
    };
    if launch.state != State::Running && !launch.was_ended_by(&spooled.owner) {
        return lost();
    }
    if let Some(lease) = launch.lease().filter(|_| launch.state == State::Running)
        && may_live(&lease, store.clock()?)
    {
        return Ok(Fate::Alive);
    }
    let one = FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() };
    let followed = store.find_fireworks(&one)?.iter().any(|firework| firework.looks_for_duplicates());
    let mut outcome = spooled.outcome(launch, followed);
    let verdict = match store.finish(std::slice::from_ref(&outcome), Timestamp::now()) {
        Err(error) if refused(&mut outcome, &error) => {
            let kept = spool::put_aside(directory, launch_id, Aside::Refused);
            store.finish(&[outcome], Timestamp::now())?;
            return Ok(Fate::Refused(kept));
        }
        answer => answer?,
    };
    if verdict != [Verdict::Recorded] {
        return lost();
    }
    spool::remove_of(directory, launch_id);
    Ok(Fate::Recorded)
}

/// Whether the holder of a lease may still report itself; `now` is by the store's clock. A process of this host that is gone cannot.
fn may_live(lease: &Lease, now: Timestamp) -> bool {
    if lease.until <= now {
        return false;
    }
    let is_of_here = lease.host == gethostname::gethostname().to_string_lossy() && lease.boot_id == process::boot();
    !(is_of_here && process::is_gone(lease.pid, lease.born))
}

/// Records what waits in `files`, as far as that goes. Trouble with one is told, and nothing to stop
/// for; a store that does not answer is.
pub fn drain_all(store: &dyn Store, launchpad: &LaunchpadId, files: impl IntoIterator<Item = PathBuf>) {
    for file in files {
        match drain(store, launchpad, &file) {
            Ok((_, fate)) => tell(&file, &fate),
            Err(DrainError::Store(error)) if error.is_transient() => {
                return warn!("cannot record {} yet: {error}", file.display());
            }
            // Another worker was faster.
            Err(_) if !file.exists() => {}
            Err(error) => warn!("{error}"),
        }
    }
}

/// Says what became of a file.
pub fn tell(file: &Path, fate: &Fate) {
    let path = file.display();
    let kept = |to: &Option<PathBuf>| to.as_deref().unwrap_or(file).display().to_string();
    match fate {
        Fate::Recorded => info!("recorded {path}, which had been waiting"),
        Fate::Alive | Fate::Elsewhere => {}
        Fate::Lost(to) => warn!("the launch of {path} was rerun, deleted, or taken for lost; kept as {}", kept(to)),
        Fate::Refused(to) => warn!("the outcome in {path} cannot be applied, FIZZLED; kept as {}", kept(to)),
    }
}

/// Looks for results in a tree of launches, now and then.
pub struct Drainer<'a> {
    base: &'a Path,
    launchpad: &'a LaunchpadId,
    last: Option<Instant>,
}

impl<'a> Drainer<'a> {
    /// In the launch directories below `base`.
    pub fn new(base: &'a Path, launchpad: &'a LaunchpadId) -> Self {
        Drainer { base, launchpad, last: None }
    }

    /// Looks, if that is due.
    pub fn look(&mut self, store: &dyn Store) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let mut launchers = launchers(self.base);
        launchers.sort_unstable_by(|a, b| b.file_name().cmp(&a.file_name()));
        launchers.truncate(MOST);
        let files = launchers.iter().map(|launcher| launcher.join(FILE_NAME)).filter(|file| file.exists());
        drain_all(store, self.launchpad, files);
    }
}

/// `launcher_*` and `block_*/launcher_*`.
fn launchers(base: &Path) -> Vec<PathBuf> {
    let inside = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let named = |path: &PathBuf, prefix: &str| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
    };
    let (blocks, others): (Vec<_>, Vec<_>) = inside(base).partition(|path| named(path, "block_"));
    let below = blocks.iter().flat_map(|block| inside(block));
    others.into_iter().chain(below).filter(|path| named(path, "launcher_")).collect()
}

/// The results that wait in a folder.
pub fn results_in(folder: &Path) -> Vec<PathBuf> {
    spool::waiting_in(folder)
}

/// The results that wait in a folder and all below it; links are not followed.
pub fn results_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        found.extend(spool::waiting_in(&folder));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        open.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launch_directories_are_found_where_fireworks_makes_them() {
        let base = tempfile::tempdir().expect("a folder");
        for folder in ["launcher_1", "block_1/launcher_2", "block_1/other", "deep/launcher_3"] {
            fs::create_dir_all(base.path().join(folder)).expect("makes it");
            fs::write(base.path().join(folder).join(FILE_NAME), "{}").expect("writes");
        }
        assert_eq!(launchers(base.path()).len(), 2);
        assert_eq!(results_below(base.path()).len(), 4);
        assert!(launchers(Path::new("/no/such/folder")).is_empty());
    }

    #[test]
    fn a_lease_of_the_dead_is_known_on_their_host() {
        let here = gethostname::gethostname().to_string_lossy().into_owned();
        let now = Timestamp::now();
        let until = now + jiff::SignedDuration::from_secs(60);
        let alive = Lease { host: here, boot_id: process::boot(), pid: std::process::id(), until, ..Lease::default() };
        assert!(may_live(&alive, now));
        assert!(!may_live(&Lease { until: now, ..alive.clone() }, now));
        let dead = Lease { born: Some(1), ..alive };
        assert!(!may_live(&dead, now));
        assert!(may_live(&Lease { host: "elsewhere".into(), ..dead.clone() }, now));
        assert!(may_live(&Lease { boot_id: "of a container".into(), ..dead }, now));
    }
}
