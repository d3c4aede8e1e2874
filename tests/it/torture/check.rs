//! What must hold when all is over. Each rule is a function, so that it is seen which one is broken.

use std::collections::{BTreeMap, BTreeSet};

use volley::store::{Store, Trouble};
use volley::workflow::{Firework, FwId, Launch, State, as_int, int_list};

use super::picture::{Picture, Workflow};
use super::user::{Fate, Ledger};
use super::workload::{ADDITION, DETOUR, Kind};

/// What is wrong, rule by rule.
pub fn violations(store: &dyn Store, picture: &Picture, ledger: &Ledger) -> Vec<String> {
    let rules: [(&str, Vec<String>); 10] = [
        ("verbs end as they may", ledger.broken.clone()),
        ("all is over, for a reason", over(picture)),
        ("one launch each", launches(picture)),
        ("results are right", results(picture)),
        ("parents first", order(picture)),
        ("every run is known", runs(picture)),
        ("the dead do not go on", afterlife(picture)),
        ("nothing is lost or doubled", numbers(picture, ledger)),
        ("what grows grows once", growth(picture)),
        ("the doctor finds nothing", findings(store, picture)),
    ];
    rules.into_iter().flat_map(|(rule, found)| found.into_iter().map(move |one| format!("{rule}: {one}"))).collect()
}

fn members(picture: &Picture) -> impl Iterator<Item = (&Workflow, &Firework)> {
    picture.workflows.iter().flat_map(move |workflow| {
        workflow.nodes.iter().filter_map(move |id| Some((workflow, picture.fireworks.get(id)?)))
    })
}

fn is_strict(workflow: &Workflow) -> bool {
    workflow.name.starts_with(Kind::Strict.prefix())
}

/// COMPLETED, FIZZLED on purpose, or WAITING for something that will not be.
fn over(picture: &Picture) -> Vec<String> {
    let mut wrong = Vec::new();
    for (workflow, firework) in members(picture) {
        let fw_id = firework.fw_id;
        let plan = firework.spec.get_str("plan").unwrap_or_default();
        let states = workflow.parents(fw_id).iter().filter_map(|id| Some(picture.fireworks.get(id)?.state));
        let passes =
            |state: State| state == State::Completed || state == State::Fizzled && firework.allows_fizzled_parents();
        let waits = !states.into_iter().all(passes);
        let is_right = match firework.state {
            State::Completed => true,
            State::Fizzled => {
                (matches!(plan, "fails" | "flaky") || had_full_disk(picture, firework)) && has_reason(picture, firework)
            }
            State::Waiting => waits,
            State::Archived => workflow.is_replaced(),
            _ => false,
        };
        if !is_right {
            wrong.push(format!(
                "fw_id {fw_id} ({plan}) of {} is {}: {}",
                workflow.name,
                firework.state,
                story(picture, firework)
            ));
        }
    }
    wrong
}

/// It failed where the disk was full now and then; its tasks say so, each in its own words.
fn had_full_disk(picture: &Picture, firework: &Firework) -> bool {
    let last = firework.launches.last().and_then(|id| picture.launches.get(id));
    last.and_then(|launch| launch.action.as_ref()).is_some_and(|action| {
        let said = action.to_string();
        ["No space left", "I/O error", "write error"].iter().any(|words| said.contains(words))
    })
}

/// The last launch says why.
fn has_reason(picture: &Picture, firework: &Firework) -> bool {
    let last = firework.launches.last().and_then(|id| picture.launches.get(id));
    last.and_then(|launch| launch.action.as_ref()).is_some_and(|action| action.to_string().contains("_exception"))
}

/// The launches of a firework, for people.
fn story(picture: &Picture, firework: &Firework) -> String {
    let tell = |id: &i64| match picture.launches.get(id) {
        Some(launch) => {
            let why = launch.loss().map(|loss| format!(" ({loss})")).unwrap_or_default();
            format!("{id} {}{why} in {}", launch.state, launch.launch_dir)
        }
        None => format!("{id} missing"),
    };
    let list = |ids: &[i64]| ids.iter().map(tell).collect::<Vec<_>>().join(", ");
    format!("launches [{}], archived [{}]", list(&firework.launches), list(&firework.archived_launches))
}

fn launches(picture: &Picture) -> Vec<String> {
    let mut wrong = Vec::new();
    for firework in picture.fireworks.values() {
        let listed = |ids: &[i64]| ids.iter().filter_map(|id| picture.launches.get(id)).collect::<Vec<&Launch>>();
        let completed = listed(&firework.launches).iter().filter(|launch| launch.state == State::Completed).count();
        let all = firework.launches.len() + firework.archived_launches.len();
        let known = listed(&firework.launches).len() + listed(&firework.archived_launches).len();
        if (firework.state == State::Completed) != (completed == 1) || completed > 1 || all != known {
            wrong.push(format!("fw_id {} {}: {}", firework.fw_id, firework.state, story(picture, firework)));
        }
    }
    for launch in picture.launches.values() {
        let is_listed = picture.fireworks.get(&launch.fw_id).is_some_and(|firework| {
            [&firework.launches, &firework.archived_launches].iter().any(|list| list.contains(&launch.launch_id))
        });
        if !is_listed || matches!(launch.state, State::Running | State::Reserved) {
            let (id, fw_id, state) = (launch.launch_id, launch.fw_id, launch.state);
            wrong.push(format!("launch {id} of fw_id {fw_id} is {state}, listed: {is_listed}"));
        }
    }
    wrong
}

/// What number N stores when these parents had these results.
fn expected(number: i64, inputs: impl Iterator<Item = i64>) -> i64 {
    (number * 31 + inputs.sum::<i64>()) % 1_000_003
}

fn results(picture: &Picture) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut energies = BTreeSet::new();
    // By number, all results there are.
    let result = |launch: &Launch| stored(launch, "result").first().copied();
    let mut by_number: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for launch in picture.launches.values().filter(|launch| launch.state == State::Completed) {
        if let Some((firework, result)) = picture.fireworks.get(&launch.fw_id).zip(result(launch)) {
            by_number.entry(Picture::number(firework)).or_default().insert(result);
        }
    }
    for (workflow, firework) in members(picture) {
        let Some(launch) = picture.completed(firework) else { continue };
        let number = Picture::number(firework);
        let mut bad = |what: String| {
            wrong.push(format!("fw_id {} of {}: {what}: {}", firework.fw_id, workflow.name, story(picture, firework)));
        };
        let Some(result) = result(launch) else {
            bad(format!("no result in {:?}", launch.action));
            continue;
        };
        let inputs: BTreeSet<i64> = stored(launch, "inputs").into_iter().collect();
        let mut seen = stored(launch, "seen");
        let parents: Vec<&Firework> =
            workflow.parents(firework.fw_id).iter().filter_map(|id| picture.fireworks.get(id)).collect();
        // What an outcome puts into the workflow is not told of it, as in FireWorks.
        let is_told = |parent: &i64| ![ADDITION, DETOUR].contains(&(number - parent));
        let completed = parents.iter().filter(|parent| parent.state == State::Completed);
        let completed: BTreeSet<i64> = completed.map(|parent| Picture::number(parent)).filter(is_told).collect();
        if is_strict(workflow) {
            seen.sort_unstable();
            if inputs != completed || !seen.iter().eq(&completed) {
                bad(format!("parents {completed:?}, but inputs {inputs:?} and pushed {seen:?}"));
                continue;
            }
        }
        // Of what was run again there are several results, where its parents had changed.
        let of = |number: &i64| by_number.get(number).filter(|all| all.len() == 1)?.first().copied();
        if let Some(values) = inputs.iter().map(of).collect::<Option<Vec<i64>>>()
            && result != expected(number, values.into_iter())
        {
            bad(format!("result {result} of inputs {inputs:?}"));
        }
        if firework.spec.get_str("plan").is_ok_and(|plan| plan == "emt") {
            let action = launch.action.as_ref().map(ToString::to_string).unwrap_or_default();
            let energy = action.split("\"energy\": ").nth(1).and_then(|rest| rest.split([',', ' ']).next());
            energies.insert(energy.unwrap_or("none").to_owned());
        }
    }
    if energies.len() > 1 {
        wrong.push(format!("EMT energies of one structure: {energies:?}"));
    }
    wrong
}

/// Numbers under a key of what a launch has stored.
fn stored(launch: &Launch, key: &str) -> Vec<i64> {
    let data = launch.action.as_ref().and_then(|action| action.get_document("stored_data").ok());
    let value = data.and_then(|data| data.get(key));
    value.and_then(as_int).map_or_else(|| int_list(value), |one| vec![one])
}

/// Where in the evidence a launch says something.
fn place(picture: &Picture, launch: &Launch, what: char) -> Option<usize> {
    picture.evidence.iter().position(|line| line.what == what && line.folder == launch.launch_dir)
}

fn order(picture: &Picture) -> Vec<String> {
    let mut wrong = Vec::new();
    for (workflow, firework) in members(picture) {
        let Some(began) = picture.completed(firework).and_then(|launch| place(picture, launch, 'S')) else { continue };
        for parent in workflow.parents(firework.fw_id).iter().filter_map(|id| picture.fireworks.get(id)) {
            let ended = picture.completed(parent).and_then(|launch| place(picture, launch, 'E'));
            if ended.is_some_and(|ended| ended > began) {
                wrong.push(format!("fw_id {} of {} ran before {}", firework.fw_id, workflow.name, parent.fw_id));
            }
        }
    }
    wrong
}

/// Every run is a launch, each has one folder, and what counts is what was run to its end.
fn runs(picture: &Picture) -> Vec<String> {
    let mut wrong = Vec::new();
    let folders: BTreeMap<&str, &Launch> =
        picture.launches.values().map(|launch| (launch.launch_dir.as_str(), launch)).collect();
    if folders.len() < picture.launches.len() {
        wrong.push(format!("{} launches share {} folders", picture.launches.len(), folders.len()));
    }
    let mut counts: BTreeMap<(&str, char), usize> = BTreeMap::new();
    for line in &picture.evidence {
        *counts.entry((&line.folder, line.what)).or_default() += 1;
        let is_known = folders.get(line.folder.as_str()).is_some_and(|launch| launch.fw_id == line.fw_id);
        // What was deleted has left nothing.
        if !is_known && picture.fireworks.contains_key(&line.fw_id) {
            wrong.push(format!("{} number {} in {}: no launch of it", line.what, line.number, line.folder));
        }
    }
    for ((folder, what), count) in &counts {
        if *count > 1 {
            wrong.push(format!("{count} times {what} in {folder}"));
        }
    }
    for firework in picture.fireworks.values() {
        let Some(launch) = picture.completed(firework) else { continue };
        let said = ['S', 'E'].map(|what| counts.contains_key(&(launch.launch_dir.as_str(), what)));
        if said != [true, true] {
            wrong.push(format!("fw_id {} is COMPLETED, but began and ended: {said:?}", firework.fw_id));
        }
    }
    wrong
}

/// What a killed worker has started is over before it is run again.
fn afterlife(picture: &Picture) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_killed = |launch: &&Launch| launch.loss().is_some_and(|loss| loss.text.ends_with(" is gone"));
    for dead in picture.launches.values().filter(is_killed) {
        let mut of_firework = picture.evidence.iter().filter(|line| line.fw_id == dead.fw_id);
        // Not by their ids: each worker takes these in blocks.
        let is_later = |folder: &str| {
            picture.launches.values().any(|launch| launch.launch_dir == folder && launch.started() > dead.started())
        };
        if of_firework.any(|line| line.what == 'S' && is_later(&line.folder))
            && let Some(line) = of_firework.find(|line| line.folder == dead.launch_dir)
        {
            wrong.push(format!("fw_id {} says {} in {} while it runs again", dead.fw_id, line.what, line.folder));
        }
    }
    wrong
}

/// Whatever was added is there once, or not at all.
fn numbers(picture: &Picture, ledger: &Ledger) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut homes: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    for (workflow, firework) in members(picture) {
        let number = Picture::number(firework);
        let is_new = homes.entry(number).or_default().insert(&workflow.name);
        if !is_new && !workflow.is_replaced() {
            wrong.push(format!("number {number} is twice in {}", workflow.name));
        }
    }
    for (numbers, fate) in ledger.workflows.values() {
        let there = numbers.iter().filter(|number| homes.contains_key(number)).count();
        let is_right = match fate {
            Fate::Added => there == numbers.len(),
            Fate::Deleted => there == 0,
            Fate::Unknown => there == 0 || there == numbers.len(),
        };
        if !is_right {
            wrong.push(format!("{there} of {numbers:?} are there ({fate:?})"));
        }
    }
    wrong
}

/// What a COMPLETED firework puts into a workflow is there, and hangs on it.
fn growth(picture: &Picture) -> Vec<String> {
    let mut wrong = Vec::new();
    for (workflow, firework) in members(picture) {
        if firework.state != State::Completed || !firework.spec.get_bool("grows").unwrap_or(false) {
            continue;
        }
        let number = Picture::number(firework);
        for new in [number + ADDITION, number + DETOUR] {
            let is_new = |id: &&FwId| picture.fireworks.get(id).is_some_and(|one| Picture::number(one) == new);
            let below = workflow.nodes.iter().filter(is_new);
            let count = below.filter(|id| workflow.parents(**id).contains(&firework.fw_id)).count();
            if count != 1 {
                wrong.push(format!("number {number} of {} has {count} of {new} below it", workflow.name));
            }
        }
    }
    wrong
}

/// Whoever was killed while it added something may have left fireworks that nobody will run.
fn findings(store: &dyn Store, picture: &Picture) -> Vec<String> {
    let findings = store.examine(jiff::Timestamp::now()).expect("examines");
    let is_leftover = |fw_id: Option<FwId>| {
        fw_id.and_then(|id| picture.fireworks.get(&id)).is_some_and(|firework| firework.state == State::Waiting)
    };
    let wrong = findings.into_iter().filter(|one| one.trouble != Trouble::Orphan || !is_leftover(one.fw_id));
    wrong.map(|one| format!("{:?} {:?}: {}", one.trouble, one.fw_id, one.text)).collect()
}
