//! A graph from left to right: its layers are columns of places, each a firework or several that are alike,
//! with lines between them. Where lines could be taken for others there are none: no picture may say what is
//! not so, and none may keep silent about one line of many.

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;
use super::alike::{kind, label};
use super::routes::{Edge, Lines};
use super::spread::{Thing, spread};
use crate::workflow::{FwId, State};

/// The columns of a graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// From left to right.
    pub columns: Vec<Column>,
    /// How many rows there are.
    pub height: usize,
    /// Whether there are lines between them: all, or none.
    pub has_lines: bool,
    index: BTreeMap<FwId, (usize, usize)>,
}

/// A layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// From top to bottom.
    pub places: Vec<Place>,
    /// How wide the widest label is.
    pub width: usize,
    /// How wide the lines to the next column are.
    pub gutter: usize,
    /// The lines, by rows that have any.
    pub lines: BTreeMap<usize, String>,
}

/// What stands in a row of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The fireworks; none where only a line passes.
    pub members: Vec<FwId>,
    /// What they have in common, where they are shown as one.
    pub group: Option<Group>,
    /// What they are called.
    pub label: String,
    /// Its row.
    pub row: usize,
}

/// Fireworks of a layer that are alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The layer.
    pub layer: usize,
    /// Their state.
    pub state: State,
    /// Their name without its numbers; none where names are not looked at.
    pub kind: Option<String>,
}

/// A layer of more fireworks shows those that are alike as one.
const MANY: usize = 12;
/// So few alike are shown one by one.
const FEW: usize = 2;
/// More columns of lines between two layers could not be followed.
const MOST_LINES: usize = 24;
/// More lines that pass a layer could not be followed either.
const MOST_PASSING: usize = 5000;
/// The space between columns without lines.
const GAP: usize = 2;

/// Puts a graph into columns, `opened` fireworks one by one. `measure` tells how wide a text is.
pub fn columns(graph: &Graph, opened: &BTreeSet<FwId>, measure: &dyn Fn(&str) -> usize) -> Columns {
    let layers = graph.layers();
    let places: Vec<Vec<Place>> =
        layers.iter().enumerate().map(|(layer, ids)| places(graph, layer, ids, opened)).collect();
    let mut sketch = Sketch::of(graph, places);
    sketch.arrange();
    // Where a parent and another one's child are in one row, their lines may not go well together.
    let lines = sketch.passed().and_then(|mut passed| {
        passed.arrange();
        passed.lines().map(|lines| (passed.clone(), lines)).or_else(|| {
            passed.stagger();
            passed.lines().map(|lines| (passed, lines))
        })
    });
    let (sketch, lines) = match lines {
        Some((passed, lines)) => (passed, Some(lines)),
        None => (sketch, None),
    };
    sketch.finish(lines, measure)
}

/// What stands in a layer.
fn places(graph: &Graph, layer: usize, ids: &[FwId], opened: &BTreeSet<FwId>) -> Vec<Place> {
    let place = |members: Vec<FwId>, group| Place { label: label(graph, &members), members, group, row: 0 };
    let single = |id: FwId| place(vec![id], None);
    if ids.len() <= MANY {
        return ids.iter().copied().map(single).collect();
    }
    let grouped = |by_kind: bool| {
        let mut alike: BTreeMap<Group, Vec<FwId>> = BTreeMap::new();
        let mut places: Vec<Place> = Vec::new();
        for &id in ids {
            let node = &graph.nodes[&id];
            let group = || Group { layer, state: node.state, kind: by_kind.then(|| kind(&node.name)) };
            if opened.contains(&id) { places.push(single(id)) } else { alike.entry(group()).or_default().push(id) }
        }
        let mut groups = 0;
        for (group, members) in alike {
            if members.len() <= FEW {
                groups += members.len();
                places.extend(members.into_iter().map(single));
            } else {
                groups += 1;
                places.push(place(members, Some(group)));
            }
        }
        places.sort_by_key(|place| place.members[0]);
        (groups, places)
    };
    match grouped(true) {
        (groups, places) if groups <= MANY => places,
        _ => grouped(false).1,
    }
}

/// Places, and which of them belong together, before all is put into words.
#[derive(Debug, Clone)]
struct Sketch {
    layers: Vec<Vec<Place>>,
    /// From place to place, by layers.
    edges: BTreeSet<((usize, usize), (usize, usize))>,
    height: usize,
}

impl Sketch {
    fn of(graph: &Graph, layers: Vec<Vec<Place>>) -> Self {
        let index = index(&layers);
        let edges = graph.edges().filter_map(|(parent, child)| Some((*index.get(&parent)?, *index.get(&child)?)));
        Sketch { edges: edges.collect(), layers, height: 0 }
    }

    /// The same with places for the lines that pass a layer, so that all lead to the next one; none in a circle.
    fn passed(&self) -> Option<Self> {
        let mut layers = self.layers.clone();
        let mut edges = BTreeSet::new();
        let mut passing: BTreeMap<((usize, usize), usize), usize> = BTreeMap::new();
        for &(start, end) in &self.edges {
            let mut from = start;
            for (layer, places) in layers.iter_mut().enumerate().take(end.0).skip(start.0 + 1) {
                let number = *passing.entry((start, layer)).or_insert_with(|| {
                    places.push(Place { members: Vec::new(), group: None, label: String::new(), row: 0 });
                    places.len() - 1
                });
                edges.insert((from, (layer, number)));
                from = (layer, number);
            }
            if end.0 <= start.0 || passing.len() > MOST_PASSING {
                return None;
            }
            edges.insert((from, end));
        }
        Some(Sketch { layers, edges, height: 0 })
    }

    /// Gives each place a row: in each layer in the order of their parents; then the longest layer stays, and
    /// the others follow it to both sides.
    fn arrange(&mut self) {
        let mut parents: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
        let mut children = parents.clone();
        for &(start, end) in &self.edges {
            parents.entry(end).or_default().push(start);
            children.entry(start).or_default().push(end);
        }
        self.height = self.layers.iter().map(Vec::len).max().unwrap_or(0);
        let mut order: Vec<Vec<usize>> = self.layers.iter().map(|layer| (0..layer.len()).collect()).collect();
        for (layer, order) in order.iter_mut().enumerate() {
            let wishes = self.wishes(layer, &parents);
            order.sort_by_key(|&one| (wishes[one], one));
            self.spread(layer, order, &wishes);
        }
        let longest = (0..self.layers.len()).rev().max_by_key(|&layer| self.layers[layer].len()).unwrap_or(0);
        for layer in (0..longest).rev() {
            let wishes = self.wishes(layer, &children);
            self.spread(layer, &order[layer], &wishes);
        }
    }

    /// Where each place of a layer would be best: in the middle of those it belongs to.
    fn wishes(&self, layer: usize, near: &BTreeMap<(usize, usize), Vec<(usize, usize)>>) -> Vec<usize> {
        let count = self.layers[layer].len();
        let wish = |number: usize| match near.get(&(layer, number)) {
            None => (2 * number + 1) * self.height / (2 * count),
            Some(several) => {
                let rows = several.iter().map(|&(layer, number)| self.layers[layer][number].row);
                rows.sum::<usize>() / several.len()
            }
        };
        (0..count).map(wish).collect()
    }

    fn spread(&mut self, layer: usize, order: &[usize], wishes: &[usize]) {
        let things: Vec<Thing> = order.iter().map(|&one| Thing { wish: wishes[one], size: 1 }).collect();
        for (&one, row) in order.iter().zip(spread(&things, 0, self.height)) {
            self.layers[layer][one].row = row;
        }
    }

    /// Puts every other layer between the rows of the others: then no line goes along another.
    fn stagger(&mut self) {
        for (layer, places) in self.layers.iter_mut().enumerate() {
            places.iter_mut().for_each(|place| place.row = 2 * place.row + layer % 2);
        }
        self.height *= 2;
    }

    /// The lines behind each layer but the last one; none where one of them cannot be drawn.
    fn lines(&self) -> Option<Vec<Lines>> {
        let mut edges: Vec<Vec<Edge>> = vec![Vec::new(); self.layers.len().saturating_sub(1)];
        let row = |(layer, number): (usize, usize)| self.layers[layer][number].row;
        for &(start, end) in &self.edges {
            edges.get_mut(start.0)?.push(Edge { from: row(start), to: row(end) });
        }
        edges.iter().map(|edges| Lines::between(edges, MOST_LINES)).collect()
    }

    fn finish(self, lines: Option<Vec<Lines>>, measure: &dyn Fn(&str) -> usize) -> Columns {
        let has_lines = lines.is_some();
        let mut lines = lines.unwrap_or_default().into_iter();
        let column = |mut places: Vec<Place>| {
            places.sort_by_key(|place| place.row);
            let width = places.iter().map(|place| measure(&place.label)).max().unwrap_or(0);
            match lines.next() {
                Some(lines) => Column { places, width, gutter: lines.count(), lines: lines.columns() },
                None => Column { places, width, gutter: GAP, lines: BTreeMap::new() },
            }
        };
        let columns: Vec<Column> = self.layers.into_iter().map(column).collect();
        let index = columns.iter().enumerate().flat_map(|(layer, column)| indexed(layer, &column.places)).collect();
        Columns { columns, height: self.height, has_lines, index }
    }
}

fn index(layers: &[Vec<Place>]) -> BTreeMap<FwId, (usize, usize)> {
    layers.iter().enumerate().flat_map(|(layer, places)| indexed(layer, places)).collect()
}

fn indexed(layer: usize, places: &[Place]) -> impl Iterator<Item = (FwId, (usize, usize))> {
    let of = move |(number, place): (usize, &Place)| {
        place.members.iter().map(|&id| (id, (layer, number))).collect::<Vec<_>>()
    };
    places.iter().enumerate().flat_map(of)
}

impl Columns {
    /// Where a firework is: its column, and the number of its place in that.
    pub fn find(&self, fw_id: FwId) -> Option<(usize, usize)> {
        self.index.get(&fw_id).copied()
    }

    /// The place of a column that has this number.
    pub fn place(&self, (column, number): (usize, usize)) -> Option<&Place> {
        self.columns.get(column)?.places.get(number)
    }
}

#[cfg(test)]
mod tests;
