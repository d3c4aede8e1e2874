//! A file that is open: its lines, or the relaxation that it tells of.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::files::end;
use super::{Look, plot};
use crate::launchpad::folder::spelled;
use crate::launchpad::tail::Spot;
use crate::launchpad::words::ago;
use crate::tui::ask::files::Text;
use crate::tui::state::{Scene, files::Sheet};

/// On a screen of so many lines the log is seen below the plot.
const TALL: u16 = 18;

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, open: &Sheet, spot: Option<&Spot>, scene: &Scene, look: &Look) {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let is_over = spot.is_none_or(|spot| spot.is_over);
    frame.render_widget(heading(open, is_over, usize::from(head.width), scene, look), head);
    let text = match &open.text {
        None => return,
        Some(Err(why)) => {
            frame.render_widget(Line::styled(format!(" it cannot be read: {why}"), look.alarm()), body);
            return;
        }
        Some(Ok(text)) => text,
    };
    if open.is_plot() {
        let log = if body.height >= TALL { body.height / 3 } else { 0 };
        let [above, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(log)]).areas(body);
        plot::draw(frame, above, &text.steps, look);
        lines(frame, below, &Sheet { follows: true, shift: 0, ..open.clone() }, text);
    } else if text.piece.is_text {
        lines(frame, body, open, text);
    } else {
        frame.render_widget(Line::styled(" it is no text", look.faint()), body);
    }
}

/// Which file it is, and what becomes of it.
fn heading(open: &Sheet, is_over: bool, width: usize, scene: &Scene, look: &Look) -> Line<'static> {
    let mut words = match &open.text {
        Some(Ok(text)) => said(open, text, is_over, scene),
        Some(Err(_)) => String::new(),
        None => "reading".to_owned(),
    };
    let room = width.saturating_sub(Span::raw(&words).width() + 4).max(width / 3);
    let name = end(&open.name, room);
    words = crate::launchpad::shorten::shortened(&words, width.saturating_sub(Span::raw(&name).width() + 3));
    Line::from(vec![Span::styled(format!(" {name}  "), look.strong()), Span::raw(words)])
}

fn said(open: &Sheet, text: &Text, is_over: bool, scene: &Scene) -> String {
    let piece = &text.piece;
    if let Some(last) = text.steps.last().filter(|_| open.is_plot()) {
        return plot::words(last);
    }
    let size = spelled(piece.stamp.length);
    let modified = piece.stamp.modified.and_then(|at| jiff::Timestamp::try_from(at).ok());
    let age = modified.map_or_else(String::new, |at| format!(", written {}", ago(at, scene.now)));
    let place = match (open.is_tracked, open.follows, is_over) {
        (true, ..) => ", its end as it was last seen".to_owned(),
        (_, true, false) => ", followed".to_owned(),
        (_, true, true) => ", its end".to_owned(),
        (_, false, _) => {
            let at = piece.lines.get(open.top).map_or(0, |line| line.at);
            let percent = u128::from(at) * 100 / u128::from(piece.stamp.length.max(1));
            format!(", at {percent} %")
        }
    };
    format!("{size}{age}{place}")
}

fn lines(frame: &mut Frame<'_>, area: Rect, open: &Sheet, text: &Text) {
    let page = usize::from(area.height);
    let seen = text.piece.lines.iter().skip(open.first(page)).take(page);
    let lines: Vec<Line<'_>> = seen.map(|line| Line::raw(from_column(&line.text, open.shift))).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// What is to the right of so many columns.
fn from_column(text: &str, shift: usize) -> &str {
    if shift == 0 {
        return text;
    }
    let mut width = 0;
    for (at, letter) in text.char_indices() {
        if width >= shift {
            return &text[at..];
        }
        width += Span::raw(letter.to_string()).width();
    }
    ""
}
