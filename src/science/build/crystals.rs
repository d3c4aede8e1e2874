//! The crystal structures `bulk` can build: for each, the primitive, cubic and orthorhombic cell
//! and where in it the atoms are. Pure tables; `bulk.rs` fills in lattice constants.

use crate::science::linear::{Mat3, Vec3};

/// The names of all structures.
pub(super) const NAMES: [&str; 12] = [
    "sc",
    "fcc",
    "bcc",
    "hcp",
    "diamond",
    "bct",
    "rhombohedral",
    "orthorhombic",
    "rocksalt",
    "cesiumchloride",
    "zincblende",
    "fluorite",
];

/// The thirteenth, which has an internal coordinate.
pub(super) const WURTZITE: &str = "wurtzite";

/// Lattice constants in Angstrom, alpha in degrees, internal coordinate as a fraction of c.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constants {
    pub a: f64,
    pub b: f64,
    pub c: f64,
    pub alpha: f64,
    pub u: f64,
}

/// Which cell of the lattice is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Primitive,
    Cubic,
    Orthorhombic,
}

/// A cell, and in it the species (counted in the order of the formula) and fractional coordinates.
pub(super) type Crystal = (Mat3, Vec<(usize, Vec3)>);

/// How many species a structure has.
pub(super) fn species(structure: &str) -> usize {
    match structure {
        "rocksalt" | "cesiumchloride" | "zincblende" | WURTZITE => 2,
        "fluorite" => 3,
        _ => 1,
    }
}

/// A structure in a setting, or `None` if it has no such setting.
pub(super) fn crystal(structure: &str, setting: Setting, constants: &Constants) -> Option<Crystal> {
    let Constants { a, b, c, alpha, u } = *constants;
    match structure {
        "rhombohedral" => return Some((rhombohedral(a, alpha), vec![(0, [0.0; 3])])),
        "orthorhombic" => return Some((diagonal(a, b, c), vec![(0, [0.0; 3])])),
        "bct" => {
            let (a, c) = (0.5 * a, 0.5 * c);
            return Some(([[-a, a, c], [a, -a, c], [a, a, -c]], vec![(0, [0.0; 3])]));
        }
        _ => {}
    }
    match setting {
        Setting::Primitive => primitive(structure, a, c, u),
        Setting::Cubic => Some((diagonal(a, a, a), cubic(structure)?)),
        Setting::Orthorhombic => orthorhombic(structure, a, c, u),
    }
}

fn primitive(structure: &str, a: f64, c: f64, u: f64) -> Option<Crystal> {
    let h = 0.5 * a;
    let fcc = [[0.0, h, h], [h, 0.0, h], [h, h, 0.0]];
    let hexagonal = [[a, 0.0, 0.0], [-0.5 * a, 0.5 * 3f64.sqrt() * a, 0.0], [0.0, 0.0, c]];
    let (first, quarter) = ((0, [0.0; 3]), [0.25; 3]);
    Some(match structure {
        "sc" => (diagonal(a, a, a), vec![first]),
        "fcc" => (fcc, vec![first]),
        "bcc" => ([[-h, h, h], [h, -h, h], [h, h, -h]], vec![first]),
        "diamond" => (fcc, vec![first, (0, quarter)]),
        "zincblende" => (fcc, vec![first, (1, quarter)]),
        // Half an edge along x.
        "rocksalt" => (fcc, vec![first, (1, [-0.5, 0.5, 0.5])]),
        "fluorite" => (fcc, vec![first, (1, quarter), (2, [0.75; 3])]),
        "cesiumchloride" => (diagonal(a, a, a), vec![first, (1, [0.5; 3])]),
        "hcp" => (hexagonal, vec![first, (0, [1.0 / 3.0, 2.0 / 3.0, 0.5])]),
        WURTZITE => {
            let (x, y) = (1.0 / 3.0, 2.0 / 3.0);
            let basis = vec![first, (1, [x, y, 0.5 - u]), (0, [x, y, 0.5]), (1, [0.0, 0.0, 1.0 - u])];
            (hexagonal, basis)
        }
        _ => return None,
    })
}

fn cubic(structure: &str) -> Option<Vec<(usize, Vec3)>> {
    const FCC: [Vec3; 4] = [[0.0; 3], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];
    // Each lattice point with the atoms of its motif, modulo the cell.
    let motif = |motif: &[(usize, Vec3)]| {
        FCC.iter()
            .flat_map(|point| {
                motif.iter().map(|(kind, offset)| (*kind, std::array::from_fn(|k| (point[k] + offset[k]) % 1.0)))
            })
            .collect::<Vec<(usize, Vec3)>>()
    };
    Some(match structure {
        "sc" => vec![(0, [0.0; 3])],
        "bcc" => vec![(0, [0.0; 3]), (0, [0.5; 3])],
        "cesiumchloride" => vec![(0, [0.0; 3]), (1, [0.5; 3])],
        "fcc" => motif(&[(0, [0.0; 3])]),
        "diamond" => motif(&[(0, [0.0; 3]), (0, [0.25; 3])]),
        "zincblende" => motif(&[(0, [0.0; 3]), (1, [0.25; 3])]),
        "rocksalt" => motif(&[(0, [0.0; 3]), (1, [0.5, 0.0, 0.0])]),
        "fluorite" => motif(&[(0, [0.0; 3]), (1, [0.25; 3]), (2, [0.75; 3])]),
        _ => return None,
    })
}

fn orthorhombic(structure: &str, a: f64, c: f64, u: f64) -> Option<Crystal> {
    let diagonal_edge = a / 2f64.sqrt();
    let turned = diagonal(diagonal_edge, diagonal_edge, a);
    let hexagonal = diagonal(a, a * 3f64.sqrt(), c);
    let (corner, centre) = ([0.0; 3], [0.5; 3]);
    let tetrahedral = |other| vec![(0, corner), (other, [0.5, 0.0, 0.25]), (0, centre), (other, [0.0, 0.5, 0.75])];
    Some(match structure {
        "sc" | "bcc" | "cesiumchloride" => (diagonal(a, a, a), cubic(structure)?),
        "fcc" => (turned, vec![(0, corner), (0, centre)]),
        "diamond" => (turned, tetrahedral(0)),
        "zincblende" => (turned, tetrahedral(1)),
        "rocksalt" => (turned, vec![(0, corner), (1, [0.5, 0.5, 0.0]), (0, centre), (1, [0.0, 0.0, 0.5])]),
        "hcp" => {
            let upper = [(0, [0.5, 1.0 / 6.0, 0.5]), (0, [0.0, 4.0 / 6.0, 0.5])];
            (hexagonal, [vec![(0, corner), (0, [0.5, 0.5, 0.0])], upper.to_vec()].concat())
        }
        WURTZITE => {
            let half = |x: f64, y: f64| {
                let other = y + 2.0 / 6.0;
                [(0, [x, y, 0.0]), (1, [x, other, 0.5 - u]), (0, [x, other, 0.5]), (1, [x, y, 1.0 - u])]
            };
            (hexagonal, [half(0.0, 0.0), half(0.5, 0.5)].concat())
        }
        _ => return None,
    })
}

fn diagonal(a: f64, b: f64, c: f64) -> Mat3 {
    [[a, 0.0, 0.0], [0.0, b, 0.0], [0.0, 0.0, c]]
}

/// Three equal edges at three equal angles, their sum along z.
/// W. Setyawan and S. Curtarolo, Comput. Mater. Sci. 49, 299 (2010), A.11,
/// doi:10.1016/j.commatsci.2010.05.010.
fn rhombohedral(a: f64, alpha: f64) -> Mat3 {
    let alpha = alpha.to_radians();
    let (x, y) = (a * (0.5 * alpha).cos(), a * (0.5 * alpha).sin());
    let along = a * alpha.cos() / (0.5 * alpha).cos();
    [[x, -y, 0.0], [x, y, 0.0], [along, 0.0, (a * a - along * along).sqrt()]]
}
