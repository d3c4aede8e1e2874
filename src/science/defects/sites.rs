//! The sites of a crystal that symmetry does not make equal.

use crate::science::atoms::Atoms;
use crate::science::symmetry;

/// How far atoms may be from where symmetry wants them, Angstrom; pymatgen-analysis-defects' default.
const SYMPREC: f64 = 0.01;

/// A set of equivalent sites.
pub(super) struct Site {
    /// The first of them, counted from 0.
    pub index: usize,
    /// All of them, ascending.
    pub equivalent: Vec<usize>,
    /// Their Wyckoff letter.
    pub wyckoff: String,
}

/// In the order of the atoms. Without any symmetry each is of its own.
pub(super) fn sites(bulk: &Atoms) -> Vec<Site> {
    // A lattice is its own best description: the point at the origin is a in all fourteen.
    let found = if bulk.len() > 1 { symmetry::find(bulk, SYMPREC) } else { None };
    let firsts = match &found {
        Some(found) => found.equivalent(bulk, SYMPREC),
        None => (0..bulk.len()).collect(),
    };
    let letter = |index: usize| found.as_ref().map_or('a', |found| found.wyckoffs[index]);
    let site = |index: usize| Site {
        index,
        equivalent: (index..bulk.len()).filter(|other| firsts[*other] == index).collect(),
        wyckoff: letter(index).to_string(),
    };
    (0..bulk.len()).filter(|index| firsts[*index] == *index).map(site).collect()
}
