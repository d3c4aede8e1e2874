//! A tolerance with which moyo's search for symmetry ends. Near-symmetries of a strained cell may generate
//! operations without end, which moyo multiplies out until the memory is full.

use std::collections::BTreeMap;

use moyo::base::{Cell, Lattice, UnimodularTransformation};
use moyo::math::HNF;
use moyo::search::{PeriodicNeighborSearch, solve_correspondence};
use nalgebra::{Dyn, Matrix3, OMatrix, U3, Vector3};

use super::lattice_group::are_finite;
use crate::science::linear::Mat3;

/// Tolerances are `symprec` over powers of this, as moyo's steps between tolerances become when it has to turn back.
const STEP: f64 = 1.189207115002721; // the fourth root of 2

/// The smallest tolerance is so many steps down.
const STEPS: i32 = 64;

/// The tolerance nearest to `symprec` with which moyo's search ends (see `lattice_group`). It looks for
/// near-symmetries in the reduced primitive lattice, with this tolerance and, where they are no group, with
/// smaller ones. Where translations are no group it doubles the tolerance. `None` if there is none.
pub(super) fn safe_tolerance(cell: &Cell, symprec: f64) -> Option<f64> {
    let (reduced, change) = cell.lattice.minkowski_reduce().ok()?;
    let cell = UnimodularTransformation::from_linear(change).transform_cell(cell);
    let level = |steps: i32| symprec / STEP.powi(steps);
    let ends = |start: &i32| {
        let primitive = primitive_lattice(&cell, level(*start)).and_then(|lattice| lattice.minkowski_reduce().ok());
        primitive.is_some_and(|(primitive, _)| {
            let bases: [Mat3; 2] = [&reduced, &primitive].map(|lattice| rows(&lattice.basis));
            let levels: Vec<f64> = (*start..=STEPS).map(level).collect();
            bases.iter().all(|basis| are_finite(basis, &levels))
        })
    };
    [0, -4].into_iter().chain((4..=STEPS).step_by(4)).find(ends).map(level)
}

/// The lattice of all translations that take every atom near one of its element; `None` if they are no group.
fn primitive_lattice(reduced: &Cell, symprec: f64) -> Option<Lattice> {
    let mut counts = BTreeMap::<i32, usize>::new();
    for number in &reduced.numbers {
        *counts.entry(*number).or_default() += 1;
    }
    let rarest = counts.into_iter().min_by_key(|(_, count)| *count)?.0;
    let pivots: Vec<Vector3<f64>> =
        (0..reduced.numbers.len()).filter(|k| reduced.numbers[*k] == rarest).map(|k| reduced.positions[k]).collect();
    let search = PeriodicNeighborSearch::new(reduced, 2.0 * symprec);
    let rough = pivots.iter().map(|pivot| pivot - pivots[0]);
    let shifts: Vec<Vector3<f64>> = rough.filter_map(|shift| refined(reduced, &search, shift, symprec)).collect();
    // Translations divide the cell into as many parts as there are of them.
    let parts = i32::try_from(shifts.len()).ok()?;
    let whole = Matrix3::identity() * parts;
    let steps = shifts.iter().map(|shift| (shift * f64::from(parts)).map(|x| x.round() as i32));
    let columns: Vec<Vector3<i32>> = whole.column_iter().map(|column| column.into_owned()).chain(steps).collect();
    let normal = HNF::new(&OMatrix::<i32, U3, Dyn>::from_columns(&columns));
    let fractions = normal.h.fixed_columns::<3>(0).map(|n| f64::from(n) / f64::from(parts));
    let divides = (fractions.determinant().abs() * f64::from(parts) - 1.0).abs() < 1e-6;
    (divides && reduced.numbers.len().is_multiple_of(shifts.len()))
        .then(|| Lattice { basis: reduced.lattice.basis * fractions })
}

/// The translation near `shift` that best takes all atoms to atoms, if it does so within `symprec`.
fn refined(cell: &Cell, search: &PeriodicNeighborSearch, shift: Vector3<f64>, symprec: f64) -> Option<Vector3<f64>> {
    let moved: Vec<Vector3<f64>> = cell.positions.iter().map(|place| place + shift).collect();
    let permutation = solve_correspondence(search, cell, &moved)?;
    let offsets = moved.iter().enumerate().map(|(k, place)| {
        let offset = cell.positions[permutation.apply(k)] - place;
        offset - offset.map(f64::round)
    });
    let offsets: Vec<Vector3<f64>> = offsets.collect();
    let mean = offsets.iter().sum::<Vector3<f64>>() / offsets.len() as f64;
    let within = |offset: &Vector3<f64>| (cell.lattice.basis * (offset - mean)).norm() < symprec;
    offsets.iter().all(within).then(|| shift + mean)
}

/// Basis vectors in columns, as moyo has them, as rows.
fn rows(basis: &Matrix3<f64>) -> Mat3 {
    std::array::from_fn(|i| std::array::from_fn(|j| basis[(j, i)]))
}
