//! A question in a frame above the screen; below its text are the keys that answer it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use super::Look;
use super::fit::fit;
use crate::tui::state::dialog::needed;
use crate::tui::state::{Dialog, Scene};
use crate::verbs::action::Action;

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, open: &Dialog, scene: &Scene, look: &Look) {
    let (width, height) = Dialog::room(scene);
    let lines = open.lines(width);
    let (from, shown) = (open.from(scene), lines.len().min(height));
    let mut text: Vec<Line<'_>> = lines[from..from + shown].iter().map(|line| Line::raw(fit(line, width))).collect();
    if from == 0
        && let Some(first) = text.first_mut()
    {
        first.style = look.strong();
    }
    text.push(foot(open, look));
    let mut block = Block::bordered().title(Span::styled(title(open), look.strong())).padding(Padding::horizontal(1));
    if shown < lines.len() {
        let words = format!(" j k: lines {}-{} of {} ", from + 1, from + shown, lines.len());
        block = block.title_bottom(Line::styled(words, look.strong()).right_aligned());
    }
    let (columns, rows) = (width as u16 + 4, shown as u16 + 3);
    let area = area.centered(Constraint::Length(columns), Constraint::Length(rows));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(text).block(block), area);
}

fn title(open: &Dialog) -> &'static str {
    match open {
        Dialog::Priority { .. } => " Priority ",
        Dialog::Planning(action, _) => word(*action),
        Dialog::Confirm { plan, .. } => word(plan.action),
        Dialog::Refused { .. } => " Not all of it was done ",
        Dialog::Text { .. } => " In full ",
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Rerun { task_level: false } => " Rerun ",
        Action::Rerun { task_level: true } => " Rerun from the task ",
        Action::Pause => " Pause ",
        Action::Resume => " Resume ",
        Action::Defuse => " Defuse ",
        Action::Reignite => " Reignite ",
        Action::Raise(_) | Action::SetPriority(_) => " Priority ",
        Action::Cancel => " Cancel ",
        Action::Delete => " Delete ",
    }
}

/// The keys.
fn foot(open: &Dialog, look: &Look) -> Line<'static> {
    let key =
        |key: &str, word: &str| vec![Span::styled(key.to_owned(), look.strong()), Span::raw(format!(" {word}   "))];
    let typed = |what: String, typed: &str| {
        vec![Span::styled(format!("{what}: {typed}"), look.strong()), Span::styled("▏   ", look.strong())]
    };
    Line::from(match open {
        Dialog::Priority { typed: number, .. } => {
            [typed("a number".to_owned(), number), key("Enter", "goes on"), key("Esc", "leave it")].concat()
        }
        Dialog::Planning(..) => key("Esc", "leave it"),
        Dialog::Confirm { plan, typed: number, .. } => match needed(plan) {
            Some(needed) => {
                [typed(format!("type {needed} and Enter to do it"), number), key("Esc", "leave it")].concat()
            }
            None => [key("y", "do it"), key("n", "leave it")].concat(),
        },
        Dialog::Refused { .. } | Dialog::Text { .. } => key("Esc", "close"),
    })
}
