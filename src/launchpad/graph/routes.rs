//! The lines between two layers of a picture: down from each parent, along a row, down to each child.

use std::collections::{BTreeMap, BTreeSet};

/// A line, from one column above to one column below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Of the parent.
    pub from: usize,
    /// Of the child.
    pub to: usize,
}

/// Parents that have the same children, and these: their lines are one.
#[derive(Debug)]
struct Bus {
    parents: BTreeSet<usize>,
    children: BTreeSet<usize>,
    row: usize,
}

impl Bus {
    fn span(&self) -> (usize, usize) {
        let all = || self.parents.iter().chain(&self.children).copied();
        (all().min().unwrap_or(0), all().max().unwrap_or(0))
    }
}

/// What leaves a character, by bits.
const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// The rows of characters; none where a line would go along another that leads elsewhere.
pub fn rows(edges: &[Edge]) -> Option<Vec<String>> {
    let mut buses = buses(edges);
    let count = assign(&mut buses);
    let width = buses.iter().map(|bus| bus.span().1 + 1).max().unwrap_or(0);
    // Of each character what leaves it, and for an upright line the bus it is of.
    let mut cells = vec![vec![0_u8; width]; count];
    let mut upright: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for (number, bus) in buses.iter().enumerate() {
        let mut set = |row: usize, column: usize, bits: u8| -> bool {
            let other = *upright.entry((row, column)).or_insert(number);
            // Two lines may become one where both lead to the child below.
            let leads = |bus: &Bus| bus.children.contains(&column);
            cells[row][column] |= bits;
            other == number || leads(bus) && leads(&buses[other])
        };
        for &column in &bus.parents {
            for row in 0..bus.row {
                if !set(row, column, UP | DOWN) {
                    return None;
                }
            }
            if !set(bus.row, column, UP) {
                return None;
            }
        }
        for &column in &bus.children {
            if !set(bus.row, column, DOWN) {
                return None;
            }
            for row in bus.row + 1..count {
                if !set(row, column, UP | DOWN) {
                    return None;
                }
            }
        }
    }
    for (number, bus) in buses.iter().enumerate() {
        let (first, last) = bus.span();
        for (column, cell) in cells[bus.row].iter_mut().enumerate().take(last + 1).skip(first) {
            // A line of another bus goes over this one.
            let is_crossed = upright.get(&(bus.row, column)).is_some_and(|other| *other != number);
            if is_crossed && first < column && column < last {
                continue;
            }
            *cell |= if column > first { LEFT } else { 0 };
            *cell |= if column < last { RIGHT } else { 0 };
        }
    }
    Some(cells.iter().map(|row| line(row)).collect())
}

fn line(row: &[u8]) -> String {
    let line: String = row.iter().map(|bits| character(*bits)).collect();
    line.trim_end().to_owned()
}

fn buses(edges: &[Edge]) -> Vec<Bus> {
    let mut children: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for edge in edges {
        children.entry(edge.from).or_default().insert(edge.to);
    }
    let mut parents: BTreeMap<BTreeSet<usize>, BTreeSet<usize>> = BTreeMap::new();
    for (parent, children) in children {
        parents.entry(children).or_default().insert(parent);
    }
    parents.into_iter().map(|(children, parents)| Bus { parents, children, row: 0 }).collect()
}

/// Gives each bus a row of its own, unless it is beside others; returns how many rows there are.
fn assign(buses: &mut [Bus]) -> usize {
    let mut ends: Vec<Vec<(usize, usize)>> = Vec::new();
    for bus in buses.iter_mut() {
        let (first, last) = bus.span();
        let is_free = |row: &Vec<(usize, usize)>| row.iter().all(|(start, end)| last < *start || first > *end);
        bus.row = ends.iter().position(is_free).unwrap_or(ends.len());
        match ends.get_mut(bus.row) {
            Some(row) => row.push((first, last)),
            None => ends.push(vec![(first, last)]),
        }
    }
    ends.len()
}

fn character(bits: u8) -> char {
    match bits {
        0 => ' ',
        b if b == UP | DOWN || b == UP || b == DOWN => '│',
        b if b & (UP | DOWN) == 0 => '─',
        b if b == DOWN | RIGHT => '┌',
        b if b == DOWN | LEFT => '┐',
        b if b == UP | RIGHT => '└',
        b if b == UP | LEFT => '┘',
        b if b == DOWN | LEFT | RIGHT => '┬',
        b if b == UP | LEFT | RIGHT => '┴',
        b if b == UP | DOWN | RIGHT => '├',
        b if b == UP | DOWN | LEFT => '┤',
        _ => '┼',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(usize, usize)]) -> Option<Vec<String>> {
        rows(&pairs.iter().map(|&(from, to)| Edge { from, to }).collect::<Vec<_>>())
    }

    #[test]
    fn lines_fork_and_join() {
        assert_eq!(of(&[(2, 2)]), Some(vec!["  │".to_owned()]));
        assert_eq!(of(&[(2, 0), (2, 4)]), Some(vec!["┌─┴─┐".to_owned()]));
        assert_eq!(of(&[(0, 2), (4, 2)]), Some(vec!["└─┬─┘".to_owned()]));
        assert_eq!(of(&[(0, 0), (4, 4)]), Some(vec!["│   │".to_owned()]));
    }

    #[test]
    fn lines_that_cross_have_rows_of_their_own() {
        assert_eq!(of(&[(1, 5), (3, 7)]), Some(vec![" └─│─┐".to_owned(), "   └─│─┐".to_owned()]));
    }

    #[test]
    fn lines_that_would_lie_on_each_other_are_not_drawn() {
        assert_eq!(of(&[(0, 4), (4, 0)]), None);
    }
}
