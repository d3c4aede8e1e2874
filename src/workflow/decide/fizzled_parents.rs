//! `_allow_fizzled_parents`: who begins although a parent has FIZZLED, and is shown that parent.

use bson::{Bson, Document};
use jiff::Timestamp;

use crate::workflow::graph::{FIZZLED_PARENTS, Graph};
use crate::workflow::{Firework, FwId, Launch, State, time};

/// Whether deciding an outcome needs the documents of the children: another of their parents has
/// FIZZLED, and only a spec says whether that is allowed.
pub fn lenience_matters(graph: &Graph, fw_id: FwId) -> bool {
    let children = graph.children(fw_id);
    let mut parents = children.iter().filter_map(|child| graph.nodes.get(child)).flat_map(|node| &node.parents);
    parents.any(|&parent| graph.state(parent) == Some(State::Fizzled))
}

/// Shows fireworks that become READY although parents have FIZZLED what those were, as FireWorks
/// does, once. To be called when all is decided; `read` brings fireworks with all their launches.
pub fn show_fizzled_parents<E>(
    graph: &mut Graph,
    now: Timestamp,
    read: impl Fn(&[FwId]) -> Result<Vec<(Firework, Vec<Launch>)>, E>,
) -> Result<(), E> {
    let show = |parents: &[FwId]| -> Result<Vec<Document>, E> {
        let mut shown = Vec::with_capacity(parents.len());
        for (mut parent, launches) in read(parents)? {
            if parent.state != State::Fizzled {
                // The one that has just ended is written last.
                parent.state = State::Fizzled;
                parent.updated_on = Bson::String(time::to_iso(now));
            }
            shown.push(parent.to_dictionary(&launches));
        }
        Ok(shown)
    };
    for (fw_id, parents) in graph.bereaved() {
        let shown = show(&parents)?;
        if let Some(node) = graph.nodes.get_mut(&fw_id)
            && let Some(mut spec) = node.spec().cloned()
        {
            spec.insert(FIZZLED_PARENTS, shown);
            node.new_spec = Some(spec);
        }
    }
    for (position, parents) in graph.bereaved_roots() {
        let shown = show(&parents)?;
        for spec in graph.ready_roots(position) {
            spec.insert(FIZZLED_PARENTS, shown.clone());
        }
    }
    Ok(())
}
