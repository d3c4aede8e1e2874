//! The keys of a screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Look;
use crate::tui::state::App;
use crate::tui::update::help::{KEYS, lines};

/// Draws them, from this line on.
pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, from: u16, look: &Look) {
    let lines = lines(app.screen(), &app.view);
    let most = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(area.height);
    let line =
        |(keys, text)| Line::from(vec![Span::styled(format!(" {keys:>KEYS$}  "), look.strong()), Span::raw(text)]);
    let lines: Vec<Line<'_>> = lines.into_iter().map(line).collect();
    frame.render_widget(Paragraph::new(lines).scroll((from.min(most), 0)), area);
}
