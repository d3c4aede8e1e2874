//! What the verbs that change something have in common: they are told what, and ask first.

use anyhow::Result;

use super::Context;
use crate::cli::confirm::{Change, ConfirmArgs, Kind};
use crate::cli::exit::{self, Exit};
use crate::cli::output::number;
use crate::cli::select::RequiredSelectArgs;
use crate::launchpad::preview::preview;
use crate::launchpad::selection::Chosen;
use crate::launchpad::{LaunchpadError, Selection};
use crate::store::Store;
use crate::verbs::heal;
use crate::workflow::Firework;

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

    /// What was said.
    pub fn selection(&self) -> Selection {
        self.select.selection()
    }

    /// The fireworks to change, without their specs, when that is wanted. `what` is said of them:
    /// `run {} again`.
    pub fn fireworks(
        &self,
        context: &Context,
        store: &dyn Store,
        what: impl FnOnce(&str) -> String,
    ) -> Result<Vec<Firework>> {
        self.fireworks_of(context, store, &self.selection(), what)
    }

    /// The same, of another selection than what was said.
    pub fn fireworks_of(
        &self,
        context: &Context,
        store: &dyn Store,
        selection: &Selection,
        what: impl FnOnce(&str) -> String,
    ) -> Result<Vec<Firework>> {
        let found = selected(selection.find_fireworks(store))?;
        let change = Change {
            what: what(&number(found.len(), "firework")),
            count: found.len(),
            preview: preview(found.iter().map(|one| (one.state.as_str(), one.name.as_str(), one.fw_id))),
            kind: Kind::Change,
        };
        self.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;
        heal(context.here(store), &found.iter().map(|firework| firework.fw_id).collect::<Vec<_>>());
        Ok(found)
    }

    /// The workflows to change, when that is wanted. `what` is said of their number and of that of
    /// their fireworks.
    pub fn workflows(
        &self,
        context: &Context,
        store: &dyn Store,
        what: impl FnOnce(usize, usize) -> String,
    ) -> Result<Vec<Chosen>> {
        let found = self.chosen_workflows(context, store, what, Kind::Change)?;
        heal_workflows(context, store, &found);
        Ok(found)
    }

    /// The same, of workflows that are to be put right themselves.
    pub fn ill_workflows(
        &self,
        context: &Context,
        store: &dyn Store,
        what: impl FnOnce(usize, usize) -> String,
    ) -> Result<Vec<Chosen>> {
        self.chosen_workflows(context, store, what, Kind::Change)
    }

    /// The workflows to delete, when that is wanted. `more` is said of what goes with them.
    pub fn doomed_workflows(&self, context: &Context, store: &dyn Store, more: &str) -> Result<Vec<Chosen>> {
        let what = |workflows, members| {
            format!("delete {} with {}{more}", number(workflows, "workflow"), number(members, "firework"))
        };
        let found = self.chosen_workflows(context, store, what, Kind::Delete)?;
        heal_workflows(context, store, &found);
        Ok(found)
    }

    fn chosen_workflows(
        &self,
        context: &Context,
        store: &dyn Store,
        what: impl FnOnce(usize, usize) -> String,
        kind: Kind<'_>,
    ) -> Result<Vec<Chosen>> {
        let found = selected(self.selection().find_workflows(store))?;
        let members: usize = found.iter().map(|workflow| workflow.members.len()).sum();
        let change = Change {
            what: what(found.len(), members),
            count: found.len(),
            preview: preview(found.iter().map(|one| (one.state.as_str(), one.name.as_str(), one.id))),
            kind,
        };
        self.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;
        Ok(found)
    }
}

fn heal_workflows(context: &Context, store: &dyn Store, workflows: &[Chosen]) {
    heal(context.here(store), &workflows.iter().map(|workflow| workflow.id).collect::<Vec<_>>());
}

/// Gives a selection of nothing its exit code.
pub fn selected<T>(found: Result<T, LaunchpadError>) -> Result<T> {
    found.map_err(|error| match error {
        LaunchpadError::NothingSelected(_) | LaunchpadError::UnknownFireworks(_) => {
            exit::failure(Exit::NothingSelected, format!("{error}; nothing was changed"))
        }
        _ => error.into(),
    })
}
