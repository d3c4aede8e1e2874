//! The verbs on fireworks and workflows that are there: what they are called, and what is said.

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::number;
use crate::launchpad::listing;
use crate::launchpad::steer::{Turn, steer};
use crate::store::Verb;

/// `lpad pause_fws`, ...: fireworks.
pub fn fireworks(context: &Context, args: &ChangeArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let ids = args.fireworks(context, &*store, |fireworks| what(verb, fireworks))?;
    finish(&steer(&*store, verb, &ids, Timestamp::now()), verb, "FWs")
}

/// `lpad pause_wflows`, ...: whole workflows.
pub fn workflows(context: &Context, args: &ChangeArgs, verb: Verb) -> Result<Exit> {
    let store = context.open()?;
    let found = args.workflows(context, &*store, |count, _| what(verb, &number(count, "workflow")))?;
    // One firework names its workflow.
    let ids: Vec<_> = found.iter().filter_map(listing::workflow_id).collect();
    finish(&steer(&*store, verb, &ids, Timestamp::now()), verb, "WFs")
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
fn finish(turns: &[Turn], verb: Verb, entries: &str) -> Result<Exit> {
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
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    let exit = if done > 0 { Exit::SomeFailed } else { Exit::Error };
    Err(failure(exit, refused.join("\n")))
}
