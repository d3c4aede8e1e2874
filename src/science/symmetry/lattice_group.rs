//! Near-symmetries of a lattice, and whether they are those of some real lattice. A tolerance can
//! accept operations that together generate infinitely many: a search that multiplies them out until
//! nothing new comes never ends. This tells beforehand.

use crate::science::linear::{Mat3, Vec3, add, dot, norm, scale, whole_determinant};

/// The largest crystallographic point group.
const MOST: usize = 48;

/// An operation by the lattice points it takes the three vectors to.
type Operation = [[i64; 3]; 3];

/// Whether for each of `tolerances` (Angstrom, descending) the operations that keep lengths and angles of
/// `basis` (reduced, one vector per row) within it generate no more operations than a crystal can have.
/// Angles are compared by the distance they make: A. Togo et al., arXiv:1808.01590, equation 7.
pub(super) fn are_finite(basis: &Mat3, tolerances: &[f64]) -> bool {
    let [first, .., last] = tolerances else {
        return tolerances.iter().all(|tolerance| generate_finite(&near_symmetries(basis, *tolerance)));
    };
    let ends = [first, last].map(|tolerance| near_symmetries(basis, *tolerance));
    ends.iter().all(|operations| generate_finite(operations))
        && are_finite_between(basis, tolerances, ends.map(|operations| operations.len()))
}

/// The same where both ends are known to be so, with the numbers of their operations. A smaller tolerance
/// accepts a part of what a larger one does: where both accept as many, so do all between.
fn are_finite_between(basis: &Mat3, tolerances: &[f64], counts: [usize; 2]) -> bool {
    let middle = tolerances.len() / 2;
    if counts[0] == counts[1] || tolerances.len() < 3 {
        return true;
    }
    let operations = near_symmetries(basis, tolerances[middle]);
    generate_finite(&operations)
        && are_finite_between(basis, &tolerances[..=middle], [counts[0], operations.len()])
        && are_finite_between(basis, &tolerances[middle..], [operations.len(), counts[1]])
}

/// A generator that is in the group already adds nothing, so that few have to be multiplied with all elements.
fn generate_finite(generators: &[Operation]) -> bool {
    let mut group: Vec<Operation> = vec![[[1, 0, 0], [0, 1, 0], [0, 0, 1]]];
    let mut used: Vec<Operation> = Vec::new();
    for generator in generators {
        if group.contains(generator) {
            continue;
        }
        used.push(*generator);
        // What was there before is closed under the others.
        let (before, mut done) = (group.len(), 0);
        while let Some(element) = group.get(done).copied() {
            for factor in if done < before { std::slice::from_ref(generator) } else { &used } {
                let product = multiply(&element, factor);
                if !group.contains(&product) {
                    group.push(product);
                }
            }
            if group.len() > MOST {
                return false;
            }
            done += 1;
        }
    }
    true
}

fn near_symmetries(basis: &Mat3, tolerance: f64) -> Vec<Operation> {
    let place = |point: [i64; 3]| (0..3).fold([0.0; 3], |sum, k| add(sum, scale(basis[k], point[k] as f64)));
    let points = (0..27).map(|n| [n / 9 - 1, n / 3 % 3 - 1, n % 3 - 1]);
    let near = |k: usize| -> Vec<([i64; 3], Vec3)> {
        let found = points.clone().map(|point| (point, place(point)));
        found.filter(|(_, vector)| (norm(*vector) - norm(basis[k])).abs() < tolerance).collect()
    };
    let same_angle = |(i, a): (usize, Vec3), (j, b): (usize, Vec3)| {
        let turn = angle(a, b) - angle(basis[i], basis[j]);
        let lengths = (norm(a) + norm(basis[i])) * (norm(b) + norm(basis[j])) / 4.0;
        turn.sin().powi(2) * lengths < tolerance * tolerance
    };
    let images = [near(0), near(1), near(2)];
    let mut found = Vec::new();
    for (p, a) in &images[0] {
        for (q, b) in images[1].iter().filter(|(_, b)| same_angle((0, *a), (1, *b))) {
            let fits = |c: Vec3| same_angle((1, *b), (2, c)) && same_angle((2, c), (0, *a));
            let whole = images[2].iter().filter(|(_, c)| fits(*c)).map(|(r, _)| [*p, *q, *r]);
            found.extend(whole.filter(|operation| matches!(whole_determinant(operation), Some(1 | -1))));
        }
    }
    found
}

fn angle(a: Vec3, b: Vec3) -> f64 {
    (dot(a, b) / (norm(a) * norm(b))).clamp(-1.0, 1.0).acos()
}

fn multiply(a: &Operation, b: &Operation) -> Operation {
    a.map(|row| std::array::from_fn(|j| (0..3).map(|k| row[k] * b[k][j]).sum()))
}

#[cfg(test)]
mod tests {
    use super::{are_finite, generate_finite, near_symmetries};

    #[test]
    fn real_lattices_have_their_symmetries() {
        let h = 0.75f64.sqrt();
        let cases = [
            ([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]], 48),
            ([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 4.0]], 8),
            ([[2.0, 0.0, 0.0], [-1.0, 2.0 * h, 0.0], [0.0, 0.0, 5.0]], 24),
            ([[2.0, 0.0, 0.0], [-0.3, 3.0, 0.0], [0.2, 0.4, 5.0]], 2),
        ];
        for (basis, order) in cases {
            assert_eq!(near_symmetries(&basis, 1e-3).len(), order);
            assert!(are_finite(&basis, &[1e-2, 1e-3]));
        }
    }

    #[test]
    fn endless_groups_are_known() {
        assert!(generate_finite(&[[[0, 1, 0], [1, 0, 0], [0, 0, -1]]]));
        assert!(!generate_finite(&[[[1, 0, 0], [0, 1, 0], [1, 0, 1]]]));
        // The tilted cell of a thin slab, strained by some percent.
        let slab = [[-1.0916, -1.9167, -0.0122], [-1.1235, 1.9065, 0.0189], [-0.0337, 1.2590, -39.5202]];
        assert!(!are_finite(&slab, &[0.12]));
        assert!(are_finite(&slab, &[0.1, 0.01]));
        for first in [0.3, 0.12, 0.1, 0.05] {
            let tolerances: Vec<f64> = (0..64).map(|k| first * 0.84f64.powi(k)).collect();
            let each = tolerances.iter().all(|tolerance| generate_finite(&near_symmetries(&slab, *tolerance)));
            assert_eq!(are_finite(&slab, &tolerances), each, "from {first}");
        }
    }
}
