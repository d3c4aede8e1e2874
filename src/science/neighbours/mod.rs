//! The neighbour list: every pair of atoms closer than a cutoff exactly once, in time linear
//! in the number of atoms, for any mix of periodic directions, cells smaller than the cutoff,
//! skewed and left-handed cells, and atoms outside the cell.
//!
//! Periodic images become *ghosts*: copies of atoms that follow the real ones in one extended
//! list. Of the images of a pair, j + S seen from i and i - S seen from j, only that with a
//! lexicographically positive S exists as a ghost; with j > i for real atoms each pair is met once.
//! A skin makes the list outlive small moves (L. Verlet, Phys. Rev. 159, 98 (1967),
//! doi:10.1103/PhysRev.159.98); it never changes which pairs lie within the cutoff.

mod bins;
mod images;

use super::atoms::Atoms;
use super::error::Result;
use super::linear::{Mat3, Vec3, add, dot, row_times, sub};
use bins::Bins;
pub(crate) use images::Images;

/// The neighbours of one atom that are of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The real atom whose neighbours these are.
    pub atom: u32,
    /// The kind that all neighbours of this row have.
    pub kind: u8,
    start: u32,
    end: u32,
}

/// A half neighbour list with a Verlet skin.
#[derive(Debug)]
pub struct NeighbourList {
    cutoff: f64,
    skin: f64,
    built: Option<Built>,
}

/// What a list was built for and found.
#[derive(Debug)]
struct Built {
    positions: Vec<Vec3>,
    cell: Mat3,
    pbc: [bool; 3],
    kinds: Vec<u8>,
    images: Images,
    rows: Vec<Row>,
    neighbours: Vec<u32>,
}

impl NeighbourList {
    /// A list for pairs closer than `cutoff`, kept while no atom moves more than half the `skin` (Angstrom).
    pub fn new(cutoff: f64, skin: f64) -> Self {
        Self { cutoff, skin: skin.max(0.0), built: None }
    }

    /// The cutoff in Angstrom, without the skin.
    pub fn cutoff(&self) -> f64 {
        self.cutoff
    }

    /// Makes the list fit `atoms`, atom i being of kind `kinds[i]`; says whether it had to be built anew.
    pub fn update(&mut self, atoms: &Atoms, kinds: &[u8]) -> Result<bool> {
        if self.built.as_ref().is_some_and(|built| built.holds(atoms, kinds, self.skin)) {
            return Ok(false);
        }
        self.built = None;
        self.built = Some(Built::new(atoms, kinds, self.cutoff + self.skin)?);
        Ok(true)
    }

    /// The rows: all pairs within cutoff + skin (and none twice), grouped by atom and kind of neighbour.
    pub fn rows(&self) -> &[Row] {
        self.built.as_ref().map_or(&[], |built| &built.rows)
    }

    /// The number of pairs in all rows.
    pub fn len(&self) -> usize {
        self.built.as_ref().map_or(0, |built| built.neighbours.len())
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The neighbours of a row, as indices into the extended list.
    pub fn neighbours(&self, row: Row) -> &[u32] {
        self.built.as_ref().map_or(&[], |built| &built.neighbours[row.start as usize..row.end as usize])
    }

    /// For each ghost, in order, the real atom it is an image of. Ghost g has the extended index N + g.
    pub fn owners(&self) -> &[u32] {
        self.built.as_ref().map_or(&[], |built| &built.images.owners)
    }

    /// The positions of real atoms (moved into the cell) and ghosts, for the atoms last given to `update`.
    pub fn extended_positions(&self, atoms: &Atoms, into: &mut Vec<Vec3>) {
        into.clear();
        if let Some(built) = &self.built {
            built.images.place(atoms.positions(), atoms.cell(), into);
        }
    }

    /// All pairs within the cutoff as (i, j, vector from i to j); for tests and analysis, not for speed.
    pub fn pairs(&self, atoms: &Atoms) -> Vec<(usize, usize, Vec3)> {
        let mut positions = Vec::new();
        self.extended_positions(atoms, &mut positions);
        let count = atoms.len();
        let mut pairs = Vec::new();
        for row in self.rows() {
            for neighbour in self.neighbours(*row) {
                let (i, j) = (row.atom as usize, *neighbour as usize);
                let vector = sub(positions[j], positions[i]);
                if dot(vector, vector) < self.cutoff * self.cutoff {
                    let real = if j < count { j } else { self.owners()[j - count] as usize };
                    pairs.push((i, real, vector));
                }
            }
        }
        pairs
    }
}

impl Built {
    fn new(atoms: &Atoms, kinds: &[u8], reach: f64) -> Result<Self> {
        let images = Images::new(atoms, reach)?;
        let mut extended = Vec::with_capacity(atoms.len() + images.owners.len());
        images.place(atoms.positions(), atoms.cell(), &mut extended);
        let bins = Bins::new(&extended, reach);
        let kind_of = |index: u32| {
            let index = index as usize;
            kinds[index.checked_sub(kinds.len()).map_or(index, |ghost| images.owners[ghost] as usize)]
        };
        let kind_count = kinds.iter().max().map_or(0, |kind| kind + 1);
        let mut rows = Vec::with_capacity(atoms.len());
        // Room for a dense metal: growing would touch twice the memory, and memory that is never
        // touched costs nothing.
        let mut neighbours = Vec::with_capacity(64 * atoms.len());
        let mut buffer = Vec::new();
        for atom in 0..atoms.len() as u32 {
            let found = bins.around(atom, extended[atom as usize], &mut buffer);
            for kind in 0..kind_count {
                let start = neighbours.len() as u32;
                if kind_count == 1 {
                    neighbours.extend_from_slice(found);
                } else {
                    neighbours.extend(found.iter().filter(|index| kind_of(**index) == kind));
                }
                let end = neighbours.len() as u32;
                if end > start {
                    rows.push(Row { atom, kind, start, end });
                }
            }
        }
        Ok(Self {
            positions: atoms.positions().to_vec(),
            cell: *atoms.cell(),
            pbc: atoms.pbc(),
            kinds: kinds.to_vec(),
            images,
            rows,
            neighbours,
        })
    }

    /// Whether the list still has every pair: no atom moved more than half the skin.
    fn holds(&self, atoms: &Atoms, kinds: &[u8], skin: f64) -> bool {
        let limit = 0.25 * skin * skin;
        self.kinds == kinds
            && self.cell == *atoms.cell()
            && self.pbc == atoms.pbc()
            && self.positions.iter().zip(atoms.positions()).all(|(old, new)| {
                let moved = sub(*new, *old);
                dot(moved, moved) <= limit
            })
    }
}

/// `position` shifted by whole lattice vectors.
fn shifted(position: Vec3, shift: [i32; 3], cell: &Mat3) -> Vec3 {
    if shift == [0; 3] { position } else { add(position, row_times(shift.map(f64::from), cell)) }
}
