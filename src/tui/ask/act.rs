//! Something to be done: first what would happen, then it happens.

use anyhow::Result;

use super::{Lane, Slot};
use crate::tui::Desk;
use crate::verbs::action::{Action, Outcome, Plan, Target, carry_out, plan};

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// What would happen.
    Plan(Action, Target),
    /// Do it.
    CarryOut(Box<Plan>),
    /// Do it, whatever would happen.
    AtOnce(Action, Target),
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// What would happen.
    Plan(Box<Plan>),
    /// What has happened.
    Outcome(Outcome),
}

impl Ask {
    /// What is done: whoever leaves meanwhile does not hear what came of it.
    pub const CARRY_OUT: Slot = (Lane::Act, "carry out");

    pub(super) fn slot(&self) -> Slot {
        match self {
            Ask::Plan(..) => (Lane::Act, "plan"),
            Ask::CarryOut(_) | Ask::AtOnce(..) => Self::CARRY_OUT,
        }
    }

    pub(super) fn answer(&self, desk: &Desk) -> Result<Answer> {
        Ok(match self {
            Ask::Plan(action, target) => Answer::Plan(Box::new(plan(desk.here(), *action, target)?)),
            Ask::CarryOut(plan) => Answer::Outcome(carry_out(desk.here(), plan)?),
            Ask::AtOnce(action, target) => {
                let plan = plan(desk.here(), *action, target)?;
                Answer::Outcome(carry_out(desk.here(), &plan)?)
            }
        })
    }
}
