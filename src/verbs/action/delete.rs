//! Whole workflows go.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::{Action, Basis, Outcome, Plan, Seen, Target, meanwhile, preview};
use crate::launchpad::cancel::active;
use crate::launchpad::selection::Chosen;
use crate::launchpad::words::number;
use crate::launchpad::{LaunchpadError, Selection};
use crate::store::{Fields, FireworkQuery, Store, WorkflowQuery};
use crate::verbs::delete::delete_workflows;
use crate::verbs::told::Told;
use crate::verbs::{Here, heal};
use crate::workflow::{FwId, State};

/// What would happen. Who names fireworks means the workflows that they are in.
pub fn plan(here: Here<'_>, target: &Target) -> Result<Plan, LaunchpadError> {
    let (found, chosen) = match target {
        Target::Workflows(selection) => (selection.find_workflows(here.store)?, None),
        Target::Fireworks(_) | Target::Jobs(_) => {
            let fireworks = super::all_in(target).find_fireworks(here.store)?;
            let ids = Some(fireworks.iter().map(|firework| firework.fw_id).collect());
            (Selection { ids, ..Selection::default() }.find_workflows(here.store)?, Some(fireworks.len()))
        }
    };
    let ids: Vec<FwId> = found.iter().map(|workflow| workflow.id).collect();
    let members: usize = found.iter().map(|workflow| workflow.members.len()).sum();
    let beside = chosen.filter(|&chosen| chosen < members).map(|chosen| {
        format!("whole workflows go: of these fireworks {chosen} {} chosen", if chosen == 1 { "was" } else { "were" })
    });
    let states: Vec<String> =
        states(here.store, &ids)?.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    let lines = [
        preview::of_workflows(&found),
        beside.into_iter().collect(),
        vec![format!("their fireworks: {}", states.join(", "))],
        preview::of_stops(&active(here.store, &ids)?),
        vec!["their launch directories are left where they are".to_owned()],
    ];
    Ok(Plan {
        action: Action::Delete,
        target: target.clone(),
        what: format!("delete {} with {}", number(found.len(), "workflow"), number(members, "firework")),
        seen: found.into_iter().filter_map(Seen::of_workflow).collect(),
        basis: Basis::States,
        preview: lines.concat(),
    })
}

/// How many fireworks of these workflows are in which state.
fn states(store: &dyn Store, fw_ids: &[FwId]) -> Result<BTreeMap<State, usize>, LaunchpadError> {
    let workflows = WorkflowQuery { fw_ids: Some(fw_ids.to_vec()), ..WorkflowQuery::default() };
    let all = FireworkQuery { workflows: Some(Box::new(workflows)), ..FireworkQuery::default() };
    let mut states = BTreeMap::new();
    store.each_firework(&all, Fields::Head, &mut |some| {
        some.iter().for_each(|firework| *states.entry(firework.state).or_default() += 1);
        ControlFlow::Continue(())
    })?;
    Ok(states)
}

/// Does it.
pub fn carry_out(here: Here<'_>, plan: &Plan) -> Result<Outcome, LaunchpadError> {
    heal(here, &plan.seen.iter().map(|one| one.fw_id).collect::<Vec<_>>());
    let still = meanwhile::workflows(here.store, &plan.seen)?;
    let doomed: Vec<Chosen> = still.same;
    if doomed.is_empty() {
        return Ok(Outcome { done: Vec::new(), refused: still.others });
    }
    let deleted = delete_workflows(here, &doomed, |workflow| workflow.state.parse().ok(), false, |_| ())?;
    let mut told = Told::default();
    if deleted.count > 0 {
        let (workflows, fireworks) = (number(deleted.count, "workflow"), number(deleted.gone.len(), "firework"));
        told.done.push(format!("deleted {workflows} with {fireworks}"));
    }
    told.stops(&deleted.stops);
    told.refused.extend(deleted.refused.iter().map(ToString::to_string));
    told.refused.extend(deleted.failed);
    Ok(Outcome { done: told.done, refused: [still.others, told.refused].concat() })
}
