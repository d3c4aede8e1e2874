//! Hands over a job that has its place: script, lock, `sbatch`, and what is then known of the place.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::book::{Book, free};
use super::intent::{self, Intent};
use super::reserve::{OFFLINE_FILE, give_back};
use super::{Boarding, Launcher, LauncherError, Script};
use crate::queue::{Job, JobId, Kind, Queue};
use crate::store::ledger::{Change, Entry};
use crate::workflow::FwId;

/// So many outcomes are told to the ledger at once.
const AT_ONCE: usize = 16;

/// What has become of places, and is not in the ledger yet.
#[derive(Default)]
pub struct Settling {
    changes: Vec<Change>,
    intents: Vec<Intent>,
}

/// Why there is no job.
struct Refused {
    error: LauncherError,
    /// There may be one after all.
    unknown: bool,
}

impl From<LauncherError> for Refused {
    fn from(error: LauncherError) -> Self {
        Refused { error, unknown: false }
    }
}

impl Settling {
    /// What becomes of a place.
    pub fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Tells the ledger when there is enough to tell.
    pub fn tell_many(&mut self, book: &Book<'_>) -> Result<(), LauncherError> {
        if self.changes.len() < AT_ONCE { Ok(()) } else { self.tell(book) }
    }

    /// Tells the ledger. When that fails, the next launcher finds out by itself.
    pub fn tell(&mut self, book: &Book<'_>) -> Result<(), LauncherError> {
        let (changes, intents) = (std::mem::take(&mut self.changes), std::mem::take(&mut self.intents));
        book.settle(&changes)?;
        intents.into_iter().for_each(Intent::settle);
        Ok(())
    }
}

impl Launcher<'_> {
    /// Hands over the job of a place, from `dir`; where jobs are for fireworks that are reserved, from
    /// the directory that the firework names, seen from `base`. `None` when there is nothing for it.
    pub(super) fn hand_over(
        &self,
        place: &Entry,
        base: &Path,
        dir: &Path,
        fw_id: Option<FwId>,
        settling: &mut Settling,
    ) -> Result<Option<JobId>, LauncherError> {
        let Some(reserve) = self.reserve else {
            return self.hand_over_array(std::slice::from_ref(place), dir, settling).map(Some);
        };
        // Where the launchpad does not tell whether it was reserved, the place stays, and tells.
        let Some(claim) = reserve.take(place, base, dir, fw_id)? else {
            settling.push(free(place));
            return Ok(None);
        };
        let launch_id = claim.launch.launch_id;
        let prepared = self.prepare(reserve, &claim).map_err(Refused::from);
        let submitted = prepared.and_then(|(script, dir)| self.submit(&script, dir, &place.token, None));
        match submitted {
            Ok((id, intent)) => {
                let job = self.book.name(&id);
                match self.book.store.note_job(launch_id, &job.id, job.cluster.as_deref()) {
                    Ok(true) => {}
                    Ok(false) => tracing::warn!("launch {launch_id} is gone, and job {id} will find nothing to run"),
                    // The job runs all the same.
                    Err(error) => tracing::warn!("cannot note job {id} in launch {launch_id}: {error}"),
                }
                settling.intents.push(intent);
                settling.push(Change::Job { token: place.token.clone(), element: None, job });
                Ok(Some(id))
            }
            Err(Refused { error, unknown }) => {
                if unknown {
                    return Err(error);
                }
                // Where that fails the place stays, and leads the next launcher to the firework.
                if give_back(self.book.store, claim.firework.fw_id, launch_id) {
                    intent::forget(&place.token);
                    settling.push(free(place));
                }
                Err(reserve.blame(&claim.firework, error))
            }
        }
    }

    /// Hands over one job for several places, the elements of an array, from `dir`; or a single one.
    pub(super) fn hand_over_array(
        &self,
        places: &[Entry],
        dir: &Path,
        settling: &mut Settling,
    ) -> Result<JobId, LauncherError> {
        let Some(first) = places.first() else { unreachable!("nobody hands over nothing") };
        let elements = first.element.map(|_| u32::try_from(places.len()).unwrap_or(u32::MAX));
        match self.submit(self.script, dir.to_owned(), &first.token, elements) {
            Ok((id, intent)) => {
                settling.intents.push(intent);
                for place in places {
                    let (token, element) = (place.token.clone(), place.element);
                    let mut job = self.book.name(&id);
                    job.id = element.map_or(job.id.clone(), |element| format!("{}_{element}", job.id));
                    settling.push(Change::Job { token, element, job });
                }
                Ok(id)
            }
            Err(Refused { error, unknown }) => {
                if !unknown {
                    intent::forget(&first.token);
                    places.iter().for_each(|place| settling.push(free(place)));
                }
                Err(error)
            }
        }
    }

    /// A queue that is full will be asked again, from a folder of its own.
    pub(super) fn clear(&self, error: &LauncherError, dir: &Path) {
        if error.kind() == Some(Kind::Full) {
            for file in [self.script.name(), "FW.json", OFFLINE_FILE] {
                drop(std::fs::remove_file(dir.join(file)));
            }
            drop(std::fs::remove_dir(dir));
        }
    }

    /// Writes the script into `dir` and submits it.
    fn submit(
        &self,
        script: &Script,
        dir: PathBuf,
        token: &str,
        elements: Option<u32>,
    ) -> Result<(JobId, Intent), Refused> {
        let intent = Intent::begin(token).map_err(|(path, source)| LauncherError::Io { path, source })?;
        // Where several jobs start in one folder, a script is read before the next one is there. A file
        // system without locks has to do without.
        let shared = if Path::new(token) == dir { None } else { File::open(&dir).ok() };
        drop(shared.as_ref().map(File::lock));
        let ledger = self.book.key.id();
        script.write(&dir, &Boarding { token: token.to_owned(), ledger, elements: elements.is_some() })?;
        let job = Job {
            dir,
            script: script.name().to_owned(),
            token: token.to_owned(),
            elements,
            held_open: Some(intent.file()),
        };
        let refused = |source, unknown| Refused { error: LauncherError::Queue { submitted: 0, source }, unknown };
        if !self.checked.get() {
            self.book.queue.check(&job).map_err(|error| refused(error, false))?;
            self.checked.set(true);
        }
        let id = self.book.queue.submit(&job).map_err(|error| {
            let unknown = error.may_have_submitted();
            refused(error, unknown)
        })?;
        drop(shared);
        tracing::info!("submitted job {id} from {}", job.dir.display());
        Ok((id, intent))
    }
}
