//! How the nodes of a worker are dealt out to its slots, and which slots a firework gets.
//!
//! Where there are more nodes than slots, a slot has several; where there are fewer, several slots
//! share one. Both are dealt out evenly and in order, so that neighbours stay together.

use std::collections::BTreeSet;

use tracing::warn;

use super::hostlist;
use crate::workflow::Room;
use crate::workflow::room::Ask;

/// A worker's slots and nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    nodes: Vec<String>,
    count: usize,
}

/// What a firework gets of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Slots, in order.
    pub slots: Vec<usize>,
    /// Names of nodes, in order.
    pub nodes: Vec<String>,
}

/// Slots that have a node in common, or a slot that has several nodes.
struct Block {
    slots: Vec<usize>,
    nodes: Vec<usize>,
}

impl Slots {
    /// So many, on these nodes; at least one on one.
    pub fn new(nodes: Vec<String>, count: usize) -> Self {
        Slots { nodes, count: count.max(1) }
    }

    /// On the nodes of this process's Slurm job, or on `host`.
    pub fn of_this_job(count: usize, host: &str) -> Self {
        let list = std::env::var("SLURM_JOB_NODELIST").ok().filter(|list| !list.is_empty());
        let nodes = list.and_then(|list| {
            hostlist::expand(&list).inspect_err(|error| warn!("SLURM_JOB_NODELIST: {error}; taking {host}")).ok()
        });
        Slots::new(nodes.unwrap_or_else(|| vec![host.to_owned()]), count)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    /// All there is.
    pub fn room(&self) -> Room {
        Room { slots: self.count, nodes: self.nodes.len() }
    }

    /// What there is of it while only these slots are free.
    pub fn free_room(&self, free: &BTreeSet<usize>) -> Room {
        Room { slots: free.len(), nodes: self.free_blocks(free).iter().map(|block| block.nodes.len()).sum() }
    }

    /// What a firework gets that asks for this, if it can have that now. One that asks for more than
    /// there ever is gets everything.
    pub fn share(&self, free: &BTreeSet<usize>, ask: Ask) -> Option<Share> {
        match ask {
            Ask::Slots(count) => self.some_slots(free, count.min(self.count)),
            Ask::Nodes(count) => self.some_nodes(free, count.min(self.nodes.len())),
        }
    }

    /// Neighbours on as few nodes as can be.
    fn some_slots(&self, free: &BTreeSet<usize>, count: usize) -> Option<Share> {
        let free: Vec<usize> = free.iter().copied().collect();
        let slots = free.windows(count).min_by_key(|slots| self.nodes_of(slots).len())?;
        let nodes = self.nodes_of(slots).into_iter();
        Some(Share { slots: slots.to_vec(), nodes: nodes.map(|node| self.nodes[node].clone()).collect() })
    }

    /// Neighbours, in as few slots as can be.
    fn some_nodes(&self, free: &BTreeSet<usize>, count: usize) -> Option<Share> {
        let blocks = self.free_blocks(free);
        let enough = |start: usize| {
            let mut nodes = 0;
            let end = blocks[start..].iter().position(|block| {
                nodes += block.nodes.len();
                nodes >= count
            })?;
            Some(&blocks[start..=start + end])
        };
        let blocks = (0..blocks.len()).filter_map(enough).min_by_key(|blocks| blocks.len())?;
        let nodes = blocks.iter().flat_map(|block| &block.nodes).take(count);
        Some(Share {
            slots: blocks.iter().flat_map(|block| block.slots.clone()).collect(),
            nodes: nodes.map(|&node| self.nodes[node].clone()).collect(),
        })
    }

    fn free_blocks(&self, free: &BTreeSet<usize>) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        for slot in 0..self.count {
            let nodes: Vec<usize> = self.nodes_of(&[slot]).into_iter().collect();
            match blocks.last_mut().filter(|block| block.nodes == nodes) {
                Some(block) => block.slots.push(slot),
                None => blocks.push(Block { slots: vec![slot], nodes }),
            }
        }
        blocks.retain(|block| block.slots.iter().all(|slot| free.contains(slot)));
        blocks
    }

    fn nodes_of(&self, slots: &[usize]) -> BTreeSet<usize> {
        let first = |slot: usize| slot * self.nodes.len() / self.count;
        slots.iter().flat_map(|&slot| first(slot)..first(slot + 1).max(first(slot) + 1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(nodes: usize, count: usize) -> Slots {
        Slots::new((1..=nodes).map(|node| format!("n{node}")).collect(), count)
    }

    fn share(slots: &Slots, free: &[usize], ask: Ask) -> Option<(Vec<usize>, String)> {
        let share = slots.share(&free.iter().copied().collect(), ask)?;
        Some((share.slots, share.nodes.join(",")))
    }

    #[test]
    fn nodes_are_dealt_out_evenly() {
        for (nodes, count, dealt) in [
            (8, 4, vec!["n1,n2", "n3,n4", "n5,n6", "n7,n8"]),
            (2, 4, vec!["n1", "n1", "n2", "n2"]),
            (7, 3, vec!["n1,n2", "n3,n4", "n5,n6,n7"]),
            (2, 3, vec!["n1", "n1", "n2"]),
            (1, 1, vec!["n1"]),
        ] {
            let slots = slots(nodes, count);
            let of = |slot| share(&slots, &[slot], Ask::Slots(1)).expect("is free").1;
            assert_eq!((0..count).map(of).collect::<Vec<_>>(), dealt);
        }
    }

    #[test]
    fn whoever_asks_for_several_gets_neighbours() {
        let eight = slots(8, 4);
        for (free, ask, expected) in [
            (vec![0, 1, 2, 3], Ask::Slots(2), Some((vec![0, 1], "n1,n2,n3,n4"))),
            (vec![1, 2, 3], Ask::Nodes(4), Some((vec![1, 2], "n3,n4,n5,n6"))),
            (vec![1, 3], Ask::Nodes(3), Some((vec![1, 3], "n3,n4,n7"))),
            (vec![1], Ask::Nodes(3), None),
            (vec![], Ask::Slots(1), None),
            (vec![0, 1, 2, 3], Ask::Slots(9), Some((vec![0, 1, 2, 3], "n1,n2,n3,n4,n5,n6,n7,n8"))),
        ] {
            let expected = expected.map(|(slots, nodes)| (slots, nodes.to_owned()));
            assert_eq!(share(&eight, &free, ask), expected, "{free:?} {ask:?}");
        }
        let shared = slots(2, 4);
        assert_eq!(share(&shared, &[1, 2, 3], Ask::Slots(2)), Some((vec![2, 3], "n2".into())), "on one node");
        assert_eq!(share(&shared, &[1, 2, 3], Ask::Nodes(1)), Some((vec![2, 3], "n2".into())), "the whole node");
        assert_eq!(share(&slots(7, 3), &[0, 1, 2], Ask::Nodes(3)), Some((vec![2], "n5,n6,n7".into())));
    }

    #[test]
    fn nodes_count_when_all_their_slots_are_free() {
        let room = |slots: Slots, free: &[usize]| slots.free_room(&free.iter().copied().collect());
        assert_eq!(room(slots(8, 4), &[1, 3]), Room { slots: 2, nodes: 4 });
        assert_eq!(room(slots(2, 4), &[1, 2, 3]), Room { slots: 3, nodes: 1 });
        assert_eq!(slots(2, 4).room(), Room { slots: 4, nodes: 2 });
    }
}
