//! Which fireworks are of one kind, and what several of them are called together.

use std::collections::BTreeSet;

use super::Graph;
use crate::workflow::FwId;

/// A name without its numbers: `relax 17` is another of the kind of `relax 3`.
pub fn kind(name: &str) -> String {
    let mut kind = String::new();
    for character in name.chars() {
        let character = if character.is_ascii_digit() { '#' } else { character };
        if character != '#' || !kind.ends_with('#') {
            kind.push(character);
        }
    }
    kind
}

/// `12 relax`, `×40 relax #`, `×40 of 7 names`
pub fn label(graph: &Graph, members: &[FwId]) -> String {
    let name = |id: &FwId| graph.nodes.get(id).map_or("", |node| node.name.as_str());
    if let [id] = members {
        return format!("{id} {}", name(id));
    }
    let names: BTreeSet<&str> = members.iter().map(name).collect();
    let kinds: BTreeSet<String> = names.iter().map(|name| kind(name)).collect();
    let name = match (names.len(), kinds.len()) {
        (1, _) => names.first().copied().unwrap_or_default().to_owned(),
        (_, 1) => kinds.first().cloned().unwrap_or_default(),
        (count, _) => format!("of {count} names"),
    };
    format!("×{} {name}", members.len())
}

impl Graph {
    /// Those of its layer that are of the kind of a firework, and itself.
    pub fn alike(&self, fw_id: FwId) -> Vec<FwId> {
        let Some(one) = self.nodes.get(&fw_id) else { return Vec::new() };
        let own = kind(&one.name);
        let others = self.nodes.iter().filter(|(_, node)| node.layer == one.layer && kind(&node.name) == own);
        others.map(|(id, _)| *id).collect()
    }
}
