//! The files of a firework: its launch directory, or a file of it that is open.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::fit::ending;
use super::{Look, sheet};
use crate::launchpad::folder::{Entry, Kind, spelled};
use crate::launchpad::words::ago;
use crate::tui::fit;
use crate::tui::state::{Scene, files::Files};

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, one: &Files, scene: &Scene, look: &Look) {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    frame.render_widget(heading(one, usize::from(head.width), look), head);
    match &one.open {
        Some(open) => sheet::draw(frame, body, open, one.spot(), scene, look),
        None => entries(frame, body, one, scene, look),
    }
}

/// Where it runs, or why that is nowhere.
fn heading(one: &Files, width: usize, look: &Look) -> Line<'static> {
    let Some(place) = &one.place else { return Line::styled(" looking where it runs", look.faint()) };
    let Some(spot) = &place.launch else {
        let words = format!(" firework {} is {}, and has not run yet: e tells why", one.fw_id, place.state);
        return Line::styled(words, look.strong());
    };
    let run = if place.is_earlier { ", its last run" } else { "" };
    let words = format!(" launch {}{run} on {}: ", spot.launch_id, spot.host);
    let path = spot.dir.join(&one.inside).display().to_string();
    let room = width.saturating_sub(Span::raw(&words).width() + 1);
    Line::from(vec![Span::styled(words, look.strong()), Span::raw(end(&path, room))])
}

/// The end of a text in so many columns: of a path it says more than the beginning.
pub(super) fn end(text: &str, width: usize) -> String {
    let plain = crate::launchpad::shorten::plain(text);
    if Span::raw(&plain).width() <= width {
        return plain;
    }
    format!("…{}", ending(&plain, width.saturating_sub(1)))
}

fn entries(frame: &mut Frame<'_>, area: Rect, one: &Files, scene: &Scene, look: &Look) {
    let Some(folder) = &one.folder else { return };
    let mut lines = Vec::new();
    if let Some(spot) = one.spot().filter(|_| one.tails && folder.newest.is_none()) {
        let words = format!("waiting for output; {}", spot.elsewhere());
        let broken = fit::broken(&words, usize::from(area.width).saturating_sub(1).max(1));
        lines.extend(broken.into_iter().map(|words| Line::styled(format!(" {words}"), look.faint())));
    }
    if let Some(why) = &folder.unseen {
        lines.push(Line::styled(format!(" {why}"), look.alarm()));
        if !folder.entries.is_empty() {
            lines.push(Line::styled(" its tracked files, as they were last seen:", look.faint()));
        }
    } else if folder.entries.is_empty() {
        lines.push(Line::styled(" nothing is in it", look.faint()));
    }
    let room = usize::from(area.height).saturating_sub(lines.len() + usize::from(folder.more > 0)).max(1);
    let row = one.row.min(folder.entries.len().saturating_sub(1));
    let first = (row + 1).saturating_sub(room);
    for (number, entry) in folder.entries.iter().enumerate().skip(first).take(room) {
        let line = entry_line(entry, folder.newest.as_ref() == Some(&entry.path), usize::from(area.width), scene, look);
        lines.push(if number == row { line.style(look.selected()) } else { line });
    }
    if folder.more > 0 {
        lines.push(Line::styled(format!(" and {} more, which are not shown", folder.more), look.faint()));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn entry_line(entry: &Entry, is_newest: bool, width: usize, scene: &Scene, look: &Look) -> Line<'static> {
    let size = match entry.kind {
        Kind::Folder => "folder".to_owned(),
        Kind::File | Kind::Tracked => spelled(entry.size),
        Kind::Other => "no file".to_owned(),
    };
    let age = entry.modified.map_or_else(String::new, |at| ago(at, scene.now));
    let mark = if is_newest { "  newest output" } else { "" };
    let right = format!("{size:>9}  {age:<19}");
    let room = width.saturating_sub(right.chars().count() + mark.len() + 2);
    let name = end(&entry.name, room);
    let gap = " ".repeat(room.saturating_sub(Span::raw(&name).width()));
    let style = if entry.kind == Kind::Folder || is_newest { look.strong() } else { ratatui::style::Style::new() };
    Line::from(vec![
        Span::styled(format!(" {name}"), style),
        Span::styled(mark.to_owned(), look.faint()),
        Span::raw(format!("{gap} {right}")),
    ])
}
