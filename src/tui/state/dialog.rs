//! What lies above a screen and takes the keys: questions before something is done, and what came of it.

use super::Scene;
use crate::tui::fit::broken;
use crate::verbs::action::{Action, Outcome, Plan, Target, jobs_named};

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub enum Dialog {
    /// Which priority.
    Priority {
        /// Of what.
        target: Target,
        /// The number, as far as it is typed.
        typed: String,
    },
    /// It is being looked what would happen.
    Planning(Action, Target),
    /// Whether it shall.
    Confirm {
        /// What would happen.
        plan: Box<Plan>,
        /// Lines that are scrolled over.
        from: usize,
        /// The number that is asked for where much is at stake, as far as it is typed.
        typed: String,
    },
    /// What was refused.
    Refused {
        /// All of what has happened.
        outcome: Box<Outcome>,
        /// Lines that are scrolled over.
        from: usize,
    },
    /// A text that has no room where it stands.
    Text {
        /// All of it.
        text: String,
        /// Lines that are scrolled over.
        from: usize,
    },
}

/// Who deletes more workflows than these types how many they are.
const MANY: usize = 10;
/// Wider lines are hard to read.
const WIDEST: u16 = 100;
/// Columns and lines that the frame takes, and the line below the text.
const FRAME: (u16, u16) = (4, 3);

impl Dialog {
    /// It begins with what would happen.
    pub fn confirm(plan: Box<Plan>) -> Self {
        Dialog::Confirm { plan, from: 0, typed: String::new() }
    }

    /// Columns and lines that there are for its text.
    pub fn room(scene: &Scene) -> (usize, usize) {
        let width = scene.width.saturating_sub(FRAME.0 + 2).min(WIDEST);
        (usize::from(width), usize::from(scene.body().saturating_sub(FRAME.1).max(1)))
    }

    /// What it says, in lines of so many columns.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let text = |text: &str| broken(text, width);
        let list = |lines: &[String]| -> Vec<String> { lines.iter().flat_map(|line| text(line)).collect() };
        match self {
            Dialog::Priority { target, .. } => {
                text(&format!("The priority of {}: those of a higher one run first.", what(target)))
            }
            Dialog::Planning(..) => text("Looking what exactly would happen ..."),
            Dialog::Confirm { plan, .. } => [text(&plan.what), list(&plan.preview)].concat(),
            Dialog::Text { text: all, .. } => text(all),
            Dialog::Refused { outcome, .. } => [list(&outcome.refused), list(&outcome.done)].concat(),
        }
    }

    /// The last line that can be scrolled to, where one can.
    pub fn last(&self, scene: &Scene) -> usize {
        let (width, height) = Self::room(scene);
        self.lines(width).len().saturating_sub(height)
    }

    /// How many lines are scrolled over.
    pub fn from(&self, scene: &Scene) -> usize {
        match self {
            Dialog::Confirm { from, .. } | Dialog::Refused { from, .. } | Dialog::Text { from, .. } => {
                (*from).min(self.last(scene))
            }
            Dialog::Priority { .. } | Dialog::Planning(..) => 0,
        }
    }
}

/// What must be typed before this is done.
pub fn needed(plan: &Plan) -> Option<String> {
    (plan.action == Action::Delete && plan.seen.len() > MANY).then(|| plan.seen.len().to_string())
}

/// What was chosen, in a few words.
fn what(target: &Target) -> String {
    let (selection, noun) = match target {
        Target::Fireworks(selection) => (selection, "firework"),
        Target::Workflows(selection) => (selection, "workflow"),
        Target::Jobs(jobs) => return jobs_named(jobs),
    };
    match selection.ids.as_deref() {
        Some([id]) => format!("{noun} {id}"),
        Some(ids) => format!("{} {noun}s", ids.len()),
        None => format!("all {noun}s that the filter selects"),
    }
}
