//! How much of a worker a firework asks for, where that runs several side by side: slots, or whole
//! nodes.

use bson::{Bson, Document};

use super::as_int;
use super::limits::BadLimit;

/// So many slots; one where nothing is said.
pub const SLOTS: &str = "_slots";
/// So many whole nodes.
pub const NODES: &str = "_nodes";

/// What a firework asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `_slots`.
    Slots(usize),
    /// `_nodes`.
    Nodes(usize),
}

/// What a worker has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Slots.
    pub slots: usize,
    /// Nodes of which it has all slots.
    pub nodes: usize,
}

impl Ask {
    /// What a spec says.
    pub fn of(spec: &Document) -> Result<Self, BadLimit> {
        match (count(spec, SLOTS)?, count(spec, NODES)?) {
            (Some(_), Some(_)) => {
                let reason = format!("a firework asks for slots or for nodes, and this one has `{NODES}`, too");
                Err(BadLimit { key: SLOTS, reason })
            }
            (None, Some(nodes)) => Ok(Ask::Nodes(nodes)),
            (slots, None) => Ok(Ask::Slots(slots.unwrap_or(1))),
        }
    }
}

impl Room {
    /// Whether it is enough. What asks for the impossible fits everywhere: it is to fail somewhere.
    pub fn fits(self, spec: &Document) -> bool {
        match Ask::of(spec) {
            Ok(Ask::Slots(slots)) => slots <= self.slots,
            Ok(Ask::Nodes(nodes)) => nodes <= self.nodes,
            Err(_) => true,
        }
    }
}

fn count(spec: &Document, key: &'static str) -> Result<Option<usize>, BadLimit> {
    let Some(value) = spec.get(key).filter(|value| **value != Bson::Null) else { return Ok(None) };
    let number = as_int(value).and_then(|number| usize::try_from(number).ok()).filter(|&number| number > 0);
    let wrong = || BadLimit { key, reason: format!("{value} is not a whole number from 1") };
    number.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn one_slot_is_asked_for_where_nothing_is_said() {
        for (spec, ask) in [
            (doc! {}, Ask::Slots(1)),
            (doc! {"_slots": null}, Ask::Slots(1)),
            (doc! {"_slots": 3}, Ask::Slots(3)),
            (doc! {"_nodes": 2_i64}, Ask::Nodes(2)),
        ] {
            assert_eq!(Ask::of(&spec), Ok(ask), "{spec}");
        }
    }

    #[test]
    fn nonsense_names_the_key_and_fits_everywhere() {
        for (spec, part) in [
            (doc! {"_slots": 0}, "`_slots`: 0 is not a whole number from 1"),
            (doc! {"_nodes": -1}, "`_nodes`: -1 is"),
            (doc! {"_slots": "two"}, "`_slots`: \"two\" is"),
            (doc! {"_slots": 2, "_nodes": 1}, "`_nodes`, too"),
        ] {
            let message = Ask::of(&spec).expect_err("is refused").to_string();
            assert!(message.contains(part), "{message}");
            assert!(Room { slots: 1, nodes: 1 }.fits(&spec));
        }
    }

    #[test]
    fn room_is_of_slots_and_of_nodes() {
        let room = Room { slots: 2, nodes: 4 };
        assert!(room.fits(&doc! {}) && room.fits(&doc! {"_slots": 2}) && room.fits(&doc! {"_nodes": 4}));
        assert!(!room.fits(&doc! {"_slots": 3}) && !room.fits(&doc! {"_nodes": 5}));
    }
}
