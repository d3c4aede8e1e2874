//! A file that is open: which of its lines are seen.

use ratatui::crossterm::event::KeyCode;

use super::Step;
use crate::launchpad::piece::Around;
use crate::tui::ask::Ask;
use crate::tui::ask::files::{self as of, Text};
use crate::tui::state::Scene;
use crate::tui::state::files::Sheet;
use crate::tui::{Key, Motion};

/// Lines above the text: the firework, its panes, where it runs, which file it is.
const ABOVE: u16 = 4;

/// How many lines are seen.
pub(super) fn page(scene: &Scene) -> usize {
    usize::from(scene.body().saturating_sub(ABOVE)).max(1)
}

/// What is asked so that it is fresh.
pub(super) fn ask(sheet: &Sheet) -> Ask {
    let seen = sheet.known().map(|text| text.piece.stamp);
    Ask::Files(of::Ask::File { path: sheet.path.clone(), around: sheet.around, seen })
}

/// A key; nothing where it is none of a file.
pub(super) fn key(sheet: &mut Sheet, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    if let Some(motion) = Motion::of(key) {
        return Some(if sheet.is_plot() { Vec::new() } else { scroll(sheet, motion, scene) });
    }
    match (key.code, key.ctrl) {
        (KeyCode::Char('v'), false) => {
            sheet.draws = !sheet.draws;
            Some(Vec::new())
        }
        (KeyCode::Char('t'), false) => Some(scroll(sheet, Motion::Last, scene)),
        (KeyCode::Enter, _) => Some(Vec::new()),
        _ => None,
    }
}

fn scroll(sheet: &mut Sheet, motion: Motion, scene: &Scene) -> Vec<Step> {
    let page = page(scene);
    let half = usize::from(scene.width / 2);
    match motion {
        Motion::Left => sheet.shift = sheet.shift.saturating_sub(half),
        Motion::Right => sheet.shift = (sheet.shift + half).min(widest(sheet).saturating_sub(half)),
        Motion::First => return jump(sheet, Around::At(0)),
        Motion::Last => return jump(sheet, Around::End),
        _ => return turn(sheet, motion, page),
    }
    Vec::new()
}

fn widest(sheet: &Sheet) -> usize {
    let lines = sheet.known().map_or(&[][..], |text| &text.piece.lines);
    lines.iter().map(|line| ratatui::text::Span::raw(&line.text).width()).max().unwrap_or_default()
}

/// To the beginning or the end, which may not have been read.
fn jump(sheet: &mut Sheet, around: Around) -> Vec<Step> {
    let follows = around == Around::End;
    let is_here = sheet.known().is_some_and(|text| match text.piece.lines.first() {
        Some(line) if !follows => line.at == 0,
        _ => text.piece.is_end,
    });
    (sheet.around, sheet.top, sheet.follows) = (around, 0, follows);
    if is_here && !follows {
        return Vec::new();
    }
    if !is_here && !sheet.is_tracked {
        sheet.text = None;
    }
    read_anew(sheet)
}

/// The piece that is wanted, whether the file has changed or not.
fn read_anew(sheet: &Sheet) -> Vec<Step> {
    if sheet.is_tracked {
        return Vec::new();
    }
    let (path, around) = (sheet.path.clone(), sheet.around);
    vec![Step::Ask(Ask::Files(of::Ask::File { path, around, seen: None }))]
}

/// Up or down; another piece is asked for before the end of this one is seen.
fn turn(sheet: &mut Sheet, motion: Motion, page: usize) -> Vec<Step> {
    let first = sheet.first(page);
    let Some(text) = sheet.known() else { return Vec::new() };
    let piece = &text.piece;
    let last = piece.lines.len().saturating_sub(page);
    let top = motion.leads(first, last + 1, page);
    let begins = piece.lines.first().is_none_or(|line| line.at == 0);
    let near = 2 * page;
    let wants = (top < near && !begins) || (top + near > last && !piece.is_end);
    let at = piece.lines.get(top).map_or(0, |line| line.at);
    let follows = top == last && piece.is_end;
    let followed = std::mem::replace(&mut sheet.follows, follows);
    sheet.top = top;
    if follows && !followed {
        sheet.around = Around::End;
        return read_anew(sheet);
    }
    if !follows && (wants || followed) {
        sheet.around = Around::At(at);
        return if wants { read_anew(sheet) } else { Vec::new() };
    }
    Vec::new()
}

/// What the file says; what was seen of it stays where it is.
pub(super) fn take(sheet: &mut Sheet, text: &Result<Text, String>, scene: &Scene) {
    let first = sheet.first(page(scene));
    let seen = sheet.known().and_then(|text| text.piece.lines.get(first)).map(|line| line.at);
    if let (Ok(text), Some(at)) = (text, seen) {
        sheet.top = text.piece.line_at(at);
    }
    sheet.text = Some(text.clone());
}
