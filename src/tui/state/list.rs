//! Lists of any length: what is loaded is a window around what is seen.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Scene;
use super::list_row::Row;
use crate::launchpad::Selection;
use crate::launchpad::filter::Filter;
use crate::store::window::{FireworkRow, Start, Window, WorkflowRow};
use crate::store::{Direction, SortKey};
use crate::verbs::action::Target;
use crate::workflow::FwId;

/// A list of workflows.
pub type Workflows = List<WorkflowRow>;
/// A list of fireworks.
pub type Fireworks = List<FireworkRow>;

/// A list.
#[derive(Debug, Clone)]
pub struct List<R> {
    /// What is typed, while it is.
    pub prompt: Option<Prompt>,
    /// What is shown.
    pub filter: Filter,
    /// The order.
    pub sort: (SortKey, Direction),
    /// What is loaded: what is seen, and some pages before and after it.
    pub loaded: Window<R>,
    /// How many rows come before these, where that is known.
    pub before: Option<u64>,
    /// How many there are, where that is known.
    pub count: Option<u64>,
    /// The row that one is on.
    pub cursor: usize,
    /// The first one that is seen.
    pub top: usize,
    /// Where one goes as soon as it is loaded.
    pub jump: Option<Jump>,
    /// More is on its way.
    pub is_waiting: bool,
    /// What is loaded is not what the filter selects: that is on its way.
    pub is_stale: bool,
    /// Why the rows could not be read when they were last asked for.
    pub trouble: Option<String>,
    /// The rows that are marked, also those that are not loaded.
    pub marks: BTreeSet<FwId>,
    /// The next action is for all that the filter selects.
    pub all: bool,
}

/// A filter that is typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// As far as it is.
    pub text: String,
    /// The filter before.
    pub old: Filter,
    /// What is wrong with the text.
    pub error: Option<String>,
}

/// To an end of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// To the beginning.
    First,
    /// To the end.
    Last,
}

impl Jump {
    /// The window there.
    pub fn start(self) -> Start {
        match self {
            Jump::First => Start::First,
            Jump::Last => Start::Last,
        }
    }
}

/// Lines above the rows: what is shown, and the names of the columns.
pub const ABOVE: u16 = 2;
/// So many pages are loaded: the one that is seen, and two on each side.
const PAGES: usize = 5;
/// As many pages before the one that is seen.
const PAGES_BEFORE: usize = 2;

/// How many rows are seen at once.
pub fn page(scene: &Scene) -> usize {
    usize::from(scene.body().saturating_sub(ABOVE)).max(1)
}

impl<R: Row> Default for List<R> {
    fn default() -> Self {
        List {
            prompt: None,
            filter: Filter::default(),
            sort: (SortKey::FwId, first_direction(SortKey::FwId)),
            loaded: Window { rows: Vec::new(), is_first: false, is_last: false },
            before: None,
            count: None,
            cursor: 0,
            top: 0,
            jump: Some(Jump::First),
            is_waiting: false,
            is_stale: true,
            trouble: None,
            marks: BTreeSet::new(),
            all: false,
        }
    }
}

/// Names and states from A on, all else from its upper end.
pub fn first_direction(key: SortKey) -> Direction {
    match key {
        SortKey::Name | SortKey::State => Direction::Ascending,
        _ => Direction::Descending,
    }
}

impl<R: Row> List<R> {
    /// Those that a filter selects, as a user would type it.
    pub fn filtered(text: &str) -> Self {
        let list = List::default();
        match Filter::read(text) {
            Ok(filter) => List { filter, ..list },
            Err(error) => {
                let (text, error) = (text.to_owned(), Some(error.to_string()));
                List { prompt: Some(Prompt { text, old: Filter::default(), error }), ..list }
            }
        }
    }

    /// The row that one is on.
    pub fn row(&self) -> Option<&R> {
        self.loaded.rows.get(self.cursor)
    }

    /// The first row that is seen, where so many are.
    pub fn top(&self, page: usize) -> usize {
        let most = self.loaded.rows.len().saturating_sub(page);
        self.top.clamp((self.cursor + 1).saturating_sub(page), self.cursor).min(most)
    }

    /// The rows that are seen.
    pub fn seen(&self, page: usize) -> &[R] {
        let rows = &self.loaded.rows;
        let top = self.top(page).min(rows.len());
        &rows[top..rows.len().min(top + page)]
    }

    /// Which of all rows one is on, counted from 1, where that is known.
    pub fn place(&self) -> Option<u64> {
        self.row()?;
        Some(self.before? + self.cursor as u64 + 1)
    }

    /// The window that belongs around what is seen, and how many rows it has.
    pub fn wanted(&self, page: usize) -> (Start, usize) {
        let Window { rows, is_first, is_last } = &self.loaded;
        let top = self.top(page);
        let start = match (self.jump, top.checked_sub(PAGES_BEFORE * page)) {
            (Some(jump), _) => jump.start(),
            (None, None | Some(0)) if *is_first => Start::First,
            (None, Some(begin)) => rows.get(begin).map_or(Start::First, |row| Start::At(row.anchor().clone())),
            (None, None) => {
                let end = rows.get(top + (PAGES - PAGES_BEFORE) * page);
                match end.or_else(|| rows.last().filter(|_| !is_last)) {
                    Some(end) => Start::Before(end.anchor().clone()),
                    None => Start::Last,
                }
            }
        };
        (start, PAGES * page)
    }

    /// Whether there is less than a page before or after what is seen, and there is more.
    pub fn is_short(&self, page: usize) -> bool {
        let top = self.top(page);
        !self.loaded.is_first && top < page || !self.loaded.is_last && top + 2 * page > self.loaded.rows.len()
    }

    /// What an action is about: all, or the marked ones, or the row that one is on.
    pub fn target(&self, now: Timestamp) -> Option<Target> {
        let ids = |ids: Vec<FwId>| Selection { ids: Some(ids), ..Selection::default() };
        let selection = if self.all {
            R::selection(&self.filter, now)
        } else if self.marks.is_empty() {
            ids(vec![self.row()?.id()])
        } else {
            ids(self.marks.iter().copied().collect())
        };
        Some(R::target(selection))
    }
}
