//! Let it run earlier or later.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use bson::Bson;

use super::{Action, Basis, Outcome, Plan, Seen, Target, all_in, preview};
use crate::launchpad::LaunchpadError;
use crate::launchpad::preview::shortened;
use crate::launchpad::words::number;
use crate::store::{Fields, FireworkQuery, Priority, Store};
use crate::verbs::priority::set_priorities;
use crate::verbs::{Here, heal};
use crate::workflow::decide::Refusal;
use crate::workflow::{Firework, FwId, as_int};

/// Where a spec has its priority.
const PRIORITY: &str = "_priority";

/// What would happen; `new` is the priority that comes after another.
pub fn plan(here: Here<'_>, action: Action, target: &Target, new: impl Fn(i64) -> i64) -> Result<Plan, LaunchpadError> {
    let found = all_in(target).find_fireworks(here.store)?;
    let old = priorities(here.store, found.iter().map(|firework| firework.fw_id).collect())?;
    let mut steps: BTreeMap<(i64, i64), Vec<FwId>> = BTreeMap::new();
    let (mut going, mut left) = (Vec::new(), Vec::new());
    for firework in found {
        let priority = old.get(&firework.fw_id).unwrap_or(&Bson::Null);
        match (number_of(priority), action) {
            (None, Action::Raise(_)) => {
                left.push((firework, format!("its priority is {priority}, which is no whole number; set it instead")));
            }
            (Some(now), _) if new(now) == now && *priority != Bson::Null => {
                left.push((firework, format!("its priority is {now} already")));
            }
            (now, _) => {
                let now = now.unwrap_or_default();
                steps.entry((now, new(now))).or_default().push(firework.fw_id);
                going.push(firework);
            }
        }
    }
    let left = preview::left_alone(left.iter().map(|(firework, why)| (firework, why.clone())));
    if going.is_empty() {
        return Err(LaunchpadError::NothingToDo(preview::nothing(&left)));
    }
    let line = |((now, new), ids): ((i64, i64), Vec<FwId>)| {
        format!("priority {now} becomes {new}: {} ({})", number(ids.len(), "firework"), shortened(&ids))
    };
    let lines = [preview::of_fireworks(&going), steps.into_iter().map(line).collect(), left];
    let count = number(going.len(), "firework");
    Ok(Plan {
        action,
        target: target.clone(),
        what: match action {
            Action::Raise(change) if change < 0 => {
                format!("lower the priority of {count} by {}", change.unsigned_abs())
            }
            Action::Raise(change) => format!("raise the priority of {count} by {change}"),
            _ => format!("set the priority of {count} to {}", new(0)),
        },
        basis: Basis::Priorities(
            going.iter().filter_map(|one| old.get_key_value(&one.fw_id)).map(|(id, old)| (*id, old.clone())).collect(),
        ),
        seen: going.into_iter().map(Seen::of).collect(),
        preview: lines.concat(),
    })
}

/// Does it, where the priority is what was seen; the state does not matter.
pub fn carry_out(here: Here<'_>, plan: &Plan) -> Result<Outcome, LaunchpadError> {
    let Basis::Priorities(seen) = &plan.basis else { return Ok(Outcome::default()) };
    heal(here, &seen.keys().copied().collect::<Vec<_>>());
    let to = |seen: &Bson| match plan.action {
        Action::SetPriority(priority) => Some(priority),
        Action::Raise(change) => Some(number_of(seen)?.saturating_add(change)),
        _ => None,
    };
    let steps = seen.iter().filter_map(|(fw_id, seen)| {
        let to = to(seen)?;
        Some(Priority { fw_id: *fw_id, seen: seen.clone(), to })
    });
    let changed: BTreeSet<FwId> =
        set_priorities(here.store, steps.collect(), &note(plan.action))?.into_iter().collect();
    let left = seen.keys().copied().filter(|fw_id| !changed.contains(fw_id)).collect::<Vec<FwId>>();
    let now = if left.is_empty() { BTreeMap::new() } else { priorities(here.store, left.clone())? };
    let refused = left.iter().map(|fw_id| match now.get(fw_id) {
        None => Refusal::Unknown(*fw_id).to_string(),
        Some(now) => {
            let seen = seen.get(fw_id).unwrap_or(&Bson::Null);
            format!("firework {fw_id} has priority {now} by now, not {seen}; it was left alone")
        }
    });
    let count = number(changed.len(), "firework");
    let done = (!changed.is_empty()).then(|| format!("changed the priority of {count} {}", note(plan.action)));
    Ok(Outcome { done: done.into_iter().collect(), refused: refused.collect() })
}

/// How the history tells it.
fn note(action: Action) -> String {
    match action {
        Action::Raise(change) => format!("by {change:+}"),
        Action::SetPriority(priority) => format!("to {priority}"),
        _ => String::new(),
    }
}

/// The priorities of these fireworks; null where there is none.
fn priorities(store: &dyn Store, fw_ids: Vec<FwId>) -> Result<BTreeMap<FwId, Bson>, LaunchpadError> {
    let these = FireworkQuery { ids: Some(fw_ids), ..FireworkQuery::default() };
    let mut found = BTreeMap::new();
    let priority = |one: &Firework| (one.fw_id, one.spec.get(PRIORITY).cloned().unwrap_or(Bson::Null));
    store.each_firework(&these, Fields::Whole, &mut |some| {
        found.extend(some.iter().map(priority));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// A priority as a number; none is 0.
fn number_of(priority: &Bson) -> Option<i64> {
    if *priority == Bson::Null { Some(0) } else { as_int(priority) }
}
