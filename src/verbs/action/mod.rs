//! What a person may do to fireworks and workflows from a screen: first what would happen, exactly, then
//! it happens to just that, and to nothing that has become something else meanwhile.

use std::collections::BTreeMap;

use bson::Bson;

use super::Here;
use crate::launchpad::words::number;
use crate::launchpad::{LaunchpadError, Selection};
use crate::workflow::{FwId, LaunchId, State};

mod cancel;
mod delete;
mod meanwhile;
mod preview;
mod priority;
mod steered;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Run it again, from the beginning or from the task that it had come to; of a workflow what has FIZZLED in it.
    Rerun {
        /// From the task that the last run had come to.
        task_level: bool,
    },
    /// Hold it.
    Pause,
    /// Let it go on.
    Resume,
    /// Take it out.
    Defuse,
    /// Bring it back.
    Reignite,
    /// Let it run earlier or later: what is added to its priority.
    Raise(i64),
    /// The same: its priority.
    SetPriority(i64),
    /// Cancel the queue jobs that wait for it or run it; it is READY again.
    Cancel,
    /// Delete the whole workflow.
    Delete,
}

/// What it is done to.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Fireworks.
    Fireworks(Box<Selection>),
    /// Workflows as wholes.
    Workflows(Box<Selection>),
    /// Queue jobs by name, that of an array for all its elements; they can only be cancelled.
    Jobs(Vec<String>),
}

/// A firework, or a workflow by the firework that names it, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub fw_id: FwId,
    /// Its name.
    pub name: String,
    /// Its state then.
    pub state: State,
    /// The launch that a firework followed then: the last of those that counted.
    pub launch: Option<LaunchId>,
}

/// What else must still be so when it is done.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Basis {
    /// Nothing: the states say all.
    #[default]
    States,
    /// The priority of each.
    Priorities(BTreeMap<FwId, Bson>),
    /// The queue job of each.
    Jobs(BTreeMap<FwId, String>),
}

/// What would happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is done.
    pub action: Action,
    /// What was chosen.
    pub target: Target,
    /// What will change of it; of what is deleted, the workflows.
    pub seen: Vec<Seen>,
    /// What else was seen of it.
    pub basis: Basis,
    /// In words: `run 12 fireworks again, and all that depend on them`.
    pub what: String,
    /// More of it, line by line: how many of which state and name, what runs and is stopped, which queue jobs are
    /// cancelled, and what is left alone.
    pub preview: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was done, line by line.
    pub done: Vec<String>,
    /// What was not, and why.
    pub refused: Vec<String>,
}

/// Looks what would happen; changes nothing. Where nothing would, the error says why.
pub fn plan(here: Here<'_>, action: Action, target: &Target) -> Result<Plan, LaunchpadError> {
    let by = |change: i64| move |now: i64| now.saturating_add(change);
    match (action, target) {
        (Action::Cancel, _) => cancel::plan(here, target),
        (_, Target::Jobs(jobs)) => Err(LaunchpadError::NothingToDo(format!(
            "{} can only be cancelled; the rest is done to the fireworks",
            jobs_named(jobs)
        ))),
        (Action::Delete, _) => delete::plan(here, target),
        (Action::Raise(change), _) => priority::plan(here, action, target, by(change)),
        (Action::SetPriority(priority), _) => priority::plan(here, action, target, |_| priority),
        (_, Target::Fireworks(selection)) => steered::fireworks(here, action, target, selection),
        (_, Target::Workflows(selection)) => steered::workflows(here, action, target, selection),
    }
}

/// Does what was planned, to what still is as it was seen. The rest is left alone, and told.
pub fn carry_out(here: Here<'_>, plan: &Plan) -> Result<Outcome, LaunchpadError> {
    match plan.action {
        Action::Cancel => cancel::carry_out(here, plan),
        Action::Delete => delete::carry_out(here, plan),
        Action::Raise(_) | Action::SetPriority(_) => priority::carry_out(here, plan),
        _ => steered::carry_out(here, plan),
    }
}

/// The fireworks that are meant; of workflows all that are in them.
fn all_in(target: &Target) -> Selection {
    match target {
        Target::Fireworks(selection) => (**selection).clone(),
        Target::Workflows(selection) => Selection { workflows: Some(selection.clone()), ..Selection::default() },
        // What is done to jobs does not ask for this.
        Target::Jobs(_) => Selection { ids: Some(Vec::new()), ..Selection::default() },
    }
}

/// `queue job 14`, `3 queue jobs`
pub fn jobs_named(jobs: &[String]) -> String {
    match jobs {
        [job] => format!("queue job {job}"),
        several => number(several.len(), "queue job"),
    }
}
