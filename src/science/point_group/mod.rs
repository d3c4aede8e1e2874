//! Point groups of molecules, found as pymatgen's `PointGroupAnalyzer` finds them: by the degeneracy
//! of the moments of inertia, then by trying the axes and mirrors that such a molecule can have.
//! Positions agree within 0.3 Angstrom, and the decisions are those of pymatgen also where a
//! geometry lies between two groups, so that documents agree with quacc's.

mod inertia;
mod molecule;
mod operations;
mod search;

use std::fmt;

use super::atoms::Atoms;
use molecule::Centred;

/// How far a coordinate may be from where symmetry wants it, Angstrom.
pub const TOLERANCE: f64 = 0.3;
/// How far apart equal moments of inertia may be, as fractions of half their sum.
pub const EIGEN_TOLERANCE: f64 = 0.01;
/// Larger molecules are not looked at: the pairs and triples of atoms to try grow too fast.
pub const MOST_ATOMS: usize = 200;

/// A point group, by Schoenflies' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointGroup {
    /// All rotations: a single atom.
    Kh,
    /// Linear without a centre.
    CInfV,
    /// Linear with a centre.
    DInfH,
    /// Nothing.
    C1,
    /// A centre only.
    Ci,
    /// A mirror only.
    Cs,
    /// An axis of this order.
    C(usize),
    /// An axis of this order in mirrors.
    CV(usize),
    /// An axis of this order on a mirror.
    CH(usize),
    /// A rotoreflection axis of this order.
    S(usize),
    /// An axis of this order and twofold ones across it.
    D(usize),
    /// As `D`, and a mirror across the axis.
    DH(usize),
    /// As `D`, and mirrors along the axis.
    DD(usize),
    /// Rotations of the tetrahedron.
    T,
    /// The tetrahedron.
    Td,
    /// Rotations of the tetrahedron and a centre.
    Th,
    /// Rotations of the octahedron.
    O,
    /// The octahedron.
    Oh,
    /// Rotations of the icosahedron.
    I,
    /// The icosahedron.
    Ih,
}

impl PointGroup {
    /// Whether all atoms lie on one line (and are more than one).
    pub fn is_linear(self) -> bool {
        matches!(self, Self::CInfV | Self::DInfH)
    }
}

impl fmt::Display for PointGroup {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::CInfV => f.write_str("C*v"),
            Self::DInfH => f.write_str("D*h"),
            Self::C(order) => write!(f, "C{order}"),
            Self::CV(order) => write!(f, "C{order}v"),
            Self::CH(order) => write!(f, "C{order}h"),
            Self::S(order) => write!(f, "S{order}"),
            Self::D(order) => write!(f, "D{order}"),
            Self::DH(order) => write!(f, "D{order}h"),
            Self::DD(order) => write!(f, "D{order}d"),
            Self::Kh | Self::C1 | Self::Ci | Self::Cs | Self::T | Self::Td | Self::Th => write!(f, "{self:?}"),
            Self::O | Self::Oh | Self::I | Self::Ih => write!(f, "{self:?}"),
        }
    }
}

/// The point group of all atoms, their cell disregarded. `None` for no atoms, for more than
/// [`MOST_ATOMS`], and where the atoms are too close together for the tolerances to mean anything.
///
/// ```
/// use volley::science::{build::molecule, point_group};
/// let methane = point_group::find(&molecule("CH4")?).expect("a molecule");
/// assert_eq!(methane.to_string(), "Td");
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn find(atoms: &Atoms) -> Option<PointGroup> {
    match atoms.len() {
        0 => None,
        1 => Some(PointGroup::Kh),
        count if count > MOST_ATOMS => None,
        _ => search::classify(&Centred::of(atoms)),
    }
}
