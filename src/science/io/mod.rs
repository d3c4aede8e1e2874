//! Structures from and to text: extended XYZ, POSCAR, CIF, the MSON form that quacc stores, the JSON
//! files of ASE, and pymatgen's Structure JSON (read only). Every reader takes CRLF and a byte-order
//! mark; every writer writes numbers so that they read back to the same bits.

pub mod cif;
pub mod database;
pub mod extxyz;
mod frame;
pub mod mson;
pub mod poscar;
pub mod pymatgen;
pub mod python;

pub use frame::{Frame, Results};

/// Text without a byte-order mark.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
