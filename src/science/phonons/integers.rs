//! Lattices inside lattices, in whole numbers and hence exactly: vectors are rows, in units of the finer lattice.

use crate::science::linear::whole_determinant;

/// A lattice vector.
pub type Int3 = [i64; 3];
/// Three row vectors.
pub type IntMat = [Int3; 3];

/// The product of two matrices.
pub fn product(a: &IntMat, b: &IntMat) -> IntMat {
    a.map(|row| row_times(row, b))
}

/// The row vector `a` times the matrix `m`.
pub fn row_times(a: Int3, m: &IntMat) -> Int3 {
    std::array::from_fn(|k| a[0] * m[0][k] + a[1] * m[1][k] + a[2] * m[2][k])
}

/// The matrix `m` times the column vector `a`.
pub fn times_column(m: &IntMat, a: Int3) -> Int3 {
    m.map(|row| row[0] * a[0] + row[1] * a[1] + row[2] * a[2])
}

/// Rows become columns.
pub fn transposed(m: &IntMat) -> IntMat {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}

/// The sum of two vectors.
pub fn add(a: Int3, b: Int3) -> Int3 {
    std::array::from_fn(|k| a[k] + b[k])
}

/// The difference of two vectors.
pub fn sub(a: Int3, b: Int3) -> Int3 {
    std::array::from_fn(|k| a[k] - b[k])
}

/// A lattice of every so many points of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sublattice {
    /// Its vectors, upper triangular with positive numbers on the diagonal (Hermite's normal form).
    rows: IntMat,
}

impl Sublattice {
    /// Spanned by three rows; `None` where they span no volume.
    pub fn new(rows: &IntMat) -> Option<Self> {
        if whole_determinant(rows) == Some(0) {
            return None;
        }
        let mut rows = *rows;
        for column in 0..3 {
            // Euclid's algorithm on the rows that are left, until only the first has anything in the column.
            while let Some(other) = (column + 1..3).find(|row| rows[*row][column] != 0) {
                if rows[column][column] == 0 || rows[column][column].abs() > rows[other][column].abs() {
                    rows.swap(column, other);
                    continue;
                }
                let times = rows[other][column].div_euclid(rows[column][column]);
                rows[other] = std::array::from_fn(|k| rows[other][k] - times * rows[column][k]);
            }
            if rows[column][column] < 0 {
                rows[column] = rows[column].map(|n| -n);
            }
        }
        Some(Self { rows })
    }

    /// How many points of the finer lattice there are for each of its own.
    pub fn cells(&self) -> usize {
        (0..3).map(|k| self.rows[k][k].unsigned_abs() as usize).product()
    }

    /// The number of the class of points, 0 to [`cells`](Self::cells), to which `point` belongs: those that differ
    /// by a vector of this lattice. Class 0 is the lattice itself.
    pub fn class(&self, point: Int3) -> usize {
        let [a, b, c] = self.rows;
        let p = point[0].div_euclid(a[0]);
        let (x, y, z) = (point[0] - p * a[0], point[1] - p * a[1], point[2] - p * a[2]);
        let q = y.div_euclid(b[1]);
        let (y, z) = (y - q * b[1], z - q * b[2]);
        ((x * b[1] + y) * c[2] + z.rem_euclid(c[2])) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_what_a_lattice_leaves() {
        for rows in [
            [[2, 0, 0], [0, 3, 0], [0, 0, 1]],
            [[-1, 1, 1], [1, -1, 1], [1, 1, -1]],
            [[0, 2, 1], [3, 0, -1], [1, 1, 2]],
        ] {
            let lattice = Sublattice::new(&rows).expect("a volume");
            assert_eq!(whole_determinant(&rows).map(i128::abs), i128::try_from(lattice.cells()).ok());
            let mut seen = vec![0; lattice.cells()];
            for i in -4..5 {
                for j in -4..5 {
                    for k in -4..5 {
                        let class = lattice.class([i, j, k]);
                        seen[class] += 1;
                        for row in rows {
                            assert_eq!(lattice.class(add([i, j, k], row)), class);
                        }
                    }
                }
            }
            assert!(seen.iter().all(|count| *count > 0) && lattice.class([0; 3]) == 0);
        }
        assert_eq!(Sublattice::new(&[[1, 0, 0], [0, 1, 0], [1, 1, 0]]), None);
    }
}
