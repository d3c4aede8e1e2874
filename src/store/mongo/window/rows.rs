//! Rows of lists as the server sends them: not more of a document than is shown.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};

use super::kinds::Order;
use crate::store::window::{Anchor, FireworkRow, WorkflowRow};
use crate::store::{Result, StoreError};
use crate::workflow::firework::{BadFirework, DEFAULT_NAME};
use crate::workflow::{State, as_int, time};

/// The length of a list, for sorting.
pub(super) const KEY: &str = "volley_key";

/// What a workflow is called where it has no name.
const UNNAMED: &str = "unnamed WF";

/// A row of a list.
pub(super) trait Listed: Sized {
    const COLLECTION: &'static str;
    /// The field that tells rows apart which are the same otherwise.
    const ID: &'static str;
    /// What is read of a document.
    fn fields() -> Document;
    /// Stages that read that of few, by their `_id`s, in their order.
    fn again() -> [Document; 3] {
        let whole = doc! { "from": Self::COLLECTION, "localField": "_id", "foreignField": "_id", "as": "whole" };
        let only = doc! { "$arrayElemAt": ["$whole", 0] };
        [doc! { "$lookup": whole }, doc! { "$replaceWith": only }, doc! { "$project": Self::fields() }]
    }
    /// Reads that.
    fn read(document: &Document, order: Order) -> Result<Self>;
    /// Its place.
    fn anchor(&self) -> &Anchor;
}

/// The length of a list.
fn size(list: &str) -> Document {
    doc! { "$size": { "$cond": [{ "$isArray": list }, list, []] } }
}

impl Listed for FireworkRow {
    const COLLECTION: &'static str = "fireworks";
    const ID: &'static str = "fw_id";

    fn fields() -> Document {
        let mut fields = doc! { "_id": 0, "spec._priority": 1, "size": size("$launches") };
        fields.extend(["fw_id", "name", "state", "created_on", "updated_on"].map(|field| (field.to_owned(), 1.into())));
        fields
    }

    fn read(document: &Document, order: Order) -> Result<Self> {
        let found = document.get("fw_id");
        let bad = |field| BadFirework { fw_id: found.map_or("?".to_owned(), Bson::to_string), field };
        let fw_id = found.and_then(as_int).ok_or_else(|| bad("fw_id"))?;
        Ok(FireworkRow {
            fw_id,
            name: document.get_str("name").unwrap_or(DEFAULT_NAME).to_owned(),
            state: state(document).ok_or_else(|| bad("state"))?,
            priority: document
                .get_document("spec")
                .ok()
                .and_then(|spec| spec.get("_priority"))
                .cloned()
                .unwrap_or(Bson::Null),
            launches: number(document.get("size")),
            created_on: document.get("created_on").and_then(time::from_bson),
            updated_on: document.get("updated_on").and_then(time::from_bson),
            anchor: Anchor { key: key(document, order, fw_id), id: fw_id.into() },
        })
    }

    fn anchor(&self) -> &Anchor {
        &self.anchor
    }
}

impl Listed for WorkflowRow {
    const COLLECTION: &'static str = "workflows";
    const ID: &'static str = "_id";

    fn fields() -> Document {
        let states =
            doc! { "$map": { "input": { "$objectToArray": { "$ifNull": ["$fw_states", {}] } }, "in": "$$this.v" } };
        let count = |state: &State| {
            let those = doc! { "$filter": { "input": "$$states", "cond": { "$eq": ["$$this", state.as_str()] } } };
            (state.as_str().to_owned(), Bson::from(doc! { "$size": those }))
        };
        let counts: Document = State::ALL.iter().map(count).collect();
        let mut fields = doc! {
            "first": { "$arrayElemAt": ["$nodes", 0] },
            "lowest": { "$min": "$nodes" },
            "size": size("$nodes"),
            "counts": { "$let": { "vars": { "states": states }, "in": counts } },
        };
        fields.extend(["name", "state", "created_on", "updated_on"].map(|field| (field.to_owned(), 1.into())));
        fields
    }

    fn read(document: &Document, order: Order) -> Result<Self> {
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        for (state, count) in document.get_document("counts").into_iter().flatten() {
            if let (Ok(state), count @ 1..) = (state.parse(), number(Some(count))) {
                counts.insert(state, count);
            }
        }
        let id = |field| document.get(field).and_then(as_int).unwrap_or_default();
        Ok(WorkflowRow {
            id: id("first"),
            name: document.get_str("name").unwrap_or(UNNAMED).to_owned(),
            state: state(document).ok_or_else(|| {
                let reason = format!("the workflow of firework {} has no usable `state`", id("first"));
                StoreError::Refused { place: "MongoDB".to_owned(), reason }
            })?,
            counts,
            created_on: document.get("created_on").and_then(time::from_bson),
            updated_on: document.get("updated_on").and_then(time::from_bson),
            anchor: Anchor {
                key: key(document, order, id("lowest")),
                id: document.get("_id").cloned().unwrap_or(Bson::Null),
            },
        })
    }

    fn anchor(&self) -> &Anchor {
        &self.anchor
    }
}

fn state(document: &Document) -> Option<State> {
    document.get_str("state").ok()?.parse().ok()
}

fn number(value: Option<&Bson>) -> usize {
    value.and_then(as_int).and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

/// What a row is sorted by.
fn key(document: &Document, order: Order, id: i64) -> Bson {
    match order {
        Order::Id | Order::Lowest => id.into(),
        Order::Size(_) => document.get("size").cloned().unwrap_or(Bson::Null),
        Order::Values(field) | Order::Dates(field) => {
            let value = match field.split_once('.') {
                Some((outer, inner)) => document.get_document(outer).ok().and_then(|inside| inside.get(inner)),
                None => document.get(field),
            };
            value.cloned().unwrap_or(Bson::Null)
        }
    }
}
