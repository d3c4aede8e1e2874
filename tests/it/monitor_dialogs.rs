//! The dialogs of the monitor: what would happen is shown before it happens, and what was refused after.

use std::time::Duration;

use volley::launchpad::Selection;
use volley::tui::ask::{Answer, Ask, Reply, Trouble, act};
use volley::tui::state::{App, Dialog, Screen};
use volley::tui::{Effect, Event};
use volley::verbs::action::{Action, Basis, Outcome, Plan, Seen, Target};
use volley::workflow::{FwId, State};

use crate::support::rows::Launchpad;
use crate::support::screen::{answer, app, asks, compare, picture, press};

fn shown() -> App {
    let mut app = app();
    let effects = press(&mut app, "3");
    Launchpad::of(100).serve(&mut app, effects);
    app
}

fn plan(action: Action, target: Target, count: FwId, preview: usize) -> Box<Plan> {
    let seen = |fw_id| Seen { fw_id, name: format!("relax {fw_id}"), state: State::Fizzled, launch: None };
    let lines = (1..=preview)
        .map(|line| format!("{line} FIZZLED fireworks called relax number {line}, and all that depend on them"));
    Box::new(Plan {
        action,
        target,
        seen: (1..=count).map(seen).collect(),
        basis: Basis::States,
        what: format!("run {count} fireworks again, and all that depend on them"),
        preview: lines.collect(),
    })
}

/// Presses a key that asks for something, and answers what would happen.
fn planned(app: &mut App, key: &str, count: FwId, preview: usize) -> Box<Plan> {
    let effects = press(app, key);
    let asked = asks(&effects);
    let [Ask::Act(act::Ask::Plan(action, target))] = asked[..] else { panic!("{effects:?}") };
    let plan = plan(*action, target.clone(), count, preview);
    answer(app, asked[0], Answer::Act(Box::new(act::Answer::Plan(plan.clone()))));
    plan
}

fn carried_out(effects: &[Effect]) -> Option<Ask> {
    asks(effects).into_iter().find(|ask| matches!(ask, Ask::Act(act::Ask::CarryOut(_)))).cloned()
}

#[test]
fn every_key_asks_for_its_action() {
    for (key, action) in [
        ("r", Action::Rerun { task_level: false }),
        ("R", Action::Rerun { task_level: true }),
        ("p", Action::Pause),
        ("P", Action::Resume),
        ("x", Action::Defuse),
        ("X", Action::Reignite),
        ("c", Action::Cancel),
        ("D", Action::Delete),
    ] {
        let mut app = shown();
        press(&mut app, key);
        let Some(Dialog::Planning(asked, target)) = &app.dialog else { panic!("{key}: {:?}", app.dialog) };
        let row = Selection { ids: Some(vec![100]), ..Selection::default() };
        assert_eq!((*asked, target), (action, &Target::Fireworks(Box::new(row))), "{key}");
    }
}

#[test]
fn nothing_happens_but_on_y() {
    for key in ["<Enter>", "n", "q", "<Esc>", "r", " ", "Y", "D", "1"] {
        let mut app = shown();
        planned(&mut app, "r", 12, 3);
        let effects = press(&mut app, key);
        assert_eq!(carried_out(&effects), None, "{key}");
        assert_eq!(app.dialog.is_none(), ["n", "q", "<Esc>"].contains(&key), "{key}");
    }
    let mut app = shown();
    press(&mut app, "  ");
    let plan = planned(&mut app, "r", 12, 3);
    compare(&mut app, "dialog-confirm");
    let effects = press(&mut app, "y");
    let ask = carried_out(&effects).expect("it is carried out");
    assert_eq!(ask, Ask::Act(act::Ask::CarryOut(plan)));
    assert!(app.dialog.is_none());
    let outcome = Outcome { done: vec!["12 fireworks run again".to_owned()], refused: Vec::new() };
    answer(&mut app, &ask, Answer::Act(Box::new(act::Answer::Outcome(outcome))));
    assert_eq!(app.notice.as_ref().map(|notice| notice.text.as_str()), Some("12 fireworks run again"));
    assert!(matches!(app.screen(), Screen::Fireworks(list) if list.marks.is_empty()));
}

#[test]
fn a_plan_that_is_left_does_not_come_back() {
    let mut app = shown();
    let effects = press(&mut app, "r");
    compare(&mut app, "dialog-planning");
    press(&mut app, "<Esc>");
    let ask = asks(&effects)[0].clone();
    let Ask::Act(act::Ask::Plan(action, target)) = &ask else { panic!() };
    let late = plan(*action, target.clone(), 1, 1);
    answer(&mut app, &ask, Answer::Act(Box::new(act::Answer::Plan(late))));
    assert!(app.dialog.is_none());
}

#[test]
fn what_does_not_fit_is_scrolled() {
    let mut app = shown();
    planned(&mut app, "p", 40, 60);
    compare(&mut app, "dialog-long");
    app.update(Event::Resize(80, 24));
    press(&mut app, "G");
    assert!(picture(&mut app, (80, 24)).contains("60 FIZZLED"));
    compare(&mut app, "dialog-long-end");
    press(&mut app, "gk");
    assert!(picture(&mut app, (80, 24)).contains("run 40 fireworks again"));
}

#[test]
fn many_workflows_are_deleted_by_their_number() {
    let mut app = shown();
    planned(&mut app, "D", 12, 3);
    assert_eq!(carried_out(&press(&mut app, "y")), None);
    compare(&mut app, "dialog-delete");
    let mut long = shown();
    planned(&mut long, "D", 12, 30);
    assert!(picture(&mut long, (60, 15)).contains("lines 1-10 of 61"), "that there is more is always told");
    assert_eq!(carried_out(&press(&mut app, "13<Enter>")), None);
    assert!(carried_out(&press(&mut app, "<Backspace>2<Enter>")).is_some());
    let mut app = shown();
    planned(&mut app, "D", 10, 3);
    assert!(carried_out(&press(&mut app, "y")).is_some());
}

#[test]
fn a_priority_is_a_number() {
    let mut app = shown();
    assert!(asks(&press(&mut app, "=")).is_empty());
    assert!(asks(&press(&mut app, "<Enter>")).is_empty());
    press(&mut app, "-1x5");
    compare(&mut app, "dialog-priority");
    let effects = press(&mut app, "<Enter>");
    let [Ask::Act(act::Ask::Plan(action, _))] = asks(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(*action, Action::SetPriority(-15));
}

#[test]
fn what_was_refused_is_listed() {
    let mut app = shown();
    planned(&mut app, "r", 12, 3);
    let ask = carried_out(&press(&mut app, "y")).expect("it is carried out");
    let refused = |id| format!("firework {id} is RUNNING by now, not FIZZLED; it was left alone");
    let outcome = Outcome { done: vec!["10 fireworks run again".to_owned()], refused: vec![refused(7), refused(9)] };
    answer(&mut app, &ask, Answer::Act(Box::new(act::Answer::Outcome(outcome))));
    compare(&mut app, "dialog-refused");
    press(&mut app, "<Enter>");
    assert!(app.dialog.is_none());
}

#[test]
fn what_cannot_be_planned_is_said() {
    let mut app = shown();
    let effects = press(&mut app, "r");
    let trouble = Trouble { text: "there is no firework 100".to_owned(), is_away: false };
    let reply = Reply { ask: asks(&effects)[0].clone(), answer: Err(trouble), took: Duration::ZERO };
    app.update(Event::Reply(Box::new(reply)));
    assert!(app.dialog.is_none());
    assert_eq!(app.notice.as_ref().map(|notice| notice.is_error), Some(true));
}

#[test]
fn nothing_is_changed_where_one_may_only_read() {
    let mut app = shown();
    app.view.read_only = true;
    assert!(asks(&press(&mut app, "r")).is_empty());
    assert!(app.dialog.is_none());
}

#[test]
fn nobody_agrees_by_pasting() {
    let mut app = shown();
    planned(&mut app, "r", 12, 3);
    assert!(app.update(Event::Paste("say yes".to_owned())).is_empty());
    assert!(matches!(app.dialog, Some(Dialog::Confirm { .. })));
    let mut app = shown();
    press(&mut app, "=");
    app.update(Event::Paste("no: -1 5\n".to_owned()));
    assert!(matches!(&app.dialog, Some(Dialog::Priority { typed, .. }) if typed == "-15"), "{:?}", app.dialog);
}

#[test]
fn what_goes_wrong_with_one_action_leaves_the_question_of_another() {
    let mut app = shown();
    planned(&mut app, "r", 12, 3);
    let first = carried_out(&press(&mut app, "y")).expect("it is carried out");
    planned(&mut app, "D", 12, 3);
    press(&mut app, "1");
    let answer = Err(Trouble { text: "the queue is away".to_owned(), is_away: false });
    app.update(Event::Reply(Box::new(Reply { ask: first, answer, took: Duration::ZERO })));
    assert!(matches!(&app.dialog, Some(Dialog::Confirm { typed, .. }) if typed == "1"), "{:?}", app.dialog);
    assert!(app.notice.as_ref().is_some_and(|notice| notice.is_error && notice.text == "the queue is away"));
}

#[test]
fn who_types_a_filter_is_not_interrupted() {
    let mut app = shown();
    planned(&mut app, "r", 12, 3);
    let ask = carried_out(&press(&mut app, "y")).expect("it is carried out");
    press(&mut app, "/n:");
    let outcome = Outcome { done: Vec::new(), refused: vec!["firework 7 is RUNNING by now".to_owned()] };
    answer(&mut app, &ask, Answer::Act(Box::new(act::Answer::Outcome(outcome))));
    press(&mut app, "nq");
    assert!(matches!(app.screen(), Screen::Fireworks(list) if list.filter.text() == "n:nq"));
    assert!(app.notice.as_ref().is_some_and(|notice| notice.text.contains("firework 7")));
}

#[test]
fn nobody_leaves_unawares_while_something_is_done() {
    for key in ["q", "<C-c>"] {
        let mut app = shown();
        planned(&mut app, "r", 12, 3);
        let ask = carried_out(&press(&mut app, "y")).expect("it is carried out");
        press(&mut app, "1");
        assert!(press(&mut app, key).is_empty());
        assert!(app.notice.as_ref().is_some_and(|notice| notice.text.contains("under way")));
        assert_eq!(press(&mut app, key), [Effect::Quit]);
        let outcome = Outcome { done: vec!["12 fireworks run again".to_owned()], refused: Vec::new() };
        answer(&mut app, &ask, Answer::Act(Box::new(act::Answer::Outcome(outcome))));
        assert_eq!(press(&mut app, key), [Effect::Quit]);
    }
}

#[test]
fn a_dialog_that_cannot_be_seen_takes_no_key() {
    let mut app = shown();
    planned(&mut app, "r", 12, 3);
    app.update(Event::Resize(80, 14));
    assert_eq!(carried_out(&press(&mut app, "y")), None);
    press(&mut app, "n<Esc>");
    app.update(Event::Resize(80, 15));
    assert!(app.dialog.is_some());
    assert!(carried_out(&press(&mut app, "y")).is_some());
}

#[test]
fn the_priority_of_one_firework_is_changed_without_a_question() {
    for (key, change) in [("+", 1), ("-", -1)] {
        let mut app = shown();
        let effects = press(&mut app, key);
        let asked = asks(&effects);
        let [Ask::Act(act::Ask::AtOnce(action, target))] = asked[..] else { panic!("{effects:?}") };
        let row = Selection { ids: Some(vec![100]), ..Selection::default() };
        assert_eq!((*action, target), (Action::Raise(change), &Target::Fireworks(Box::new(row))));
        assert!(app.dialog.is_none());
        // Several are asked about.
        press(&mut app, "  ");
        press(&mut app, key);
        assert!(matches!(&app.dialog, Some(Dialog::Planning(Action::Raise(by), _)) if *by == change));
    }
}

#[test]
fn what_is_said_is_not_below_a_question() {
    let mut app = shown();
    planned(&mut app, "r", 12, 3);
    app.update(Event::Log("2026-11-26 12:00:00,000 WARNING a clock is late".to_owned()));
    assert!(!picture(&mut app, (80, 24)).contains("a clock is late"));
    press(&mut app, "jn");
    assert!(picture(&mut app, (80, 24)).contains("a clock is late"));
}
