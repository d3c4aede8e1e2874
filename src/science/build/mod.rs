//! Builders: crystals, molecules and surfaces by name, supercells, and molecules on surfaces, with the
//! atoms, order and cell that ASE gives them.

mod adsorbate;
mod bulk;
mod crystals;
mod layers;
mod molecule;
mod reference;
mod supercell;
mod surfaces;

pub use adsorbate::{AdsorbateOptions, Place, add_adsorbate};
pub use bulk::{BulkOptions, bulk};
pub use molecule::{molecule, molecule_names};
pub use supercell::{Supercell, supercell};
pub use surfaces::{SurfaceOptions, surface};
