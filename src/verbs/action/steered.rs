//! Run again, hold, let go, take out, bring back.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::meanwhile::Still;
use super::{Action, Basis, Outcome, Plan, Seen, Target, meanwhile, preview};
use crate::launchpad::foresee::foresee;
use crate::launchpad::selection::Chosen;
use crate::launchpad::words::number;
use crate::launchpad::{LaunchpadError, Selection};
use crate::store::{Store, Verb};
use crate::verbs::steer::{Act, lowest, steer_and_stop};
use crate::verbs::told::told;
use crate::verbs::{Here, heal, words};
use crate::workflow::decide::{Recovery, RecoveryMode, Refusal};
use crate::workflow::{Firework, FwId, State};

/// What would happen to fireworks.
pub fn fireworks(
    here: Here<'_>,
    action: Action,
    target: &Target,
    selection: &Selection,
) -> Result<Plan, LaunchpadError> {
    let verb = verb(here, action, false);
    let found = selection.find_fireworks(here.store)?;
    let ids: Vec<FwId> = found.iter().map(|firework| firework.fw_id).collect();
    let foreseen = foresee(here.store, verb, &ids, |_| None)?;
    let left = preview::of_refused(&found, &foreseen.refused);
    let going: Vec<Firework> = found.into_iter().filter(|one| !foreseen.refused.contains_key(&one.fw_id)).collect();
    if going.is_empty() {
        return Err(LaunchpadError::NothingToDo(preview::nothing(&left)));
    }
    let asked: BTreeSet<FwId> = going.iter().map(|one| one.fw_id).collect();
    let lines =
        [preview::of_fireworks(&going), preview::beside(&foreseen, &asked), preview::of_stops(&foreseen.stopped), left];
    Ok(Plan {
        action,
        target: target.clone(),
        what: words::what(verb, &number(going.len(), "firework")),
        seen: going.into_iter().map(Seen::of).collect(),
        basis: Basis::States,
        preview: lines.concat(),
    })
}

/// What would happen to workflows. Of those that are to run again it is what has FIZZLED.
pub fn workflows(
    here: Here<'_>,
    action: Action,
    target: &Target,
    selection: &Selection,
) -> Result<Plan, LaunchpadError> {
    if let Action::Rerun { .. } = action {
        let workflows = Some(Box::new(selection.clone()));
        let fizzled = Selection { workflows, states: vec![State::Fizzled], ..Selection::default() };
        return fireworks(here, action, target, &fizzled).map_err(|error| match error {
            LaunchpadError::NothingSelected(_) => LaunchpadError::NothingToDo(
                "no firework in it has FIZZLED; what has COMPLETED is run again firework by firework".to_owned(),
            ),
            error => error,
        });
    }
    let verb = verb(here, action, true);
    let found = selection.find_workflows(here.store)?;
    let ids: Vec<FwId> = found.iter().map(|workflow| workflow.id).collect();
    let foreseen = foresee(here.store, verb, &ids, |_| None)?;
    let done = past(action);
    let changing = |workflow: &Chosen| workflow.members.iter().any(|fw_id| foreseen.changes.contains_key(fw_id));
    let (going, idle): (Vec<Chosen>, Vec<Chosen>) = found.into_iter().partition(changing);
    if going.is_empty() {
        return Err(LaunchpadError::NothingToDo(format!("nothing in {} can be {done}", workflows_of(&idle))));
    }
    let left = (!idle.is_empty())
        .then(|| format!("left alone: {}, of which nothing can be {done}", number(idle.len(), "workflow")));
    let lines = [
        preview::of_workflows(&going),
        preview::of_changes([&format!("in them is {done}"), &format!("in them are {done}")], &foreseen.changes),
        preview::of_stops(&foreseen.stopped),
        left.into_iter().collect(),
    ];
    Ok(Plan {
        action,
        target: target.clone(),
        what: words::what(verb, &number(going.len(), "workflow")),
        seen: going.into_iter().filter_map(Seen::of_workflow).collect(),
        basis: Basis::States,
        preview: lines.concat(),
    })
}

fn workflows_of(idle: &[Chosen]) -> String {
    match idle {
        [one] => format!("workflow {}", one.id),
        several => number(several.len(), "workflow"),
    }
}

/// Does it.
pub fn carry_out(here: Here<'_>, plan: &Plan) -> Result<Outcome, LaunchpadError> {
    let whole = matches!(plan.target, Target::Workflows(_)) && !matches!(plan.action, Action::Rerun { .. });
    let verb = verb(here, plan.action, whole);
    heal(here, &plan.seen.iter().map(|one| one.fw_id).collect::<Vec<_>>());
    let (steps, lowest, others, after) = if whole {
        let still = meanwhile::workflows(here.store, &plan.seen)?;
        let step = |workflow: &Chosen| Some((workflow.id, workflow.state.parse().ok()?));
        (still.same.iter().filter_map(step).collect(), Some(lowest(&still.same)), still.others, 0)
    } else {
        let (still, after) = steps(here.store, verb, &plan.seen)?;
        (still.same, None, still.others, after)
    };
    let ids: Vec<FwId> = steps.iter().map(|(fw_id, _)| *fw_id).collect();
    // What changes from now on is left alone by the store.
    let act = Act { what: words::name(verb), verb: &|_| verb, fw_ids: &ids, seen: steps.into_iter().collect(), lowest };
    let (turns, stops) = if matches!(plan.action, Action::Resume | Action::Reignite) {
        (act.steer(here.store, Timestamp::now(), || ()), Vec::new())
    } else {
        steer_and_stop(here, &act, false, || ())?
    };
    let noun = if whole { "workflow" } else { "firework" };
    let told = told(&turns, &stops, |count| format!("{} {}", past(plan.action), number(count, noun)));
    // Where one of them was refused after all, so was what comes after it.
    let anew = preview::anew(after).filter(|_| told.count > 0 && told.refused.is_empty());
    let done = told.warned.into_iter().chain(told.done).chain(anew).collect();
    Ok(Outcome { done, refused: [others, told.refused].concat() })
}

/// The fireworks that are as they were seen, parents first, each with the state that it is in when its turn comes;
/// what is said of the others; and how many more begin anew.
fn steps(store: &dyn Store, verb: Verb, seen: &[Seen]) -> Result<(Still<(FwId, State)>, usize), LaunchpadError> {
    let states: HashMap<FwId, State> = seen.iter().map(|one| (one.fw_id, one.state)).collect();
    let still = meanwhile::fireworks(store, seen)?;
    let ids: Vec<FwId> = still.same.iter().map(|one| one.fw_id).collect();
    let foreseen = foresee(store, verb, &ids, |fw_id| states.get(&fw_id).copied())?;
    let going: BTreeSet<FwId> = foreseen.steps.iter().map(|(fw_id, _)| *fw_id).collect();
    let said = |fw_id: &FwId| match foreseen.refused.get(fw_id) {
        Some(Some(refusal)) => refusal.to_string(),
        _ => Refusal::Unknown(*fw_id).to_string(),
    };
    let refused = ids.iter().filter(|fw_id| !going.contains(fw_id)).map(said);
    let after = foreseen.anew(&going).count();
    Ok((Still { same: foreseen.steps, others: still.others.into_iter().chain(refused).collect() }, after))
}

fn verb(here: Here<'_>, action: Action, whole: bool) -> Verb {
    match (action, whole) {
        (Action::Rerun { task_level: true }, _) => {
            Verb::Recover(Recovery { launch_id: None, mode: RecoveryMode::Fresh })
        }
        (Action::Pause, false) => Verb::Pause,
        (Action::Pause, true) => Verb::PauseWorkflow,
        (Action::Resume, false) => Verb::Resume,
        (Action::Resume, true) => Verb::ResumeWorkflow,
        (Action::Defuse, false) => Verb::Defuse,
        (Action::Defuse, true) => Verb::DefuseWorkflow,
        (Action::Reignite, false) => Verb::Reignite,
        (Action::Reignite, true) => Verb::ReigniteWorkflow,
        _ if here.settings.fw_config.except_details_on_rerun => Verb::RerunWithDetails,
        _ => Verb::Rerun,
    }
}

/// What has been done.
fn past(action: Action) -> &'static str {
    match action {
        Action::Pause => "paused",
        Action::Resume => "resumed",
        Action::Defuse => "defused",
        Action::Reignite => "reignited",
        _ => "set to run again:",
    }
}

impl Seen {
    pub(super) fn of(firework: Firework) -> Self {
        let launch = firework.launches.last().copied();
        Seen { fw_id: firework.fw_id, name: firework.name, state: firework.state, launch }
    }

    pub(super) fn of_workflow(workflow: Chosen) -> Option<Self> {
        Some(Seen { fw_id: workflow.id, name: workflow.name, state: workflow.state.parse().ok()?, launch: None })
    }
}
