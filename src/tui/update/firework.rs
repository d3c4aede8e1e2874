//! A firework: which pane is seen, and what is done to it.

use ratatui::crossterm::event::KeyCode;

use super::{Hint, Step, files, mark, tree};
use crate::tui::ask::files::Ask as FilesAsk;
use crate::tui::ask::{Answer, Ask, firework as of};
use crate::tui::state::firework::{Firework, Pane, Window};
use crate::tui::state::list::Workflows;
use crate::tui::state::{Scene, Screen, page};
use crate::tui::{Key, Motion};
use crate::workflow::FwId;

/// Its keys.
pub const HINTS: &[Hint] = &[
    Hint { key: "Tab", word: "panes", help: "the next pane: page, data, explanation, files" },
    Hint { key: "Enter", word: "open", help: "open the parent or the child that is marked" },
    Hint { key: "o w", word: "graph", help: "its workflow as a graph; in the list of workflows" },
    Hint { key: "e", word: "explain", help: "why it does not run, or what became of it" },
    Hint { key: "f t", word: "files, tail", help: "its files; its newest output" },
    mark::HINT,
];

/// The keys of what is seen.
pub fn hints(screen: &Firework) -> Vec<Hint> {
    let own = match screen.pane {
        Pane::Files => files::HINTS,
        Pane::Data => tree::HINTS,
        Pane::Page | Pane::Explanation => &[],
    };
    let others = HINTS.iter().filter(|hint| screen.pane == Pane::Page || hint.key != "Enter");
    own.iter().chain(others).copied().collect()
}

/// The pane that a key shows, of a firework that is marked or seen.
pub fn pane(key: Key) -> Option<Key> {
    matches!((key.code, key.ctrl), (KeyCode::Char('e' | 'f' | 't'), false)).then_some(key)
}

/// A firework opens, as if this key had been pressed there.
pub fn opened(fw_id: FwId, pane: Key, scene: &Scene) -> Vec<Step> {
    let mut screen = Firework::new(fw_id);
    let steps = key(&mut screen, pane, scene).unwrap_or_default();
    let said = steps.into_iter().filter(|step| !matches!(step, Step::Ask(_)));
    std::iter::once(Step::Open(Screen::Firework(Box::new(screen)))).chain(said).collect()
}

/// A key; nothing where it is none of this screen.
pub fn key(screen: &mut Firework, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    if screen.pane == Pane::Files
        && let Some(steps) = files::key(&mut screen.files, key, scene)
    {
        return Some(steps);
    }
    let place = Pane::ALL.iter().position(|one| *one == screen.pane).unwrap_or_default();
    let count = Pane::ALL.len();
    match (key.code, key.ctrl) {
        (KeyCode::Tab, _) => return Some(show(screen, Pane::ALL[(place + 1) % count], scene)),
        (KeyCode::BackTab, _) => return Some(show(screen, Pane::ALL[(place + count - 1) % count], scene)),
        (KeyCode::Char('e'), false) => return Some(show(screen, Pane::Explanation, scene)),
        (KeyCode::Char('f'), false) => return Some(show(screen, Pane::Files, scene)),
        (KeyCode::Char('t'), false) => {
            let mut steps = show(screen, Pane::Files, scene);
            steps.extend(files::key(&mut screen.files, key, scene).unwrap_or_default());
            return Some(steps);
        }
        (KeyCode::Char('o'), false) => return Some(vec![Step::Open(Screen::graph(screen.fw_id))]),
        (KeyCode::Char('w'), false) => {
            let list = Workflows::filtered(&format!("w:{}", screen.fw_id));
            return Some(vec![Step::Open(Screen::Workflows(Box::new(list)))]);
        }
        _ => {}
    }
    in_pane(screen, key, scene).or_else(|| mark::act(key, &[screen.fw_id]))
}

fn in_pane(screen: &mut Firework, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    let known = screen.known.clone()?;
    let (width, now, room) = (usize::from(scene.width).saturating_sub(2), scene.store_now(), Firework::rows(scene));
    match screen.pane {
        Pane::Page => {
            let lines = page::page(&known, width, now);
            if key.code == KeyCode::Enter {
                let link = lines.get(screen.page.row).and_then(|line| line.link);
                return Some(link.map(|fw_id| Step::Open(Screen::firework(fw_id))).into_iter().collect());
            }
            screen.page = moved(screen.page, key, lines.len(), room)?;
        }
        Pane::Explanation => {
            let count = page::explanation(&known, width, now).len();
            screen.explanation = moved(screen.explanation, key, count, room)?;
        }
        Pane::Data => return tree::key(&mut screen.data, &known.data, key, room),
        Pane::Files => return None,
    }
    Some(Vec::new())
}

/// Where a key leads in lines.
pub(super) fn moved(window: Window, key: Key, count: usize, room: usize) -> Option<Window> {
    let motion = Motion::of(key)?;
    Some(Window { row: motion.leads(window.row, count, room), ..window }.within(count, room))
}

fn show(screen: &mut Firework, pane: Pane, scene: &Scene) -> Vec<Step> {
    screen.pane = pane;
    asks(screen, scene).into_iter().map(Step::Ask).collect()
}

/// What is asked so that it is fresh.
pub fn asks(screen: &Firework, scene: &Scene) -> Vec<Ask> {
    let own = Ask::Firework(of::Ask { fw_id: screen.fw_id });
    match screen.pane {
        // Its name and state are above all panes.
        Pane::Files => files::asks(&screen.files, scene).into_iter().chain([own]).collect(),
        _ => vec![own],
    }
}

/// An answer.
pub fn take(screen: &mut Firework, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    match (ask, answer) {
        (Ask::Firework(ask), Answer::Firework(answer)) if ask.fw_id == screen.fw_id => {
            (screen.known, screen.trouble) = (Some(answer.known.clone()), None);
            Vec::new()
        }
        (Ask::Files(_), _) => files::take(&mut screen.files, ask, answer, scene),
        _ => Vec::new(),
    }
}

/// No answer. Whether it is about this firework.
pub fn fail(screen: &mut Firework, ask: &Ask, why: &str) -> bool {
    let is_own = match ask {
        Ask::Firework(ask) => ask.fw_id == screen.fw_id,
        Ask::Files(FilesAsk::Place(fw_id)) => *fw_id == screen.fw_id,
        _ => false,
    };
    if is_own {
        screen.trouble = Some(why.to_owned());
    }
    is_own
}
