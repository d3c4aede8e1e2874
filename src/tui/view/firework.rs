//! A firework: its name and state, the panes, and the one that is seen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Look, files};
use crate::tui::fit;
use crate::tui::state::firework::{Firework, Pane, Window};
use crate::tui::state::page::{self, Ink};
use crate::tui::state::{Scene, tree};

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, one: &Firework, scene: &Scene, look: &Look) {
    let [head, panes, body] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0)]).areas(area);
    frame.render_widget(Paragraph::new(title(one, head.width, look)), head);
    let name = |pane: &Pane| {
        let style = if *pane == one.pane { look.selected() } else { look.faint() };
        Span::styled(format!(" {} ", pane.name()), style)
    };
    frame.render_widget(Paragraph::new(Line::from(Pane::ALL.iter().map(name).collect::<Vec<_>>())), panes);
    let Some(known) = &one.known else {
        if one.pane == Pane::Files {
            files::draw(frame, body, &one.files, scene, look);
        }
        return;
    };
    let (width, now) = (usize::from(body.width).saturating_sub(2), scene.store_now());
    match one.pane {
        Pane::Page => lines(frame, body, &page::page(known, width, now), one.page, look),
        Pane::Explanation => lines(frame, body, &page::explanation(known, width, now), one.explanation, look),
        Pane::Data => data(frame, body, &tree::rows(&known.data, &one.data.opened), one.data.window, look),
        Pane::Files => files::draw(frame, body, &one.files, scene, look),
    }
}

fn title<'a>(one: &Firework, width: u16, look: &Look) -> Line<'a> {
    if let Some(why) = &one.trouble {
        return Line::styled(format!(" {}", fit::cut(why, usize::from(width).saturating_sub(1))), look.alarm());
    }
    let Some(known) = &one.known else {
        return Line::styled(format!(" firework {} is being read", one.fw_id), look.faint());
    };
    let (name, state) = (&known.page.name, known.page.state);
    let room = usize::from(width).saturating_sub(state.as_str().len() + 3);
    Line::from(vec![
        Span::styled(format!(" {} ", fit::cut(&format!("{} {name}", one.fw_id), room)), look.strong()),
        Span::styled(state.as_str(), look.state(state)),
    ])
}

/// What a line begins with: where one is.
fn margin<'a>(is_marked: bool) -> Span<'a> {
    Span::raw(if is_marked { "> " } else { "  " })
}

fn lines(frame: &mut Frame<'_>, area: Rect, lines: &[page::Line], window: Window, look: &Look) {
    let room = usize::from(area.height);
    let window = window.within(lines.len(), room);
    let seen = lines.iter().enumerate().skip(window.top).take(room).map(|(number, line)| {
        let is_marked = number == window.row;
        let piece = |(text, ink): &(String, Ink)| {
            let style = match ink {
                Ink::Plain => Style::new(),
                Ink::Strong => look.strong(),
                Ink::Faint => look.faint(),
                Ink::State(state) => look.state(*state),
                Ink::Alarm => look.alarm(),
            };
            let is_link = line.link.is_some() && *ink != Ink::Faint;
            Span::styled(text.clone(), if is_marked && is_link { style.patch(look.selected()) } else { style })
        };
        Line::from(std::iter::once(margin(is_marked)).chain(line.pieces.iter().map(piece)).collect::<Vec<_>>())
    });
    frame.render_widget(Paragraph::new(seen.collect::<Vec<_>>()), area);
}

fn data(frame: &mut Frame<'_>, area: Rect, rows: &[tree::Row], window: Window, look: &Look) {
    let room = usize::from(area.height);
    let window = window.within(rows.len(), room);
    let seen = rows.iter().enumerate().skip(window.top).take(room).map(|(number, row)| {
        let fold = match row.open {
            Some(true) => "- ",
            Some(false) => "+ ",
            None => "  ",
        };
        let start = format!("{}{fold}", "  ".repeat(row.depth));
        let space = usize::from(area.width).saturating_sub(2 + start.len());
        let key = fit::cut(&row.key, space);
        let text = fit::cut(&row.text, space.saturating_sub(fit::columns(&key) + 2));
        let is_marked = number == window.row;
        let style = if is_marked { look.selected() } else { look.strong() };
        let style = if row.key.is_empty() { Style::new() } else { style };
        let gap = if row.key.is_empty() || text.is_empty() { "" } else { ": " };
        Line::from(vec![
            margin(is_marked),
            Span::raw(start),
            Span::styled(key, style),
            Span::raw(format!("{gap}{text}")),
        ])
    });
    frame.render_widget(Paragraph::new(seen.collect::<Vec<_>>()), area);
}
