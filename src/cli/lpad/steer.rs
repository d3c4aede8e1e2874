//! The verbs on fireworks and workflows that are there: what they are called, and what is said.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::number;
use crate::cli::queue::open_queue;
use crate::launchpad::cancel::{self, Runs, Stop};
use crate::launchpad::listing;
use crate::launchpad::reservation::Sought;
use crate::launchpad::steer::{Turn, steer};
use crate::store::{Store, Verb};
use crate::workflow::{FwId, Launch};

/// Arguments of a verb that may take the ground from something that runs.
#[derive(Debug, clap::Args)]
pub struct StopArgs {
    #[command(flatten)]
    pub change: ChangeArgs,

    /// Let what runs go on to its end, and leave its queue job alone; its result goes to its launch
    /// only. Otherwise the job of a firework is cancelled, and its worker stops it
    #[arg(long = "keep-running")]
    pub keep_running: bool,
}

/// `lpad reignite_fws`, ...: fireworks of which nothing runs.
pub fn fireworks(context: &Context, args: &ChangeArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let ids = args.fireworks(context, &*store, |fireworks| what(verb, fireworks))?;
    finish(&steer(&*store, verb, &ids, Timestamp::now()), Vec::new(), verb, "FWs")
}

/// `lpad reignite_wflows`, ...: whole workflows of which nothing of that runs.
pub fn workflows(context: &Context, args: &ChangeArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let found = args.workflows(context, &*store, |count, _| what(verb, &number(count, "workflow")))?;
    // One firework names its workflow.
    let ids: Vec<_> = found.iter().filter_map(listing::workflow_id).collect();
    finish(&steer(&*store, verb, &ids, Timestamp::now()), Vec::new(), verb, "WFs")
}

/// `lpad defuse_fws`, ...: fireworks that may run.
pub fn stop_fireworks(context: &Context, args: &StopArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let ids = args.change.fireworks(context, &*store, |fireworks| what(verb, fireworks))?;
    let (turns, stops) = steer_and_stop(context, &*store, verb, &ids, args.keep_running)?;
    finish(&turns, stops, verb, "FWs")
}

/// `lpad defuse_wflows`, ...: whole workflows of which something may run.
pub fn stop_workflows(context: &Context, args: &StopArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let found = args.change.workflows(context, &*store, |count, _| what(verb, &number(count, "workflow")))?;
    let ids: Vec<_> = found.iter().filter_map(listing::workflow_id).collect();
    let (turns, stops) = steer_and_stop(context, &*store, verb, &ids, args.keep_running)?;
    finish(&turns, stops, verb, "WFs")
}

/// Steers, then ends what has lost its ground.
pub fn steer_and_stop(
    context: &Context,
    store: &dyn Store,
    verb: Verb,
    ids: &[FwId],
    keep: bool,
) -> Result<(Vec<Turn>, Vec<Stop>)> {
    let (turns, stopped, mut stops) = take_ground(store, verb, ids, keep)?;
    stops.extend(stop(context, &stopped, None));
    Ok((turns, stops))
}

/// Steers. Returns what has lost its ground thereby, and what keeps running although it has.
pub fn take_ground(
    store: &dyn Store,
    verb: Verb,
    ids: &[FwId],
    keep: bool,
) -> Result<(Vec<Turn>, Vec<Launch>, Vec<Stop>)> {
    let now = Timestamp::now();
    let runs = Runs::before(store, ids, keep)?;
    let turns = steer(store, verb, ids, now);
    let done = turns.iter().filter_map(|turn| turn.result.as_ref().ok());
    let changed: BTreeSet<FwId> =
        done.flat_map(|steered| steered.changed.iter().chain(&steered.replaced)).copied().collect();
    let (stopped, kept) = runs.stopped_by(store, &changed)?;
    cancel::end_reservations(store, &stopped, verb, now)?;
    Ok((turns, stopped, kept))
}

/// Ends runs whose launches do not count any more, and a job that somebody has named.
pub fn stop(context: &Context, launches: &[Launch], named: Option<&Sought>) -> Vec<Stop> {
    cancel::stop(launches, named, || {
        let opened = open_queue(&context.settings, Vec::new());
        opened.map(|open| open.queue).map_err(|error| format!("{error:#}"))
    })
}

/// Says what was stopped; what could not be is returned.
pub fn tell(stops: Vec<Stop>) -> Vec<String> {
    let (failed, done): (Vec<Stop>, Vec<Stop>) = stops.into_iter().partition(Stop::is_failure);
    done.iter().for_each(|stop| tracing::info!("{stop}"));
    failed.iter().map(ToString::to_string).collect()
}

/// What is about to happen, for the confirmation.
fn what(verb: Verb, entries: &str) -> String {
    match verb {
        Verb::Rerun | Verb::RerunWithDetails => format!("run {entries} again, and all that depend on them"),
        Verb::Recover(_) => format!("run {entries} again from where they were, and all that depend on them"),
        Verb::Defuse | Verb::DefuseWorkflow => format!("defuse {entries}"),
        Verb::Reignite | Verb::ReigniteWorkflow => format!("reignite {entries}"),
        Verb::Pause | Verb::PauseWorkflow => format!("pause {entries}"),
        Verb::Resume | Verb::ResumeWorkflow => format!("resume {entries}"),
        Verb::ArchiveWorkflow => format!("archive {entries}, for good"),
    }
}

/// FireWorks' word for what has been done.
fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Rerun | Verb::RerunWithDetails | Verb::Recover(_) => "setting",
        Verb::Defuse | Verb::DefuseWorkflow => "defusing",
        Verb::Reignite | Verb::ReigniteWorkflow => "reigniting",
        Verb::Pause | Verb::PauseWorkflow => "pausing",
        Verb::Resume | Verb::ResumeWorkflow => "resuming",
        Verb::ArchiveWorkflow => "archiving",
    }
}

/// Says what was done; fails with every refusal.
pub fn finish(turns: &[Turn], stops: Vec<Stop>, verb: Verb, entries: &str) -> Result<Exit> {
    let mut refused = Vec::new();
    for turn in turns {
        match &turn.result {
            Err(error) => refused.push(error.to_string()),
            Ok(_) if turn.is_duplicate => tracing::info!("Also: duplicate fw_id {}", turn.fw_id),
            Ok(steered) if !steered.replaced.is_empty() => tracing::warn!(
                "fw_id {}: {} that earlier runs had added will be added anew; the old ones ({}) are kept, ARCHIVED, in a workflow of their own",
                turn.fw_id,
                number(steered.replaced.len(), "firework"),
                crate::launchpad::error::list(&steered.replaced)
            ),
            Ok(_) => {}
        }
    }
    let done = turns.len() - refused.len();
    let end = if doing(verb) == "setting" { " to rerun" } else { "" };
    tracing::info!("Finished {} {done} {entries}{end}", doing(verb));
    refused.extend(tell(stops));
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    let exit = if done > 0 { Exit::SomeFailed } else { Exit::Error };
    Err(failure(exit, refused.join("\n")))
}
