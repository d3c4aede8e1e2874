//! `delete`: whole workflows go, with their fireworks and launches, and their launch directories where
//! that is wanted.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::LaunchpadError;
use super::selection::Chosen;
use crate::store::{Fields, FireworkQuery, Store};
use crate::workflow::decide::Refusal;
use crate::workflow::{FwId, LaunchId, State};

/// As many workflows are deleted at once: one that ends meanwhile leaves whole ones.
const SOME: usize = 500;

/// What has been deleted.
#[derive(Debug, Default)]
pub struct Deletion {
    /// The fireworks that are gone.
    pub gone: BTreeSet<FwId>,
    /// Why some are left alone.
    pub refused: Vec<Refusal>,
    /// Why not all are.
    pub failed: Option<LaunchpadError>,
}

/// Deletes workflows, those with a state that was `seen` as long as they are in it. `done` hears how many
/// workflows have gone.
pub fn delete(
    store: &dyn Store,
    workflows: &[Chosen],
    seen: impl Fn(&Chosen) -> Option<State>,
    mut done: impl FnMut(usize),
) -> Deletion {
    let mut deletion = Deletion::default();
    for some in workflows.chunks(SOME) {
        // One firework names its workflow.
        let doomed: Vec<_> = some.iter().map(|workflow| (workflow.id, seen(workflow))).collect();
        match store.delete_as_seen(&doomed) {
            Ok(deleted) => {
                deletion.gone.extend(deleted.gone);
                deletion.refused.extend(deleted.refused);
            }
            Err(error) => {
                // Some may have gone before that.
                let members: Vec<FwId> = some.iter().flat_map(|workflow| &workflow.members).copied().collect();
                let query = FireworkQuery { ids: Some(members.clone()), ..FireworkQuery::default() };
                if let Ok(left) = store.firework_ids(&query) {
                    let left: BTreeSet<FwId> = left.into_iter().collect();
                    deletion.gone.extend(members.into_iter().filter(|fw_id| !left.contains(fw_id)));
                }
                deletion.failed = Some(error.into());
                break;
            }
        }
        done(some.len());
    }
    deletion
}

/// The directories that launches of these fireworks ran in, and no others: what is asked before they go.
pub fn directories(store: &dyn Store, fw_ids: Vec<FwId>) -> Result<Vec<PathBuf>, LaunchpadError> {
    let query = FireworkQuery { ids: Some(fw_ids), ..FireworkQuery::default() };
    let mut launches: Vec<LaunchId> = Vec::new();
    store.each_firework(&query, Fields::Head, &mut |some| {
        let listed = some.iter().flat_map(|firework| firework.launches.iter().chain(&firework.archived_launches));
        launches.extend(listed);
        ControlFlow::Continue(())
    })?;
    let mut directories = BTreeSet::new();
    for some in launches.chunks(SOME) {
        let found = store.find_launches(some)?.into_iter().map(|launch| PathBuf::from(launch.launch_dir));
        directories.extend(found);
    }
    Ok(directories.into_iter().collect())
}
