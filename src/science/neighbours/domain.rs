//! A part of a neighbour list that can be worked off by itself: some atoms of the structure (its
//! own), the atoms and images around them that they pair with (its halo), and the pairs.
//! Whatever is computed for the halo belongs to other atoms and has to be handed on to them.

use pulp::{Arch, Simd, WithSimd};

use crate::science::linear::{Mat3, Vec3};

use super::bins::Bins;
use super::blocks::Block;
use super::images::Images;
use super::shifted;

/// A point of a domain: an atom of the structure, or an image of one.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// The atom in the structure.
    pub atom: u32,
    shift: [i32; 3],
}

/// The neighbours of one point that are of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The point whose neighbours these are.
    pub point: u32,
    /// Where they end in the run; they begin where those of the row before end.
    pub end: u32,
}

/// All pairs of a domain with the centre of one kind and the neighbour of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The kind of the centres.
    pub centre: u8,
    /// The kind of the neighbours.
    pub neighbour: u8,
    /// One row per centre.
    pub rows: &'a [Row],
    /// The neighbours of all rows, as indices of points.
    pub neighbours: &'a [u32],
}

/// Where a run lies in the arrays of its domain.
#[derive(Debug)]
struct Stretch {
    centre: u8,
    neighbour: u8,
    rows: std::ops::Range<usize>,
    neighbours: std::ops::Range<usize>,
}

/// Points and pairs.
#[derive(Debug, Default)]
pub struct Domain {
    points: Vec<Point>,
    stretches: Vec<Stretch>,
    rows: Vec<Row>,
    neighbours: Vec<u32>,
}

impl Domain {
    /// The points.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The pairs, grouped by kinds.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.stretches.iter().map(|stretch| Run {
            centre: stretch.centre,
            neighbour: stretch.neighbour,
            rows: &self.rows[stretch.rows.clone()],
            neighbours: &self.neighbours[stretch.neighbours.clone()],
        })
    }

    /// The positions of the points, in Angstrom, as the first three of four numbers; the last is 0.
    pub fn place(&self, positions: &[Vec3], cell: &Mat3, into: &mut Vec<[f64; 4]>) {
        into.clear();
        into.extend(self.points.iter().map(|point| {
            let [x, y, z] = shifted(positions[point.atom as usize], point.shift, cell);
            [x, y, z, 0.0]
        }));
    }
}

/// Finds the pairs of domains. It keeps its arrays from one domain to the next.
pub(super) struct Finder<'a> {
    bins: &'a Bins,
    images: &'a Images,
    kinds: &'a [u8],
    /// For each place in the bins, 1 + the index of the point of the domain that lies there, or 0.
    indices: Vec<u32>,
    /// The places of the points of the domain.
    places: Vec<u32>,
    /// The pairs in the order in which they are found.
    found: Vec<u32>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(bins: &'a Bins, images: &'a Images, kinds: &'a [u8]) -> Self {
        let indices = vec![0; bins.points.len()];
        Self { bins, images, kinds, indices, places: Vec::new(), found: Vec::new() }
    }

    /// The domain of the atoms in a block.
    pub(super) fn domain(&mut self, block: Block) -> Domain {
        self.places.clear();
        self.found.clear();
        let rows =
            Arch::new().dispatch(Search { bins: self.bins, block, places: &mut self.places, found: &mut self.found });
        self.number();
        let points: Vec<Point> = self.places.iter().map(|place| self.point(*place)).collect();
        let kinds: Vec<u8> = points.iter().map(|point| self.kinds[point.atom as usize]).collect();
        group(points, rows, &self.found, &kinds)
    }

    /// Replaces places by indices of points; the points are the own atoms, then the halo as it is met.
    fn number(&mut self) {
        for (index, place) in self.places.iter().enumerate() {
            self.indices[*place as usize] = index as u32 + 1;
        }
        for neighbour in &mut self.found {
            let place = *neighbour;
            let index = &mut self.indices[place as usize];
            if *index == 0 {
                self.places.push(place);
                *index = self.places.len() as u32;
            }
            *neighbour = *index - 1;
        }
        for place in &self.places {
            self.indices[*place as usize] = 0;
        }
    }

    fn point(&self, place: u32) -> Point {
        let (atom, shift) = self.images.origin(self.bins.points[place as usize] as usize);
        Point { atom, shift }
    }
}

/// Finds the atoms in a block and all that pairs with them; as a task for [`Arch::dispatch`].
struct Search<'a> {
    bins: &'a Bins,
    block: Block,
    places: &'a mut Vec<u32>,
    found: &'a mut Vec<u32>,
}

impl WithSimd for Search<'_> {
    type Output = Vec<Row>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<Row> {
        let (mut rows, mut runs) = (Vec::new(), Vec::new());
        for place in self.block.boxes() {
            self.bins.runs(place, &mut runs);
            for atom in self.bins.atoms(place) {
                self.places.push(atom);
                self.bins.around(&runs, atom, self.found);
                rows.push(Row { point: rows.len() as u32, end: self.found.len() as u32 });
            }
        }
        rows
    }
}

/// The domain with pairs grouped by kinds; `rows` are those of the own atoms, all kinds together.
fn group(points: Vec<Point>, rows: Vec<Row>, found: &[u32], kinds: &[u8]) -> Domain {
    let present = |kinds: &[u8]| {
        let mut present = kinds.to_vec();
        present.sort_unstable();
        present.dedup();
        present
    };
    let (centres, others) = (present(&kinds[..rows.len()]), present(kinds));
    if let [kind] = *others {
        let stretch = Stretch { centre: kind, neighbour: kind, rows: 0..rows.len(), neighbours: 0..found.len() };
        return Domain { points, stretches: vec![stretch], rows, neighbours: found.to_vec() };
    }
    let mut domain = Domain { points, neighbours: Vec::with_capacity(found.len()), ..Domain::default() };
    for centre in centres {
        for neighbour in &others {
            let (first_row, first) = (domain.rows.len(), domain.neighbours.len());
            let mut start = 0;
            for row in &rows {
                let pairs = &found[start as usize..row.end as usize];
                start = row.end;
                if kinds[row.point as usize] == centre {
                    let of_kind = |point: &&u32| kinds[**point as usize] == *neighbour;
                    domain.neighbours.extend(pairs.iter().filter(of_kind));
                    domain.rows.push(Row { point: row.point, end: (domain.neighbours.len() - first) as u32 });
                }
            }
            domain.stretches.push(Stretch {
                centre,
                neighbour: *neighbour,
                rows: first_row..domain.rows.len(),
                neighbours: first..domain.neighbours.len(),
            });
        }
    }
    domain
}
