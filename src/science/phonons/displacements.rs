//! Which atoms have to be moved, and where to, so that symmetry gives all other force constants: as phonopy does
//! with its defaults. K. Parlinski, Z. Q. Li, Y. Kawazoe, Phys. Rev. Lett. 78, 4063 (1997),
//! doi:10.1103/PhysRevLett.78.4063.

use super::crystal::Crystal;
use super::group::Group;
use super::integers::{Int3, IntMat, times_column};
use crate::science::linear::{
    Vec3, inverse, norm, product, row_times as row_times_real, scale, transposed, whole_determinant,
};

/// Directions that are tried, in units of the supercell's vectors: along the edges, then diagonals.
const DIRECTIONS: [Int3; 13] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 1, 0],
    [1, 0, 1],
    [0, 1, 1],
    [1, -1, 0],
    [1, 0, -1],
    [0, 1, -1],
    [1, 1, 1],
    [1, 1, -1],
    [1, -1, 1],
    [-1, 1, 1],
];

/// One atom moved a little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Displacement {
    /// Which one of the primitive cell.
    pub basis: usize,
    /// Which one of the supercell.
    pub atom: usize,
    /// How far, Angstrom.
    pub vector: Vec3,
}

/// The displacements by `distance` (Angstrom) that determine all force constants.
pub fn displacements(crystal: &Crystal, group: &Group, distance: f64) -> Vec<Displacement> {
    let mut found = Vec::new();
    for (basis, _) in group.firsts(crystal.basis()).iter().enumerate().filter(|(_, image)| image.is_none()) {
        let rotations: Vec<IntMat> =
            group.site(basis).iter().map(|operation| in_supercell(crystal, &operation.rotation)).collect();
        for direction in directions(&rotations) {
            let real = row_times_real(direction.map(|n| n as f64), crystal.supercell.cell());
            let vector = scale(real, distance / norm(real));
            let atom = crystal.firsts[basis];
            found.push(Displacement { basis, atom, vector });
            let opposite = direction.map(|n| -n);
            if !rotations.iter().any(|rotation| times_column(rotation, direction) == opposite) {
                found.push(Displacement { basis, atom, vector: scale(vector, -1.0) });
            }
        }
    }
    found
}

/// A rotation of the primitive cell for columns of the supercell's fractional coordinates.
fn in_supercell(crystal: &Crystal, rotation: &IntMat) -> IntMat {
    let vectors = crystal.vectors.map(|row| row.map(|n| n as f64));
    let (columns, real) = (transposed(&vectors), rotation.map(|row| row.map(|n| n as f64)));
    let back = inverse(&columns).unwrap_or(columns);
    product(&back, &product(&real, &columns)).map(|row| row.map(|x| x.round() as i64))
}

/// The fewest directions from which the site's rotations make three independent ones.
fn directions(rotations: &[IntMat]) -> Vec<Int3> {
    let turned = |direction: Int3| rotations.iter().map(move |rotation| times_column(rotation, direction));
    let alone = DIRECTIONS.iter().find(|direction| {
        let images: Vec<Int3> = turned(**direction).collect();
        images
            .iter()
            .enumerate()
            .any(|(i, a)| images[i + 1..].iter().any(|b| whole_determinant(&[**direction, *a, *b]) != Some(0)))
    });
    if let Some(direction) = alone {
        return vec![*direction];
    }
    let second = |direction: Int3| {
        turned(direction)
            .find_map(|image| {
                DIRECTIONS.iter().find(|other| whole_determinant(&[direction, image, **other]) != Some(0))
            })
            .map(|other| vec![direction, *other])
    };
    DIRECTIONS.iter().find_map(|direction| second(*direction)).unwrap_or_else(|| DIRECTIONS[..3].to_vec())
}
