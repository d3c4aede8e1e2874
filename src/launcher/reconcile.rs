//! Puts the ledger right by what the queue says.
//!
//! What a launcher was about to do when it died is found out from three witnesses: the queue, which
//! shows the token with the job; the folder, where a job that has begun leaves its number; and the lock
//! of whoever hands it over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::SignedDuration;

use super::LauncherError;
use super::book::{Book, free};
use super::intent::{self, element_of};
use super::reserve::give_back;
use crate::queue::{Fate, JobId, KnownJob, Queue, QueuedJob};
use crate::store::ledger::{Change, Entry, Holder, JobName, Ledger};
use crate::workflow::{Cause, Launch, LaunchId, Loss, State};

/// A controller that is well may take so long to show a job after `sbatch` is gone.
const SETTLE: SignedDuration = SignedDuration::from_secs(15);

impl Book<'_> {
    /// Lists the queue, and gives back the places of jobs that are gone. Returns the ledger that
    /// follows, and how many places were given back. What was read before tells of jobs that are.
    pub fn reconcile(&self, ledger: Ledger) -> Result<(Ledger, usize), LauncherError> {
        // Before the queue is asked: who was alive until then may have handed over a job after it.
        let abandoned: Vec<&Entry> = ledger.jobs.iter().filter(|entry| self.is_abandoned(entry)).collect();
        let jobs = self.queue.refresh().map_err(LauncherError::queue)?;
        let Matched { adopted, missing, strangers } = matched(&ledger, &jobs);
        let (known, unknown): (Vec<&Entry>, Vec<&Entry>) = missing.into_iter().partition(|entry| entry.job.is_some());
        let open: Vec<&Entry> = unknown.into_iter().filter(|entry| abandoned.contains(entry)).collect();

        let mut changes = self.gone(&known)?;
        let reserved = if adopted.is_empty() && open.is_empty() { Vec::new() } else { self.store.open_launches()? };
        let launch_of = |entry: &Entry| reserved.iter().find(|launch| launch.token() == Some(&entry.token));
        for (entry, job) in adopted {
            changes.push(self.adopt(entry, &job.id, launch_of(entry))?);
        }
        for entry in open {
            let launch = launch_of(entry);
            match begun(entry, launch) {
                Some(job) => changes.push(self.adopt(entry, &job, launch)?),
                None => changes.extend(self.write_off(entry, launch)?),
            }
        }
        changes.extend(strangers.into_iter().map(|job| self.found(job)));
        if changes.is_empty() {
            return Ok((ledger, 0));
        }
        let freed = changes.iter().filter(|change| matches!(change, Change::Free { .. })).count();
        self.settle(&changes)?;
        Ok((self.read()?, freed))
    }

    /// A job is the one that a place was taken for.
    fn adopt(&self, entry: &Entry, job: &JobId, launch: Option<&Launch>) -> Result<Change, LauncherError> {
        tracing::info!("job {job} is the one that was being submitted from {}", entry.token);
        let job = self.name(job);
        if let Some(launch) = launch.filter(|launch| launch.reservation().is_none()) {
            self.store.note_job(launch.launch_id, &job.id, job.cluster.as_deref())?;
        }
        Ok(Change::Job { token: entry.token.clone(), element: entry.element, job })
    }

    /// There is no job for a place, and nobody submits one any more. It may still come for a while: it
    /// was handed over at the last moment, or to a controller that was away.
    fn write_off(&self, entry: &Entry, launch: Option<&Launch>) -> Result<Option<Change>, LauncherError> {
        let now = self.now();
        match entry.missed {
            None => {
                let (token, element) = (entry.token.clone(), entry.element);
                return Ok(Some(Change::Missed { token, element, at: now }));
            }
            Some(at) if now.duration_since(at) <= SETTLE => return Ok(None),
            Some(_) => {}
        }
        if launch.is_some() || intent::was_begun(&entry.token) {
            tracing::warn!("the job that was being submitted from {} never came to be", entry.token);
        }
        if let Some(launch) = launch
            && !give_back(self.store, launch.fw_id, launch.launch_id)
        {
            return Ok(None);
        }
        if self.store.cancel_begun(&entry.token, now)? {
            tracing::info!("what was being reserved for it is READY again");
            let unlisted: Vec<LaunchId> = launch.iter().map(|launch| launch.launch_id).collect();
            self.store.retire(&unlisted, &Loss::new(Cause::Unexplained, "never got a job"), now)?;
        }
        intent::forget(&entry.token);
        Ok(Some(free(entry)))
    }

    /// A job of ours that nobody has taken a place for.
    fn found(&self, job: &QueuedJob) -> Change {
        Change::Found(Entry {
            // Of jobs of earlier versions several may have been submitted from one folder.
            token: job.token.clone().unwrap_or_else(|| format!("job {}", job.id.id)),
            element: element_of(&job.id.id),
            holder: Holder::default(),
            taken: self.now(),
            group: None,
            job: Some(self.name(&job.id)),
            word: None,
            missed: None,
        })
    }

    /// The places whose jobs the queue is sure to be over: one listing that lacks them may be cut
    /// short.
    fn gone(&self, missing: &[&Entry]) -> Result<Vec<Change>, LauncherError> {
        let mut clusters: BTreeMap<Option<&str>, Vec<(&Entry, JobId)>> = BTreeMap::new();
        for entry in missing {
            let Some(JobName { id, cluster }) = &entry.job else { continue };
            let job = JobId { id: id.clone(), cluster: cluster.clone() };
            clusters.entry(cluster.as_deref()).or_default().push((*entry, job));
        }
        let mut freed = Vec::new();
        // One that answers says nothing of the jobs in another.
        for jobs in clusters.into_values() {
            freed.extend(self.gone_from(&jobs)?);
        }
        Ok(freed)
    }

    /// The same of jobs in one cluster.
    fn gone_from(&self, missing: &[(&Entry, JobId)]) -> Result<Vec<Change>, LauncherError> {
        let (cluster, jobs) = (&missing[0].1.cluster, missing.iter().map(|(_, job)| job.clone()).collect::<Vec<_>>());
        let fates = match self.queue.fates(&jobs) {
            Ok(fates) => fates,
            Err(error) if cluster.is_some() => {
                let count = jobs.len();
                tracing::warn!("{count} jobs keep their places: {error}");
                return Ok(Vec::new());
            }
            Err(error) => return Err(LauncherError::queue(error)),
        };
        // The jobs of this machine are files, and all of them are seen.
        let is_whole = self.queue.realm().is_some();
        // Nobody hides our own jobs from us: what neither answer shows is not there.
        let is_absent = |known: &KnownJob| known.fate == Fate::Unknown && known.dir.is_none();
        let is_gone = |known: &KnownJob| matches!(known.fate, Fate::Over(_) | Fate::Gone) || is_absent(known);
        let told = || missing.iter().map(|(entry, _)| *entry).zip(&fates);
        let absent: Vec<&Entry> = told().filter(|(_, known)| is_absent(known)).map(|(entry, _)| entry).collect();
        let kept = self.cancel_reservations(&absent)?;
        let gone = told().filter(|(entry, known)| (is_whole || is_gone(known)) && !kept.contains(&entry.token));
        Ok(gone.map(|(entry, _)| free(entry)).collect())
    }

    /// What was reserved for jobs that are gone is READY again: who does not know that they are ours
    /// cannot be as sure. Returns the tokens of those that the launchpad does not tell of.
    fn cancel_reservations(&self, gone: &[&Entry]) -> Result<BTreeSet<String>, LauncherError> {
        let launches = if gone.is_empty() { Vec::new() } else { self.store.open_launches()? };
        // What runs offline may be over by now, and nobody has told the launchpad.
        let offline = if launches.is_empty() { Vec::new() } else { self.store.offline_runs()? };
        let tokens: BTreeSet<&str> = gone.iter().map(|entry| entry.token.as_str()).collect();
        let is_its = |launch: &&Launch| {
            launch.state == State::Reserved
                && launch.token().is_some_and(|token| tokens.contains(token))
                && !offline.iter().any(|run| run.launch_id == launch.launch_id)
        };
        let failed =
            launches.iter().filter(is_its).filter(|launch| !give_back(self.store, launch.fw_id, launch.launch_id));
        Ok(failed.filter_map(Launch::token).map(str::to_owned).collect())
    }
}

/// The job of a place, as it has said in its folder when it began.
fn begun(entry: &Entry, launch: Option<&Launch>) -> Option<JobId> {
    let own = launch.map(|launch| Path::new(&launch.launch_dir));
    let mut folders = [Some(intent::folder(&entry.token)), own].into_iter().flatten();
    folders.find_map(|dir| intent::started(dir, &entry.token, entry.element)).map(JobId::new)
}

/// What a listing says of the places of a ledger.
struct Matched<'a> {
    /// Places whose job was not known.
    adopted: Vec<(&'a Entry, &'a QueuedJob)>,
    /// Places whose job is not listed.
    missing: Vec<&'a Entry>,
    /// Jobs without a place.
    strangers: Vec<&'a QueuedJob>,
}

fn matched<'a>(ledger: &'a Ledger, jobs: &'a [QueuedJob]) -> Matched<'a> {
    let mut matched = Matched { adopted: Vec::new(), missing: Vec::new(), strangers: Vec::new() };
    let mut placed = BTreeSet::new();
    for entry in &ledger.jobs {
        let found = jobs.iter().find(|job| match &entry.job {
            Some(known) => known.id == job.id.id,
            None => job.token.as_deref() == Some(&entry.token) && element_of(&job.id.id) == entry.element,
        });
        match found {
            Some(job) => {
                placed.insert(&job.id);
                if entry.job.is_none() {
                    matched.adopted.push((entry, job));
                }
            }
            None => matched.missing.push(entry),
        }
    }
    matched.strangers = jobs.iter().filter(|job| !placed.contains(&job.id)).collect();
    matched
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::queue::{Details, JobState};

    fn entry(token: &str, element: Option<u32>, job: Option<&str>) -> Entry {
        let job = job.map(|id| JobName { id: id.into(), cluster: None });
        let (holder, taken) = (Holder::default(), Timestamp::UNIX_EPOCH);
        Entry { token: token.into(), element, holder, taken, group: None, job, word: None, missed: None }
    }

    fn listed(id: &str, token: Option<&str>) -> QueuedJob {
        let token = token.map(str::to_owned);
        let (id, details) = (JobId::new(id), Details::default());
        QueuedJob { id, state: JobState::Waiting, running_for: None, token, dir: None, details }
    }

    #[test]
    fn a_listing_is_matched_by_number_and_by_token() {
        let jobs = vec![entry("/a", None, Some("1")), entry("/b", None, None), entry("/c", Some(1), None)];
        let gone = vec![entry("/d", None, Some("4")), entry("/e", None, None), entry("/c", Some(2), None)];
        let ledger = Ledger { jobs: [jobs, gone].concat(), ..Ledger::default() };
        let listing = [listed("1", None), listed("2", Some("/b")), listed("3_1", Some("/c")), listed("5", Some("/x"))];
        let Matched { adopted, missing, strangers } = matched(&ledger, &listing);
        let adopted: Vec<_> = adopted.iter().map(|(entry, job)| (entry.token.as_str(), job.id.id.as_str())).collect();
        assert_eq!(adopted, [("/b", "2"), ("/c", "3_1")]);
        assert_eq!(missing.iter().map(|entry| entry.token.as_str()).collect::<Vec<_>>(), ["/d", "/e", "/c"]);
        assert_eq!(strangers.iter().map(|job| job.id.id.as_str()).collect::<Vec<_>>(), ["5"]);
    }
}
