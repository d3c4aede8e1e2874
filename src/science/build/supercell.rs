//! Supercells: a structure repeated along its lattice vectors or in a new set of them. Columns,
//! fixed atoms and notes go along with the atoms.

use crate::science::atoms::Atoms;
use crate::science::column::Column;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, add, inverse, row_times, whole_determinant};
use crate::science::neighbours::completed;

/// No supercell has more atoms.
const MOST: usize = 10_000_000;

/// Coordinates this little below zero, as fractions, are not moved to the other side of the cell.
const ALMOST_ZERO: f64 = 1e-5;

/// How the vectors of the new cell follow from those of the old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supercell {
    /// Each vector times a number.
    Repeat([usize; 3]),
    /// Each row says how a new vector is made of the old ones. Atoms are moved into the new cell
    /// where it is periodic.
    Matrix([[i64; 3]; 3]),
}

/// The supercell of `atoms`: all atoms of one cell, then all of the next, the third vector changing first.
/// Repeated as ASE's `repeat`, made by a matrix as ASE's `make_supercell`.
///
/// ```
/// use volley::science::build::{Supercell, bulk, supercell};
/// let copper = bulk("Cu", &Default::default())?;
/// assert_eq!(supercell(&copper, Supercell::Repeat([2, 2, 3]))?.len(), 12);
/// let cubic = supercell(&copper, Supercell::Matrix([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]))?;
/// assert_eq!((cubic.len(), cubic.cell()[0]), (4, [3.61, 0.0, 0.0]));
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn supercell(atoms: &Atoms, how: Supercell) -> Result<Atoms> {
    let matrix = how.matrix();
    let stays = |k: usize| (0..3).all(|row| matrix[row][k].abs() == i64::from(row == k));
    if let Some(k) = (0..3).find(|k| atoms.cell()[*k] == [0.0; 3] && !stays(*k)) {
        return Err(refused(format!("vector {} of the cell is zero: nothing repeats along it", ["a", "b", "c"][k])));
    }
    let points = points_inside(&matrix)?;
    let count = points.len();
    if count.saturating_mul(atoms.len()) > MOST {
        return Err(refused(format!("{count} cells of {} atoms are more than {MOST} atoms", atoms.len())));
    }
    let real = |vector: [i64; 3]| row_times(vector.map(|n| n as f64), atoms.cell());
    // Rounding leaves specks in the cell where vectors cancel.
    let cell = matrix.map(|row| real(row).map(|x| if x.abs() < 1e-12 { 0.0 } else { x }));
    let mut positions: Vec<Vec3> = Vec::with_capacity(count * atoms.len());
    for point in points {
        positions.extend(atoms.positions().iter().map(|place| add(*place, real(point))));
    }
    if matches!(how, Supercell::Matrix(_)) {
        wrap(&mut positions, &cell, atoms.pbc());
    }
    let mut made = Atoms::new(atoms.numbers().repeat(count), positions)?.with_cell(cell, atoms.pbc())?;
    for (name, column) in atoms.columns() {
        made = made.with_column(name, Column { width: column.width, values: column.values.repeated(count) })?;
    }
    let fixed = (0..count).flat_map(|copy| atoms.fixed().iter().map(move |index| copy * atoms.len() + index));
    made.with_info(atoms.info().clone()).with_fixed(fixed)
}

impl Supercell {
    fn matrix(self) -> [[i64; 3]; 3] {
        match self {
            Self::Matrix(matrix) => matrix,
            Self::Repeat(times) => std::array::from_fn(|i| {
                std::array::from_fn(|j| if i == j { i64::try_from(times[i]).unwrap_or(i64::MAX) } else { 0 })
            }),
        }
    }
}

fn refused(reason: String) -> Error {
    Error::Build { name: "the supercell".into(), reason }
}

/// The points of the old lattice inside the new cell, in whole numbers and hence exactly, the third coordinate changing first.
fn points_inside(matrix: &[[i64; 3]; 3]) -> Result<Vec<[i64; 3]>> {
    if matrix.as_flattened().iter().any(|n| n.unsigned_abs() > MOST as u64) {
        return Err(refused(format!("no number of it may be larger than {MOST}")));
    }
    let row = |k: usize| matrix[k % 3].map(i128::from);
    let cross =
        |a: [i128; 3], b: [i128; 3]| [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let dot = |a: [i128; 3], b: [i128; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let reciprocal: [[i128; 3]; 3] = std::array::from_fn(|k| cross(row(k + 1), row(k + 2)));
    let volume = whole_determinant(matrix)
        .filter(|volume| *volume != 0)
        .ok_or_else(|| refused("its vectors are zero or linearly dependent".into()))?;
    // The box around the eight corners of the new cell.
    let span = |k: usize| {
        let entries = matrix.map(|row| row[k]);
        let sum = |keep: fn(&i64) -> bool| entries.iter().filter(|n| keep(n)).sum::<i64>();
        sum(|n| *n < 0)..=sum(|n| *n > 0)
    };
    let size: i128 = (0..3).map(|k| i128::from(span(k).end() - span(k).start() + 1)).product();
    if size > 10 * MOST as i128 {
        return Err(refused("it is too large or too skewed".into()));
    }
    let inside = |point: [i64; 3]| {
        let fractions = reciprocal.map(|vector| dot(vector, point.map(i128::from)) * volume.signum());
        fractions.iter().all(|n| (0..volume.abs()).contains(n))
    };
    let all = span(0).flat_map(|i| span(1).flat_map(move |j| span(2).map(move |k| [i, j, k])));
    Ok(all.filter(|point| inside(*point)).collect())
}

/// Moves positions into the cell along its periodic directions.
fn wrap(positions: &mut [Vec3], cell: &Mat3, pbc: [bool; 3]) {
    let whole = completed(cell, cell.map(|vector| vector != [0.0; 3]));
    let Some(to_fractions) = inverse(&whole) else { return };
    for place in positions {
        let fractions = row_times(*place, &to_fractions);
        let inside = |k: usize| (fractions[k] + ALMOST_ZERO).rem_euclid(1.0) - ALMOST_ZERO;
        *place = row_times(std::array::from_fn(|k| if pbc[k] { inside(k) } else { fractions[k] }), &whole);
    }
}
