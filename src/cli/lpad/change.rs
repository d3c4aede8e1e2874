//! What the verbs that change something have in common: they are told what, and ask first.

use anyhow::Result;
use bson::Document;

use super::{Context, healing};
use crate::cli::confirm::{Change, ConfirmArgs, Kind};
use crate::cli::exit::{self, Exit};
use crate::cli::output::number;
use crate::cli::select::RequiredSelectArgs;
use crate::launchpad::{LaunchpadError, listing};
use crate::store::Store;
use crate::workflow::FwId;

/// Arguments of a change.
#[derive(Debug, clap::Args)]
pub struct ChangeArgs {
    #[command(flatten)]
    select: RequiredSelectArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
}

impl ChangeArgs {
    /// Whether a yes was given in advance.
    pub fn says_yes(&self) -> bool {
        self.confirm.says_yes()
    }

    /// The fireworks to change, when that is wanted. `what` is said of them: `run {} again`.
    pub fn fireworks(
        &self,
        context: &Context,
        store: &dyn Store,
        what: impl FnOnce(&str) -> String,
    ) -> Result<Vec<FwId>> {
        let found = selected(self.select.selection().find_fireworks(store))?;
        let change = Change {
            what: what(&number(found.len(), "firework")),
            count: found.len(),
            preview: found.iter().map(|fw| format!("{} {} ({})", fw.fw_id, fw.name, fw.state)).collect(),
            kind: Kind::Change,
        };
        self.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;
        let ids: Vec<FwId> = found.iter().map(|firework| firework.fw_id).collect();
        heal(context, store, &ids);
        Ok(ids)
    }

    /// The workflows to change, when that is wanted. `what` is said of their number and of that of
    /// their fireworks.
    pub fn workflows(
        &self,
        context: &Context,
        store: &dyn Store,
        what: impl FnOnce(usize, usize) -> String,
    ) -> Result<Vec<Document>> {
        self.some_workflows(context, store, what, Kind::Change)
    }

    /// The workflows to delete, when that is wanted.
    pub fn doomed_workflows(&self, context: &Context, store: &dyn Store) -> Result<Vec<Document>> {
        let what = |workflows, members| {
            format!("delete {} with {}", number(workflows, "workflow"), number(members, "firework"))
        };
        self.some_workflows(context, store, what, Kind::Delete)
    }

    fn some_workflows(
        &self,
        context: &Context,
        store: &dyn Store,
        what: impl FnOnce(usize, usize) -> String,
        kind: Kind<'_>,
    ) -> Result<Vec<Document>> {
        let found = selected(self.select.selection().find_workflows(store))?;
        let members: usize = found.iter().map(|workflow| listing::states(workflow).len()).sum();
        let change = Change {
            what: what(found.len(), members),
            count: found.len(),
            preview: found.iter().map(line).collect(),
            kind,
        };
        self.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;
        heal(context, store, &found.iter().filter_map(listing::workflow_id).collect::<Vec<_>>());
        Ok(found)
    }
}

/// Finishes first what the dead have left half done in the workflows that are about to change. Trouble
/// with it is no reason not to change them.
fn heal(context: &Context, store: &dyn Store, fw_ids: &[FwId]) {
    if let Err(error) = healing::mend(context, store, Some(fw_ids)) {
        tracing::warn!("cannot look for what dead workers left behind: {error:#}");
    }
}

/// Gives an empty selection its exit code.
fn selected<T>(found: Result<T, LaunchpadError>) -> Result<T> {
    found.map_err(|error| match error {
        LaunchpadError::NothingSelected(_) => exit::failure(Exit::NothingSelected, error),
        _ => error.into(),
    })
}

fn line(workflow: &Document) -> String {
    let id = listing::workflow_id(workflow).unwrap_or_default();
    let text = |key| workflow.get_str(key).unwrap_or_default();
    let members = number(listing::states(workflow).len(), "firework");
    format!("{id} {} ({}, {members})", text("name"), text("state"))
}
