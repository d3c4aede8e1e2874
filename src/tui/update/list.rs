//! Lists: keys move, mark, filter, sort, open, and act.

use ratatui::crossterm::event::KeyCode;

use super::dialog::action;
use super::{Hint, Step, firework, list_filter, list_window};
use crate::tui::ask::{Answer, Ask, act};
use crate::tui::state::list::{Fireworks, Jump, List, Workflows, first_direction, page};
use crate::tui::state::list_row::Row;
use crate::tui::state::{Scene, Screen};
use crate::tui::{Key, Motion};
use crate::verbs::action::{Action, Target};

/// Its keys.
pub const HINTS: &[Hint] = &[
    Hint {
        key: "/",
        word: "filter",
        help: "filter while you type; Enter keeps it, Esc has the one before; Ctrl-W and Ctrl-U take a word or all of it away",
    },
    Hint { key: "s:RUNNING,FIZZLED", word: "", help: "in the filter: these states" },
    Hint { key: "relax n:relax", word: "", help: "names that contain this; n:re:^relax a regular expression" },
    Hint { key: "step 0 \"step 0\"", word: "", help: "names with both; with them side by side" },
    Hint { key: "1,5-9 i:1,5-9", word: "", help: "these fireworks; w:7 what is in the workflow of 7" },
    Hint { key: "e:memory", word: "", help: "FIZZLED with an error that contains this" },
    Hint { key: "j:123 mine since:2h", word: "", help: "of this queue job; added by me; changed since" },
    Hint { key: "q:{'spec.el': 'Cu'}", word: "", help: "a query of MongoDB, to the end of the line" },
    Hint { key: "Enter", word: "open", help: "the firework; of a workflow its graph" },
    Hint { key: "Space", word: "mark", help: "mark this row or unmark it; Esc unmarks all" },
    Hint { key: "a", word: "", help: "mark all rows on this screen, or none any more" },
    Hint { key: "A", word: "all", help: "the next action is for all that the filter selects" },
    Hint { key: "r R", word: "rerun", help: "run again from the beginning; R from the task that failed" },
    Hint { key: "p P", word: "pause", help: "pause; P resume" },
    Hint { key: "x X", word: "defuse", help: "defuse: it and what follows does not run; X reignite" },
    Hint { key: "c", word: "cancel", help: "cancel the queue job; the firework is READY again" },
    Hint { key: "+ - =", word: "priority", help: "priority up, down (of one row at once), to a number" },
    Hint { key: "D", word: "delete", help: "delete the whole workflow" },
    Hint { key: "s S", word: "sort", help: "sort by the next column; S the other way round" },
    Hint {
        key: "o w",
        word: "",
        help: "the graph of its workflow; of a firework the workflow, of a workflow what is in it",
    },
    Hint { key: "e f t", word: "", help: "of a firework: why it does not run, its files, their tail" },
];

/// The keys while a filter is typed.
const TYPING: [Hint; 3] = [
    Hint { key: "Enter", word: "keep the filter", help: "" },
    Hint { key: "Esc", word: "have the one before", help: "" },
    Hint { key: "Ctrl-U", word: "clear", help: "" },
];

/// The keys that there are.
pub fn hints<R>(list: &List<R>) -> Vec<Hint> {
    if list.prompt.is_some() { TYPING.to_vec() } else { HINTS.to_vec() }
}

/// Whether letters are text.
pub fn types<R>(list: &List<R>) -> bool {
    list.prompt.is_some()
}

/// A key; nothing where it is none of this screen.
pub fn key_in_fireworks(list: &mut Fireworks, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    if let Some(steps) = self::key(list, key, scene) {
        return Some(steps);
    }
    let fw_id = list.row()?.fw_id;
    if let Some(pane) = firework::pane(key) {
        return Some(firework::opened(fw_id, pane, scene));
    }
    let screen = match (key.code, key.ctrl) {
        (KeyCode::Enter, _) => Screen::firework(fw_id),
        (KeyCode::Char('o'), false) => Screen::graph(fw_id),
        (KeyCode::Char('w'), false) => Screen::Workflows(Box::new(Workflows::filtered(&format!("w:{fw_id}")))),
        _ => return None,
    };
    Some(vec![Step::Open(screen)])
}

/// A key; nothing where it is none of this screen.
pub fn key_in_workflows(list: &mut Workflows, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    if let Some(steps) = self::key(list, key, scene) {
        return Some(steps);
    }
    let id = list.row()?.id;
    let screen = match (key.code, key.ctrl) {
        (KeyCode::Enter, _) | (KeyCode::Char('o'), false) => Screen::graph(id),
        (KeyCode::Char('w'), false) => Screen::Fireworks(Box::new(Fireworks::filtered(&format!("w:{id}")))),
        _ => return None,
    };
    Some(vec![Step::Open(screen)])
}

fn key<R: Row>(list: &mut List<R>, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    if list.prompt.is_some() {
        return Some(list_filter::key(list, key, scene));
    }
    if let Some(motion) = Motion::of(key) {
        return Some(move_by(list, motion, scene));
    }
    if let Some(action) = action(key) {
        return Some(vec![act(list, action, scene)]);
    }
    match (key.code, key.ctrl) {
        (KeyCode::Char('/'), false) => list_filter::open(list),
        (KeyCode::Char('s'), false) => {
            let place = R::KEYS.iter().position(|key| *key == list.sort.0).map_or(0, |place| place + 1);
            let key = R::KEYS[place % R::KEYS.len()];
            list.sort = (key, first_direction(key));
            return Some(list_window::restart(list, scene));
        }
        (KeyCode::Char('S'), false) => {
            list.sort.1 = list.sort.1.reversed();
            return Some(list_window::restart(list, scene));
        }
        (KeyCode::Char(' '), false) => {
            list.all = false;
            if let Some(id) = list.row().map(Row::id)
                && !list.marks.remove(&id)
            {
                list.marks.insert(id);
            }
            return Some(move_by(list, Motion::Down, scene));
        }
        (KeyCode::Char('a'), false) => return Some(mark_seen(list, scene).into_iter().collect()),
        (KeyCode::Char('A'), false) => list.all = !list.all,
        (KeyCode::Esc, _) if list.all => list.all = false,
        (KeyCode::Esc, _) if !list.marks.is_empty() => list.marks.clear(),
        _ => return None,
    }
    Some(Vec::new())
}

/// Moves within what is loaded; to the ends of the list also beyond.
pub(super) fn move_by<R: Row>(list: &mut List<R>, motion: Motion, scene: &Scene) -> Vec<Step> {
    let page = page(scene);
    list.jump = match motion {
        Motion::First if !list.loaded.is_first => Some(Jump::First),
        Motion::Last if !list.loaded.is_last => Some(Jump::Last),
        _ => list.jump,
    };
    if list.jump.is_some() {
        return vec![list_window::rows(list, scene)];
    }
    list.cursor = motion.leads(list.cursor, list.loaded.rows.len(), page);
    list.top = list.top(page);
    list_window::more(list, scene)
}

/// Marks what is seen; where anything is marked, unmarks it.
fn mark_seen<R: Row>(list: &mut List<R>, scene: &Scene) -> Option<Step> {
    list.all = false;
    if !list.marks.is_empty() {
        list.marks.clear();
        return None;
    }
    let seen: Vec<_> = list.seen(page(scene)).iter().map(Row::id).collect();
    list.marks.extend(seen);
    let is_all = list.loaded.is_first && list.loaded.is_last && list.marks.len() == list.loaded.rows.len();
    (!is_all).then(|| Step::Say(format!("{} on this screen are marked; A is for all", list.marks.len())))
}

/// An action; that for all is one only.
fn act<R: Row>(list: &mut List<R>, action: Action, scene: &Scene) -> Step {
    let step = match list.target(scene.store_now()) {
        Some(target) => Step::Act(action, target),
        None => Step::Fail(format!("there is no {} on this line", R::NOUN)),
    };
    list.all = false;
    step
}

/// What is asked so that it is fresh.
pub fn asks_of_fireworks(list: &Fireworks, scene: &Scene) -> Vec<Ask> {
    list_window::asks(list, scene)
}

/// What is asked so that it is fresh.
pub fn asks_of_workflows(list: &Workflows, scene: &Scene) -> Vec<Ask> {
    list_window::asks(list, scene)
}

/// An answer.
pub fn take_fireworks(list: &mut Fireworks, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    unmark(list, ask, |target| matches!(target, Target::Fireworks(_)));
    list_window::take(list, ask, answer, scene)
}

/// An answer.
pub fn take_workflows(list: &mut Workflows, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    unmark(list, ask, |target| matches!(target, Target::Workflows(_)));
    list_window::take(list, ask, answer, scene)
}

/// What was marked for an action is not marked any more once that is carried out.
fn unmark<R: Row>(list: &mut List<R>, ask: &Ask, is_own: fn(&Target) -> bool) {
    if let Ask::Act(act::Ask::CarryOut(plan)) = ask
        && is_own(&plan.target)
        && let Target::Fireworks(selection) | Target::Workflows(selection) = &plan.target
        && let Some(ids) = &selection.ids
    {
        list.marks.retain(|id| !ids.contains(id));
    }
}
