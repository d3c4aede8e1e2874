//! What rows are sorted by, and which of two comes first.
//!
//! Values of different types are not compared by MongoDB's conditions, but have an order in its indexes: what is
//! missing, numbers, texts, all the rest. The rest has no order among itself here but that of the ids. Dates are
//! texts or dates, and sorted together.

use std::cmp::Ordering;

use bson::Bson;
use jiff::Timestamp;

use crate::store::filter::order::{compare, rank};
use crate::store::window::Anchor;
use crate::store::{Direction, SortKey};
use crate::workflow::{State, time};

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By id.
    Id,
    /// By a field of whatever type.
    Values(&'static str),
    /// By a field with dates.
    Dates(&'static str),
    /// Workflows by the lowest id in them.
    Lowest,
    /// By the length of a list.
    Size(&'static str),
}

impl Order {
    pub fn of_fireworks(key: SortKey) -> Self {
        match key {
            SortKey::FwId => Order::Id,
            SortKey::Name => Order::Values("name"),
            SortKey::State => Order::Values("state"),
            SortKey::Priority => Order::Values("spec._priority"),
            SortKey::Size => Order::Size("launches"),
            SortKey::CreatedOn => Order::Dates("created_on"),
            SortKey::UpdatedOn => Order::Dates("updated_on"),
        }
    }

    pub fn of_workflows(key: SortKey) -> Self {
        match key {
            // They have no priority.
            SortKey::FwId | SortKey::Priority => Order::Lowest,
            SortKey::Size => Order::Size("nodes"),
            other => Order::of_fireworks(other),
        }
    }

    /// The field that is sorted by, where that is not the id.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Order::Values(field) | Order::Dates(field) => Some(field),
            Order::Id | Order::Lowest | Order::Size(_) => None,
        }
    }
}

/// The types of values, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Nothing,
    Number,
    Text,
    Rest,
}

impl Kind {
    pub fn of(value: &Bson) -> Self {
        match rank(Some(value)) {
            0 | 5 => Kind::Nothing,
            10 => Kind::Number,
            15 => Kind::Text,
            _ => Kind::Rest,
        }
    }
}

/// Every name of a state.
pub(super) fn every_state() -> Vec<&'static str> {
    State::ALL.iter().map(|state| state.as_str()).collect()
}

/// Which of two comes first.
pub(super) fn before(order: Order, direction: Direction, one: &Anchor, other: &Anchor) -> Ordering {
    let by_id = || turned(direction, compare(&one.id, &other.id));
    by_key(order, direction, one, other).then_with(by_id)
}

/// The same by what is sorted by alone.
pub(super) fn by_key(order: Order, direction: Direction, one: &Anchor, other: &Anchor) -> Ordering {
    let (one, other) = (&one.key, &other.key);
    let rising = match order {
        Order::Dates(_) => date(one).cmp(&date(other)),
        _ => Kind::of(one).cmp(&Kind::of(other)).then_with(|| match Kind::of(one) {
            Kind::Nothing | Kind::Rest => Ordering::Equal,
            Kind::Number | Kind::Text => compare(one, other),
        }),
    };
    turned(direction, rising)
}

/// The time that a date tells.
pub(super) fn date(key: &Bson) -> Option<Timestamp> {
    time::from_bson(key)
}

fn turned(direction: Direction, rising: Ordering) -> Ordering {
    match direction {
        Direction::Ascending => rising,
        Direction::Descending => rising.reverse(),
    }
}
