//! Atoms and what is computed from them: effective-medium energies, neighbour lists,
//! optimisers, builders and file formats. A library of its own: it knows nothing of
//! fireworks, launchpads or stores, does no printing, and reads no clock.
//! Units everywhere: eV, Angstrom, eV/Angstrom, eV/Angstrom^3.

pub mod atoms;
pub mod build;
pub mod calculator;
pub mod column;
pub mod composition;
pub mod defects;
pub mod elastic;
pub mod element_data;
pub mod elements;
pub mod emt;
pub mod error;
pub mod fields;
pub mod io;
pub mod linear;
pub mod md;
pub mod nearest;
pub mod neighbours;
pub mod optimize;
pub mod phonons;
pub mod point_group;
pub mod slabs;
pub mod space_groups;
pub mod structure;
pub mod symmetry;
pub mod threads;
pub mod units;

pub use atoms::Atoms;
pub use calculator::{Calculator, Properties};
pub use error::{Error, Result};
