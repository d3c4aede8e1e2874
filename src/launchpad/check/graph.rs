//! Whether the links of a workflow make a graph of the fireworks that it has.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;

use super::Links;
use crate::launchpad::error::list;
use crate::workflow::draft::find_cycle;
use crate::workflow::{Firework, FwId, int_list};

/// The pairs of one of the maps of a workflow, by the id that is its key.
pub fn links(workflow: &Document, map: &str) -> Links {
    let map = workflow.get_document(map).into_iter().flatten();
    let pairs = map.filter_map(|(from, to)| Some((from.parse().ok()?, int_list(Some(to)))));
    pairs.flat_map(|(from, to): (FwId, _)| to.into_iter().map(move |to| (from, to))).collect()
}

/// What is wrong with them.
pub fn faults(workflow: &Document, members: &BTreeMap<FwId, &Firework>, links: &Links) -> Vec<String> {
    let nodes: BTreeSet<FwId> = int_list(workflow.get("nodes")).into_iter().collect();
    let missing = nodes.iter().filter(|id| !members.contains_key(id));
    let mut faults: Vec<String> =
        missing.map(|id| format!("there is no firework {id}, which the workflow lists")).collect();
    for &(parent, child) in links {
        for id in [parent, child].into_iter().filter(|id| !nodes.contains(id)) {
            faults.push(format!("link {parent} -> {child} names firework {id}, which the workflow does not have"));
        }
    }
    let inverse: Links =
        self::links(workflow, "parent_links").into_iter().map(|(child, parent)| (parent, child)).collect();
    let pairs = |pairs: &mut dyn Iterator<Item = &(FwId, FwId)>, what: &str| {
        pairs.map(|(parent, child)| format!("`parent_links` {what} {parent} -> {child}")).collect::<Vec<_>>()
    };
    faults.extend(pairs(&mut links.difference(&inverse), "lacks"));
    faults.extend(pairs(&mut inverse.difference(links), "has, and `links` has not,"));
    if let Some(cycle) = find_cycle(&nodes, links) {
        let cycle: Vec<String> = cycle.iter().map(FwId::to_string).collect();
        faults.push(format!("the links form a cycle: {}", cycle.join(" -> ")));
    }
    faults.extend(parts(&nodes, links));
    faults
}

/// That not all fireworks are joined by links, as FireWorks wants it of a workflow that it checks.
pub fn parts(nodes: &BTreeSet<FwId>, links: &Links) -> Option<String> {
    let mut near: BTreeMap<FwId, Vec<FwId>> = BTreeMap::new();
    for &(parent, child) in links {
        near.entry(parent).or_default().push(child);
        near.entry(child).or_default().push(parent);
    }
    let mut left = nodes.clone();
    let mut parts = Vec::new();
    while let Some(first) = left.pop_first() {
        parts.push(first);
        let mut reached = vec![first];
        while let Some(id) = reached.pop() {
            reached.extend(near.get(&id).into_iter().flatten().filter(|near| left.remove(near)));
        }
    }
    (parts.len() > 1)
        .then(|| format!("it falls into {} parts that no link joins, with the fireworks {}", parts.len(), list(&parts)))
}
