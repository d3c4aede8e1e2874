//! Lists: a line that says what is shown, the names of the columns, and the rows that are seen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Look;
use super::fit::{columns, ending, fit, fit_right};
use super::list_columns::{Column, of_fireworks, of_workflows};
use crate::launchpad::shorten::plain;
use crate::store::{Direction, SortKey};
use crate::tui::state::Scene;
use crate::tui::state::list::{Fireworks, List, Prompt, Workflows, page};
use crate::tui::state::list_row::Row;

/// Draws it.
pub fn draw_workflows(frame: &mut Frame<'_>, area: Rect, one: &Workflows, scene: &Scene, look: &Look) {
    let columns = of_workflows(one.seen(page(scene)), scene.width);
    draw(frame, area, (one, &columns), scene, look);
}

/// Draws it.
pub fn draw_fireworks(frame: &mut Frame<'_>, area: Rect, one: &Fireworks, scene: &Scene, look: &Look) {
    let columns = of_fireworks(one.seen(page(scene)), scene.width);
    draw(frame, area, (one, &columns), scene, look);
}

fn draw<R: Row>(
    frame: &mut Frame<'_>,
    area: Rect,
    (list, columns): (&List<R>, &[Column<R>]),
    scene: &Scene,
    look: &Look,
) {
    let width = usize::from(area.width);
    let page = page(scene);
    let first = match &list.prompt {
        Some(prompt) => typing(prompt, list.trouble.as_ref(), &place(list), width, look),
        None => match &list.trouble {
            Some(why) => Line::styled(format!(" {}", fit(why, width.saturating_sub(1))), look.alarm()),
            None => title(list, width, look),
        },
    };
    let names = columns.iter().flat_map(|column| [gap(), Span::styled(column.place(column.name), look.faint())]);
    let mut lines = vec![first, Line::from_iter(names)];
    let top = list.top(page);
    for (number, row) in list.seen(page).iter().enumerate() {
        let is_marked = list.marks.contains(&row.id());
        let mark = Span::styled(if is_marked { "*" } else { " " }, look.strong());
        let cells = columns.iter().map(|column| {
            let style = (column.style)(row, look);
            Span::styled(column.place(&(column.cell)(row, scene)), style)
        });
        let spans = cells.enumerate().flat_map(|(place, cell)| [if place == 0 { mark.clone() } else { gap() }, cell]);
        let mut line = Line::from_iter(spans);
        if top + number == list.cursor {
            line.spans.push(Span::raw(" ".repeat(width.saturating_sub(line.width()))));
            line.style = look.selected();
        }
        lines.push(line);
    }
    if list.loaded.rows.is_empty() {
        lines.extend(["".to_owned(), nothing(list)].map(Line::raw));
        lines.extend(advice(list).map(Line::raw));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn gap() -> Span<'static> {
    Span::raw(" ")
}

/// What is shown instead of rows.
fn nothing<R: Row>(list: &List<R>) -> String {
    let filter = list.filter.text();
    match (list.is_stale, filter.is_empty()) {
        (true, _) if list.trouble.is_some() => " nothing is known of them".to_owned(),
        (true, _) => " looking ...".to_owned(),
        (false, true) => format!(" there is no {} yet; `lpad add FILE` adds a workflow", R::NOUN),
        (false, false) => format!(" no {} matches {}", R::NOUN, plain(filter)),
    }
}

/// How else one may ask.
fn advice<R: Row>(list: &List<R>) -> Option<String> {
    let advice = list.filter.advice().filter(|_| !list.is_stale)?;
    Some(format!(" {}", plain(&advice)))
}

/// The filter as it is typed, and what is wrong with it, or else where one is.
fn typing(prompt: &Prompt, trouble: Option<&String>, place: &str, width: usize, look: &Look) -> Line<'static> {
    let room = width.saturating_sub(3);
    // The end of what is typed is seen, and as much of the rest as goes beside it.
    let text = plain(&prompt.text);
    let text = ending(&text, room);
    let left = room.saturating_sub(columns(text) + 2);
    let beside = match prompt.error.as_ref().or(trouble) {
        Some(error) => Span::styled(fit(error, left), look.alarm()),
        None => Span::raw(fit_right(place, left)),
    };
    let typed = [format!(" /{text}"), "▏".to_owned()].map(|text| Span::styled(text, look.strong()));
    Line::from_iter(typed.into_iter().chain([gap(), beside]))
}

/// What is shown, in which order, and where one is.
fn title<R: Row>(list: &List<R>, width: usize, look: &Look) -> Line<'static> {
    let place = if list.all { String::new() } else { place(list) };
    let room = width.saturating_sub(columns(&place) + 2);
    let text = match (list.filter.text(), list.all) {
        (_, true) => {
            let count = list.count.map_or_else(|| "ALL".to_owned(), |count| format!("ALL {count}"));
            format!(" the next action is for {count} {}s, not only these", R::NOUN)
        }
        ("", false) => format!(" all {}s", R::NOUN),
        (filter, false) => format!(" {}s /{}", R::NOUN, plain(filter)),
    };
    let marked = match list.marks.len() {
        0 => String::new(),
        count => format!("  {count} marked"),
    };
    let order = format!("  by {}", order(list.sort));
    let kept = columns(&marked) + columns(&order);
    let mut spans = match list.all {
        true => vec![Span::styled(fit(&text, room), look.alarm())],
        false => {
            let width = columns(&text).min(room.saturating_sub(kept));
            vec![Span::styled(fit(&text, width), look.strong()), Span::raw(order), Span::styled(marked, look.strong())]
        }
    };
    let used: usize = spans.iter().map(Span::width).sum();
    spans.push(Span::raw(fit_right(&place, width.saturating_sub(used + 1))));
    Line::from(spans)
}

/// `row 12 of 3000`, as far as it is known.
fn place<R: Row>(list: &List<R>) -> String {
    let count = list.count.map(|count| count.max(list.place().unwrap_or(0)));
    match (list.is_stale, list.place(), count) {
        (true, ..) => "...".to_owned(),
        (_, Some(row), Some(count)) => format!("row {row} of {count}"),
        (_, Some(row), None) => format!("row {row}"),
        (_, None, Some(count)) => format!("{count} in all"),
        (_, None, None) => String::new(),
    }
}

/// The key, and which end comes first.
fn order((key, direction): (SortKey, Direction)) -> String {
    let name = match key {
        SortKey::FwId => "id",
        SortKey::Name => "name",
        SortKey::State => "state",
        SortKey::Priority => "priority",
        SortKey::Size => "number",
        SortKey::CreatedOn => "created",
        SortKey::UpdatedOn => "changed",
    };
    let arrow = match direction {
        Direction::Ascending => '↑',
        Direction::Descending => '↓',
    };
    format!("{name} {arrow}")
}
