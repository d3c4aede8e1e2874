//! The columns of lists: the more of them the wider the terminal is.

use bson::Bson;
use jiff::Timestamp;
use ratatui::style::Style;

use super::Look;
use super::fit::{columns, fit, fit_right};
use crate::launchpad::words::ago;
use crate::store::window::{FireworkRow, WorkflowRow};
use crate::tui::state::Scene;
use crate::workflow::State;

/// A column of a list.
pub struct Column<R> {
    /// Its name.
    pub name: &'static str,
    /// How wide it is.
    pub width: usize,
    /// Numbers stand at its right end.
    pub is_number: bool,
    /// What it says of a row.
    pub cell: fn(&R, &Scene) -> String,
    /// How that is set off.
    pub style: fn(&R, &Look) -> Style,
}

impl<R> Column<R> {
    fn new(name: &'static str, width: usize, cell: fn(&R, &Scene) -> String) -> Self {
        Column { name, width, is_number: false, cell, style: |_, _| Style::new() }
    }

    fn number(name: &'static str, width: usize, cell: fn(&R, &Scene) -> String) -> Self {
        Column { is_number: true, ..Column::new(name, width, cell) }
    }

    /// A text as it stands in this column.
    pub fn place(&self, text: &str) -> String {
        if self.is_number { fit_right(text, self.width) } else { fit(text, self.width) }
    }
}

/// From these widths of the terminal on there are more columns.
const WIDE: u16 = 76;
const WIDER: u16 = 116;
/// `COMPLETED`.
const STATE: usize = 9;
/// `119 min ago`.
const MOMENT: usize = 11;
/// Names that are shorter than this tell nothing.
const NAME: usize = 12;

/// The columns of fireworks.
pub fn of_fireworks(seen: &[FireworkRow], width: u16) -> Vec<Column<FireworkRow>> {
    let id = widest(seen, |row| row.fw_id.to_string());
    let mut all = vec![
        Column::number("id", id, |row: &FireworkRow, _| row.fw_id.to_string()),
        Column {
            style: |row, look| look.state(row.state),
            ..Column::new("state", STATE, |row, _| row.state.to_string())
        },
        Column::new("name", 0, |row, _| row.name.clone()),
    ];
    if width >= WIDE {
        all.push(Column::number("priority", 8, |row, _| priority(&row.priority)));
        all.push(Column::number("runs", 4, |row, _| some(row.launches)));
    }
    if width >= WIDER {
        all.push(Column::new("created", MOMENT, |row, scene| moment(row.created_on, scene)));
    }
    all.push(Column::new("changed", MOMENT, |row, scene| moment(row.updated_on, scene)));
    fill(all, width)
}

/// The columns of workflows.
pub fn of_workflows(seen: &[WorkflowRow], width: u16) -> Vec<Column<WorkflowRow>> {
    let id = widest(seen, |row| row.id.to_string());
    let progress = widest(seen, done);
    let mut all = vec![
        Column::number("id", id, |row: &WorkflowRow, _| row.id.to_string()),
        Column {
            style: |row, look| look.state(row.state),
            ..Column::new("state", STATE, |row, _| row.state.to_string())
        },
        Column::new("name", 0, |row, _| row.name.clone()),
        Column::number("done", progress, |row, _| done(row)),
    ];
    if width >= WIDE {
        all.push(Column {
            style: |_, look| look.state(State::Fizzled),
            ..Column::number("failed", 6, |row, _| counted(row, &[State::Fizzled]))
        });
        all.push(Column::number("runs", 6, |row, _| counted(row, &[State::Running])));
    }
    if width >= WIDER {
        all.push(Column::number("ready", 6, |row, _| counted(row, &[State::Ready, State::Reserved])));
        all.push(Column::number("waits", 6, |row, _| counted(row, &[State::Waiting])));
        all.push(Column::number("held", 6, |row, _| counted(row, &[State::Paused, State::Defused])));
        all.push(Column::new("created", MOMENT, |row, scene| moment(row.created_on, scene)));
    }
    all.push(Column::new("changed", MOMENT, |row, scene| moment(row.updated_on, scene)));
    fill(all, width)
}

/// The column without a width has what the others leave.
fn fill<R>(mut all: Vec<Column<R>>, width: u16) -> Vec<Column<R>> {
    let used: usize = all.iter().map(|column| column.width + 1).sum();
    let rest = usize::from(width).saturating_sub(used).max(NAME);
    all.iter_mut().filter(|column| column.width == 0).for_each(|column| column.width = rest);
    all
}

fn widest<R>(seen: &[R], text: impl Fn(&R) -> String) -> usize {
    const LEAST: usize = 4;
    seen.iter().map(|row| columns(&text(row))).max().unwrap_or(0).max(LEAST)
}

fn done(row: &WorkflowRow) -> String {
    let count = |state| row.counts.get(&state).copied().unwrap_or(0);
    format!("{}/{}", count(State::Completed), row.counts.values().sum::<usize>())
}

fn counted(row: &WorkflowRow, states: &[State]) -> String {
    some(states.iter().filter_map(|state| row.counts.get(state)).sum())
}

/// A number; none where there is nothing to count.
fn some(count: usize) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn priority(value: &Bson) -> String {
    if *value == Bson::Null { String::new() } else { value.to_string() }
}

/// How long ago, or else the day.
fn moment(at: Option<Timestamp>, scene: &Scene) -> String {
    let text = at.map(|at| ago(at, scene.store_now())).unwrap_or_default();
    match text.split_once(' ') {
        Some((day, _)) if day.len() > 4 => day.to_owned(),
        _ => text,
    }
}
