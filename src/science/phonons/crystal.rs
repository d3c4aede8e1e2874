//! A crystal as phonons need it: a supercell with phonopy's order of atoms, and for each of them the atom of the
//! primitive cell it is an image of, and by which lattice vector.

use super::integers::{Int3, IntMat, Sublattice, transposed as transposed_integers};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::{
    Mat3, Vec3, determinant, inverse, norm, product, row_times, sub, transposed, whole_determinant,
};
use crate::science::symmetry::{self, Symmetry};

/// No supercell has more atoms: each of them is moved in turn where there is no symmetry.
const MOST: usize = 100_000;

/// No number of a supercell's matrix is larger, so that whole numbers do not overflow.
pub const MOST_REPEATS: i64 = 1000;

/// The box around a supercell has no more lattice points: far more are those of a skewed one.
const MOST_POINTS: i64 = 10_000_000;

/// A supercell and the primitive cell it is made of.
#[derive(Clone, Debug)]
pub struct Crystal {
    /// The primitive cell. Its atoms are atoms of the supercell.
    pub primitive: Atoms,
    /// Its vectors are the columns, in units of the given unit cell.
    pub primitive_matrix: Mat3,
    /// The supercell.
    pub supercell: Atoms,
    /// Positions in the primitive cell, in units of its vectors.
    pub fractions: Vec<Vec3>,
    /// Each atom of the supercell as one of the primitive cell, moved by a lattice vector.
    pub sites: Vec<(usize, Int3)>,
    /// The vectors of the supercell in units of those of the primitive cell.
    pub vectors: IntMat,
    /// The lattice of the supercell in that of the primitive cell.
    pub lattice: Sublattice,
    /// Which atom of the supercell an atom of the primitive cell is.
    pub firsts: Vec<usize>,
    /// The distance within which atoms are on the same place, Angstrom.
    pub symprec: f64,
    /// Atoms of the supercell by atom of the primitive cell and class of lattice vectors.
    table: Vec<usize>,
}

impl Crystal {
    /// The supercell of `unit` by `matrix`, whose columns are its vectors in units of those of `unit`. Atoms within
    /// `symprec` (Angstrom) count as equivalent.
    pub fn new(unit: &Atoms, matrix: &IntMat, symprec: f64) -> Result<Self> {
        let supercell = supercell(unit, matrix)?;
        let found = symmetry::find(unit, symprec).ok_or_else(no_symmetry)?;
        let rows = found.primitive();
        let crystal = Self::with_primitive(unit, supercell, &rows, symprec)?;
        let own = symmetry::find(&crystal.primitive, symprec).ok_or_else(no_symmetry)?;
        let nearest = nearest_setting(&rows, &found.conventional, &own).ok_or_else(no_symmetry)?;
        if nearest == rows { Ok(crystal) } else { Self::with_primitive(unit, crystal.supercell, &nearest, symprec) }
    }

    /// With these primitive vectors, a row each, in units of those of the unit cell.
    fn with_primitive(unit: &Atoms, supercell: Atoms, rows: &Mat3, symprec: f64) -> Result<Self> {
        let cell = product(rows, unit.cell());
        let to_fractions = inverse(&cell).ok_or_else(no_symmetry)?;
        let vectors = product(supercell.cell(), &to_fractions).map(|row| row.map(|x| x.round() as i64));
        let lattice = Sublattice::new(&vectors).ok_or_else(no_symmetry)?;
        let mut crystal = Self {
            primitive: Atoms::new(Vec::new(), Vec::new())?,
            primitive_matrix: transposed(rows),
            fractions: Vec::new(),
            sites: Vec::new(),
            firsts: Vec::new(),
            table: Vec::new(),
            vectors,
            lattice,
            symprec,
            supercell,
        };
        crystal.find_sites(&cell, &to_fractions)?;
        let of_first = |values: &[Vec3]| crystal.firsts.iter().map(|first| values[*first]).collect();
        let numbers = crystal.firsts.iter().map(|first| crystal.supercell.numbers()[*first]).collect();
        crystal.primitive = Atoms::new(numbers, of_first(crystal.supercell.positions()))?.with_cell(cell, [true; 3])?;
        Ok(crystal)
    }

    /// The first atom of each kind of site is the primitive cell's.
    fn find_sites(&mut self, cell: &Mat3, to_fractions: &Mat3) -> Result<()> {
        let numbers = self.supercell.numbers();
        for (atom, place) in self.supercell.positions().iter().enumerate() {
            let fraction = row_times(*place, to_fractions);
            let known = (0..self.firsts.len()).find_map(|basis| {
                let difference = sub(fraction, self.fractions[basis]);
                let shift = difference.map(f64::round);
                let apart = norm(row_times(sub(difference, shift), cell));
                let same = numbers[self.firsts[basis]] == numbers[atom] && apart < self.symprec;
                same.then(|| (basis, shift.map(|x| x as i64)))
            });
            self.sites.push(known.unwrap_or((self.firsts.len(), [0; 3])));
            if known.is_none() {
                self.firsts.push(atom);
                self.fractions.push(fraction);
            }
        }
        let cells = self.lattice.cells();
        self.table = vec![usize::MAX; self.firsts.len() * cells];
        for (atom, (basis, shift)) in self.sites.iter().enumerate() {
            self.table[basis * cells + self.lattice.class(*shift)] = atom;
        }
        if self.sites.len() == self.table.len() && !self.table.contains(&usize::MAX) {
            Ok(())
        } else {
            Err(no_symmetry())
        }
    }

    /// The atom of the supercell that is atom `basis` of the primitive cell, moved by `shift`.
    pub fn atom(&self, basis: usize, shift: Int3) -> usize {
        self.table[basis * self.lattice.cells() + self.lattice.class(shift)]
    }

    /// The number of atoms in the primitive cell.
    pub fn basis(&self) -> usize {
        self.firsts.len()
    }
}

/// Of the settings of the primitive cell that rotations of the crystal take into each other the given cell itself,
/// else that with the conventional vectors nearest to the given ones: such are spglib's, and hence phonopy's, where the
/// given axes are in standard order. Elsewhere it may be one that a rotation of the crystal makes of theirs.
fn nearest_setting(rows: &Mat3, conventional: &Mat3, own: &Symmetry) -> Option<Mat3> {
    let in_primitive = product(conventional, &inverse(rows)?);
    let digits = |x: f64| (x * 1e6).round() as i64;
    let settings = own.group.operations.iter().filter_map(|(rotation, _)| {
        // Rotations act on columns; in rows, they stand on the left, transposed.
        let turn = transposed(&rotation.map(|row| row.map(f64::from)));
        let turned = product(&turn, rows);
        let vectors = transposed(&product(&in_primitive, &turned));
        let is_given = turned.map(|row| row.map(digits)) == [[1_000_000, 0, 0], [0, 1_000_000, 0], [0, 0, 1_000_000]];
        let trace = digits(vectors[0][0] + vectors[1][1] + vectors[2][2]);
        (determinant(&turn) > 0.0).then(|| ((is_given, trace, vectors.map(|row| row.map(digits))), turned))
    });
    settings.max_by_key(|(key, _)| *key).map(|(_, turned)| turned)
}

fn no_symmetry() -> Error {
    let reason = "no primitive cell of the structure can be found: are atoms of one element on the same place, or is \
                  symprec too large, or less than the digits that the positions have?";
    Error::bad("symprec", reason)
}

/// The supercell of `unit` by a matrix whose columns are its vectors in units of those of `unit`. All images of an
/// atom follow each other, moved along the first vector first, as in phonopy. It is periodic in all directions.
pub fn supercell(unit: &Atoms, matrix: &IntMat) -> Result<Atoms> {
    if matrix.as_flattened().iter().any(|n| n.unsigned_abs() > MOST_REPEATS as u64) {
        let reason = format!("its numbers must be from -{MOST_REPEATS} to {MOST_REPEATS}");
        return Err(Error::bad("supercell_matrix", reason));
    }
    let rows = transposed_integers(matrix);
    // Numbers of this size have one.
    let cells = whole_determinant(matrix).unwrap_or_default();
    let lattice = Sublattice::new(&rows)
        .filter(|_| cells > 0)
        .ok_or_else(|| Error::bad("supercell_matrix", format!("must have a determinant above 0, not {cells}")))?;
    if lattice.cells().saturating_mul(unit.len().max(1)) > MOST {
        let reason = format!("{} cells of {} atoms are more than {MOST} atoms", lattice.cells(), unit.len());
        return Err(Error::bad("the supercell", reason));
    }
    let to_unit = inverse(unit.cell()).filter(|_| unit.volume() > 0.0);
    let to_unit = to_unit.ok_or_else(|| Error::bad("structure", "phonons need a cell of three independent vectors"))?;
    let vectors = rows.map(|row| row.map(|n| n as f64));
    let cell = product(&vectors, unit.cell());
    let to_super = inverse(&vectors).ok_or(Error::NotFinite { what: "the supercell".into() })?;
    let points = first_points(matrix, &lattice)?;
    let mut positions = Vec::with_capacity(points.len() * unit.len());
    for place in unit.positions() {
        let fraction = row_times(*place, &to_unit);
        positions.extend(points.iter().map(|point| {
            let whole: Vec3 = std::array::from_fn(|k| fraction[k] + point[k] as f64);
            row_times(row_times(whole, &to_super).map(|x| x - x.floor()), &cell)
        }));
    }
    let numbers = unit.numbers().iter().flat_map(|number| std::iter::repeat_n(*number, points.len())).collect();
    Atoms::new(numbers, positions)?.with_cell(cell, [true; 3])
}

/// A point of each class, in the order in which phonopy walks through the box around the supercell.
fn first_points(matrix: &IntMat, lattice: &Sublattice) -> Result<Vec<Int3>> {
    // The corners of the supercell, along each vector of the unit cell.
    let [a, b, c] = matrix.map(|entries| entries.iter().map(|n| n.abs()).sum::<i64>());
    if a * b * c > MOST_POINTS {
        return Err(Error::bad("the supercell", "it is too skewed: shorter vectors span the same lattice"));
    }
    let mut seen = vec![false; lattice.cells()];
    let all = (0..c).flat_map(|k| (0..b).flat_map(move |j| (0..a).map(move |i| [i, j, k])));
    let firsts = all.filter(|point| !std::mem::replace(&mut seen[lattice.class(*point)], true));
    Ok(firsts.take(lattice.cells()).collect())
}
