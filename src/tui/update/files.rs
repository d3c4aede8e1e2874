//! The files of a firework: where one is among them, and in which.

use std::path::PathBuf;

use ratatui::crossterm::event::KeyCode;

use super::{Hint, Step, sheet};
use crate::launchpad::folder::{Entry, Folder, Kind};
use crate::launchpad::tail::Place;
use crate::tui::ask::files::{self as of, Text};
use crate::tui::ask::{Answer, Ask};
use crate::tui::state::Scene;
use crate::tui::state::files::{Files, Sheet};
use crate::tui::{Key, Motion};

/// Its keys.
pub const HINTS: &[Hint] = &[
    Hint { key: "Enter", word: "open", help: "open the file or the folder" },
    Hint { key: "t", word: "tail", help: "open the newest output, and follow it while it grows" },
    Hint { key: "v", word: "plot/text", help: "the log of a relaxation as a plot, or as it is" },
    Hint { key: "G", word: "follow", help: "to the end of the file, and follow it; g to its beginning" },
    Hint { key: "h l", word: "", help: "lines that are wider than the terminal: to the left, to the right" },
    Hint { key: "Esc", word: "back", help: "close the file, leave the folder" },
];

/// A key; nothing where it is none of this pane.
pub fn key(pane: &mut Files, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    let closes = matches!(key.code, KeyCode::Esc | KeyCode::Backspace) || key == Key::char('q');
    if let Some(open) = &mut pane.open {
        if !closes {
            return sheet::key(open, key, scene);
        }
        pane.open = None;
        return Some(look(pane));
    }
    match Motion::of(key) {
        Some(Motion::Left) => return leave(pane),
        Some(Motion::Right) => return Some(enter(pane)),
        Some(motion) => {
            pane.row = motion.leads(pane.row, pane.entries().len(), sheet::page(scene));
            return Some(Vec::new());
        }
        None => {}
    }
    match (key.code, key.ctrl) {
        (KeyCode::Enter, _) => Some(enter(pane)),
        (KeyCode::Char('t'), false) => Some(tail(pane)),
        _ if closes => leave(pane),
        _ => None,
    }
}

/// The newest output opens, or will.
pub fn tail(pane: &mut Files) -> Vec<Step> {
    pane.tails = true;
    let newest = pane.folder.as_ref().and_then(|folder| folder.newest.clone());
    match (newest, &pane.folder, pane.spot()) {
        (Some(path), ..) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            open(pane, Sheet::new(path, name))
        }
        (None, Some(folder), Some(_)) if folder.unseen.is_some() && !folder.entries.is_empty() => {
            pane.row = 0;
            enter(pane)
        }
        (None, Some(_), Some(spot)) if spot.is_over => {
            let words = format!("there is no output in {}; {}", spot.dir.display(), spot.elsewhere());
            pane.tails = false;
            vec![Step::Fail(words)]
        }
        _ => vec![Step::Say(format!("the output of firework {} opens as soon as there is some", pane.fw_id))],
    }
}

/// Opens what is marked.
fn enter(pane: &mut Files) -> Vec<Step> {
    let Some(entry) = pane.entries().get(pane.row).cloned() else { return Vec::new() };
    match entry.kind {
        Kind::Folder => {
            pane.inside.push(entry.path.file_name().unwrap_or_default());
            (pane.folder, pane.row) = (None, 0);
            look(pane)
        }
        Kind::File => open(pane, Sheet::new(entry.path, entry.name)),
        Kind::Tracked => {
            pane.tails = false;
            pane.open = Some(Sheet { is_tracked: true, ..Sheet::new(entry.path, entry.name) });
            read_tracked(pane);
            Vec::new()
        }
        Kind::Other => vec![Step::Fail(format!("{} is neither a file nor a folder", entry.name))],
    }
}

fn open(pane: &mut Files, sheet: Sheet) -> Vec<Step> {
    pane.tails = false;
    let ask = sheet::ask(&sheet);
    pane.open = Some(sheet);
    vec![Step::Ask(ask)]
}

/// Leaves a folder; nothing where there is none above it.
fn leave(pane: &mut Files) -> Option<Vec<Step>> {
    let left = pane.spot().map(|spot| spot.dir.join(&pane.inside));
    if !pane.inside.pop() {
        return None;
    }
    (pane.folder, pane.row) = (left.map(marked), 0);
    Some(look(pane))
}

/// Until it is known what is there, what was left is marked.
fn marked(path: PathBuf) -> Folder {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entry = Entry { path, name, kind: Kind::Folder, size: 0, modified: None };
    Folder { entries: vec![entry], ..Folder::default() }
}

/// What is in the folder.
fn look(pane: &Files) -> Vec<Step> {
    folder(pane).map(Step::Ask).into_iter().collect()
}

fn folder(pane: &Files) -> Option<Ask> {
    let spot = Box::new(pane.spot()?.clone());
    Some(Ask::Files(of::Ask::Folder { spot, inside: pane.inside.clone() }))
}

/// What is asked so that it is fresh.
pub fn asks(pane: &Files, _scene: &Scene) -> Vec<Ask> {
    let place = Ask::Files(of::Ask::Place(pane.fw_id));
    std::iter::once(place).chain(on_disk(pane)).collect()
}

/// What changes every second without the store's knowing.
pub fn grows(pane: &Files) -> Vec<Ask> {
    if pane.spot().is_none_or(|spot| spot.is_over) { Vec::new() } else { on_disk(pane).into_iter().collect() }
}

fn on_disk(pane: &Files) -> Option<Ask> {
    match &pane.open {
        Some(open) => (open.follows && !open.is_tracked).then(|| sheet::ask(open)),
        None => folder(pane),
    }
}

/// An answer.
pub fn take(pane: &mut Files, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    let (Ask::Files(ask), Answer::Files(answer)) = (ask, answer) else { return Vec::new() };
    match (ask, &**answer) {
        (of::Ask::Place(fw_id), of::Answer::Place(_, place)) if *fw_id == pane.fw_id => take_place(pane, place),
        (of::Ask::Folder { spot, inside }, of::Answer::Folder(found))
            if *inside == pane.inside && pane.spot().is_some_and(|own| own.launch_id == spot.launch_id) =>
        {
            take_folder(pane, found)
        }
        (of::Ask::File { path, around, .. }, of::Answer::File(Some(text))) => {
            let open = pane.open.as_mut().filter(|open| open.path == *path && open.around == *around);
            if let Some(open) = open {
                sheet::take(open, text, scene);
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// A firework that runs again writes elsewhere.
fn take_place(pane: &mut Files, place: &Place) -> Vec<Step> {
    let launch = place.launch.as_ref().map(|spot| spot.launch_id);
    let is_new = pane.spot().map(|spot| spot.launch_id) != launch;
    let ends = pane.spot().is_some_and(|spot| !spot.is_over) && place.launch.as_ref().is_some_and(|spot| spot.is_over);
    pane.place = Some(place.clone());
    if is_new {
        let follows = pane.open.as_ref().is_some_and(|open| open.follows);
        let tails = pane.tails || follows;
        *pane = Files { place: pane.place.take(), tails, ..Files::new(pane.fw_id) };
        return look(pane);
    }
    read_tracked(pane);
    // What it wrote last was perhaps not seen.
    on_disk(pane).filter(|_| ends).map(Step::Ask).into_iter().collect()
}

fn take_folder(pane: &mut Files, found: &Folder) -> Vec<Step> {
    let is_first = pane.folder.is_none();
    let marked = if is_first { found.newest.clone() } else { pane.entries().get(pane.row).map(|one| one.path.clone()) };
    let row = found.entries.iter().position(|entry| Some(&entry.path) == marked.as_ref());
    pane.row = row.unwrap_or(pane.row).min(found.entries.len().saturating_sub(1));
    pane.folder = Some(found.clone());
    if pane.tails && (found.newest.is_some() || is_first) { tail(pane) } else { Vec::new() }
}

/// What the launchpad has of a file that is open.
fn read_tracked(pane: &mut Files) {
    let Some(spot) = pane.place.as_ref().and_then(|place| place.launch.as_ref()) else { return };
    let Some(open) = pane.open.as_mut().filter(|open| open.is_tracked) else { return };
    let tracker = spot.seen.iter().find(|tracker| spot.dir.join(&tracker.filename) == open.path);
    open.text = tracker.map(|tracker| Ok(Text::tracked(&tracker.content))).or(open.text.take());
}
