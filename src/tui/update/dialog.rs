//! Questions before something is done, and which keys ask for what.

use ratatui::crossterm::event::KeyCode;

use super::Step;
use crate::tui::ask::{Answer, Ask, act};
use crate::tui::state::dialog::needed;
use crate::tui::state::{Dialog, Scene};
use crate::tui::{Key, Motion};
use crate::verbs::action::{Action, Outcome, Target};

/// What a key asks to be done to what is marked; the same keys on every screen.
pub fn action(key: Key) -> Option<Action> {
    if key.ctrl {
        return None;
    }
    Some(match key.code {
        KeyCode::Char('r') => Action::Rerun { task_level: false },
        KeyCode::Char('R') => Action::Rerun { task_level: true },
        KeyCode::Char('p') => Action::Pause,
        KeyCode::Char('P') => Action::Resume,
        KeyCode::Char('x') => Action::Defuse,
        KeyCode::Char('X') => Action::Reignite,
        KeyCode::Char('+') => Action::Raise(1),
        KeyCode::Char('-') => Action::Raise(-1),
        // The number is asked for first.
        KeyCode::Char('=') => Action::SetPriority(0),
        KeyCode::Char('c') => Action::Cancel,
        KeyCode::Char('D') => Action::Delete,
        _ => return None,
    })
}

/// The dialog that begins with an action. What is small and easily undone needs none.
pub fn begin(action: Action, target: Target) -> (Option<Dialog>, Vec<Step>) {
    match action {
        Action::SetPriority(_) => (Some(Dialog::Priority { target, typed: String::new() }), Vec::new()),
        Action::Raise(_) if is_one(&target) => (None, vec![Step::Ask(Ask::Act(act::Ask::AtOnce(action, target)))]),
        action => {
            let (open, steps) = plan(action, target);
            (Some(open), steps)
        }
    }
}

fn is_one(target: &Target) -> bool {
    matches!(target, Target::Fireworks(selection) if selection.ids.as_ref().is_some_and(|ids| ids.len() == 1))
}

fn plan(action: Action, target: Target) -> (Dialog, Vec<Step>) {
    let ask = Ask::Act(act::Ask::Plan(action, target.clone()));
    (Dialog::Planning(action, target), vec![Step::Ask(ask)])
}

/// A key. What remains of the dialog, and what is to be done.
pub fn key(dialog: Dialog, key: Key, scene: &Scene) -> (Option<Dialog>, Vec<Step>) {
    if matches!(key.code, KeyCode::Esc | KeyCode::Char('n' | 'q')) && !key.ctrl {
        return (None, Vec::new());
    }
    match dialog {
        Dialog::Priority { target, typed } => match (key.code, typed.parse()) {
            (KeyCode::Enter, Ok(priority)) => {
                let (dialog, steps) = plan(Action::SetPriority(priority), target);
                (Some(dialog), steps)
            }
            _ => (Some(Dialog::Priority { target, typed: number(typed, key, true) }), Vec::new()),
        },
        Dialog::Confirm { plan, from, typed } => {
            let agrees = match needed(&plan) {
                Some(number) => key.code == KeyCode::Enter && typed == number,
                None => key == Key::char('y'),
            };
            if agrees {
                let said = Step::Say(format!("under way: {}", plan.what));
                return (None, vec![said, Step::Ask(Ask::Act(act::Ask::CarryOut(plan)))]);
            }
            let typed = if needed(&plan).is_some() { number(typed, key, false) } else { typed };
            (Some(scrolled(Dialog::Confirm { plan, from, typed }, key, scene)), Vec::new())
        }
        Dialog::Refused { .. } | Dialog::Text { .. } if key.code == KeyCode::Enter => (None, Vec::new()),
        Dialog::Refused { .. } | Dialog::Text { .. } => (Some(scrolled(dialog, key, scene)), Vec::new()),
        Dialog::Planning(..) => (Some(dialog), Vec::new()),
    }
}

/// A number may be pasted where one is asked for; what is done is agreed to by hand.
pub fn paste(dialog: &mut Dialog, text: &str) {
    if let Dialog::Priority { typed, .. } = dialog {
        *typed = text.chars().map(Key::char).fold(std::mem::take(typed), |typed, key| number(typed, key, true));
    }
}

/// Whether it was opened by this question, and has no answer yet.
pub fn waits_for(dialog: &Dialog, ask: &act::Ask) -> bool {
    matches!((dialog, ask), (Dialog::Planning(action, target), act::Ask::Plan(asked, of)) if action == asked && target == of)
}

/// A number, and what a key makes of it.
fn number(mut typed: String, key: Key, may_be_negative: bool) -> String {
    const LONGEST: usize = 18;
    match key.code {
        KeyCode::Backspace => drop(typed.pop()),
        KeyCode::Char('-') if may_be_negative && typed.is_empty() => typed.push('-'),
        KeyCode::Char(digit) if digit.is_ascii_digit() && typed.len() < LONGEST => typed.push(digit),
        _ => {}
    }
    typed
}

fn scrolled(mut dialog: Dialog, key: Key, scene: &Scene) -> Dialog {
    let (at, last) = (dialog.from(scene), dialog.last(scene));
    if let Some(motion) = Motion::of(key)
        && let Dialog::Confirm { from, .. } | Dialog::Refused { from, .. } | Dialog::Text { from, .. } = &mut dialog
    {
        *from = motion.leads(at, last + 1, Dialog::room(scene).1);
    }
    dialog
}

/// An answer.
pub fn take(dialog: Option<Dialog>, ask: &Ask, answer: &Answer, is_typing: bool) -> (Option<Dialog>, Vec<Step>) {
    let (Ask::Act(ask), Answer::Act(answer)) = (ask, answer) else { return (dialog, Vec::new()) };
    match (&**answer, dialog) {
        (act::Answer::Plan(plan), Some(open)) if waits_for(&open, ask) => {
            (Some(Dialog::confirm(plan.clone())), Vec::new())
        }
        (act::Answer::Plan(_), other) => (other, Vec::new()),
        (act::Answer::Outcome(outcome), dialog) if outcome.refused.is_empty() => {
            (dialog, vec![Step::Say(done(outcome))])
        }
        (act::Answer::Outcome(outcome), None) if !is_typing => {
            let said = Step::Say(done(outcome));
            (Some(Dialog::Refused { outcome: Box::new(outcome.clone()), from: 0 }), vec![said])
        }
        // Whoever is asked something else meanwhile, or types, hears of it all the same.
        (act::Answer::Outcome(outcome), other) => {
            let first = outcome.refused.first().map(String::as_str).unwrap_or_default();
            (other, vec![Step::Fail(format!("{} refused: {first}", outcome.refused.len()))])
        }
    }
}

fn done(outcome: &Outcome) -> String {
    if outcome.done.is_empty() { "nothing was changed".to_owned() } else { outcome.done.join("; ") }
}
