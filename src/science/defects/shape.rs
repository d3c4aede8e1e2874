//! Which supercell is nearly a cube. As pymatgen-analysis-defects chooses it: ever larger cubes are
//! written in whole numbers of the bulk's vectors until one is large enough (the "cubic supercell" of
//! pymatgen); where that has too many atoms before, all matrices near to such a cube are compared, for
//! every number of cells allowed (P. Erhart et al., Phys. Rev. B 92, 214301 (2015), supplement; ASE's
//! `find_optimal_cell_shape`).

use super::DefectOptions;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, determinant, dot, norm, scale, sub, whole_determinant};
use crate::science::slabs::rounding::inverse;

/// How vectors of a supercell are made of those of the bulk, one row each.
pub(super) type Matrix = [[i64; 3]; 3];

/// By how much the cube grows from try to try, Angstrom.
const STEP: f64 = 0.1;

/// How far entries are from those of the ideal matrix, where all are compared.
const REACH: [i64; 5] = [-2, -1, 0, 1, 2];

/// Shapes that differ by less are alike.
const ALIKE: f64 = 1e-6;

/// The matrix of the supercell, for a bulk of `count` atoms in `cell`.
pub(super) fn supercell_matrix(
    cell: &Mat3,
    count: usize,
    options: &DefectOptions,
    stop: &dyn Fn() -> bool,
) -> Result<Matrix> {
    if let Some(matrix) = options.matrix {
        return Ok(matrix);
    }
    if options.force_diagonal {
        let times = cell.map(|vector| (options.min_length / norm(vector)).ceil() as i64);
        return Ok(std::array::from_fn(|i| std::array::from_fn(|j| if i == j { times[i] } else { 0 })));
    }
    let to_fractions = inverse(cell).ok_or_else(|| Error::SingularCell { vectors: "a, b, c".into() })?;
    match growing_cube(cell, &to_fractions, count, options) {
        Some(matrix) => Ok(matrix),
        None => best_of_all(cell, count, options, stop)?.ok_or_else(|| none_fits(options)),
    }
}

fn none_fits(options: &DefectOptions) -> Error {
    let DefectOptions { min_atoms, max_atoms, min_length, .. } = options;
    let reason = format!(
        "no supercell has {min_atoms} to {max_atoms} atoms and vectors of at least {min_length} Angstrom: \
         give a larger max_atoms, a smaller min_length or min_atoms, or the matrix itself (sc_mat)"
    );
    Error::bad("make_defects_kwargs", reason)
}

fn growing_cube(cell: &Mat3, to_fractions: &Mat3, count: usize, options: &DefectOptions) -> Option<Matrix> {
    let mut length = options.min_length;
    loop {
        let matrix = rounded(&to_fractions.map(|row| row.map(|x| length * x)));
        let atoms = usize::try_from(cells(&matrix)).unwrap_or(usize::MAX).saturating_mul(count);
        let fits = options.min_atoms <= atoms && atoms <= options.max_atoms;
        if fits && narrowest(&vectors(&matrix, cell)) >= options.min_length {
            return Some(matrix);
        }
        // Whatever the cell: the longer it is, the more atoms it has.
        if atoms > options.max_atoms || !length.is_finite() {
            return None;
        }
        length += STEP;
    }
}

/// To whole numbers. In a row or column of zeros the largest entry, or each that is as large, becomes one
/// that is farther from zero.
fn rounded(matrix: &Mat3) -> Matrix {
    let mut whole = matrix.map(|row| row.map(f64::round_ties_even));
    let away = |x: f64| x.abs().ceil().copysign(x);
    for row in 0..3 {
        if whole[row] == [0.0; 3] {
            let largest = matrix[row].iter().fold(0.0f64, |most, x| most.max(x.abs()));
            // Among equal ones pymatgen draws lots.
            if let Some(column) = (0..3).find(|column| matrix[row][*column].abs() == largest) {
                whole[row][column] = away(matrix[row][column]);
            }
        }
    }
    for column in 0..3 {
        if (0..3).all(|row| whole[row][column] == 0.0) {
            let largest = (0..3).fold(0.0f64, |most, row| most.max(matrix[row][column].abs()));
            for row in (0..3).filter(|row| matrix[*row][column].abs() == largest) {
                whole[row][column] = away(matrix[row][column]);
            }
        }
    }
    whole.map(|row| row.map(|x| x as i64))
}

/// How many cells of the bulk fit in: 0 for a singular matrix.
pub(super) fn cells(matrix: &Matrix) -> u64 {
    whole_determinant(matrix).and_then(|volume| u64::try_from(volume.unsigned_abs()).ok()).unwrap_or(u64::MAX)
}

fn vectors(matrix: &Matrix, cell: &Mat3) -> Mat3 {
    let row = |row: [i64; 3]| -> Vec3 { std::array::from_fn(|k| (0..3).map(|i| row[i] as f64 * cell[i][k]).sum()) };
    matrix.map(row)
}

/// The shortest of the heights that any vector has over any other.
fn narrowest(cell: &Mat3) -> f64 {
    let height = |a: Vec3, over: Vec3| norm(sub(a, scale(over, dot(a, over) / dot(over, over))));
    let pairs = (0..3).flat_map(|i| (0..3).filter(move |j| *j != i).map(move |j| (i, j)));
    pairs.map(|(i, j)| height(cell[i], cell[j])).fold(f64::INFINITY, f64::min)
}

/// For each number of cells the best, of those the first that is best of all and long enough.
fn best_of_all(cell: &Mat3, count: usize, options: &DefectOptions, stop: &dyn Fn() -> bool) -> Result<Option<Matrix>> {
    let (fewest, most) = (options.min_atoms.div_ceil(count), options.max_atoms / count);
    let mut best: Option<(f64, Matrix)> = None;
    for size in fewest.max(1)..=most {
        if stop() {
            return Err(Error::Stopped);
        }
        let Some(matrix) = most_cubic(cell, size as u64) else { continue };
        let made = vectors(&matrix, cell);
        if made.iter().any(|vector| norm(*vector) < options.min_length) {
            continue;
        }
        let off = off_cube(&made);
        if best.is_none_or(|(least, _)| off < least) {
            best = Some((off, matrix));
        }
    }
    Ok(best.map(|(_, matrix)| matrix))
}

/// How unequal the lengths of the vectors are to the edge of a cube of the same volume.
fn off_cube(cell: &Mat3) -> f64 {
    let edge = determinant(cell).abs().cbrt();
    cell.iter().map(|vector| (norm(*vector) / edge - 1.0).powi(2)).sum::<f64>().sqrt()
}

/// Of all matrices of `size` cells near to the ideal one, those that make the most equal lengths, and of
/// those the one nearest to the ideal.
fn most_cubic(cell: &Mat3, size: u64) -> Option<Matrix> {
    let edge = (size as f64 * determinant(cell).abs()).cbrt();
    let ideal = inverse(&cell.map(|row| row.map(|x| x / edge)))?;
    let start = ideal.map(|row| row.map(|x| x.round_ties_even() as i64));
    // The rows are chosen one by one; lengths need computing once for each row.
    let rows: [Vec<([i64; 3], f64)>; 3] = std::array::from_fn(|row| {
        let all = REACH.iter().flat_map(|a| REACH.iter().flat_map(move |b| REACH.iter().map(move |c| [*a, *b, *c])));
        let entries = all.map(|by| -> [i64; 3] { std::array::from_fn(|k| start[row][k] + by[k]) });
        let length = |entries: [i64; 3]| {
            norm(std::array::from_fn(|k| (0..3).map(|i| entries[i] as f64 * cell[i][k]).sum())) / edge - 1.0
        };
        entries.map(|entries| (entries, length(entries).powi(2))).collect()
    });
    let mut found: Vec<(f64, Matrix)> = Vec::new();
    let mut least = f64::INFINITY;
    for (a, off_a) in &rows[0] {
        for (b, off_b) in &rows[1] {
            // None that could still be among the best.
            if (off_a + off_b).sqrt() > least + ALIKE {
                continue;
            }
            let normal = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
            for (c, off_c) in &rows[2] {
                if (normal[0] * c[0] + normal[1] * c[1] + normal[2] * c[2]).unsigned_abs() != size {
                    continue;
                }
                let off = (off_a + off_b + off_c).sqrt();
                least = least.min(off);
                if off < least + ALIKE {
                    found.push((off, [*a, *b, *c]));
                }
            }
        }
    }
    let mut nearest: Option<(f64, Matrix)> = None;
    for (_, matrix) in found.into_iter().filter(|(off, _)| off - least < ALIKE) {
        let away = away_from(&matrix, &ideal);
        if nearest.is_none_or(|(least, _)| away < least) {
            nearest = Some((away, matrix));
        }
    }
    let (_, matrix) = nearest?;
    Some(if is_left_handed(&matrix) { matrix.map(|row| row.map(|x| -x)) } else { matrix })
}

fn is_left_handed(matrix: &Matrix) -> bool {
    whole_determinant(matrix).is_none_or(|volume| volume <= 0)
}

/// The sum of squares, in the order in which NumPy sums nine numbers: many are equal but for rounding.
fn away_from(matrix: &Matrix, ideal: &Mat3) -> f64 {
    let square = |k: usize| (matrix[k / 3][k % 3] as f64 - ideal[k / 3][k % 3]).powi(2);
    ((square(0) + square(1)) + (square(2) + square(3)))
        + ((square(4) + square(5)) + (square(6) + square(7)))
        + square(8)
}
