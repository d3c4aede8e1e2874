//! Tables on a terminal: as wide as it is, states in colour unless NO_COLOR is set.

use std::io::IsTerminal;

use anyhow::Result;
use tabled::builder::Builder;
use tabled::settings::peaker::Priority;
use tabled::settings::{Padding, Style, Width};

use crate::workflow::State;

/// What stands in a table.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Words or a number.
    Text(String),
    /// A state.
    State(State),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<State> for Cell {
    fn from(state: State) -> Self {
        Cell::State(state)
    }
}

/// Rows under a head.
#[derive(Debug)]
pub struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(head: &[&'static str]) -> Self {
        Table { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, with a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints it; without rows, `empty` instead.
    pub fn print(&self, empty: &str) -> Result<()> {
        if self.rows.is_empty() {
            return super::text(empty);
        }
        let terminal = std::io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        super::text(&self.render(terminal.then(width).flatten(), terminal && !no_color))
    }

    /// The table as text, at most `width` wide.
    fn render(&self, width: Option<usize>, colours: bool) -> String {
        let mut builder = Builder::default();
        builder.push_record(self.head.iter().copied().map(head));
        for row in &self.rows {
            builder.push_record(row.iter().map(|cell| cell.render(colours)));
        }
        let mut table = builder.build();
        table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
        if let Some(width) = width {
            table.with(Width::truncate(width).suffix("…").priority(Priority::max(true)));
        }
        let text = table.to_string();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

/// The name of a column in capitals; a unit behind it keeps its own: eV is not EV.
fn head(name: &str) -> String {
    let (name, unit) = name.split_at(name.find('(').unwrap_or(name.len()));
    name.to_uppercase() + unit
}

impl Cell {
    fn render(&self, colours: bool) -> String {
        match self {
            // A name may hold anything; a table has lines.
            Cell::Text(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
            Cell::State(state) if colours => format!("\u{1b}[{}m{state}\u{1b}[0m", colour(*state)),
            Cell::State(state) => state.to_string(),
        }
    }
}

/// The colours of FireWorks' web pages, as near as a terminal of 16 colours comes.
fn colour(state: State) -> &'static str {
    match state {
        State::Completed => "32",
        State::Fizzled => "31",
        State::Running => "33",
        State::Ready => "34",
        State::Reserved => "35",
        State::Waiting => "36",
        State::Paused => "95",
        State::Defused | State::Archived => "90",
    }
}

fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["id", "name", "state"]);
        table.row(["1".into(), "relax".into(), State::Completed.into()]);
        table.row(["12".into(), "a very long name of a firework".into(), State::Ready.into()]);
        table
    }

    #[test]
    fn columns_line_up() {
        let expected = "ID  NAME                            STATE\n\
                        1   relax                           COMPLETED\n\
                        12  a very long name of a firework  READY";
        assert_eq!(table().render(None, false), expected);
    }

    #[test]
    fn units_stay_as_they_are() {
        assert_eq!(Table::new(&["id", "max force (eV/Å)"]).render(None, false), "ID  MAX FORCE (eV/Å)");
    }

    #[test]
    fn the_widest_column_gives_way() {
        let text = table().render(Some(30), false);
        assert!(text.lines().all(|line| line.chars().count() <= 30), "{text}");
        assert!(text.contains("COMPLETED") && text.contains('…'), "{text}");
    }

    #[test]
    fn colours_take_no_room() {
        let plain = table().render(Some(30), false);
        let coloured = table().render(Some(30), true);
        assert!(coloured.contains("\u{1b}[32mCOMPLETED"), "{coloured:?}");
        assert_eq!(coloured.replace("\u{1b}[32m", "").replace("\u{1b}[34m", "").replace("\u{1b}[0m", ""), plain);
    }
}
