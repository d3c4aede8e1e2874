//! Queue jobs: those that were submitted for one firework alone, and those that somebody names.

use std::path::Path;

use super::LaunchpadError;
use crate::queue::JobId;
use crate::store::{FireworkQuery, Result, Store};
use crate::workflow::queue_job::is_named;
use crate::workflow::{FwId, Launch, LaunchId, State};

/// For each firework the id of the queue job of its newest launch, if that has one.
pub fn queue_ids(store: &dyn Store, fw_ids: &[FwId]) -> Result<Vec<Option<String>>, LaunchpadError> {
    let these = FireworkQuery { ids: Some(fw_ids.to_vec()), ..FireworkQuery::default() };
    let found = store.find_fireworks(&these)?;
    let mut newest = Vec::with_capacity(fw_ids.len());
    for fw_id in fw_ids {
        let Some(firework) = found.iter().find(|firework| firework.fw_id == *fw_id) else {
            return Err(LaunchpadError::UnknownFireworks(vec![*fw_id]));
        };
        newest.push(firework.launches.last().copied());
    }
    let ids: Vec<LaunchId> = newest.iter().flatten().copied().collect();
    let launches = store.find_launches(&ids)?;
    let job = |id: LaunchId| launches.iter().find(|launch| launch.launch_id == id)?.queue_job().map(|job| job.id);
    Ok(newest.into_iter().map(|id| id.and_then(job)).collect())
}

/// The name in its queue of the job that was submitted for a launch, and for nothing else.
pub fn job_of(launch: &Launch) -> Option<JobId> {
    let cluster = launch.reservation_cluster().map(str::to_owned);
    launch.reservation().map(|id| JobId { id: id.to_owned(), cluster })
}

/// Whether two names are those of one folder, as far as they can be followed from here: a queue says
/// where a job was submitted from without the links on the way.
pub fn is_same_folder(one: &Path, other: &Path) -> bool {
    let real = |dir: &Path| dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    one == other || real(one) == real(other)
}

/// A queue job that somebody names, or the elements of an array.
#[derive(Debug)]
pub struct Sought {
    /// Its name.
    pub name: String,
    /// The fireworks that wait for it, or run in it.
    pub fw_ids: Vec<FwId>,
    /// Those of its jobs that launchers have submitted, and no firework waits for or runs in.
    pub idle: Vec<JobId>,
}

impl Sought {
    /// Looks for it in launches, and in the ledgers of launchers.
    pub fn find(store: &dyn Store, name: &str) -> Result<Self> {
        let mut open = store.open_launches()?;
        open.retain(|launch| launch.job_named(name).is_some());
        let fireworks = FireworkQuery {
            ids: Some(open.iter().map(|launch| launch.fw_id).collect()),
            states: vec![State::Reserved, State::Running],
            ..FireworkQuery::default()
        };
        let fireworks = store.find_fireworks(&fireworks)?;
        // A launch that nothing waits for may go on as it likes.
        let is_awaited = |launch: &Launch| fireworks.iter().any(|one| one.launches.contains(&launch.launch_id));
        open.retain(is_awaited);
        let mut sought = Sought { name: name.to_owned(), fw_ids: Vec::new(), idle: Vec::new() };
        sought.fw_ids = open.iter().map(|launch| launch.fw_id).collect();
        sought.fw_ids.sort_unstable();
        sought.fw_ids.dedup();

        let busy: Vec<JobId> = open.iter().filter_map(|launch| sought.job_of(launch)).collect();
        for (key, ledger) in store.ledgers()? {
            let jobs = ledger.jobs.into_iter().filter_map(|entry| entry.job).filter(|job| is_named(&job.id, name));
            for job in jobs {
                let job = JobId { id: job.id, cluster: job.cluster.or_else(|| Some(key.cluster.clone())) };
                if !busy.iter().chain(&sought.idle).any(|known| is_same_job(known, &job)) {
                    sought.idle.push(job);
                }
            }
        }
        Ok(sought)
    }

    /// The name in its queue of the job of a launch, if it is this one.
    pub fn job_of(&self, launch: &Launch) -> Option<JobId> {
        launch.job_named(&self.name).map(|job| JobId { id: job.id, cluster: job.cluster })
    }
}

/// Whether two names may be those of one job: a cluster that is the only one is not always named.
fn is_same_job(one: &JobId, other: &JobId) -> bool {
    one.id == other.id && (one.cluster == other.cluster || one.cluster.is_none() || other.cluster.is_none())
}
