//! Queue jobs that were submitted for one firework alone.

use std::path::Path;

use super::LaunchpadError;
use crate::queue::JobId;
use crate::store::{FireworkQuery, Result, Store};
use crate::workflow::{FwId, Launch};

/// For each firework the id of the job that was last submitted for it, if one was.
pub fn queue_ids(store: &dyn Store, fw_ids: &[FwId]) -> Result<Vec<Option<String>>, LaunchpadError> {
    let these = FireworkQuery { ids: Some(fw_ids.to_vec()), ..FireworkQuery::default() };
    let found = store.find_fireworks(&these)?;
    let mut jobs = Vec::with_capacity(fw_ids.len());
    for fw_id in fw_ids {
        let Some(firework) = found.iter().find(|firework| firework.fw_id == *fw_id) else {
            return Err(LaunchpadError::UnknownFireworks(vec![*fw_id]));
        };
        let launches = store.find_launches(&firework.launches)?;
        jobs.push(launches.iter().rev().find_map(Launch::reservation).map(str::to_owned));
    }
    Ok(jobs)
}

/// The name in its queue of the job that was submitted for a launch.
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

/// The fireworks that a job was submitted for, and that it has not come to the end of.
pub fn reserved_by(store: &dyn Store, job: &str) -> Result<Vec<FwId>> {
    let open = store.open_launches()?;
    let ids = Some(open.iter().filter(|launch| launch.reservation() == Some(job)).map(|launch| launch.fw_id).collect());
    let listing = FireworkQuery { ids, ..FireworkQuery::default() };
    let is_its = |launch: &Launch| launch.reservation() == Some(job);
    let fireworks = store.find_fireworks(&listing)?.into_iter();
    let counts = |listed: &[i64]| open.iter().any(|launch| is_its(launch) && listed.contains(&launch.launch_id));
    Ok(fireworks.filter(|firework| counts(&firework.launches)).map(|firework| firework.fw_id).collect())
}
