//! The verbs on what is there (rerun, defuse, pause, ...), one firework or workflow after another.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use bson::doc;
use jiff::Timestamp;

use crate::store::{Fields, FireworkQuery, Result, Steered, Step, Store, StoreError, Verb};
use crate::workflow::{FwId, LaunchId, State};

/// What became of a firework, or the workflow it names, that a verb was about.
#[derive(Debug)]
pub struct Turn {
    /// Which firework.
    pub fw_id: FwId,
    /// It was not asked for, but shares a launch with one that was.
    pub is_duplicate: bool,
    /// What changed, or why nothing did.
    pub result: Result<Steered>,
}

/// As many are handed to the store at once.
const TOGETHER: usize = 200;

/// Steers all of them; one that refuses does not stop the others, a store that does not
/// answer does. Fireworks that share a launch are run again together. `done` hears of each one that
/// was asked for.
pub fn steer(
    store: &dyn Store,
    verb: impl Fn(FwId) -> Verb,
    fw_ids: &[FwId],
    now: Timestamp,
    done: impl FnMut(),
) -> Vec<Turn> {
    steer_as_seen(store, verb, |_| None, fw_ids, now, done)
}

/// The same; those are left alone that are in another state than they were `seen` in, or of which the workflow
/// is, where the verb is one on workflows.
pub fn steer_as_seen(
    store: &dyn Store,
    verb: impl Fn(FwId) -> Verb,
    seen: impl Fn(FwId) -> Option<State>,
    fw_ids: &[FwId],
    now: Timestamp,
    mut done: impl FnMut(),
) -> Vec<Turn> {
    let Some(&first) = fw_ids.first() else { return Vec::new() };
    // Looked for before any launches are put away.
    let mut duplicates = match duplicates(store, verb(first), fw_ids) {
        Ok(duplicates) => duplicates,
        Err(error) => return vec![Turn { fw_id: first, is_duplicate: false, result: Err(error) }],
    };
    let mut turns = Vec::new();
    let mut known: BTreeSet<FwId> = BTreeSet::new();
    for some in fw_ids.chunks(TOGETHER) {
        let mut steps = Vec::new();
        for &asked in some {
            let together = [asked].into_iter().chain(duplicates.remove(&asked).unwrap_or_default());
            steps.extend(together.filter(|&fw_id| known.insert(fw_id)).map(|fw_id| (asked, fw_id)));
        }
        let step = |&(asked, fw_id): &(FwId, FwId)| Step { verb: verb(asked), fw_id, seen: seen(fw_id) };
        let verbs: Vec<Step> = steps.iter().map(step).collect();
        let mut is_away = false;
        for (&(asked, fw_id), result) in steps.iter().zip(store.steer_many(&verbs, now)) {
            // Once is enough to say so.
            let is_missed = matches!(result, Err(StoreError::Unreachable { .. }));
            if !(is_missed && is_away) {
                turns.push(Turn { fw_id, is_duplicate: fw_id != asked, result });
            }
            is_away |= is_missed;
        }
        if is_away {
            return turns;
        }
        some.iter().for_each(|_| done());
    }
    turns
}

/// The fireworks that have changed, or left their workflows.
pub fn changed(turns: &[Turn]) -> BTreeSet<FwId> {
    let done = turns.iter().filter_map(|turn| turn.result.as_ref().ok());
    done.flat_map(|steered| steered.changed.iter().chain(&steered.replaced)).copied().collect()
}

/// For those of these fireworks that look for duplicates, the fireworks that share a launch with them.
pub fn duplicates(store: &dyn Store, verb: Verb, fw_ids: &[FwId]) -> Result<HashMap<FwId, Vec<FwId>>> {
    let mut sharing: HashMap<FwId, Vec<FwId>> = HashMap::new();
    if !matches!(verb, Verb::Rerun | Verb::RerunWithDetails | Verb::Recover(_) | Verb::Defuse) {
        return Ok(sharing);
    }
    let looking = FireworkQuery {
        ids: Some(fw_ids.to_vec()),
        matching: Some(doc! { "spec._dupefinder": { "$exists": true } }),
        ..FireworkQuery::default()
    };
    let mut owners: HashMap<LaunchId, Vec<FwId>> = HashMap::new();
    store.each_firework(&looking, Fields::Head, &mut |some| {
        for firework in some {
            firework.launches.iter().for_each(|&launch| owners.entry(launch).or_default().push(firework.fw_id));
        }
        ControlFlow::Continue(())
    })?;
    if owners.is_empty() {
        return Ok(sharing);
    }
    let shared = FireworkQuery { launches: Some(owners.keys().copied().collect()), ..FireworkQuery::default() };
    store.each_firework(&shared, Fields::Head, &mut |some| {
        for firework in some {
            for owner in firework.launches.iter().filter_map(|launch| owners.get(launch)).flatten() {
                let others = sharing.entry(*owner).or_default();
                if *owner != firework.fw_id && !others.contains(&firework.fw_id) {
                    others.push(firework.fw_id);
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(sharing)
}
