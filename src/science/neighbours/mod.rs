//! The neighbour list: every pair of atoms closer than a cutoff exactly once, in time linear
//! in the number of atoms, for any mix of periodic directions, cells smaller than the cutoff,
//! skewed and left-handed cells, and atoms outside the cell.
//!
//! Periodic images become *ghosts*, points of their own beside the real atoms. Of the images of a
//! pair, j + S seen from i and i - S seen from j, only that with a lexicographically positive S
//! exists as a ghost; of two real atoms the earlier in the order of the search has the pair.
//! The atoms are divided into [`Domain`]s, which can be worked off in parallel.
//! A skin makes the list outlive small moves of atoms and cell (L. Verlet, Phys. Rev. 159, 98 (1967),
//! doi:10.1103/PhysRev.159.98); it never changes which pairs lie within the cutoff.

mod bins;
mod blocks;
mod domain;
mod images;

use super::atoms::Atoms;
use super::error::Result;
use super::linear::{Mat3, Vec3, add, dot, independence, inverse, row_times, sub};
use super::threads::Threads;
use bins::Bins;
use blocks::Block;
use domain::Finder;
pub use domain::{Domain, Point, Row, Run};
use images::Images;
pub(crate) use images::completed;

/// A cell with a smaller [`independence`] is so flat that how it changes says little about the space around.
const FLAT: f64 = 1e-6;

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
    domains: Vec<Domain>,
}

impl NeighbourList {
    /// A list for pairs closer than `cutoff`, kept while no two atoms can have come nearer by more than the `skin`
    /// (Angstrom).
    pub fn new(cutoff: f64, skin: f64) -> Self {
        Self { cutoff, skin: skin.max(0.0), built: None }
    }

    /// The cutoff in Angstrom, without the skin.
    pub fn cutoff(&self) -> f64 {
        self.cutoff
    }

    /// Makes the list fit `atoms`, atom i being of kind `kinds[i]`; says whether it had to be built anew.
    pub fn update(&mut self, atoms: &Atoms, kinds: &[u8], threads: &Threads) -> Result<bool> {
        if self.built.as_ref().is_some_and(|built| built.holds(atoms, kinds, self.cutoff, self.skin)) {
            return Ok(false);
        }
        self.built = None;
        self.built = Some(Built::new(atoms, kinds, self.cutoff + self.skin, threads)?);
        Ok(true)
    }

    /// All pairs within cutoff + skin (and none twice), by domain. Which domains there are depends
    /// on the atoms alone.
    pub fn domains(&self) -> &[Domain] {
        self.built.as_ref().map_or(&[], |built| &built.domains)
    }

    /// All pairs within the cutoff as (i, j, vector from i to j); for tests and analysis, not for speed.
    pub fn pairs(&self, atoms: &Atoms) -> Vec<(usize, usize, Vec3)> {
        let (mut places, mut pairs) = (Vec::new(), Vec::new());
        for domain in self.domains() {
            domain.place(atoms.positions(), atoms.cell(), &mut places);
            let place = |point: u32| [0, 1, 2].map(|k| places[point as usize][k]);
            let atom = |point: u32| domain.points()[point as usize].atom as usize;
            for run in domain.runs() {
                let mut start = 0;
                for row in run.rows {
                    for neighbour in &run.neighbours[start as usize..row.end as usize] {
                        let vector = sub(place(*neighbour), place(row.point));
                        if dot(vector, vector) < self.cutoff * self.cutoff {
                            pairs.push((atom(row.point), atom(*neighbour), vector));
                        }
                    }
                    start = row.end;
                }
            }
        }
        pairs
    }
}

impl Built {
    fn new(atoms: &Atoms, kinds: &[u8], reach: f64, threads: &Threads) -> Result<Self> {
        let images = Images::new(atoms, reach)?;
        let bins = Bins::new(&images.extended(atoms.positions(), atoms.cell()), atoms.len(), reach);
        let mut domains: Vec<_> = Block::all(&bins).into_iter().map(|block| (block, Domain::default())).collect();
        threads.each(
            &mut domains,
            || Finder::new(&bins, &images, kinds),
            |finder, (block, domain)| *domain = finder.domain(*block),
        );
        Ok(Self {
            positions: atoms.positions().to_vec(),
            cell: *atoms.cell(),
            pbc: atoms.pbc(),
            kinds: kinds.to_vec(),
            domains: domains.into_iter().map(|(_, domain)| domain).collect(),
        })
    }

    /// Whether the list still has every pair within the cutoff. Where the cell has changed by the matrix F, an
    /// atom at r (a row) is now at r F + u. A pair that is not in the list was farther apart than cutoff + skin;
    /// it has come nearer by no more than F distorts such a distance and the two atoms moved beside that.
    fn holds(&self, atoms: &Atoms, kinds: &[u8], cutoff: f64, skin: f64) -> bool {
        if self.kinds != kinds || self.pbc != atoms.pbc() {
            return false;
        }
        let pairs = self.positions.iter().zip(atoms.positions());
        if self.cell == *atoms.cell() {
            return longest_two(pairs.map(|(old, new)| sub(*new, *old))) <= skin;
        }
        let Some(back) = inverse(&self.cell).filter(|_| independence(&self.cell) > FLAT) else { return false };
        let map = back.map(|row| row_times(row, atoms.cell()));
        let distortion = (0..9).map(|k| (map[k / 3][k % 3] - f64::from(k % 4 == 0)).powi(2)).sum::<f64>().sqrt();
        longest_two(pairs.map(|(old, new)| sub(*new, row_times(*old, &map)))) <= skin - distortion * (cutoff + skin)
    }
}

/// The sum of the lengths of the two longest vectors.
fn longest_two(vectors: impl Iterator<Item = Vec3>) -> f64 {
    let squares = vectors.map(|vector| dot(vector, vector));
    let two = squares.fold([0.0f64; 2], |[first, second], x| [first.max(x), second.max(first.min(x))]);
    two[0].sqrt() + two[1].sqrt()
}

/// `position` shifted by whole lattice vectors.
fn shifted(position: Vec3, shift: [i32; 3], cell: &Mat3) -> Vec3 {
    if shift == [0; 3] { position } else { add(position, row_times(shift.map(f64::from), cell)) }
}
