//! The verbs on fireworks and workflows that are there: what they are called, and what is said.

use std::collections::HashMap;

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{Progress, number};
use crate::cli::queue::open_queue;
use crate::launchpad::cancel::{self, Runs, Stop};
use crate::launchpad::deed;
use crate::launchpad::reservation::Sought;
use crate::launchpad::selection::Chosen;
use crate::launchpad::steer::{Turn, changed, steer};
use crate::store::{Store, Verb};
use crate::workflow::{Firework, FwId, Launch};

/// Arguments of a verb that may take the ground from something that runs.
#[derive(Debug, clap::Args)]
pub struct StopArgs {
    #[command(flatten)]
    pub change: ChangeArgs,

    #[command(flatten)]
    pub keep: KeepArgs,
}

/// What becomes of what runs.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct KeepArgs {
    /// Let what runs go on to its end, and leave its queue job alone; its result goes to its launch
    /// only. Otherwise the job of a firework is cancelled, and its worker stops it
    #[arg(long = "keep-running")]
    pub keep_running: bool,
}

/// What a verb is about, and the name under which it stands in the history.
pub struct Act<'a> {
    /// `rerun_fws`.
    pub what: &'a str,
    /// What happens to each.
    pub verb: &'a dyn Fn(FwId) -> Verb,
    /// The fireworks, each of which may stand for its workflow.
    pub fw_ids: &'a [FwId],
    /// For a verb on workflows the lowest id in each.
    pub lowest: Option<HashMap<FwId, FwId>>,
}

impl Act<'_> {
    /// What is done; of those that refuse, what would have been.
    fn kind(&self) -> Verb {
        (self.verb)(self.fw_ids.first().copied().unwrap_or_default())
    }

    /// Steers, and notes it.
    fn steer(&self, store: &dyn Store, now: Timestamp) -> Vec<Turn> {
        let progress = Progress::new(doing(self.kind()), self.fw_ids.len());
        let turns = steer(store, self.verb, self.fw_ids, now, || progress.advance(1));
        drop(progress);
        match &self.lowest {
            None => deed::of_fireworks(store, self.what, changed(&turns).into_iter().collect(), None),
            Some(lowest) => {
                let done = turns.iter().filter(|turn| turn.result.is_ok());
                let lowest = done.filter_map(|turn| lowest.get(&turn.fw_id).copied()).collect();
                deed::of_workflows(store, self.what, lowest, None);
            }
        }
        turns
    }
}

/// `lpad reignite_fws`, ...: fireworks of which nothing runs.
pub fn fireworks(context: &Context, args: &ChangeArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let ids = ids(&args.fireworks(context, &*store, |fireworks| what(verb, fireworks))?);
    let act = Act { what: name(verb), verb: &|_| verb, fw_ids: &ids, lowest: None };
    finish(&act.steer(&*store, Timestamp::now()), Vec::new(), verb)
}

/// `lpad reignite_wflows`, ...: whole workflows of which nothing of that runs.
pub fn workflows(context: &Context, args: &ChangeArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let found = args.workflows(context, &*store, |count, _| what(verb, &number(count, "workflow")))?;
    let ids: Vec<FwId> = found.iter().map(|workflow| workflow.id).collect();
    let act = Act { what: name(verb), verb: &|_| verb, fw_ids: &ids, lowest: Some(lowest(&found)) };
    finish(&act.steer(&*store, Timestamp::now()), Vec::new(), verb)
}

/// `lpad defuse_fws`, ...: fireworks that may run.
pub fn stop_fireworks(context: &Context, args: &StopArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let ids = ids(&args.change.fireworks(context, &*store, |fireworks| what(verb, fireworks))?);
    let act = Act { what: name(verb), verb: &|_| verb, fw_ids: &ids, lowest: None };
    let (turns, stops) = steer_and_stop(context, &*store, &act, args.keep.keep_running)?;
    finish(&turns, stops, verb)
}

/// `lpad defuse_wflows`, ...: whole workflows of which something may run.
pub fn stop_workflows(context: &Context, args: &StopArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let found = args.change.workflows(context, &*store, |count, _| what(verb, &number(count, "workflow")))?;
    let ids: Vec<FwId> = found.iter().map(|workflow| workflow.id).collect();
    let act = Act { what: name(verb), verb: &|_| verb, fw_ids: &ids, lowest: Some(lowest(&found)) };
    let (turns, stops) = steer_and_stop(context, &*store, &act, args.keep.keep_running)?;
    finish(&turns, stops, verb)
}

/// The ids of fireworks.
pub fn ids(fireworks: &[Firework]) -> Vec<FwId> {
    fireworks.iter().map(|firework| firework.fw_id).collect()
}

fn lowest(workflows: &[Chosen]) -> HashMap<FwId, FwId> {
    workflows.iter().map(|workflow| (workflow.id, workflow.lowest())).collect()
}

/// Steers, then ends what has lost its ground.
pub fn steer_and_stop(
    context: &Context,
    store: &dyn Store,
    act: &Act<'_>,
    keep: bool,
) -> Result<(Vec<Turn>, Vec<Stop>)> {
    let (turns, stopped, mut stops) = take_ground(store, act, keep)?;
    stops.extend(stop(context, &stopped, None));
    Ok((turns, stops))
}

/// Steers. Returns what has lost its ground thereby, and what keeps running although it has.
pub fn take_ground(store: &dyn Store, act: &Act<'_>, keep: bool) -> Result<(Vec<Turn>, Vec<Launch>, Vec<Stop>)> {
    let now = Timestamp::now();
    let runs = Runs::before(store, act.fw_ids, keep)?;
    let turns = act.steer(store, now);
    let (stopped, kept) = runs.stopped_by(store, &changed(&turns))?;
    cancel::end_reservations(store, &stopped, act.kind(), now)?;
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
pub fn what(verb: Verb, entries: &str) -> String {
    match verb {
        Verb::Rerun | Verb::RerunWithDetails => format!("run {entries} again, and all that depend on them"),
        Verb::Recover(_) => format!("run {entries} again from where they were, and all that depend on them"),
        Verb::Defuse | Verb::DefuseWorkflow => format!("defuse {entries}"),
        Verb::DefuseWholeWorkflow => format!("defuse {entries}, also what is COMPLETED or FIZZLED in it"),
        Verb::Reignite | Verb::ReigniteWorkflow => format!("reignite {entries}"),
        Verb::Pause | Verb::PauseWorkflow => format!("pause {entries}"),
        Verb::Resume | Verb::ResumeWorkflow => format!("resume {entries}"),
        Verb::ArchiveWorkflow => format!("archive {entries}, for good"),
    }
}

/// The verb of `lpad` that does this.
pub fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Rerun | Verb::RerunWithDetails | Verb::Recover(_) => "rerun_fws",
        Verb::Defuse => "defuse_fws",
        Verb::Reignite => "reignite_fws",
        Verb::Pause => "pause_fws",
        Verb::Resume => "resume_fws",
        Verb::DefuseWorkflow | Verb::DefuseWholeWorkflow => "defuse_wflows",
        Verb::ReigniteWorkflow => "reignite_wflows",
        Verb::PauseWorkflow => "pause_wflows",
        Verb::ResumeWorkflow => "resume_wflows",
        Verb::ArchiveWorkflow => "archive_wflows",
    }
}

/// FireWorks' word for what has been done.
fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Rerun | Verb::RerunWithDetails | Verb::Recover(_) => "setting",
        Verb::Defuse | Verb::DefuseWorkflow | Verb::DefuseWholeWorkflow => "defusing",
        Verb::Reignite | Verb::ReigniteWorkflow => "reigniting",
        Verb::Pause | Verb::PauseWorkflow => "pausing",
        Verb::Resume | Verb::ResumeWorkflow => "resuming",
        Verb::ArchiveWorkflow => "archiving",
    }
}

/// FireWorks' word for what it has been done to.
fn entries(verb: Verb) -> &'static str {
    match verb {
        Verb::ReigniteWorkflow => "Workflows",
        Verb::DefuseWorkflow
        | Verb::DefuseWholeWorkflow
        | Verb::PauseWorkflow
        | Verb::ResumeWorkflow
        | Verb::ArchiveWorkflow => "WFs",
        _ => "FWs",
    }
}

/// Says what was done; fails with every refusal.
pub fn finish(turns: &[Turn], stops: Vec<Stop>, verb: Verb) -> Result<Exit> {
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
    if done > 0 {
        tracing::info!("Finished {} {done} {}{end}", doing(verb), entries(verb));
    }
    refused.extend(tell(stops));
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    let exit = if done > 0 { Exit::SomeFailed } else { Exit::Error };
    Err(failure(exit, refused.join("\n")))
}
