//! The verbs on what is there (rerun, defuse, pause, ...), one firework or workflow after another.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::store::{FireworkQuery, Result, Steered, Store, StoreError, Verb};
use crate::workflow::FwId;

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

/// Steers one after another; one that refuses does not stop the others, a store that does not
/// answer does. Fireworks that share a launch are run again together.
pub fn steer(store: &dyn Store, verb: Verb, fw_ids: &[FwId], now: Timestamp) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut seen: BTreeSet<FwId> = BTreeSet::new();
    for &asked in fw_ids {
        // Looked for before their launches are put away.
        let duplicates = match duplicates(store, verb, asked) {
            Ok(duplicates) => duplicates,
            Err(error) => {
                turns.push(Turn { fw_id: asked, is_duplicate: false, result: Err(error) });
                break;
            }
        };
        for fw_id in [asked].into_iter().chain(duplicates) {
            if !seen.insert(fw_id) {
                continue;
            }
            let result = store.steer(verb, fw_id, now);
            let is_away = matches!(result, Err(StoreError::Unreachable { .. }));
            turns.push(Turn { fw_id, is_duplicate: fw_id != asked, result });
            if is_away {
                return turns;
            }
        }
    }
    turns
}

/// Fireworks that share a launch with one that is run again.
fn duplicates(store: &dyn Store, verb: Verb, fw_id: FwId) -> Result<Vec<FwId>> {
    if !matches!(verb, Verb::Rerun | Verb::RerunWithDetails | Verb::Recover(_) | Verb::Defuse) {
        return Ok(Vec::new());
    }
    let one = FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() };
    let Some(firework) = store.find_fireworks(&one)?.pop().filter(|firework| firework.looks_for_duplicates()) else {
        return Ok(Vec::new());
    };
    let sharing = FireworkQuery { launches: Some(firework.launches), ..FireworkQuery::default() };
    let sharing = store.find_fireworks(&sharing)?.into_iter().map(|firework| firework.fw_id);
    Ok(sharing.filter(|&other| other != fw_id).collect())
}
