//! Builders: crystals, molecules and surfaces by name, and supercells, with the atoms, order and
//! cell that ASE gives them.

mod bulk;
mod crystals;
mod molecule;
mod reference;
mod supercell;
mod surfaces;

pub use bulk::{BulkOptions, bulk};
pub use molecule::{molecule, molecule_names};
pub use supercell::{Supercell, supercell};
pub use surfaces::{SurfaceOptions, surface};
