//! What follows from the states of the parents, derived anew.

use super::{is_free, release};
use crate::workflow::State;
use crate::workflow::graph::Graph;

/// What waits for nothing becomes READY, and what is READY too early waits. Nothing else is touched:
/// what is held stays so, and what has begun follows its launches.
pub fn refresh(graph: &mut Graph) {
    for fw_id in graph.parents_first() {
        match graph.state(fw_id) {
            Some(State::Waiting) => release(graph, fw_id),
            Some(State::Ready) if !is_free(graph, fw_id) => {
                if let Some(node) = graph.touch(fw_id) {
                    node.state = State::Waiting;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::FwId;
    use crate::workflow::graph::Node;

    #[test]
    fn waits_and_starts_follow_from_the_parents() {
        use State::{Completed, Defused, Fizzled, Paused, Ready, Running, Waiting};
        for (parent, child, expected) in [
            (Completed, Waiting, Ready),
            (Completed, Ready, Ready),
            (Running, Ready, Waiting),
            (Fizzled, Waiting, Waiting),
            (Fizzled, Ready, Waiting),
            (Completed, Defused, Defused),
            (Running, Paused, Paused),
            (Running, Running, Running),
        ] {
            let mut graph = Graph::default();
            graph.insert(1, Node { children: vec![2], ..Node::new(parent) });
            graph.insert(2, Node { parents: vec![1], ..Node::new(child) });
            refresh(&mut graph);
            assert_eq!(graph.state(2), Some(expected), "{parent} above {child}");
            let changed: Vec<FwId> = graph.changes().edits.iter().map(|edit| edit.fw_id).collect();
            assert_eq!(changed, if child == expected { vec![] } else { vec![2] });
        }
    }
}
