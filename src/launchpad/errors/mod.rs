//! `errors`: FIZZLED fireworks, grouped by what made them fail.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::{LaunchpadError, Selection};
use crate::store::failures::Failure;
use crate::store::{Direction, Fields, FireworkQuery, SortKey, Store};
use crate::workflow::{Firework, FwId, LaunchId, State, time};

mod cause;

pub use cause::Cause;

/// Fireworks that failed for the same reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Which, from 1; the largest comes first.
    pub number: usize,
    /// The reason.
    pub cause: Cause,
    /// The fireworks, by id.
    pub fw_ids: Vec<FwId>,
    /// The hosts they ran on, with how many failed there.
    pub hosts: BTreeMap<String, usize>,
    /// When the last of them failed.
    pub newest: Option<Timestamp>,
    /// The launch of that one.
    pub example: LaunchId,
}

/// The groups of all fireworks of a selection that are FIZZLED, the largest first; of two that are as
/// large, the one with the lower id. What is kept of each firework is its id.
pub fn groups(store: &dyn Store, selection: &Selection) -> Result<Vec<Group>, LaunchpadError> {
    if !selection.states.is_empty() && !selection.states.contains(&State::Fizzled) {
        return Ok(Vec::new());
    }
    let selection = Selection { states: vec![State::Fizzled], ..selection.clone() };
    grouped(store, &selection.fireworks(store, None)?)
}

/// The groups of those that failed last, `most` of them at most.
pub fn newest(store: &dyn Store, since: Option<Timestamp>, most: usize) -> Result<Vec<Group>, LaunchpadError> {
    let query = FireworkQuery {
        states: vec![State::Fizzled],
        since,
        sort: Some((SortKey::UpdatedOn, Direction::Descending)),
        limit: most,
        ..FireworkQuery::default()
    };
    let mut groups = grouped(store, &query)?;
    groups.sort_by_key(|group| std::cmp::Reverse(group.newest));
    Ok(groups)
}

/// What is known of a group while it grows.
struct Growing {
    fw_ids: Vec<FwId>,
    hosts: BTreeMap<String, usize>,
    newest: Option<Timestamp>,
    example: LaunchId,
}

fn grouped(store: &dyn Store, query: &FireworkQuery) -> Result<Vec<Group>, LaunchpadError> {
    let mut groups: HashMap<Cause, Growing> = HashMap::new();
    let mut trouble = None;
    store.each_firework(query, Fields::Head, &mut |some| match add(store, &some, &mut groups) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            trouble = Some(error);
            ControlFlow::Break(())
        }
    })?;
    if let Some(error) = trouble {
        return Err(error);
    }
    let mut groups: Vec<Group> = groups.into_iter().map(|(cause, growing)| group(cause, growing)).collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.fw_ids.len()), group.fw_ids.first().copied()));
    for (number, group) in (1..).zip(&mut groups) {
        group.number = number;
    }
    Ok(groups)
}

fn group(cause: Cause, growing: Growing) -> Group {
    let Growing { mut fw_ids, hosts, newest, example } = growing;
    fw_ids.sort_unstable();
    Group { number: 0, cause, fw_ids, hosts, newest, example }
}

fn add(store: &dyn Store, fireworks: &[Firework], groups: &mut HashMap<Cause, Growing>) -> Result<(), LaunchpadError> {
    let last: Vec<LaunchId> = fireworks.iter().filter_map(|firework| firework.launches.last().copied()).collect();
    let failures = if last.is_empty() { Vec::new() } else { store.failures(&last)? };
    let failures: HashMap<LaunchId, Failure> = failures.into_iter().map(|one| (one.launch_id, one)).collect();
    for firework in fireworks {
        let launch_id = firework.launches.last().copied().unwrap_or_default();
        let failure = failures.get(&launch_id);
        let at = time::from_bson(&firework.updated_on);
        let group = groups.entry(Cause::of(failure)).or_insert_with(|| Growing {
            fw_ids: Vec::new(),
            hosts: BTreeMap::new(),
            newest: at,
            example: launch_id,
        });
        group.fw_ids.push(firework.fw_id);
        if let Some(failure) = failure.filter(|failure| !failure.host.is_empty()) {
            *group.hosts.entry(failure.host.clone()).or_default() += 1;
        }
        if at > group.newest {
            (group.newest, group.example) = (at, launch_id);
        }
    }
    Ok(())
}
