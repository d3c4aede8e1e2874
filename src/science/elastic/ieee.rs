//! The axes in which elastic constants are tabulated: IEEE Standard on Piezoelectricity 176-1987, section 3,
//! on the conventional cell, as pymatgen reads it.

use nalgebra::Vector3;

use super::{STRICT, Tensor};
use crate::science::atoms::Atoms;
use crate::science::linear::{Mat3, cell_parameters, norm, row_times};
use crate::science::symmetry;

type Vector = Vector3<f64>;

/// The rotation that brings a crystal into the standard's orientation; none where no symmetry is found.
pub fn ieee_rotation(atoms: &Atoms) -> Tensor {
    let Some(symmetry) = symmetry::find(atoms, STRICT) else { return Tensor::identity() };
    let cell = &symmetry.conventional.map(|vector| row_times(vector, atoms.cell()));
    let [a, b, c] = cell.map(|vector| Vector::from(vector).normalize());
    let lengths = cell.map(norm);
    let by_length = by_length(&[0, 1, 2], lengths).map(|k| [a, b, c][k]);
    let (x, y) = match symmetry.group.crystal_system.as_str() {
        "Triclinic" => triclinic(by_length),
        "Monoclinic" => monoclinic(cell, [a, b, c]),
        // c < a < b
        "Orthorhombic" => (by_length[1], by_length[2]),
        "Tetragonal" => tetragonal(by_length, lengths),
        "Trigonal" | "Hexagonal" => hexagonal(cell, [a, b, c]),
        _ => (a, b),
    };
    let x = x.normalize();
    let y = (y - x * x.dot(&y)).normalize();
    Tensor::from_rows(&[x.transpose(), y.transpose(), x.cross(&y).transpose()])
}

/// The longest vector along z, y normal to it and the shortest.
fn triclinic([short, _, long]: [Vector; 3]) -> (Vector, Vector) {
    let y = long.cross(&short).normalize();
    (y.cross(&long), y)
}

/// The unique axis along y, the shorter one of the others along z.
fn monoclinic(cell: &Mat3, axes: [Vector; 3]) -> (Vector, Vector) {
    let angles = cell_parameters(cell).1.map(f64::to_degrees);
    let unique = first_by(&angles, |angle| -(angle - 90.0).abs());
    let others: Vec<usize> = (0..3).filter(|k| *k != unique).collect();
    let shorter = if norm(cell[others[1]]) < norm(cell[others[0]]) { others[1] } else { others[0] };
    (axes[unique].cross(&axes[shorter]), axes[unique])
}

/// z along c, x along a. pymatgen looks for the two equal vectors among the lengths before they are sorted,
/// and thus takes c for x where it is the shortest. Documents are to agree.
fn tetragonal(sorted: [Vector; 3], lengths: [f64; 3]) -> (Vector, Vector) {
    let [mut x, _, mut z] = sorted;
    if (lengths[2] - lengths[1]).abs() < (lengths[1] - lengths[0]).abs() {
        (x, z) = (z, x);
    }
    (x, z.cross(&x))
}

/// The threefold or sixfold axis along z, x along a.
fn hexagonal(cell: &Mat3, axes: [Vector; 3]) -> (Vector, Vector) {
    let angles = cell_parameters(cell).1.map(f64::to_degrees);
    let along = first_by(&angles, |angle| (angle - 120.0).abs());
    let first = (0..cell.len()).find(|k| *k != along).unwrap_or_default();
    (axes[first], axes[along].cross(&axes[first]))
}

/// The first index of the smallest value.
fn first_by(values: &[f64; 3], of: impl Fn(f64) -> f64) -> usize {
    (0..3).min_by(|i, j| of(values[*i]).total_cmp(&of(values[*j]))).unwrap_or_default()
}

/// The same indices, that of the shortest vector first.
fn by_length(indices: &[usize; 3], lengths: [f64; 3]) -> [usize; 3] {
    let mut sorted = *indices;
    sorted.sort_by(|i, j| lengths[*i].total_cmp(&lengths[*j]));
    sorted
}
