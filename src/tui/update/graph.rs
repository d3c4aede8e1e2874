//! A graph: where one moves in it, what opens, and what is done to what is marked.

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::crossterm::event::KeyCode;

use super::{Hint, Step, firework, mark};
use crate::launchpad::graph::Place;
use crate::tui::ask::{Answer, Ask, graph as of};
use crate::tui::state::graph::Graph;
use crate::tui::state::{Scene, Screen};
use crate::tui::{Key, Motion};
use crate::workflow::{FwId, State};

/// Its keys.
pub const HINTS: &[Hint] = &[
    Hint { key: "Enter", word: "open", help: "open the firework; show those that are counted one by one" },
    Hint { key: "z", word: "fold", help: "count those that are alike, or show them one by one" },
    Hint { key: "n N", word: "failed", help: "to the next firework that has failed, or back" },
    Hint { key: "h l", word: "parent, child", help: "to a parent, to a child" },
    Hint { key: "e", word: "explain", help: "why it does not run, or what became of it" },
    Hint { key: "f t", word: "files, tail", help: "its files; its newest output" },
    mark::HINT,
];

/// A key; nothing where it is none of this screen.
pub fn key(screen: &mut Graph, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    if let Some(motion) = Motion::of(key) {
        walk(screen, motion, scene);
        return Some(Vec::new());
    }
    match (key.code, key.ctrl) {
        (KeyCode::Enter, _) => match screen.marked()?.members.as_slice() {
            [fw_id] => return Some(vec![Step::Open(Screen::firework(*fw_id))]),
            _ => fold(screen, scene),
        },
        (KeyCode::Char('z'), false) => fold(screen, scene),
        (KeyCode::Char('n'), false) => seek(screen, scene, true),
        (KeyCode::Char('N'), false) => seek(screen, scene, false),
        _ => {
            let members = &screen.marked()?.members;
            if let Some(pane) = firework::pane(key) {
                return Some(match members.as_slice() {
                    [fw_id] => firework::opened(*fw_id, pane, scene),
                    several => vec![Step::Fail(format!("these are {} fireworks: Enter shows them", several.len()))],
                });
            }
            return mark::act(key, members);
        }
    }
    Some(Vec::new())
}

/// Moves along a column, or to a parent or a child.
fn walk(screen: &mut Graph, motion: Motion, scene: &Scene) {
    let Some((column, number)) = screen.columns.find(screen.cursor) else { return };
    let columns = &screen.columns.columns;
    let to = match motion {
        Motion::Left | Motion::Right => {
            let ahead = motion == Motion::Right;
            related(screen, ahead).or_else(|| beside(screen, column, ahead))
        }
        _ => {
            let shown = |place: &&Place| !place.members.is_empty();
            let places: Vec<&Place> = columns[column].places.iter().filter(shown).collect();
            let row = columns[column].places[..number].iter().filter(shown).count();
            places.get(motion.leads(row, places.len(), Graph::rows(scene))).map(|place| place.members[0])
        }
    };
    if let Some(to) = to {
        go(screen, to, scene);
    }
}

/// Marks the place of a firework.
fn go(screen: &mut Graph, fw_id: FwId, scene: &Scene) {
    let place = screen.columns.find(fw_id).and_then(|at| screen.columns.place(at));
    let Some(place) = place else { return };
    (screen.cursor, screen.group) = (fw_id, place.group.clone());
    (screen.left, screen.top) = screen.corner(scene);
}

/// The child or the parent that is nearest in its row to what is marked.
fn related(screen: &Graph, ahead: bool) -> Option<FwId> {
    let (known, place) = (screen.known.as_ref()?, screen.marked()?);
    let links = if ahead { &known.graph.children } else { &known.parents };
    let near = place.members.iter().filter_map(|id| links.get(id)).flatten();
    nearest(screen, near.copied(), place.row)
}

/// What is nearest in the next column, or the one before.
fn beside(screen: &Graph, column: usize, ahead: bool) -> Option<FwId> {
    let column = if ahead { column + 1 } else { column.checked_sub(1)? };
    let near = screen.columns.columns.get(column)?.places.iter().filter_map(|place| place.members.first().copied());
    nearest(screen, near, screen.marked()?.row)
}

fn nearest(screen: &Graph, near: impl Iterator<Item = FwId>, row: usize) -> Option<FwId> {
    let away = |id: &FwId| {
        let (column, number) = screen.columns.find(*id)?;
        Some((screen.columns.place((column, number))?.row.abs_diff(row), column, number))
    };
    near.filter_map(|id| Some((away(&id)?, id))).min().map(|(_, id)| id)
}

/// Shows what is counted one by one; or counts all of the layer again that are like what is marked.
fn fold(screen: &mut Graph, scene: &Scene) {
    let (Some(known), Some(place)) = (screen.known.clone(), screen.marked()) else { return };
    let mut opened: BTreeSet<FwId> = (*screen.opened).clone();
    match place.members.as_slice() {
        [fw_id] => {
            let alike: BTreeSet<FwId> = known.graph.alike(*fw_id).into_iter().collect();
            opened.retain(|id| !alike.contains(id));
        }
        several => opened.extend(several),
    }
    screen.columns = known.columns(&opened);
    screen.opened = Arc::new(opened);
    go(screen, screen.cursor, scene);
}

/// To the next firework that has failed, from left to right and from top to bottom.
fn seek(screen: &mut Graph, scene: &Scene, ahead: bool) {
    let Some(known) = screen.known.clone() else { return };
    let failed = known.graph.nodes.iter().filter(|(_, node)| node.state == State::Fizzled);
    let places: BTreeSet<(usize, usize)> = failed.filter_map(|(id, _)| screen.columns.find(*id)).collect();
    let here = screen.columns.find(screen.cursor).unwrap_or_default();
    let to = if ahead {
        places.iter().find(|at| **at > here).or_else(|| places.first())
    } else {
        places.iter().rev().find(|at| **at < here).or_else(|| places.last())
    };
    let to = to.and_then(|at| screen.columns.place(*at)).and_then(|place| place.members.first().copied());
    if let Some(to) = to {
        go(screen, to, scene);
    }
}

/// What is asked so that it is fresh.
pub fn asks(screen: &Graph, _scene: &Scene) -> Vec<Ask> {
    let (opened, before) = (screen.opened.clone(), screen.known.clone());
    vec![Ask::Graph(of::Ask { fw_id: screen.fw_id, opened, before })]
}

/// An answer.
pub fn take(screen: &mut Graph, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    let (Ask::Graph(ask), Answer::Graph(answer)) = (ask, answer) else { return Vec::new() };
    if ask.fw_id != screen.fw_id {
        return Vec::new();
    }
    (screen.known, screen.trouble) = (Some(answer.known.clone()), None);
    screen.columns =
        if ask.opened == screen.opened { answer.columns.clone() } else { answer.known.columns(&screen.opened) };
    // Several that are counted stay marked though one of them has become something else.
    let columns = screen.columns.clone();
    let places = || columns.columns.iter().flat_map(|column| &column.places);
    let group = screen.group.as_ref().and_then(|group| places().find(|place| place.group.as_ref() == Some(group)));
    let to = group.and_then(|place| place.members.first().copied());
    let to = to.or_else(|| columns.find(screen.cursor).map(|_| screen.cursor));
    if let Some(to) = to.or_else(|| answer.known.graph.nodes.keys().next().copied()) {
        go(screen, to, scene);
    }
    Vec::new()
}

/// No answer. Whether it is about this graph.
pub fn fail(screen: &mut Graph, ask: &Ask, why: &str) -> bool {
    let is_own = matches!(ask, Ask::Graph(ask) if ask.fw_id == screen.fw_id);
    if is_own {
        screen.trouble = Some(why.to_owned());
    }
    is_own
}
