//! How long the bond of a dimer is, as pymatgen tells it to ShakeNBreak.

use super::coordination::covalent_radius;

/// Single bonds between H, C, N and O (atomic numbers, Angstrom): International Tables for Crystallography
/// C, chapter 9.5, and what is derived of it in pymatgen's table of bond lengths.
const SINGLE: [(u8, u8, f64); 10] = [
    (1, 1, 1.07),
    (1, 6, 1.08),
    (1, 7, 1.01),
    (1, 8, 0.96),
    (6, 6, 1.54),
    (6, 7, 1.47),
    (6, 8, 1.43),
    (7, 7, 1.45),
    (7, 8, 1.51),
    (8, 8, 1.48),
];

/// The length of a bond between two elements, Angstrom: where none is known the sum of their radii.
pub(super) fn dimer_length(first: u8, second: u8) -> f64 {
    let (low, high) = (first.min(second), first.max(second));
    let known = SINGLE.iter().find(|(a, b, _)| (*a, *b) == (low, high));
    known.map_or_else(|| covalent_radius(low) + covalent_radius(high), |(.., length)| *length)
}
