//! Queue jobs: those that were submitted for one firework alone, and those that somebody names.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::LaunchpadError;
use crate::queue::JobId;
use crate::store::{FireworkQuery, Result, Store};
use crate::workflow::queue_job::is_named;
use crate::workflow::{FwId, Launch, LaunchId, QueueJob, State};

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

/// Queue jobs that somebody names; the name of an array is that of all its elements.
#[derive(Debug, Default)]
pub struct Sought {
    /// Their names.
    pub names: Vec<String>,
    /// The fireworks that wait for them, or run in them.
    pub fw_ids: Vec<FwId>,
    /// The states that these are in.
    pub seen: HashMap<FwId, State>,
    /// Those of the jobs that launchers have submitted, and no firework waits for or runs in.
    pub idle: Vec<JobId>,
    /// Those of the names that nothing is known by.
    pub unknown: Vec<String>,
}

impl Sought {
    /// Looks for them in launches, and in the ledgers of launchers.
    pub fn find(store: &dyn Store, names: Vec<String>) -> Result<Self> {
        let mut sought = Sought { names, ..Sought::default() };
        let mut open = store.open_launches()?;
        open.retain(|launch| sought.job_of(launch).is_some());
        let fireworks = FireworkQuery {
            ids: Some(open.iter().map(|launch| launch.fw_id).collect()),
            states: vec![State::Reserved, State::Running],
            ..FireworkQuery::default()
        };
        let fireworks = store.find_fireworks(&fireworks)?;
        // A launch that nothing waits for may go on as it likes.
        let awaited: HashSet<LaunchId> = fireworks.iter().flat_map(|one| &one.launches).copied().collect();
        open.retain(|launch| awaited.contains(&launch.launch_id));
        sought.fw_ids = open.iter().map(|launch| launch.fw_id).collect();
        sought.fw_ids.sort_unstable();
        sought.fw_ids.dedup();
        sought.seen = fireworks.iter().map(|one| (one.fw_id, one.state)).collect();

        let busy: Vec<JobId> = open.iter().filter_map(|launch| sought.job_of(launch)).collect();
        for (key, ledger) in store.ledgers()? {
            let jobs = ledger
                .jobs
                .into_iter()
                .filter_map(|entry| entry.job)
                .filter(|job| sought.names.iter().any(|name| is_named(&job.id, name)));
            for job in jobs {
                let job = JobId { id: job.id, cluster: job.cluster.or_else(|| Some(key.cluster.clone())) };
                if !busy.iter().chain(&sought.idle).any(|known| is_same_job(known, &job)) {
                    sought.idle.push(job);
                }
            }
        }
        let is_known = |name: &&String| busy.iter().chain(&sought.idle).any(|job| is_named(&job.id, name));
        sought.unknown = sought.names.iter().filter(|name| !is_known(name)).cloned().collect();
        Ok(sought)
    }

    /// The name in its queue of the job of a launch, if it is one of these.
    pub fn job_of(&self, launch: &Launch) -> Option<JobId> {
        let is_named = |job: &QueueJob| self.names.iter().any(|name| is_named(&job.id, name));
        launch.queue_jobs().find(is_named).map(|job| JobId { id: job.id, cluster: job.cluster })
    }
}

/// Whether two names may be those of one job: a cluster that is the only one is not always named.
fn is_same_job(one: &JobId, other: &JobId) -> bool {
    one.id == other.id && (one.cluster == other.cluster || one.cluster.is_none() || other.cluster.is_none())
}
