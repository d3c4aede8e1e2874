//! What people act on they have seen some time ago: what must still be so when it is done.

use bson::Bson;

use super::Verb;
use crate::workflow::decide::Refusal;
use crate::workflow::{FwId, State};

/// A change of a firework, or of its workflow, as long as that is in the state in which it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub verb: Verb,
    /// The firework, or one of the workflow.
    pub fw_id: FwId,
    /// The state of the firework, or for a verb on workflows that of the workflow; whatever it is, when nothing
    /// is said.
    pub seen: Option<State>,
}

/// A priority that is set as long as it is what was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Priority {
    /// Whose.
    pub fw_id: FwId,
    /// `spec._priority` as it was seen; null where there was none.
    pub seen: Bson,
    /// What it becomes.
    pub to: i64,
}

/// What became of workflows that should be deleted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deleted {
    /// The fireworks that are gone.
    pub gone: Vec<FwId>,
    /// Why others are not.
    pub refused: Vec<Refusal>,
}

impl From<(Verb, FwId)> for Step {
    fn from((verb, fw_id): (Verb, FwId)) -> Self {
        Step { verb, fw_id, seen: None }
    }
}

impl Step {
    /// That it may be done; nothing has been written yet.
    pub(super) fn check(&self, firework: Option<State>, workflow: Option<State>) -> Result<(), Refusal> {
        if self.is_of_workflow() {
            return unmoved_workflow(self.fw_id, self.seen, workflow);
        }
        match (self.seen, firework) {
            (Some(seen), Some(state)) if state != seen => {
                Err(Refusal::Moved { what: "firework", fw_id: self.fw_id, state, seen })
            }
            _ => Ok(()),
        }
    }

    /// The same where a part of it may have been written already: what it leaves behind is as good as what was
    /// seen.
    pub(super) fn check_again(&self, firework: Option<State>, workflow: Option<State>) -> Result<(), Refusal> {
        let is_ours = firework.is_some_and(|state| self.verb.leaves(state));
        if is_ours && !self.is_of_workflow() { Ok(()) } else { self.check(firework, workflow) }
    }

    fn is_of_workflow(&self) -> bool {
        self.verb.needs().workflow
    }
}

/// That a workflow is in the state in which it was seen.
pub(super) fn unmoved_workflow(fw_id: FwId, seen: Option<State>, state: Option<State>) -> Result<(), Refusal> {
    match (seen, state) {
        (Some(seen), Some(state)) if seen != state => {
            Err(Refusal::Moved { what: "the workflow of firework", fw_id, state, seen })
        }
        _ => Ok(()),
    }
}
