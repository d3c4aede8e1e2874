//! How the state looks: functions of it, and of nothing else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::fit;
use super::fit::{broken, fit};
use super::state::{App, FOOT, HEAD, Health, Notice, SMALLEST, Screen, TABS};
use super::update::Hint;

mod chart;
pub mod dialog;
pub mod files;
pub mod firework;
pub mod graph;
pub mod help;
pub mod list;
mod list_columns;
mod look;
pub mod overview;
mod overview_parts;
mod plot;
pub mod queue;
mod sheet;

pub use look::Look;

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, app: &App, look: &Look) {
    let area = frame.area();
    if app.view.is_too_small() {
        let words = format!("at least {}x{} is needed; this is {}x{}", SMALLEST.0, SMALLEST.1, area.width, area.height);
        frame.render_widget(Paragraph::new(words).wrap(ratatui::widgets::Wrap { trim: true }), area);
        return;
    }
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(HEAD), Constraint::Min(0), Constraint::Length(FOOT)]).areas(area);
    tabs(frame, head, app, look);
    screen(frame, body, app, look);
    keys(frame, foot, app, look);
    if let Some(notice) = app.notice.as_ref().filter(|_| !app.is_covered()) {
        said(frame, body, foot, notice, look);
    }
    if let Some(open) = &app.dialog {
        dialog::draw(frame, body, open, &app.view, look);
    }
    if let Some(lines) = app.help {
        frame.render_widget(Clear, body);
        help::draw(frame, body, app, lines, look);
    }
}

fn screen(frame: &mut Frame<'_>, area: Rect, app: &App, look: &Look) {
    let scene = &app.view;
    match app.screen() {
        Screen::Overview(one) => overview::draw(frame, area, one, scene, look),
        Screen::Workflows(one) => list::draw_workflows(frame, area, one, scene, look),
        Screen::Fireworks(one) => list::draw_fireworks(frame, area, one, scene, look),
        Screen::Queue(one) => queue::draw(frame, area, one, scene, look),
        Screen::Graph(one) => graph::draw(frame, area, one, scene, look),
        Screen::Firework(one) => firework::draw(frame, area, one, scene, look),
    }
}

/// The tabs, and how the store is.
fn tabs(frame: &mut Frame<'_>, area: Rect, app: &App, look: &Look) {
    let read_only = if app.view.read_only { "read-only " } else { "" };
    let health = match (&app.health, app.waits()) {
        (Health::Away { since, why }, _) => {
            let ago = app.view.now.duration_since(*since).as_secs();
            Span::styled(format!("the store is away for {ago} s: {why} "), look.alarm())
        }
        (_, Some(wait)) => Span::styled(format!("waiting for an answer: {} s ", wait.as_secs()), look.alarm()),
        (Health::Connecting, None) => {
            Span::styled(format!("{read_only}connecting to {} ", app.view.place), look.faint())
        }
        (Health::Live, None) => Span::styled(format!("{read_only}{} ", app.view.place), look.faint()),
    };
    let named = |is_short: bool| -> Vec<Span<'_>> {
        let name = |(number, name): (usize, &&str)| match number == app.tab {
            true => Span::styled(format!(" {} {name} ", number + 1), look.selected()),
            false if is_short => Span::styled(format!(" {} ", number + 1), look.faint()),
            false => Span::styled(format!(" {} {name} ", number + 1), look.faint()),
        };
        TABS.iter().enumerate().map(name).collect()
    };
    let wide = |spans: &[Span<'_>]| -> usize { spans.iter().map(Span::width).sum() };
    let width = usize::from(area.width);
    let mut spans = named(false);
    // What is wrong with the store is said before the names of what one may go to.
    if health.style == look.alarm() && wide(&spans) + health.width() + 2 > width {
        spans = named(true);
    }
    let used = wide(&spans);
    let room = width.saturating_sub(used + 2);
    let health = Span::styled(crate::launchpad::shorten::shortened(&health.content, room), health.style);
    let gap = width.saturating_sub(used + health.width());
    spans.push(Span::raw(" ".repeat(gap)));
    spans.push(health);
    frame.render_widget(Line::from(spans), area);
}

/// What was said last: in the last line, or else above it.
fn said(frame: &mut Frame<'_>, body: Rect, foot: Rect, notice: &Notice, look: &Look) {
    const MOST: usize = 5;
    let room = usize::from(foot.width).saturating_sub(2);
    let mut lines = broken(&notice.text, room);
    if lines.len() > MOST {
        let rest = lines.split_off(MOST - 1).join(" ");
        lines.push(fit(&rest, room));
    }
    let area = match lines.len() as u16 {
        ..=1 => foot,
        count => Rect { y: body.bottom().saturating_sub(count), height: count, ..body }.intersection(body),
    };
    let style = if notice.is_error { look.alarm() } else { look.strong() };
    let lines = lines.into_iter().map(|line| Line::styled(format!(" {line}"), style));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
}

/// The keys.
fn keys(frame: &mut Frame<'_>, area: Rect, app: &App, look: &Look) {
    let mut spans = Vec::new();
    let mut room = usize::from(area.width);
    let common = [Hint { key: "?", word: "help", help: "" }];
    for hint in common
        .iter()
        .copied()
        .filter(|_| !super::update::types(app.screen()))
        .chain(super::update::hints(app.screen(), &app.view))
        .filter(|hint| !hint.word.is_empty())
    {
        let (key, word) = (format!(" {}", hint.key), format!(" {} ", hint.word));
        let width = key.chars().count() + word.chars().count();
        if width > room {
            break;
        }
        room -= width;
        spans.extend([Span::styled(key, look.strong()), Span::styled(word, look.faint())]);
    }
    frame.render_widget(Line::from(spans), area);
}
