//! A few rows out of many: what a screen shows of a listing, whatever its length.

use std::collections::BTreeMap;

use bson::Bson;
use jiff::Timestamp;

use super::{Direction, FireworkQuery, Result, SortKey, WorkflowQuery};
use crate::workflow::{FwId, State, as_int};

/// The place of a row in its order, in the terms of the store that gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// What it is sorted by; null where there is nothing.
    pub key: Bson,
    /// What tells it from others of the same key: the firework, or what the store calls the workflow.
    pub id: Bson,
}

/// Where a window begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// At the first row.
    First,
    /// So that it ends with the last row.
    Last,
    /// With this row, or where it would be.
    At(Anchor),
    /// With the row after this one.
    After(Anchor),
    /// So that it ends with the row before this one.
    Before(Anchor),
}

/// Some rows, in the order that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Window<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Whether nothing comes before them.
    pub is_first: bool,
    /// Whether nothing comes after them.
    pub is_last: bool,
}

/// A firework in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct FireworkRow {
    /// Which.
    pub fw_id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// `spec._priority`; null where there is none.
    pub priority: Bson,
    /// How many launches count.
    pub launches: usize,
    /// When it was created.
    pub created_on: Option<Timestamp>,
    /// When it changed last.
    pub updated_on: Option<Timestamp>,
    /// Its place.
    pub anchor: Anchor,
}

/// A workflow in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowRow {
    /// The firework that names it in listings.
    pub id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// How many of its fireworks are in which state.
    pub counts: BTreeMap<State, usize>,
    /// When it was created.
    pub created_on: Option<Timestamp>,
    /// When it changed last.
    pub updated_on: Option<Timestamp>,
    /// Its place.
    pub anchor: Anchor,
}

/// The part of a store that gives windows. The order is that of `query.sort`, by id where nothing is said, and by
/// id among equals (of workflows: as they were added, as far as the store knows); `query.limit` does not count.
///
/// Without a filter, or with one by state, the rows come from an index, wherever the window begins; all rows are
/// gone through where there is none: for [`SortKey::Size`], and in SQLite for [`SortKey::Priority`].
pub trait Windows {
    /// Some fireworks of those that match, `size` of them at most.
    fn firework_window(&self, query: &FireworkQuery, start: &Start, size: usize) -> Result<Window<FireworkRow>>;

    /// Some workflows, likewise.
    fn workflow_window(&self, query: &WorkflowQuery, start: &Start, size: usize) -> Result<Window<WorkflowRow>>;
}

/// Where rows are read from, in whichever direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge<'a> {
    /// This place.
    pub anchor: &'a Anchor,
    /// What is at this place is read, too.
    pub inclusive: bool,
}

/// The order of a query.
pub(super) fn order(sort: Option<(SortKey, Direction)>) -> (SortKey, Direction) {
    sort.unwrap_or((SortKey::FwId, Direction::Ascending))
}

/// A window, by what reads so many rows from an edge on, or from the end that comes first in this direction.
pub(super) fn window<R>(
    direction: Direction,
    start: &Start,
    size: usize,
    read: impl Fn(Option<Edge<'_>>, Direction, usize) -> Result<Vec<R>>,
) -> Result<Window<R>> {
    let (anchor, inclusive, is_reversed) = match start {
        Start::First => (None, true, false),
        Start::Last => (None, true, true),
        Start::At(anchor) => (Some(anchor), true, false),
        Start::After(anchor) => (Some(anchor), false, false),
        Start::Before(anchor) => (Some(anchor), false, true),
    };
    let (onward, back) =
        if is_reversed { (direction.reversed(), direction) } else { (direction, direction.reversed()) };
    let mut rows = read(anchor.map(|anchor| Edge { anchor, inclusive }), onward, size + 1)?;
    let reaches_end = rows.len() <= size;
    rows.truncate(size);
    let behind = anchor.map(|anchor| Edge { anchor, inclusive: !inclusive });
    let begins_there = match behind {
        Some(behind) => read(Some(behind), back, 1)?.is_empty(),
        None => true,
    };
    if is_reversed {
        rows.reverse();
        return Ok(Window { rows, is_first: reaches_end, is_last: begins_there });
    }
    Ok(Window { rows, is_first: begins_there, is_last: reaches_end })
}

/// Rows by ids of fireworks, of which the store can be asked by range alone: a short one first, then ever longer
/// ones, as long as there are too few rows.
pub(super) fn by_ranges<R>(
    (mut low, mut high): (FwId, FwId),
    direction: Direction,
    limit: usize,
    mut read: impl FnMut(FwId, FwId, usize) -> Result<Vec<R>>,
) -> Result<Vec<R>> {
    const SHORTEST: i64 = 200;
    const LONGER: i64 = 8;
    let mut rows = Vec::new();
    let mut span = i64::try_from(limit).unwrap_or(i64::MAX).saturating_mul(LONGER).max(SHORTEST);
    while low <= high && rows.len() < limit {
        let (first, last) = match direction {
            Direction::Ascending => (low, high.min(low.saturating_add(span - 1))),
            Direction::Descending => (low.max(high.saturating_sub(span - 1)), high),
        };
        rows.extend(read(first, last, limit - rows.len())?);
        match direction {
            Direction::Ascending => low = last.saturating_add(1),
            Direction::Descending => high = first.saturating_sub(1),
        }
        span = span.saturating_mul(LONGER);
    }
    Ok(rows)
}

/// The ids from an edge on, which is one, among those that there are.
pub(super) fn ids_from(edge: Option<Edge<'_>>, direction: Direction, (low, high): (FwId, FwId)) -> (FwId, FwId) {
    let Some((id, inclusive)) = edge.and_then(|edge| Some((as_int(&edge.anchor.key)?, edge.inclusive))) else {
        return (low, high);
    };
    let beyond = i64::from(!inclusive);
    match direction {
        Direction::Ascending => (low.max(id.saturating_add(beyond)), high),
        Direction::Descending => (low, high.min(id.saturating_sub(beyond))),
    }
}
