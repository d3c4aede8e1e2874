//! Which edges become one line, and in which order the lines have to come so that none of them leads where
//! no edge leads. Whoever follows a line goes down and to the sides, and never up.

use std::collections::{BTreeMap, BTreeSet};

use super::Edge;

/// Lines that are one: from each of its parents to each of its children.
#[derive(Debug, Clone)]
pub struct Bus {
    /// The columns of the parents.
    pub parents: BTreeSet<usize>,
    /// The columns of the children.
    pub children: BTreeSet<usize>,
}

impl Bus {
    fn of(edge: Edge) -> Self {
        Bus { parents: BTreeSet::from([edge.from]), children: BTreeSet::from([edge.to]) }
    }

    /// From the first column to the last one.
    pub fn span(&self) -> (usize, usize) {
        let (parents, children) = (&self.parents, &self.children);
        let first = parents.first().into_iter().chain(children.first()).min();
        let last = parents.last().into_iter().chain(children.last()).max();
        (first.copied().unwrap_or_default(), last.copied().unwrap_or_default())
    }

    /// Whether it only goes straight on.
    pub fn is_straight(&self) -> bool {
        let (first, last) = self.span();
        first == last
    }

    /// Whether it has this column's end.
    pub fn meets(&self, column: usize) -> bool {
        self.parents.contains(&column) || self.children.contains(&column)
    }
}

/// Every edge as a line of its own.
pub fn single(edges: &[Edge]) -> Vec<Bus> {
    edges.iter().copied().map(Bus::of).collect()
}

/// Parents with the same children have one line. Two lines with several children each may not meet at one of
/// them: there the edges of the second one are lines of their own.
pub fn together(edges: &[Edge]) -> Vec<Bus> {
    let mut children: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for edge in edges {
        children.entry(edge.from).or_default().insert(edge.to);
    }
    let mut parents: BTreeMap<BTreeSet<usize>, BTreeSet<usize>> = BTreeMap::new();
    for (parent, children) in children {
        parents.entry(children).or_default().insert(parent);
    }
    let mut taken = BTreeSet::new();
    let mut singles = Vec::new();
    let mut buses = Vec::new();
    for (mut children, parents) in parents {
        if children.len() > 1 {
            let met: Vec<usize> = children.intersection(&taken).copied().collect();
            for to in met {
                children.remove(&to);
                singles.extend(parents.iter().map(|&from| Edge { from, to }));
            }
        }
        if children.len() > 1 {
            taken.extend(&children);
        }
        if !children.is_empty() {
            buses.push(Bus { parents, children });
        }
    }
    buses.extend(single(&singles));
    buses
}

/// What comes before what, by their places: each pair is one that comes first and one that comes later. None
/// where there is no such order, or where that would be too much.
///
/// Whoever comes along a line from one of its parents, or down to one of its children from above, can turn to
/// all its ends. So a line with several parents has to be the last one of each of them, one with several
/// children the first one of each of those, and every line one of both.
pub fn order(buses: &[Bus]) -> Option<Vec<(usize, usize)>> {
    const MOST: usize = 100_000;
    let mut ends = Ends::default();
    for (place, bus) in buses.iter().enumerate() {
        bus.parents.iter().for_each(|&column| ends.of_parent.entry(column).or_default().push(place));
        bus.children.iter().for_each(|&column| ends.of_child.entry(column).or_default().push(place));
    }
    ends.claim(buses)?;
    let mut pairs = Vec::new();
    for (column, &last) in &ends.last {
        pairs.extend(ends.of_parent[column].iter().filter(|&&one| one != last).map(|&one| (one, last)));
    }
    for (column, &first) in &ends.first {
        pairs.extend(ends.of_child[column].iter().filter(|&&one| one != first).map(|&one| (first, one)));
    }
    // In the column of a parent and of a child the one's lines end before the other's begin.
    for (column, above) in &ends.of_parent {
        let below = ends.of_child.get(column).map(Vec::as_slice).unwrap_or_default();
        if pairs.len() + above.len() * below.len() > MOST {
            return None;
        }
        for &first in above {
            pairs.extend(below.iter().filter(|&&later| later != first).map(|&later| (first, later)));
        }
    }
    Some(pairs)
}

/// Which lines meet at the same end, and which of them is the last one of a parent and the first one of a child.
#[derive(Debug, Default)]
struct Ends {
    of_parent: BTreeMap<usize, Vec<usize>>,
    of_child: BTreeMap<usize, Vec<usize>>,
    last: BTreeMap<usize, usize>,
    first: BTreeMap<usize, usize>,
}

impl Ends {
    /// Gives every line its part, as far as it is not alone at its ends; none where that cannot be done.
    fn claim(&mut self, buses: &[Bus]) -> Option<()> {
        const MOST: usize = 300;
        let mut open = Vec::new();
        for (place, bus) in buses.iter().enumerate() {
            for column in bus.parents.iter().filter(|column| bus.parents.len() > 1 && self.of_parent[column].len() > 1)
            {
                self.last.insert(*column, place).is_none().then_some(())?;
            }
            for column in bus.children.iter().filter(|column| bus.children.len() > 1 && self.of_child[column].len() > 1)
            {
                self.first.insert(*column, place).is_none().then_some(())?;
            }
            if let (Some(&from), Some(&to)) = (bus.parents.first(), bus.children.first()) {
                let is_single = bus.parents.len() == 1 && bus.children.len() == 1;
                if is_single && self.of_parent[&from].len() > 1 && self.of_child[&to].len() > 1 {
                    open.push((place, Edge { from, to }));
                }
            }
        }
        if open.len() > MOST {
            return None;
        }
        while let Some(next) = self.most_urgent(&open) {
            let (place, edge) = open.swap_remove(next.0);
            match next.1 {
                Part::Last => self.last.insert(edge.from, place),
                Part::First => self.first.insert(edge.to, place),
            };
        }
        open.is_empty().then_some(())
    }

    /// Who has to choose next: who has no choice any more; else who takes an end that nobody else wants. None
    /// where one gets nothing, or nobody is left.
    fn most_urgent(&self, open: &[(usize, Edge)]) -> Option<(usize, Part)> {
        let mut at_parent: BTreeMap<usize, usize> = BTreeMap::new();
        let mut at_child: BTreeMap<usize, usize> = BTreeMap::new();
        for (_, edge) in open {
            *at_parent.entry(edge.from).or_default() += 1;
            *at_child.entry(edge.to).or_default() += 1;
        }
        let mut best: Option<(u8, usize, Part)> = None;
        for (place, (_, edge)) in open.iter().enumerate() {
            let is_free = (!self.last.contains_key(&edge.from), !self.first.contains_key(&edge.to));
            let (rank, part) = match is_free {
                (false, false) => return None,
                (true, false) => (0, Part::Last),
                (false, true) => (0, Part::First),
                (true, true) if at_parent[&edge.from] == 1 => (1, Part::Last),
                (true, true) if at_child[&edge.to] == 1 => (1, Part::First),
                (true, true) => (2, Part::First),
            };
            if best.is_none_or(|(least, ..)| rank < least) {
                best = Some((rank, place, part));
            }
        }
        best.map(|(_, place, part)| (place, part))
    }
}

/// What a line may be at its ends.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// The last one of its parent.
    Last,
    /// The first one of its child.
    First,
}
