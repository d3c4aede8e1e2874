//! Phonons by finite displacements, with the definitions, defaults, order of atoms and points, and constants of
//! phonopy 4.10: A. Togo, J. Phys. Soc. Jpn. 92, 012001 (2023), doi:10.7566/JPSJ.92.012001. A [`Crystal`] says which
//! supercell, [`displacements`] what to move in it, [`ForceConstants`] what the forces tell, a [`Mesh`] how the
//! crystal vibrates. Every direction repeats, whatever the structure says.

mod constants;
mod crystal;
mod displacements;
mod dynamics;
mod force_constants;
mod grid;
mod group;
mod integers;
mod mesh;
mod smith;
mod symmetrize;
mod tetrahedra;
mod thermal;

pub use crystal::{Crystal, MOST_REPEATS, supercell};
pub use displacements::{Displacement, displacements};
pub use dynamics::{Dynamics, Modes};
pub use force_constants::{Block, ForceConstants};
pub use grid::Grid;
pub use group::{Group, Operation};
pub use integers::{Int3, IntMat};
pub use mesh::Mesh;
pub use tetrahedra::total_dos;
pub use thermal::{Thermal, thermal};
