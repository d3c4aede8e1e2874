//! The lines between two layers of a picture: down from each parent, along a row, down to each child. A layer
//! may be a column as well: then they go to the right, along a column, to the right.

use std::collections::{BTreeMap, BTreeSet};

mod buses;

use buses::Bus;

/// A line, from one column above to one column below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Of the parent.
    pub from: usize,
    /// Of the child.
    pub to: usize,
}

/// What leaves a character, by bits.
const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// The lines: how many rows they take, and what leaves the character of a column and a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    count: usize,
    cells: BTreeMap<(usize, usize), u8>,
}

impl Lines {
    /// Draws them in so many rows at most; none where a line would go along another that leads elsewhere.
    pub fn between(edges: &[Edge], most: usize) -> Option<Self> {
        draw(&buses::together(edges), most).or_else(|| draw(&buses::single(edges), most))
    }

    /// From top to bottom.
    pub fn rows(&self) -> Vec<String> {
        let mut rows = vec![String::new(); self.count];
        for (&(column, row), &bits) in &self.cells {
            let gap = column - rows[row].chars().count();
            rows[row].extend(std::iter::repeat_n(' ', gap));
            rows[row].push(character(bits));
        }
        rows
    }

    /// From left to right, where the layers are columns: the lines of each row that has any, as wide as
    /// [`Lines::count`].
    pub fn columns(&self) -> BTreeMap<usize, String> {
        let mut rows: BTreeMap<usize, String> = BTreeMap::new();
        for (&(row, column), &bits) in &self.cells {
            let line = rows.entry(row).or_default();
            let gap = column - line.chars().count();
            line.extend(std::iter::repeat_n(' ', gap));
            line.push(character(turned(bits)));
        }
        for line in rows.values_mut() {
            let gap = self.count - line.chars().count();
            line.extend(std::iter::repeat_n(' ', gap));
        }
        rows
    }

    /// How many rows they take.
    pub fn count(&self) -> usize {
        self.count
    }
}

fn draw(buses: &[Bus], most: usize) -> Option<Lines> {
    let rows = assign(buses, most)?;
    // What goes only straight on takes no row.
    let bent = buses.iter().zip(&rows).filter(|(bus, _)| !bus.is_straight());
    let count = bent.map(|(_, row)| row + 1).max().unwrap_or(usize::from(!buses.is_empty()));
    let mut cells: BTreeMap<(usize, usize), u8> = BTreeMap::new();
    // Down from each parent to its last row, and from the first row of each child.
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    let mut begins: BTreeMap<usize, usize> = BTreeMap::new();
    for (bus, &row) in buses.iter().zip(&rows) {
        for &column in &bus.parents {
            ends.entry(column).and_modify(|end| *end = (*end).max(row)).or_insert(row);
        }
        for &column in &bus.children {
            begins.entry(column).and_modify(|begin| *begin = (*begin).min(row)).or_insert(row);
        }
    }
    for (column, end) in ends {
        for row in 0..count.min(end + 1) {
            *cells.entry((column, row)).or_default() |= if row == end { UP } else { UP | DOWN };
        }
    }
    for (column, begin) in begins {
        for row in begin..count {
            *cells.entry((column, row)).or_default() |= if row == begin { DOWN } else { UP | DOWN };
        }
    }
    for (bus, &row) in buses.iter().zip(&rows).filter(|(bus, _)| !bus.is_straight()) {
        let (first, last) = bus.span();
        for column in first..=last {
            let cell = cells.entry((column, row)).or_default();
            // The line of another one goes over this one.
            if *cell & (UP | DOWN) != 0 && !bus.meets(column) {
                continue;
            }
            *cell |= if column > first { LEFT } else { 0 };
            *cell |= if column < last { RIGHT } else { 0 };
        }
    }
    Some(Lines { count, cells })
}

/// Gives each bus a row: below those that come first, and of its own unless it is beside others. None where
/// each of two has to come before the other, or where there are too many rows.
fn assign(buses: &[Bus], most: usize) -> Option<Vec<usize>> {
    let mut later: Vec<Vec<usize>> = vec![Vec::new(); buses.len()];
    let mut before = vec![0_usize; buses.len()];
    for (one, other) in buses::order(buses)? {
        later[one].push(other);
        before[other] += 1;
    }
    let mut ready: BTreeSet<usize> = (0..buses.len()).filter(|&one| before[one] == 0).collect();
    let mut rows = vec![0; buses.len()];
    let mut taken: Vec<BTreeMap<usize, usize>> = Vec::new();
    let mut done = 0;
    while let Some(one) = ready.pop_first() {
        done += 1;
        if !buses[one].is_straight() {
            let (first, last) = buses[one].span();
            // Spans in a row do not overlap: of those that begin before this one ends, the last one decides.
            let is_free = |row: &BTreeMap<usize, usize>| row.range(..=last).next_back().is_none_or(|(_, e)| *e < first);
            let free = taken.iter().skip(rows[one]).position(is_free);
            let row = free.map_or(taken.len().max(rows[one]), |at| rows[one] + at);
            if row >= most {
                return None;
            }
            taken.resize(taken.len().max(row + 1), BTreeMap::new());
            taken[row].insert(first, last);
            rows[one] = row;
        }
        for &other in &later[one] {
            rows[other] = rows[other].max(rows[one] + 1);
            before[other] -= 1;
            if before[other] == 0 {
                ready.insert(other);
            }
        }
    }
    (done == buses.len()).then_some(rows)
}

/// The same with columns for rows.
fn turned(bits: u8) -> u8 {
    let turn = |from: u8, to: u8| if bits & from == 0 { 0 } else { to };
    turn(UP, LEFT) | turn(DOWN, RIGHT) | turn(LEFT, UP) | turn(RIGHT, DOWN)
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
mod tests;
