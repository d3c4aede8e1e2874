//! Tables: on a terminal as wide as it is, states in colour, and times as they look from now.

use anyhow::Result;
use jiff::Timestamp;
use tabled::builder::Builder;
use tabled::settings::peaker::Priority;
use tabled::settings::{Padding, Style, Width};

use super::colour::{Ink, coloured, is_coloured};
use super::stream;
use crate::launchpad::words::{ago, date};
use crate::workflow::State;

/// What stands in a table.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Words or a number.
    Text(String),
    /// A state.
    State(State),
    /// A moment.
    Time(Timestamp),
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

impl From<Timestamp> for Cell {
    fn from(at: Timestamp) -> Self {
        Cell::Time(at)
    }
}

impl From<Option<Timestamp>> for Cell {
    fn from(at: Option<Timestamp>) -> Self {
        at.map_or_else(|| "".into(), Cell::Time)
    }
}

/// Rows under a head. Columns that do not fit on a terminal are left out from the right.
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
        let look =
            Look { width: stream::width(), colours: is_coloured(), now: stream::is_terminal().then(Timestamp::now) };
        super::text(&self.render(look))
    }

    /// The columns for which the terminal has no room.
    pub fn left_out(&self) -> &[&'static str] {
        let now = stream::is_terminal().then(Timestamp::now);
        let shown = stream::width().map_or(self.head.len(), |width| self.fitting(&self.texts(now), width));
        self.head.get(shown..).unwrap_or_default()
    }

    fn texts(&self, now: Option<Timestamp>) -> Vec<Vec<String>> {
        self.rows.iter().map(|row| row.iter().map(|cell| cell.text(now)).collect()).collect()
    }

    fn render(&self, look: Look) -> String {
        let cells = self.texts(look.now);
        let columns = look.width.map_or(self.head.len(), |width| self.fitting(&cells, width));
        let mut builder = Builder::default();
        builder.push_record(self.head.iter().take(columns).copied().map(head));
        for (row, texts) in self.rows.iter().zip(cells) {
            let shown = row.iter().zip(texts).take(columns);
            builder.push_record(shown.map(|(cell, text)| match cell {
                Cell::State(state) if look.colours => coloured(&text, Ink::State(*state)),
                _ => text,
            }));
        }
        let mut table = builder.build();
        table.with(Style::empty()).with(Padding::new(0, GAP, 0, 0));
        if let Some(width) = look.width {
            table.with(Width::truncate(width).suffix("…").priority(Priority::max(true)));
        }
        let text = table.to_string();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// How many columns fit so that something can be read in each: one at least.
    fn fitting(&self, cells: &[Vec<String>], width: usize) -> usize {
        let least = |column: usize| {
            let of_rows = cells.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count());
            let widest = of_rows.max().unwrap_or(0).max(self.head[column].chars().count());
            widest.min(LEAST) + GAP
        };
        let mut used = 0;
        let fits = |column: &usize| {
            used += least(*column);
            used <= width + GAP
        };
        (0..self.head.len()).take_while(fits).count().max(1)
    }
}

/// The space between columns.
const GAP: usize = 2;
/// A column that is cut shows as much as this.
const LEAST: usize = 10;

/// How a table looks.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    /// As wide as this at most.
    width: Option<usize>,
    /// With colours.
    colours: bool,
    /// The time it is, where times are told as they look from now.
    now: Option<Timestamp>,
}

/// The name of a column in capitals; a unit behind it keeps its own: eV is not EV.
fn head(name: &str) -> String {
    let (name, unit) = name.split_at(name.find('(').unwrap_or(name.len()));
    name.to_uppercase() + unit
}

impl Cell {
    fn text(&self, now: Option<Timestamp>) -> String {
        match self {
            // A name may hold anything; a table has lines.
            Cell::Text(text) => super::plain(text),
            Cell::State(state) => state.to_string(),
            Cell::Time(at) => now.map_or_else(|| date(*at), |now| ago(*at, now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["id", "name", "state"]);
        table.row(["1".into(), "relax".into(), State::Completed.into()]);
        table.row(["12".into(), "a very long name of a firework".into(), State::Ready.into()]);
        table
    }

    fn within(width: usize) -> Look {
        Look { width: Some(width), ..Look::default() }
    }

    #[test]
    fn columns_line_up() {
        let expected = "ID  NAME                            STATE\n\
                        1   relax                           COMPLETED\n\
                        12  a very long name of a firework  READY";
        assert_eq!(table().render(Look::default()), expected);
    }

    #[test]
    fn units_stay_as_they_are() {
        assert_eq!(Table::new(&["id", "max force (eV/Å)"]).render(Look::default()), "ID  MAX FORCE (eV/Å)");
    }

    #[test]
    fn the_widest_column_gives_way() {
        let text = table().render(within(30));
        assert!(text.lines().all(|line| line.chars().count() <= 30), "{text}");
        assert!(text.contains("COMPLETED") && text.contains('…'), "{text}");
    }

    #[test]
    fn what_does_not_fit_at_all_is_left_out_from_the_right() {
        for width in [5, 12, 20] {
            let text = table().render(within(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
            assert!(text.starts_with("ID") && !text.contains("STATE"), "{text}");
        }
    }

    #[test]
    fn times_are_told_from_now_where_somebody_looks() {
        let now = Timestamp::from_second(1_800_000_000).expect("in range");
        let mut table = Table::new(&["at"]);
        table.row([Cell::Time(now - SignedDuration::from_mins(3))]);
        assert_eq!(table.render(Look { now: Some(now), ..Look::default() }), "AT\n3 min ago");
        assert!(table.render(Look::default()).contains(":00"), "a date");
    }

    #[test]
    fn colours_take_no_room() {
        let plain = table().render(within(30));
        let coloured = table().render(Look { colours: true, ..within(30) });
        assert!(coloured.contains("\u{1b}[32mCOMPLETED"), "{coloured:?}");
        assert_eq!(coloured.replace("\u{1b}[32m", "").replace("\u{1b}[34m", "").replace("\u{1b}[0m", ""), plain);
    }
}
