//! Builders: crystals and molecules by name, with the atoms, order and cell that ASE gives them.

mod bulk;
mod crystals;
mod molecule;
mod reference;

pub use bulk::{BulkOptions, bulk};
pub use molecule::{molecule, molecule_names};
