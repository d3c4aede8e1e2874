//! What is done to fireworks that are marked on a screen.

use super::{Hint, Step, dialog};
use crate::launchpad::Selection;
use crate::tui::Key;
use crate::verbs::action::{Action, Target};
use crate::workflow::FwId;

/// Its keys, those of the lists.
pub const HINT: Hint = Hint {
    key: "r p x c + - = D",
    word: "act",
    help: "rerun, pause, defuse, cancel, priority up, down, to a number, delete its workflow; R rerun from the task that failed, P resume, X reignite",
};

/// What a key does to them; nothing where it does nothing. Only workflows as wholes are deleted.
pub fn act(key: Key, fw_ids: &[FwId]) -> Option<Vec<Step>> {
    let action = dialog::action(key)?;
    let selection = Box::new(Selection { ids: Some(fw_ids.to_vec()), ..Selection::default() });
    let target = if action == Action::Delete { Target::Workflows(selection) } else { Target::Fireworks(selection) };
    Some(vec![Step::Act(action, target)])
}
