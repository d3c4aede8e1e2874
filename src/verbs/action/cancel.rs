//! Queue jobs go, and the fireworks that wait for them or run in them are READY again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Basis, Outcome, Plan, Seen, Target, all_in, jobs_named, meanwhile, preview};
use crate::launchpad::foresee::foresee;
use crate::launchpad::reservation::Sought;
use crate::launchpad::words::number;
use crate::launchpad::{LaunchpadError, Selection};
use crate::store::{Store, Verb};
use crate::verbs::steer::cancel_jobs;
use crate::verbs::told::told;
use crate::verbs::{Here, heal};
use crate::workflow::{Firework, FwId, Launch, LaunchId, State};

/// What would happen.
pub fn plan(here: Here<'_>, target: &Target) -> Result<Plan, LaunchpadError> {
    match target {
        Target::Jobs(jobs) => of_jobs(here, target, jobs),
        Target::Fireworks(_) => of_fireworks(here, target, &all_in(target)),
        Target::Workflows(_) => {
            let active = Selection { states: vec![State::Reserved, State::Running], ..all_in(target) };
            of_fireworks(here, target, &active).map_err(|error| match error {
                LaunchpadError::NothingSelected(_) => {
                    LaunchpadError::NothingToDo("nothing of it runs or waits in the queue".to_owned())
                }
                error => error,
            })
        }
    }
}

/// Jobs that somebody names, whatever runs in them.
fn of_jobs(here: Here<'_>, target: &Target, names: &[String]) -> Result<Plan, LaunchpadError> {
    let sought = Sought::find(here.store, names.to_vec())?;
    if sought.fw_ids.is_empty() && sought.idle.is_empty() {
        return Err(LaunchpadError::NothingToDo(nothing_of(&names.join(", "))));
    }
    let fireworks = read(here.store, &sought.fw_ids)?;
    let (unknown, jobs): (BTreeSet<String>, BTreeSet<String>) =
        names.iter().cloned().partition(|name| sought.unknown.contains(name));
    let left = unknown.iter().map(|job| format!("left alone: {}", nothing_of(job)));
    let idle = sought.idle.iter().map(|idle| format!("nothing runs in job {}", idle.id));
    let asked = sought.fw_ids.iter().copied().collect();
    let foreseen = foresee(here.store, Verb::Rerun, &sought.fw_ids, |_| None)?;
    let lines = [
        preview::of_jobs(&jobs).into_iter().chain(idle).collect(),
        ready_again(&fireworks),
        preview::beside(&foreseen, &asked),
        left.collect(),
    ];
    Ok(Plan {
        action: Action::Cancel,
        target: target.clone(),
        what: format!("cancel {}", jobs_named(&jobs.into_iter().collect::<Vec<_>>())),
        seen: fireworks.into_iter().map(Seen::of).collect(),
        basis: Basis::States,
        preview: lines.concat(),
    })
}

fn nothing_of(job: &str) -> String {
    format!("no firework waits for queue job {job} or runs in it, and no job of a launcher that is not over has it")
}

/// The jobs of fireworks. What else runs in them is named.
fn of_fireworks(here: Here<'_>, target: &Target, selection: &Selection) -> Result<Plan, LaunchpadError> {
    let found = selection.find_fireworks(here.store)?;
    let jobs = jobs(here.store, &found)?;
    let (going, without): (Vec<Firework>, Vec<Firework>) =
        found.into_iter().partition(|firework| jobs.contains_key(&firework.fw_id));
    let left = preview::left_alone(without.iter().map(|firework| (firework, instead(firework.state).to_owned())));
    if going.is_empty() {
        return Err(LaunchpadError::NothingToDo(preview::nothing(&left)));
    }
    let names: BTreeSet<String> = jobs.values().cloned().collect();
    let sought = Sought::find(here.store, names.iter().cloned().collect())?;
    let asked: BTreeSet<FwId> = going.iter().map(|firework| firework.fw_id).collect();
    let sharing: Vec<FwId> = sought.fw_ids.iter().copied().filter(|fw_id| !asked.contains(fw_id)).collect();
    let sharing = read(here.store, &sharing)?;
    let all: Vec<FwId> = asked.iter().chain(&sought.fw_ids).copied().collect::<BTreeSet<_>>().into_iter().collect();
    let foreseen = foresee(here.store, Verb::Rerun, &all, |_| None)?;
    let shared = [
        "that was not chosen runs in or waits for the same jobs, and stops, too",
        "that were not chosen run in or wait for the same jobs, and stop, too",
    ];
    let lines = [
        preview::of_jobs(&names).into_iter().collect(),
        ready_again(&going),
        preview::below(shared, sharing.len(), preview::of_fireworks(&sharing)),
        preview::beside(&foreseen, &all.iter().copied().collect()),
        left,
    ];
    let count = names.len();
    Ok(Plan {
        action: Action::Cancel,
        target: target.clone(),
        what: format!("cancel {} of {}", number(count, "queue job"), number(going.len(), "firework")),
        seen: going.into_iter().map(Seen::of).collect(),
        basis: Basis::Jobs(jobs),
        preview: lines.concat(),
    })
}

/// Does it: a job that is named goes in any case, those of fireworks where these are still in them.
pub fn carry_out(here: Here<'_>, plan: &Plan) -> Result<Outcome, LaunchpadError> {
    let ids: Vec<FwId> = plan.seen.iter().map(|one| one.fw_id).collect();
    heal(here, &ids);
    let (names, mut refused) = match (&plan.target, &plan.basis) {
        (Target::Jobs(names), _) => (names.clone(), Vec::new()),
        (_, Basis::Jobs(seen)) => {
            let still = meanwhile::fireworks(here.store, &plan.seen)?;
            let now = jobs(here.store, &still.same)?;
            still_there(&still.same, seen, &now, still.others)
        }
        _ => return Ok(Outcome::default()),
    };
    if names.is_empty() {
        return Ok(Outcome { done: Vec::new(), refused });
    }
    let sought = Sought::find(here.store, names)?;
    let (turns, stops) = cancel_jobs(here, &sought, false)?;
    if turns.is_empty() && stops.is_empty() {
        refused.push(nothing_of(&sought.names.join(", ")));
    }
    let told = told(&turns, &stops, |count| format!("{} READY again", number(count, "firework")));
    Ok(Outcome { done: [told.warned, told.done].concat(), refused: [refused, told.refused].concat() })
}

/// The jobs of fireworks that are still in them, and what is said of the others.
fn still_there(
    fireworks: &[Firework],
    seen: &BTreeMap<FwId, String>,
    now: &BTreeMap<FwId, String>,
    mut others: Vec<String>,
) -> (Vec<String>, Vec<String>) {
    let mut names = BTreeSet::new();
    for firework in fireworks {
        match (seen.get(&firework.fw_id), now.get(&firework.fw_id)) {
            (Some(seen), Some(now)) if seen == now => drop(names.insert(now.clone())),
            (Some(seen), _) => {
                others.push(format!("firework {} is not in job {seen} any more; it was left alone", firework.fw_id));
            }
            (None, _) => {}
        }
    }
    (names.into_iter().collect(), others)
}

/// What to do with a firework that has no queue job.
fn instead(state: State) -> &'static str {
    match state {
        State::Running => "it runs in no queue job; rerun or defuse it, and its worker stops it",
        State::Reserved => "its queue job is not known yet",
        _ => "nothing of it is in the queue",
    }
}

fn ready_again(fireworks: &[Firework]) -> Vec<String> {
    preview::below(["is READY again", "are READY again"], fireworks.len(), preview::of_fireworks(fireworks))
}

/// The queue jobs that fireworks wait for, or run in.
fn jobs(store: &dyn Store, fireworks: &[Firework]) -> Result<BTreeMap<FwId, String>, LaunchpadError> {
    let open = fireworks.iter().filter(|firework| matches!(firework.state, State::Reserved | State::Running));
    let of: BTreeMap<LaunchId, FwId> =
        open.flat_map(|firework| firework.launches.iter().map(|launch| (*launch, firework.fw_id))).collect();
    let launches = store.find_launches(&of.keys().copied().collect::<Vec<_>>())?;
    let open = launches.iter().filter(|launch| matches!(launch.state, State::Reserved | State::Running));
    let job = |launch: &Launch| Some((*of.get(&launch.launch_id)?, launch.queue_job()?.id));
    Ok(open.filter_map(job).collect())
}

/// Fireworks by id.
fn read(store: &dyn Store, fw_ids: &[FwId]) -> Result<Vec<Firework>, LaunchpadError> {
    if fw_ids.is_empty() {
        return Ok(Vec::new());
    }
    let these = Selection { ids: Some(fw_ids.to_vec()), ..Selection::default() };
    these.find_fireworks(store)
}
