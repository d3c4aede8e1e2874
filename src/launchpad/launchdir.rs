//! `get_launchdir`: where a firework ran.

use super::LaunchpadError;
use crate::store::{FireworkQuery, Store};
use crate::workflow::FwId;

/// The directory of a launch of a firework; index -1 is the last. None when it never ran.
pub fn launchdir(store: &dyn Store, fw_id: FwId, index: i64) -> Result<Option<String>, LaunchpadError> {
    let query = FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() };
    let found = store.find_fireworks(&query)?;
    let firework = found.first().ok_or_else(|| LaunchpadError::UnknownFireworks(vec![fw_id]))?;
    let count = firework.launches.len();
    if count == 0 {
        return Ok(None);
    }
    let from_start = if index < 0 { index + i64::try_from(count).unwrap_or(i64::MAX) } else { index };
    let launch = usize::try_from(from_start).ok().and_then(|index| firework.launches.get(index));
    let launch = *launch.ok_or(LaunchpadError::NoSuchLaunch { fw_id, count, index })?;
    Ok(store.find_launches(&[launch])?.first().map(|launch| launch.launch_dir.clone()))
}
