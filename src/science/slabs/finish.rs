//! From a cut to a finished slab: wide enough, deep atoms fixed, with what quacc notes of it.

use serde_json::{Map, json};

use super::cut::{Cut, MOST_ATOMS};
use super::options::SlabOptions;
use super::{Slab, surface};
use crate::science::atoms::Atoms;
use crate::science::column::{Column, Values};
use crate::science::error::{Error, Result};
use crate::science::io::mson::to_mson;
use crate::science::linear::norm;
use crate::science::symmetry;

/// How far down the atoms are that count as the surface, Angstrom.
const SURFACE: f64 = 0.9;

/// How far atoms of the bulk may be from where symmetry wants them, Angstrom.
const SYMPREC: f64 = 0.01;

/// The bulk with what slabs inherit from it.
pub(super) struct Bulk<'a> {
    atoms: &'a Atoms,
    columns: Vec<(String, Column)>,
}

impl<'a> Bulk<'a> {
    pub fn new(atoms: &'a Atoms) -> Self {
        // Rows of several values are mostly vectors, which would have to turn with the slab.
        let flat = atoms.columns().filter(|(_, column)| column.width.is_none());
        let mut columns: Vec<_> = flat.map(|(name, column)| (name.to_owned(), column.clone())).collect();
        if let Some((letters, equivalent)) = sites(atoms) {
            columns.retain(|(name, _)| !["bulk_wyckoff", "bulk_equivalent"].contains(&name.as_str()));
            columns.push(("bulk_wyckoff".into(), Column::flat(Values::Text(letters))));
            columns.push(("bulk_equivalent".into(), Column::flat(Values::Int(equivalent))));
        }
        Self { atoms, columns }
    }

    /// The slab, unless it has none of the wanted elements at its top.
    pub fn finished(&self, cut: Cut, options: &SlabOptions, warnings: &mut Vec<String>) -> Result<Option<Slab>> {
        let top = |slab: &Atoms, depth| match options.compat_quacc {
            true => surface::top_as_quacc(slab, depth),
            false => surface::top(slab, depth),
        };
        if let Some(wanted) = options.wanted_elements() {
            let slab = cut.crystal.atoms()?;
            if !top(&slab, SURFACE).iter().any(|index| wanted.contains(&slab.numbers()[*index])) {
                return Ok(None);
            }
        }
        let times = |axis: usize| (options.min_length_width / norm(cut.crystal.cell[axis])).ceil().max(1.0);
        let (along_a, along_b) = (times(0), times(1));
        let count = along_a * along_b * cut.crystal.sites.len() as f64;
        if count > MOST_ATOMS {
            return Err(Error::bad("min_length_width", format!("a slab would have {count:e} atoms")));
        }
        let wide = cut.crystal.repeated(&[[along_a as i64, 0, 0], [0, along_b as i64, 0], [0, 0, 1]]);
        let mut atoms = wide.atoms()?;
        for (name, column) in &self.columns {
            let values = picked(&column.values, wide.sites.iter().map(|site| site.origin));
            atoms = atoms.with_column(name.clone(), Column::flat(values))?;
        }
        if let Some(depth) = options.free_depth() {
            let free = top(&atoms, depth);
            if !options.compat_quacc && free != surface::top_as_quacc(&atoms, depth) {
                warnings.push(format!(
                    "{}: all {} atoms within {depth} Angstrom of the top are free; quacc fixes some of them",
                    label(&cut),
                    free.len()
                ));
            }
            let fixed: Vec<usize> = (0..atoms.len()).filter(|index| free.binary_search(index).is_err()).collect();
            atoms = atoms.with_fixed(fixed)?;
        }
        let stats = json!({
            "bulk": to_mson(self.atoms),
            "miller_index": cut.miller,
            "shift": rounded(cut.shift),
            "scale_factor": cut.scale_factor,
        });
        let info = Map::from_iter([("slab_stats".to_owned(), stats)]);
        let (miller_index, shift, scale_factor) = (cut.miller, cut.shift, cut.scale_factor);
        Ok(Some(Slab { atoms: atoms.with_info(info), miller_index, shift, scale_factor }))
    }
}

/// To three decimals, as quacc.
pub(super) fn rounded(shift: f64) -> f64 {
    (shift * 1e3).round() / 1e3
}

/// A slab's name in messages.
pub(super) fn label(cut: &Cut) -> String {
    let [h, k, l] = cut.miller;
    format!("slab ({h} {k} {l}), shift {:.3}", cut.shift)
}

/// For each atom its Wyckoff letter, and the first atom that symmetry takes to it.
fn sites(atoms: &Atoms) -> Option<(Vec<String>, Vec<i64>)> {
    if atoms.len() == 1 && atoms.volume() > 0.0 {
        // A lattice is its own best description: the point at the origin is a in all fourteen.
        return Some((vec!["a".into()], vec![0]));
    }
    let found = symmetry::find(atoms, SYMPREC)?;
    let equivalent = found.equivalent(atoms, SYMPREC).into_iter().map(|first| first as i64).collect();
    Some((found.wyckoffs.iter().map(char::to_string).collect(), equivalent))
}

fn picked(values: &Values, indices: impl Iterator<Item = usize>) -> Values {
    match values {
        Values::Int(values) => Values::Int(indices.map(|index| values[index]).collect()),
        Values::Real(values) => Values::Real(indices.map(|index| values[index]).collect()),
        Values::Bool(values) => Values::Bool(indices.map(|index| values[index]).collect()),
        Values::Text(values) => Values::Text(indices.map(|index| values[index].clone()).collect()),
    }
}
