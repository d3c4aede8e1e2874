//! The verbs on fireworks and workflows that are there: what they are called, and what is said.

use std::collections::HashMap;

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{Progress, number};
use crate::launchpad::cancel::Stop;
use crate::launchpad::steer::Turn;
use crate::store::{Store, Verb};
use crate::verbs::steer::{self as verbs, Act, lowest};
use crate::verbs::told::{Told, told};
use crate::verbs::words::{doing, finished, name, what};
use crate::workflow::{Firework, FwId};

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

/// `lpad reignite_fws`, ...: fireworks of which nothing runs.
pub fn fireworks(context: &Context, args: &ChangeArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let ids = ids(&args.fireworks(context, &*store, |fireworks| what(verb, fireworks))?);
    let act = Act { what: name(verb), verb: &|_| verb, fw_ids: &ids, seen: HashMap::new(), lowest: None };
    finish(&steer(&*store, &act), &[], verb)
}

/// `lpad reignite_wflows`, ...: whole workflows of which nothing of that runs.
pub fn workflows(context: &Context, args: &ChangeArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let found = args.workflows(context, &*store, |count, _| what(verb, &number(count, "workflow")))?;
    let ids: Vec<FwId> = found.iter().map(|workflow| workflow.id).collect();
    let act =
        Act { what: name(verb), verb: &|_| verb, fw_ids: &ids, seen: HashMap::new(), lowest: Some(lowest(&found)) };
    finish(&steer(&*store, &act), &[], verb)
}

/// `lpad defuse_fws`, ...: fireworks that may run.
pub fn stop_fireworks(context: &Context, args: &StopArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let ids = ids(&args.change.fireworks(context, &*store, |fireworks| what(verb, fireworks))?);
    let act = Act { what: name(verb), verb: &|_| verb, fw_ids: &ids, seen: HashMap::new(), lowest: None };
    let (turns, stops) = steer_and_stop(context, &*store, &act, args.keep.keep_running)?;
    finish(&turns, &stops, verb)
}

/// `lpad defuse_wflows`, ...: whole workflows of which something may run.
pub fn stop_workflows(context: &Context, args: &StopArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let found = args.change.workflows(context, &*store, |count, _| what(verb, &number(count, "workflow")))?;
    let ids: Vec<FwId> = found.iter().map(|workflow| workflow.id).collect();
    let act =
        Act { what: name(verb), verb: &|_| verb, fw_ids: &ids, seen: HashMap::new(), lowest: Some(lowest(&found)) };
    let (turns, stops) = steer_and_stop(context, &*store, &act, args.keep.keep_running)?;
    finish(&turns, &stops, verb)
}

/// The ids of fireworks.
pub fn ids(fireworks: &[Firework]) -> Vec<FwId> {
    fireworks.iter().map(|firework| firework.fw_id).collect()
}

/// Steers, then ends what has lost its ground, and shows how far it is.
pub fn steer_and_stop(
    context: &Context,
    store: &dyn Store,
    act: &Act<'_>,
    keep: bool,
) -> Result<(Vec<Turn>, Vec<Stop>)> {
    let progress = Progress::new(doing(act.kind()), act.fw_ids.len());
    Ok(verbs::steer_and_stop(context.here(store), act, keep, || progress.advance(1))?)
}

/// Steers what nothing runs in, and shows how far it is.
fn steer(store: &dyn Store, act: &Act<'_>) -> Vec<Turn> {
    let progress = Progress::new(doing(act.kind()), act.fw_ids.len());
    act.steer(store, Timestamp::now(), || progress.advance(1))
}

/// Says what was done; fails with every refusal.
pub fn finish(turns: &[Turn], stops: &[Stop], verb: Verb) -> Result<Exit> {
    let told = told(turns, stops, |count| finished(verb, count));
    say(&told);
    if told.refused.is_empty() {
        return Ok(Exit::Done);
    }
    let exit = if told.count > 0 { Exit::SomeFailed } else { Exit::Error };
    Err(failure(exit, told.refused.join("\n")))
}

/// Says what was done, and what somebody may not expect.
pub fn say(told: &Told) {
    told.warned.iter().for_each(|line| tracing::warn!("{line}"));
    told.done.iter().for_each(|line| tracing::info!("{line}"));
}
