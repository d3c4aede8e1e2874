//! Conditions for all rows from an edge on, each of which one index can serve.

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::kinds::{Kind, Order, date};
use crate::store::Direction;
use crate::store::mongo::find::{beginning, whole_milliseconds};
use crate::store::window::Edge;
use crate::workflow::time;

/// How a part is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Id,
    Field,
}

/// Some of the rows.
pub(super) struct Part {
    pub filter: Document,
    pub by: By,
}

/// That both hold.
pub(super) fn both(one: Document, other: Document) -> Document {
    match (one.is_empty(), other.is_empty()) {
        (true, _) => other,
        (_, true) => one,
        _ => doc! { "$and": [one, other] },
    }
}

/// What is beyond an edge, and what is on it or beyond.
pub(super) fn signs(direction: Direction, inclusive: bool) -> (&'static str, &'static str) {
    match (direction, inclusive) {
        (Direction::Ascending, false) => ("$gt", "$gt"),
        (Direction::Ascending, true) => ("$gt", "$gte"),
        (Direction::Descending, false) => ("$lt", "$lt"),
        (Direction::Descending, true) => ("$lt", "$lte"),
    }
}

/// All rows from an edge on, or all that there are.
pub(super) fn from(order: Order, id: &str, edge: Option<Edge<'_>>, direction: Direction) -> Vec<Part> {
    let of_id = |part: Document| Part { filter: part, by: By::Id };
    let on = |edge: Edge<'_>| doc! { id: { signs(direction, edge.inclusive).1: edge.anchor.id.clone() } };
    if order.field().is_none() {
        return vec![of_id(edge.map_or_else(Document::new, on))];
    }
    let mut parts: Vec<Part> =
        edge.map(|edge| of_id(both(equal(order, &edge.anchor.key), on(edge)))).into_iter().collect();
    let key = edge.map(|edge| &edge.anchor.key);
    parts.extend(match order {
        Order::Dates(field) => dates_beyond(field, key, direction),
        _ => values_beyond(order, key, direction),
    });
    parts
}

/// Those that have this key, in whatever form.
pub(super) fn equal(order: Order, key: &Bson) -> Document {
    let Some(field) = order.field() else { return Document::new() };
    match order {
        Order::Dates(_) => match date(key) {
            Some(at) => at_that_time(field, at),
            None => doc! { field: Bson::Null },
        },
        _ => match Kind::of(key) {
            Kind::Nothing => doc! { field: Bson::Null },
            Kind::Rest => doc! { field: { "$type": REST.to_vec() } },
            Kind::Number | Kind::Text => doc! { field: key.clone() },
        },
    }
}

/// The types of all values that are neither nothing, nor numbers, nor texts.
const REST: [&str; 7] = ["object", "array", "binData", "objectId", "bool", "date", "regex"];

fn at_that_time(field: &str, at: Timestamp) -> Document {
    let mut forms = vec![doc! { field: { "$gte": beginning(at), "$lte": time::to_iso(at) } }];
    if whole_milliseconds(at) == at {
        forms.push(doc! { field: time::to_bson_date(at) });
    }
    doc! { "$or": forms }
}

/// Texts and dates before or after that of an edge; what has neither is the oldest.
fn dates_beyond(field: &str, key: Option<&Bson>, direction: Direction) -> Vec<Part> {
    let by_field = |condition: Document| Part { filter: doc! { field: condition }, by: By::Field };
    let undated = Part { filter: doc! { field: Bson::Null }, by: By::Id };
    let all = || [by_field(doc! { "$gte": "" }), by_field(doc! { "$gte": bson::DateTime::MIN })];
    match (key.map(date), direction) {
        (None, Direction::Ascending) => std::iter::once(undated).chain(all()).collect(),
        (None, Direction::Descending) => all().into_iter().chain([undated]).collect(),
        (Some(None), Direction::Ascending) => all().into(),
        (Some(None), Direction::Descending) => Vec::new(),
        (Some(Some(at)), Direction::Ascending) => {
            vec![by_field(doc! { "$gt": time::to_iso(at) }), by_field(doc! { "$gt": time::to_bson_date(at) })]
        }
        (Some(Some(at)), Direction::Descending) => {
            let date = time::to_bson_date(whole_milliseconds(at));
            vec![by_field(doc! { "$gte": "", "$lt": beginning(at) }), by_field(doc! { "$lt": date }), undated]
        }
    }
}

/// Values before or after that of an edge, by their kinds.
fn values_beyond(order: Order, key: Option<&Bson>, direction: Direction) -> Vec<Part> {
    let field = order.field().unwrap_or_default();
    let edge = key.map(|key| (key, Kind::of(key)));
    let part = |kind: Kind| {
        let (filter, by) = match kind {
            Kind::Nothing => (doc! { field: Bson::Null }, By::Id),
            Kind::Number => (doc! { field: { "$type": "number" } }, By::Field),
            Kind::Text => (doc! { field: { "$type": "string" } }, By::Field),
            Kind::Rest => (doc! { field: { "$type": REST.to_vec() } }, By::Id),
        };
        match edge {
            None => Some(Part { filter, by }),
            Some((key, own)) if own == kind => {
                let beyond = doc! { field: { signs(direction, false).0: key.clone() } };
                // Of the others all are equal.
                matches!(kind, Kind::Number | Kind::Text).then_some(Part { filter: beyond, by })
            }
            Some((_, own)) => {
                let is_beyond = (own < kind) == (direction == Direction::Ascending);
                is_beyond.then_some(Part { filter, by })
            }
        }
    };
    [Kind::Nothing, Kind::Number, Kind::Text, Kind::Rest].into_iter().filter_map(part).collect()
}
