//! The lines of a preview.

use std::collections::{BTreeMap, BTreeSet};

use crate::launchpad::foresee::{Change, Foreseen};
use crate::launchpad::preview::{preview, shortened};
use crate::launchpad::reservation::job_of;
use crate::launchpad::selection::Chosen;
use crate::launchpad::words::number;
use crate::workflow::decide::Refusal;
use crate::workflow::{Firework, FwId, Launch, State};

/// What becomes of one firework, or of several, that depend on what was asked for.
const ANEW: [&str; 2] = ["that depends on this begins anew", "that depend on these begin anew"];

/// How many begin anew, where any do.
pub fn anew(count: usize) -> Option<String> {
    (count > 0).then(|| headed(ANEW, count))
}

fn headed([one, several]: [&str; 2], count: usize) -> String {
    format!("{} {}", number(count, "firework"), if count == 1 { one } else { several })
}

/// Fireworks by state and name.
pub fn of_fireworks(fireworks: &[Firework]) -> Vec<String> {
    preview(fireworks.iter().map(|one| (one.state.as_str(), one.name.as_str(), one.fw_id)))
}

/// Workflows by state and name.
pub fn of_workflows(workflows: &[Chosen]) -> Vec<String> {
    preview(workflows.iter().map(|one| (one.state.as_str(), one.name.as_str(), one.id)))
}

/// Some of the fireworks that would change, below a line that says what becomes of one, or of several; nothing
/// where there are none.
pub fn of_changes<'a>(
    [one, several]: [&str; 2],
    changes: impl IntoIterator<Item = (&'a FwId, &'a Change)>,
) -> Vec<String> {
    let entries: Vec<_> = changes.into_iter().map(|(id, one)| (one.from.as_str(), one.name.as_str(), *id)).collect();
    below([one, several], entries.len(), preview(entries.into_iter()))
}

/// Lines below one that says what becomes of one firework, or of several.
pub fn below(words: [&str; 2], count: usize, lines: Vec<String>) -> Vec<String> {
    let head = (count > 0).then(|| headed(words, count) + ":");
    head.into_iter().chain(lines.into_iter().map(|line| format!("  {line}"))).collect()
}

/// What changes besides what was asked for.
pub fn beside(foreseen: &Foreseen, asked: &BTreeSet<FwId>) -> Vec<String> {
    let others: BTreeMap<&FwId, &Change> = foreseen.changes.iter().filter(|(id, _)| !asked.contains(id)).collect();
    let is_shared = |id: &FwId| foreseen.duplicates.contains(id);
    let is_replaced = |change: &Change| change.to == State::Archived;
    let some = |which: &dyn Fn(&FwId, &Change) -> bool| {
        let found = others.iter().filter(|(id, change)| which(id, change));
        found.map(|(id, change)| (*id, *change)).collect::<Vec<_>>()
    };
    let shares = ["shares a launch with these, and changes, too", "share a launch with these, and change, too"];
    let replaced = [
        "that an earlier run has added will be added anew; the old one is kept, ARCHIVED",
        "that earlier runs have added will be added anew; the old ones are kept, ARCHIVED",
    ];
    [
        of_changes(shares, some(&|id, _| is_shared(id))),
        of_changes(ANEW, foreseen.anew(asked)),
        of_changes(replaced, some(&|id, change| !is_shared(id) && is_replaced(change))),
    ]
    .concat()
}

/// What becomes of runs and reservations that lose their ground.
pub fn of_stops(stopped: &[Launch]) -> Vec<String> {
    let jobs: BTreeSet<String> = stopped.iter().filter_map(job_of).map(|job| job.id).collect();
    let runs = || stopped.iter().filter(|launch| launch.state == State::Running);
    let ids = |launches: Vec<&Launch>| launches.iter().map(|launch| launch.fw_id).collect::<Vec<FwId>>();
    let (python, volley): (Vec<&Launch>, Vec<&Launch>) =
        runs().partition(|launch| launch.lease().is_none() && job_of(launch).is_none());
    let mut lines = Vec::new();
    if !volley.is_empty() {
        let verb = if volley.len() == 1 { "runs at the moment, and is" } else { "run at the moment, and are" };
        lines.push(format!("{} {verb} stopped ({})", volley.len(), shortened(&ids(volley))));
    }
    if !python.is_empty() {
        lines.push(format!(
            "{} under Python FireWorks, which cannot be told: it goes on there, and its result does not count ({})",
            if python.len() == 1 { "1 runs".to_owned() } else { format!("{} run", python.len()) },
            shortened(&ids(python))
        ));
    }
    lines.extend(of_jobs(&jobs));
    lines
}

/// Which jobs are cancelled.
pub fn of_jobs(jobs: &BTreeSet<String>) -> Option<String> {
    const ROOM: usize = 20;
    let named: Vec<&str> = jobs.iter().take(ROOM).map(String::as_str).collect();
    let more = if jobs.len() > ROOM { format!(" and {} more", jobs.len() - ROOM) } else { String::new() };
    (!jobs.is_empty()).then(|| format!("cancels {}: {}{more}", number(jobs.len(), "queue job"), named.join(", ")))
}

/// What was asked for and stays as it is, by the reason.
pub fn of_refused(fireworks: &[Firework], refused: &BTreeMap<FwId, Option<Refusal>>) -> Vec<String> {
    let reason = |firework: &Firework, refusal: &Option<Refusal>| match refusal {
        Some(Refusal::State { why, .. }) => (*why).to_owned(),
        Some(other) => other.to_string(),
        None if matches!(firework.state, State::Waiting) => "it runs anyway when its parents have ended".to_owned(),
        None => "it is so already".to_owned(),
    };
    left_alone(fireworks.iter().filter_map(|one| Some((one, reason(one, refused.get(&one.fw_id)?)))))
}

/// The same for reasons of other kinds.
pub fn left_alone<'a>(refused: impl Iterator<Item = (&'a Firework, String)>) -> Vec<String> {
    let mut groups: BTreeMap<(State, String), Vec<FwId>> = BTreeMap::new();
    for (firework, reason) in refused {
        groups.entry((firework.state, reason)).or_default().push(firework.fw_id);
    }
    let line = |((state, why), ids): ((State, String), Vec<FwId>)| match ids.as_slice() {
        [id] => format!("left alone: firework {id} is {state}: {why}"),
        _ => format!("left alone: {} {state} ({}): {why}", ids.len(), shortened(&ids)),
    };
    groups.into_iter().map(line).collect()
}

/// The lines about what is left alone, where that is all.
pub fn nothing(left: &[String]) -> String {
    let lines: Vec<&str> = left.iter().map(|line| line.trim_start_matches("left alone: ")).collect();
    lines.join("; ")
}
