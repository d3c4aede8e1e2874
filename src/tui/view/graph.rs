//! A graph: the workflow in a line, the picture, and what is marked.

use std::collections::{BTreeMap, BTreeSet};

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Look;
use crate::launchpad::graph::{Columns, Place};
use crate::launchpad::progress::{count_letters, count_words};
use crate::launchpad::words::{id_line, number};
use crate::tui::ask::graph::Known;
use crate::tui::fit;
use crate::tui::state::Scene;
use crate::tui::state::graph::{ABOVE, BELOW, Graph, LEAD, TAIL};
use crate::workflow::{FwId, State};

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, one: &Graph, scene: &Scene, look: &Look) {
    let why = one.trouble.as_ref().map(|why| {
        Line::styled(format!(" {}", fit::cut(why, usize::from(area.width).saturating_sub(1))), look.alarm())
    });
    let Some(known) = &one.known else {
        let words = format!(" the workflow of firework {} is being read", one.fw_id);
        frame.render_widget(why.unwrap_or_else(|| Line::styled(words, look.faint())), area);
        return;
    };
    let parts = [Constraint::Length(ABOVE), Constraint::Min(0), Constraint::Length(BELOW)];
    let [head, body, foot] = Layout::vertical(parts).areas(area);
    frame.render_widget(why.unwrap_or_else(|| workflow(known, head.width, look)), head);
    picture(frame, body, one, known, scene, look);
    frame.render_widget(Paragraph::new(marked(known, one, foot.width, look)), foot);
}

/// The workflow, and how far it is.
fn workflow<'a>(known: &Known, width: u16, look: &Look) -> Line<'a> {
    let graph = &known.graph;
    let state = graph.state.parse::<State>().map_or_else(|_| Style::new(), |state| look.state(state));
    let state = Span::styled(format!(" {} ", graph.state), state);
    let room = usize::from(width).saturating_sub(state.width() + 1);
    let name = format!("{} {}", graph.id, graph.name);
    let counts = graph.counts();
    let is_wide = fit::columns(&name) + fit::columns(&count_words(&counts)) < room;
    let counts = if is_wide { count_words(&counts) } else { count_letters(&counts) };
    let name = fit::cut(&name, room.saturating_sub(fit::columns(&counts) + 1).max(room / 3));
    let rest = room.saturating_sub(fit::columns(&name) + 1);
    Line::from(vec![
        Span::raw(" "),
        Span::styled(name, look.strong()),
        state,
        Span::styled(format!(" {}", fit::cut(&counts, rest)), look.faint()),
    ])
}

/// What is marked, and what is next to it.
fn marked<'a>(known: &Known, one: &Graph, width: u16, look: &Look) -> Vec<Line<'a>> {
    let Some(place) = one.marked() else { return Vec::new() };
    let room = usize::from(width).saturating_sub(2);
    let state = place.members.first().and_then(|id| known.graph.nodes.get(id)).map(|node| node.state);
    let count = |links: &BTreeMap<FwId, Vec<FwId>>| {
        let near = place.members.iter().filter_map(|id| links.get(id)).flatten();
        near.collect::<BTreeSet<_>>().len()
    };
    let children = count(&known.graph.children);
    let children = if children == 1 { "1 child".to_owned() } else { format!("{children} children") };
    let bullet = if one.columns.has_lines { "" } else { ", •" };
    let mut words = format!(" {}, {children}{bullet}", number(count(&known.parents), "parent"));
    if place.members.len() > 1 {
        words += &format!("; {} fireworks: {}", place.members.len(), id_line(place.members.iter().copied()));
    }
    let state = state.map(|state| Span::styled(format!(" {state} "), look.state(state)));
    let used = state.as_ref().map_or(0, Span::width);
    let words = Span::raw(fit::cut(&words, room.saturating_sub(used)));
    vec![
        Line::styled(format!(" {}", fit::cut(&place.label, room)), look.strong()),
        Line::from(state.into_iter().chain([words]).collect::<Vec<_>>()),
    ]
}

/// Columns from the first one that is seen, as far as there is room.
fn picture(frame: &mut Frame<'_>, area: Rect, one: &Graph, known: &Known, scene: &Scene, look: &Look) {
    let (left, top) = one.corner(scene);
    let near = neighbours(known, one);
    let mut x = area.x;
    for column in left..one.columns.columns.len() {
        let width = one.width(column, scene);
        let room = usize::from(area.right().saturating_sub(x));
        for (line, row) in (top..top + usize::from(area.height)).enumerate() {
            let spans = row_of(one, known, (column, row), one.label(column, scene), &near, look);
            let y = area.y + u16::try_from(line).unwrap_or(u16::MAX);
            frame.buffer_mut().set_line(x, y, &Line::from(spans), u16::try_from(room.min(width)).unwrap_or(u16::MAX));
        }
        if width >= room {
            break;
        }
        x += u16::try_from(width).unwrap_or(u16::MAX);
    }
}

/// The places of the parents and the children of what is marked.
fn neighbours(known: &Known, one: &Graph) -> BTreeSet<(usize, usize)> {
    let Some(place) = one.marked() else { return BTreeSet::new() };
    let links = [&known.graph.children, &known.parents];
    let near = links.iter().flat_map(|links| place.members.iter().filter_map(|id| links.get(id)).flatten());
    near.filter_map(|id| one.columns.find(*id)).collect()
}

/// What stands in a row of a column, with the line behind it.
fn row_of<'a>(
    one: &Graph,
    known: &Known,
    (column, row): (usize, usize),
    room: usize,
    near: &BTreeSet<(usize, usize)>,
    look: &Look,
) -> Vec<Span<'a>> {
    let columns: &Columns = &one.columns;
    let layer = &columns.columns[column];
    let lines = layer.lines.get(&row).cloned();
    let before = column.checked_sub(1).and_then(|before| columns.columns[before].lines.get(&row));
    let comes = before.and_then(|line| line.chars().last()).is_some_and(|last| "─┌└┬┴├┼".contains(last));
    let leaves = lines.as_ref().and_then(|line| line.chars().next()).is_some_and(|first| "─┐┘┬┴┤┼".contains(first));
    let line = |is_there: bool, count: usize| if is_there { "─".repeat(count) } else { " ".repeat(count) };
    let gutter = lines.unwrap_or_else(|| " ".repeat(layer.gutter));
    let number = layer.places.binary_search_by_key(&row, |place| place.row).ok();
    let Some((number, place)) = number.map(|number| (number, &layer.places[number])) else {
        return vec![Span::raw(" ".repeat(LEAD + room + TAIL) + &gutter)];
    };
    if place.members.is_empty() {
        return vec![Span::styled(line(true, LEAD + room + TAIL) + &gutter, look.faint())];
    }
    let is_near = near.contains(&(column, number));
    let is_marked = columns.find(one.cursor) == Some((column, number));
    let mark = match (is_marked, is_near && !columns.has_lines) {
        (true, _) => ">",
        (_, true) => "•",
        _ => " ",
    };
    let (text, state) = words(known, place, room);
    let style = state.map_or_else(Style::new, |state| look.state(state));
    let style = if is_marked {
        style.patch(look.selected())
    } else if is_near {
        style.patch(look.strong())
    } else {
        style
    };
    let rest = (room + LEAD + TAIL).saturating_sub(2 + fit::columns(&text) + 1);
    vec![
        Span::styled(line(comes, 1), look.faint()),
        Span::styled(mark, look.strong()),
        Span::styled(text, style),
        Span::styled(format!(" {}{gutter}", line(leaves, rest)), look.faint()),
    ]
}

/// `RUN 12 relax`: the first letters of a state tell it from all others.
fn words(known: &Known, place: &Place, room: usize) -> (String, Option<State>) {
    let state = place.members.first().and_then(|id| known.graph.nodes.get(id)).map(|node| node.state);
    let letters = state.map_or("???", State::letters);
    (format!("{letters} {}", fit::cut(&place.label, room)), state)
}
