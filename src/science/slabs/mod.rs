//! Slabs of a crystal: every distinct surface up to a Miller index, every termination of each, as
//! quacc's `make_slabs_from_bulk` makes them with pymatgen's `SlabGenerator`. W. Sun and G. Ceder,
//! Surf. Sci. 617, 53 (2013), doi:10.1016/j.susc.2013.05.016; R. Tran et al., Sci. Data 3, 160080
//! (2016), doi:10.1038/sdata.2016.80.

pub(in crate::science) mod crystal;
mod cut;
mod energy;
mod faces;
mod finish;
mod isometries;
pub(in crate::science) mod lll;
mod matching;
mod miller;
mod options;
mod oriented;
mod primitive;
pub(in crate::science) mod rounding;
mod surface;
#[cfg(test)]
mod trace;

use super::atoms::Atoms;
use super::error::{Error, Result};
use super::linear::Mat3;
use crystal::Crystal;
use cut::Cut;
pub use energy::{JOULE_PER_SQUARE_METRE, surface_energy};
use faces::Turn;
use finish::Bulk;
pub use options::SlabOptions;
use oriented::Oriented;

/// One slab. Its atoms carry `slab_stats` in their notes, as quacc writes them, and the columns
/// `bulk_wyckoff` and `bulk_equivalent` (the Wyckoff letter in the bulk, and the first of the bulk's atoms
/// that symmetry makes equal) beside the bulk's own columns with one value for each atom.
#[derive(Clone, Debug, PartialEq)]
pub struct Slab {
    /// The atoms, periodic in three directions; c need not be along the normal.
    pub atoms: Atoms,
    /// The plane, in the basis of the bulk's cell.
    pub miller_index: [i32; 3],
    /// Where the oriented cell was cut, as a fraction of its height; negative for a slab upside down.
    pub shift: f64,
    /// Slab cell in terms of the bulk's cell, before it was repeated in the plane.
    pub scale_factor: Mat3,
}

impl Slab {
    /// The shift as quacc notes it, to three decimals.
    pub fn rounded_shift(&self) -> f64 {
        finish::rounded(self.shift)
    }
}

/// What [`make_slabs_from_bulk`] made.
#[derive(Clone, Debug, PartialEq)]
pub struct Slabs {
    /// In the order of quacc: by Miller index and shift, then those upside down in the same order.
    pub slabs: Vec<Slab>,
    /// Where the result is not quacc's because quacc's would be wrong, or where there is none: a
    /// sentence each.
    pub warnings: Vec<String>,
}

/// All slabs of `bulk`, a crystal with a cell of three vectors that repeats in all directions. Miller
/// indices refer to this cell, so a primitive cell has other slabs than the conventional one. Which atoms
/// of the bulk are fixed does not matter.
///
/// There may be none: where `allowed_surface_symbols` are at no top, or `symmetrize` takes too many
/// atoms.
///
/// ```
/// use volley::science::{build::bulk, slabs::{SlabOptions, make_slabs_from_bulk}};
/// let copper = bulk("Cu", &Default::default())?;
/// let made = make_slabs_from_bulk(&copper, &SlabOptions::default())?;
/// let planes: Vec<_> = made.slabs.iter().map(|slab| slab.miller_index).collect();
/// assert_eq!(planes, [[1, 0, 0], [1, 1, 0], [1, 0, -1], [1, 1, -1]]);
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn make_slabs_from_bulk(bulk: &Atoms, options: &SlabOptions) -> Result<Slabs> {
    make_slabs_until(bulk, options, &|| false)
}

/// The same; `stop` is asked before every slab, and true ends it with [`Error::Stopped`].
pub fn make_slabs_until(bulk: &Atoms, options: &SlabOptions, stop: &dyn Fn() -> bool) -> Result<Slabs> {
    let go_on = || if stop() { Err(Error::Stopped) } else { Ok(()) };
    options.check()?;
    if bulk.is_empty() {
        return Err(Error::NoAtoms);
    }
    if bulk.pbc() != [true; 3] {
        let reason = "slabs are cut from a crystal, but this structure does not repeat in all three directions";
        return Err(Error::bad("pbc", reason));
    }
    let crystal = Crystal::new(bulk)?;
    let mut cuts = Vec::new();
    for miller in miller::distinct_planes(bulk.cell(), options.max_index as i32) {
        cuts.extend(cuts_along(&crystal, miller, options, &go_on)?);
    }
    let mut warnings = Vec::new();
    if options.flip_asymmetric {
        for index in 0..cuts.len() {
            go_on()?;
            if !faces::are_alike(&cuts[index].crystal) {
                cuts.push(turned_over(&cuts[index], options, &mut warnings));
            }
        }
    }
    let bulk = Bulk::new(bulk);
    let mut slabs = Vec::with_capacity(cuts.len());
    for cut in cuts {
        go_on()?;
        slabs.extend(bulk.finished(cut, options, &mut warnings)?);
    }
    if let Some(wanted) = options.wanted_elements().filter(|_| slabs.is_empty()) {
        warnings.push(format!("no slab was kept: none has {} at its top", options::named(wanted)));
    }
    Ok(Slabs { slabs, warnings })
}

/// The distinct slabs along one plane, one for each termination.
fn cuts_along(
    bulk: &Crystal,
    miller: [i32; 3],
    options: &SlabOptions,
    go_on: &dyn Fn() -> Result<()>,
) -> Result<Vec<Cut>> {
    let oriented = Oriented::new(bulk, miller, options.max_normal_search.map(|reach| reach as i32))?;
    let mut cuts = Vec::new();
    for shift in oriented.terminations(options.ftol) {
        go_on()?;
        cuts.push(Cut::new(bulk, &oriented, miller, shift, options)?);
    }
    let distinct = matching::distinct(cuts, options.tol);
    if !options.symmetrize {
        return Ok(distinct);
    }
    let alike = distinct.into_iter().flat_map(|cut| faces::made_alike(cut, bulk)).collect();
    Ok(matching::distinct(alike, options.tol))
}

fn turned_over(cut: &Cut, options: &SlabOptions, warnings: &mut Vec<String>) -> Cut {
    if options.compat_quacc {
        return faces::turned_over_as_quacc(cut, options.center_slab);
    }
    let (turned, turn) = faces::turned_over(cut, options.center_slab);
    if turn == Turn::WithItsCell {
        warnings.push(format!(
            "{}: turned over together with its cell; quacc leaves the cell as it was, and this one does not fit \
             the slab upside down",
            finish::label(&turned)
        ));
    }
    turned
}
