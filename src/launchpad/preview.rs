//! Fireworks or workflows that are to be changed, in a few lines.

use std::collections::BTreeMap;

use super::words::id_line;
use crate::workflow::FwId;

/// How many are in which state, and of which names, the most frequent first: `12 FIZZLED relax (1-12)`.
pub fn preview<'a>(entries: impl Iterator<Item = (&'a str, &'a str, FwId)>) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), Vec<FwId>> = BTreeMap::new();
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for (state, name, id) in entries {
        groups.entry((state, name)).or_default().push(id);
        *states.entry(state).or_default() += 1;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
    let line =
        |((state, name), ids): ((&str, &str), Vec<FwId>)| format!("{} {state} {name} ({})", ids.len(), shortened(&ids));
    let states: Vec<String> = states.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    // Where all are of one kind, its line says it all.
    let total = (states.len() > 1).then(|| states.join(", "));
    total.into_iter().chain(groups.into_iter().map(line)).collect()
}

/// Ids as `-i` takes them, as far as there is room.
pub fn shortened(ids: &[FwId]) -> String {
    const ROOM: usize = 50;
    let all = id_line(ids.iter().copied());
    match all[..all.len().min(ROOM)].rfind(',').filter(|_| all.len() > ROOM) {
        Some(end) => format!("{},...", &all[..end]),
        None => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_counts_by_state_and_name() {
        let fizzled = (1..=12).map(|id| ("FIZZLED", "relax", id));
        let entries = fizzled.chain([("READY", "static", 20), ("FIZZLED", "static", 21), ("READY", "static", 22)]);
        assert_eq!(
            preview(entries),
            ["13 FIZZLED, 2 READY", "12 FIZZLED relax (1-12)", "2 READY static (20,22)", "1 FIZZLED static (21)",]
        );
        assert_eq!(preview([("READY", "pair", 1)].into_iter()), ["1 READY pair (1)"]);
        let odd: Vec<FwId> = (0..100).map(|half| 2 * half + 1).collect();
        assert_eq!(shortened(&odd), "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,...");
    }
}
