//! `lpad rerun_fws`: run fireworks again, from the beginning or from the task they had come to.

use std::collections::HashMap;

use anyhow::Result;

use super::steer::StopArgs;
use super::{Context, steer};
use crate::cli::exit::{Exit, failure};
use crate::cli::output::id_line;
use crate::launchpad::Selection;
use crate::launchpad::error::list;
use crate::launchpad::errors::groups;
use crate::store::{Store, Verb};
use crate::verbs::steer::Act;
use crate::verbs::words;
use crate::workflow::decide::{Recovery, RecoveryMode};
use crate::workflow::{Firework, FwId, LaunchId};

/// Arguments of `lpad rerun_fws`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    stop: StopArgs,

    /// Those of one group of failures, as `lpad errors` numbers them; with other selectors, of what these select
    #[arg(long = "error-group", value_name = "N", group = "selector")]
    error_group: Option<usize>,

    /// Go on at the task that the last run had come to, with what the tasks before it had left
    #[arg(long = "task-level")]
    task_level: bool,

    /// With --task-level: go on from these launches, one of each firework [FireWorks: -lid]
    #[arg(long = "launch_id", value_name = "ID", requires = "task_level", num_args = 1..)]
    launch_ids: Vec<LaunchId>,

    /// With --task-level: copy the files of that run into the new directory [FireWorks: -cp]
    #[arg(long = "copy-data", requires = "task_level", conflicts_with = "previous_dir")]
    copy_data: bool,

    /// With --task-level: run in the directory of that run [FireWorks: -pd]
    #[arg(long = "previous-dir", requires = "task_level")]
    previous_dir: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let mode = match (args.copy_data, args.previous_dir) {
        (true, _) => RecoveryMode::Copy,
        (_, true) => RecoveryMode::PreviousDirectory,
        _ => RecoveryMode::Fresh,
    };
    let verb = match (args.task_level, context.settings.fw_config.except_details_on_rerun) {
        (true, _) => Verb::Recover(Recovery { launch_id: None, mode }),
        (false, true) => Verb::RerunWithDetails,
        (false, false) => Verb::Rerun,
    };
    let store = context.open()?;
    let change = &args.stop.change;
    let (selection, cause) = match args.error_group {
        Some(number) => of_group(&*store, &change.selection(), number)?,
        None => (change.selection(), String::new()),
    };
    let what = |fireworks: &str| words::what(verb, fireworks) + &cause;
    let found = change.fireworks_of(context, &*store, &selection, what)?;
    let launches = launches(&found, &args.launch_ids)?;
    let of = |fw_id: FwId| match launches.get(&fw_id) {
        Some(&launch_id) => Verb::Recover(Recovery { launch_id: Some(launch_id), mode }),
        None => verb,
    };
    let act =
        Act { what: words::name(verb), verb: &of, fw_ids: &steer::ids(&found), seen: HashMap::new(), lowest: None };
    let (turns, stops) = steer::steer_and_stop(context, &*store, &act, args.stop.keep.keep_running)?;
    steer::finish(&turns, &stops, verb)
}

/// The fireworks of a group of failures, and what is said of these.
fn of_group(store: &dyn Store, selection: &Selection, number: usize) -> Result<(Selection, String)> {
    let found = groups(store, selection)?;
    let group = found.iter().find(|group| group.number == number).ok_or_else(|| {
        let known = match found.len() {
            0 => "nothing that is selected has failed".to_owned(),
            count => format!("they go from 1 to {count}"),
        };
        failure(Exit::NothingSelected, format!("there is no group {number}: {known}; nothing was changed"))
    })?;
    let (words, ids) = (group.cause.words(), id_line(group.fw_ids.iter().copied()));
    tracing::info!("group {number} is fireworks {ids}: {words}");
    let cause = format!(", those with: {words}");
    Ok((Selection { ids: Some(group.fw_ids.clone()), ..Selection::default() }, cause))
}

/// From which launch each firework goes on: every firework has one, where any is named.
fn launches(fireworks: &[Firework], wanted: &[LaunchId]) -> Result<HashMap<FwId, LaunchId>> {
    let mut launches = HashMap::new();
    for &launch_id in wanted {
        let lists = |one: &&Firework| one.launches.iter().chain(&one.archived_launches).any(|id| *id == launch_id);
        let Some(firework) = fireworks.iter().find(lists) else {
            let text = format!("launch {launch_id} is none of the launches of these fireworks; nothing was changed");
            return Err(failure(Exit::Error, text));
        };
        if let Some(other) = launches.insert(firework.fw_id, launch_id) {
            let text = format!("launches {other} and {launch_id} are both of firework {}; name one", firework.fw_id);
            return Err(failure(Exit::Error, format!("{text}; nothing was changed")));
        }
    }
    let without: Vec<FwId> = steer::ids(fireworks).into_iter().filter(|id| !launches.contains_key(id)).collect();
    if !wanted.is_empty() && !without.is_empty() {
        let text = format!("firework {}: --launch_id names none of its launches; nothing was changed", list(&without));
        return Err(failure(Exit::Error, text));
    }
    Ok(launches)
}
