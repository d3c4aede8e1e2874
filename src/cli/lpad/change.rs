//! What the verbs that change something have in common: they are told what, and ask first.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Context, healing};
use crate::cli::confirm::{Change, ConfirmArgs, Kind};
use crate::cli::exit::{self, Exit};
use crate::cli::output::{id_line, number};
use crate::cli::select::RequiredSelectArgs;
use crate::launchpad::selection::Chosen;
use crate::launchpad::{LaunchpadError, Selection};
use crate::store::Store;
use crate::workflow::{Firework, FwId};

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
        heal(context, store, &found.iter().map(|firework| firework.fw_id).collect::<Vec<_>>());
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
    heal(context, store, &workflows.iter().map(|workflow| workflow.id).collect::<Vec<_>>());
}

/// Finishes first what the dead have left half done in the workflows that are about to change. Trouble
/// with it is no reason not to change them.
fn heal(context: &Context, store: &dyn Store, fw_ids: &[FwId]) {
    if let Err(error) = healing::mend(context, store, Some(fw_ids)) {
        tracing::warn!("cannot look for what dead workers left behind: {error:#}");
    }
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

/// How many are in which state, and of which names, the most frequent first: `12 FIZZLED relax (1-12)`.
pub fn preview<'a>(entries: impl Iterator<Item = (&'a str, &'a str, FwId)>) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), Vec<FwId>> = BTreeMap::new();
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for (state, name, id) in entries {
        groups.entry((state, name)).or_default().push(id);
        *states.entry(state).or_default() += 1;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
    let line =
        |((state, name), ids): ((&str, &str), Vec<FwId>)| format!("{} {state} {name} ({})", ids.len(), shortened(&ids));
    let states: Vec<String> = states.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    // Where all are of one kind, its line says it all.
    let total = (states.len() > 1).then(|| states.join(", "));
    total.into_iter().chain(groups.into_iter().map(line)).collect()
}

/// Ids as `-i` takes them, as far as there is room.
pub fn shortened(ids: &[FwId]) -> String {
    const ROOM: usize = 50;
    let all = id_line(ids.iter().copied());
    match all[..all.len().min(ROOM)].rfind(',').filter(|_| all.len() > ROOM) {
        Some(end) => format!("{},...", &all[..end]),
        None => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_counts_by_state_and_name() {
        let fizzled = (1..=12).map(|id| ("FIZZLED", "relax", id));
        let entries = fizzled.chain([("READY", "static", 20), ("FIZZLED", "static", 21), ("READY", "static", 22)]);
        assert_eq!(
            preview(entries),
            ["13 FIZZLED, 2 READY", "12 FIZZLED relax (1-12)", "2 READY static (20,22)", "1 FIZZLED static (21)",]
        );
        assert_eq!(preview([("READY", "pair", 1)].into_iter()), ["1 READY pair (1)"]);
        let odd: Vec<FwId> = (0..100).map(|half| 2 * half + 1).collect();
        assert_eq!(shortened(&odd), "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,...");
    }
}
