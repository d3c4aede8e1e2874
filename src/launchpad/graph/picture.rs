//! The picture of a graph in characters: layers from top to bottom, lines between them. Where lines
//! could be taken for others, or do not fit, it is a list: no picture may say what is not so.

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;
use super::alike::{kind, label};
use super::routes::{Edge, Lines};
use super::spread::{Thing, spread};
use crate::launchpad::progress::count_words;
use crate::launchpad::shorten::shortened;
use crate::workflow::{FwId, State};

/// Lines of text, each in pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// From top to bottom.
    pub lines: Vec<Vec<Span>>,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub column: usize,
    /// What stands there.
    pub text: String,
    /// The state that it has the colour of.
    pub state: Option<State>,
}

/// The space between two nodes.
const GAP: usize = 3;
/// A label is no longer than this, where others are beside it.
const LONGEST: usize = 30;
/// More rows of lines between two layers could not be followed.
const MOST_ROWS: usize = 40;
/// More members of a list entry are not named.
const NAMED: usize = 6;

/// What is drawn as one: a firework, or several of a layer that are alike; or, without members, a line
/// that passes the layer.
#[derive(Debug, Clone, Default)]
struct Place {
    members: Vec<FwId>,
    /// Its name, and its state or states.
    label: [String; 2],
    state: Option<State>,
    width: usize,
    /// Where its left end is.
    column: usize,
}

impl Place {
    fn centre(&self) -> usize {
        self.column + self.width / 2
    }
}

/// Draws a graph in so many columns.
pub fn picture(graph: &Graph, width: usize) -> Picture {
    let width = width.max(20);
    let mut layers: Vec<Vec<Place>> = graph.layers().iter().map(|layer| places(graph, layer, width)).collect();
    drawn(graph, &mut layers, width).unwrap_or_else(|| list(graph, &layers))
}

fn total(places: &[Place]) -> usize {
    places.iter().map(|place| place.width).sum::<usize>() + GAP * places.len().saturating_sub(1)
}

/// What stands in a layer: single fireworks where they fit, else those of one name together, else all.
fn places(graph: &Graph, layer: &[FwId], width: usize) -> Vec<Place> {
    let longest = LONGEST.min(width);
    let single: Vec<Place> = layer.iter().map(|&id| place(graph, vec![id], longest)).collect();
    if total(&single) <= width {
        return single;
    }
    let mut alike: BTreeMap<String, Vec<FwId>> = BTreeMap::new();
    for &id in layer {
        alike.entry(kind(&graph.nodes[&id].name)).or_default().push(id);
    }
    let grouped: Vec<Place> = alike.into_values().map(|members| place(graph, members, longest)).collect();
    if total(&grouped) <= width { grouped } else { vec![place(graph, layer.to_vec(), width)] }
}

fn place(graph: &Graph, members: Vec<FwId>, longest: usize) -> Place {
    let mut counts = BTreeMap::new();
    members.iter().for_each(|id| *counts.entry(graph.nodes[id].state).or_default() += 1);
    let state = (counts.len() == 1).then(|| counts.keys().next().copied()).flatten();
    let words = state.map_or_else(|| count_words(&counts), |state| state.to_string());
    let label = [label(graph, &members), words];
    let label = label.map(|text| shortened(&text, longest));
    let width = label.iter().map(|text| text.chars().count()).max().unwrap_or(1).max(1);
    Place { members, label, state, width, column: 0 }
}

/// Which place of which layer each firework is drawn in.
fn index(layers: &[Vec<Place>]) -> BTreeMap<FwId, (usize, usize)> {
    let mut index = BTreeMap::new();
    for (layer, places) in layers.iter().enumerate() {
        for (number, place) in places.iter().enumerate() {
            index.extend(place.members.iter().map(|&id| (id, (layer, number))));
        }
    }
    index
}

/// The picture with lines; none where they do not fit, or could be misread.
fn drawn(graph: &Graph, layers: &mut [Vec<Place>], width: usize) -> Option<Picture> {
    let index = index(layers);
    // From place to place of the next layer.
    let mut edges: Vec<BTreeSet<(usize, usize)>> = vec![BTreeSet::new(); layers.len().saturating_sub(1)];
    let mut passing: BTreeMap<((usize, usize), usize), usize> = BTreeMap::new();
    for (parent, child) in graph.edges() {
        let (start, end) = (*index.get(&parent)?, *index.get(&child)?);
        if end.0 <= start.0 {
            return None;
        }
        let mut from = start.1;
        for layer in start.0 + 1..=end.0 {
            let to = if layer == end.0 {
                end.1
            } else {
                *passing.entry((start, layer)).or_insert_with(|| {
                    let label = ["│".to_owned(), "│".to_owned()];
                    layers[layer].push(Place { width: 1, label, ..Place::default() });
                    layers[layer].len() - 1
                })
            };
            edges[layer - 1].insert((from, to));
            from = to;
        }
    }
    let used = layers.iter().map(|layer| total(layer)).max()?;
    if used > width {
        return None;
    }
    let mut order: Vec<Vec<usize>> = layers.iter().map(|layer| (0..layer.len()).collect()).collect();
    for layer in 0..layers.len() {
        arrange(layers, &mut order, &edges, layer, used);
    }
    let mut lines = Vec::new();
    for (layer, places) in layers.iter().enumerate() {
        for row in 0..2 {
            let mut spans: Vec<Span> = places
                .iter()
                .map(|place| {
                    let text = place.label[row].clone();
                    let column = place.centre() - text.chars().count() / 2;
                    // The line under a name is about its state.
                    Span { column, text, state: place.state.filter(|_| row == 1) }
                })
                .collect();
            spans.sort_by_key(|span| span.column);
            lines.push(spans);
        }
        if let Some(edges) = edges.get(layer) {
            let ends =
                |&(from, to): &(usize, usize)| Edge { from: places[from].centre(), to: layers[layer + 1][to].centre() };
            let rows = Lines::between(&edges.iter().map(ends).collect::<Vec<_>>(), MOST_ROWS)?.rows();
            lines.extend(rows.into_iter().map(|text| vec![Span { column: 0, text, state: None }]));
        }
    }
    Some(Picture { lines })
}

/// Puts the places of a layer below their parents, as far as there is room, in the order of those.
fn arrange(
    layers: &mut [Vec<Place>],
    order: &mut [Vec<usize>],
    edges: &[BTreeSet<(usize, usize)>],
    layer: usize,
    width: usize,
) {
    let count = layers[layer].len();
    let wish = |place: usize| -> usize {
        let above = layer.checked_sub(1).map(|above| &edges[above]);
        let parents: Vec<usize> = above
            .into_iter()
            .flatten()
            .filter(|(_, to)| *to == place)
            .map(|(from, _)| layers[layer - 1][*from].centre())
            .collect();
        match parents.len() {
            // Roots stand side by side.
            0 => (2 * place + 1) * width / (2 * count),
            several => parents.iter().sum::<usize>() / several,
        }
    };
    let wishes: Vec<usize> = (0..count).map(wish).collect();
    order[layer].sort_by_key(|&place| (wishes[place], place));
    let places = &mut layers[layer];
    let things: Vec<Thing> =
        order[layer].iter().map(|&one| Thing { wish: wishes[one], size: places[one].width }).collect();
    for (&one, column) in order[layer].iter().zip(spread(&things, GAP, width)) {
        places[one].column = column;
    }
}

/// Layer by layer, each entry with what it is below of.
fn list(graph: &Graph, layers: &[Vec<Place>]) -> Picture {
    let index = index(layers);
    let mut above: BTreeMap<(usize, usize), BTreeSet<(usize, usize)>> = BTreeMap::new();
    for (parent, child) in graph.edges() {
        if let (Some(parent), Some(child)) = (index.get(&parent), index.get(&child)) {
            above.entry(*child).or_default().insert(*parent);
        }
    }
    let name = |&(layer, number): &(usize, usize)| {
        let place = &layers[layer][number];
        match place.members.as_slice() {
            [id] => id.to_string(),
            _ => place.label[0].clone(),
        }
    };
    let mut lines = Vec::new();
    for (layer, places) in layers.iter().enumerate() {
        for (number, place) in places.iter().enumerate().filter(|(_, place)| !place.members.is_empty()) {
            let start = 2 * layer.min(8);
            let mut spans = vec![Span { column: start, text: place.label[0].clone(), state: None }];
            let column = start + place.label[0].chars().count() + 1;
            spans.push(Span { column, text: place.label[1].clone(), state: place.state });
            let parents = above.get(&(layer, number));
            if let Some(parents) = parents {
                let mut words: Vec<String> = parents.iter().take(NAMED).map(name).collect();
                words.extend((parents.len() > NAMED).then(|| "…".to_owned()));
                let column = column + place.label[1].chars().count() + 1;
                spans.push(Span { column, text: format!("← {}", words.join(", ")), state: None });
            }
            lines.push(spans);
        }
    }
    Picture { lines }
}

#[cfg(test)]
mod tests {
    use super::super::tests::of;
    use super::*;

    fn text(graph: &Graph, width: usize) -> String {
        let line = |spans: &Vec<Span>| {
            let mut line = String::new();
            for span in spans {
                line += &" ".repeat(span.column - line.chars().count());
                line += &span.text;
            }
            line.trim_end().to_owned()
        };
        picture(graph, width).lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_fan_goes_out_and_in() {
        let graph = of(
            &[(1, "bulk"), (2, "slab"), (3, "slab"), (4, "slab"), (5, "collect")],
            &[(1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5)],
        );
        let expected = "         1 bulk
          READY
   ┌────────┼────────┐
2 slab   3 slab   4 slab
 READY    READY    READY
   └────────┼────────┘
        5 collect
          READY";
        assert_eq!(text(&graph, 60), expected, "\n{}", text(&graph, 60));
    }

    #[test]
    fn wide_layers_are_counted() {
        let names: Vec<(FwId, String)> = (2..242).map(|id| (id, format!("relax {id}"))).collect();
        let mut nodes = vec![(1, "start")];
        nodes.extend(names.iter().map(|(id, name)| (*id, name.as_str())));
        let edges: Vec<(FwId, FwId)> = (2..242).map(|id| (1, id)).collect();
        let text = text(&of(&nodes, &edges), 40);
        assert!(text.contains("×240 relax #") && text.contains('│'), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }

    #[test]
    fn lines_that_pass_a_layer_are_drawn_beside_it() {
        let graph = of(&[(1, "a"), (2, "b"), (3, "c")], &[(1, 2), (2, 3), (1, 3)]);
        let text = text(&graph, 40);
        assert!(text.contains("│") && text.contains('┬') && !text.contains('←'), "{text}");
    }

    #[test]
    fn what_could_be_misread_is_a_list() {
        let graph = of(&[(1, "a"), (2, "b"), (3, "c"), (4, "d")], &[(1, 2), (2, 3), (3, 2), (1, 4)]);
        let text = text(&graph, 40);
        assert!(text.contains("3 c READY ← 2"), "{text}");
    }
}
