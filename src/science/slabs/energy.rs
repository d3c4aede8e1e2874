//! The energy it costs to cut a crystal.

use std::collections::BTreeMap;

use crate::science::atoms::Atoms;
use crate::science::linear::{cross, norm};

/// J/m^2 in one eV/Angstrom^2, exact since the elementary charge is (BIPM, The International System
/// of Units, 9th edition (2019), section 2.2).
pub const JOULE_PER_SQUARE_METRE: f64 = 16.021_766_34;

/// The surface energy in eV/Angstrom^2, the mean of the two faces: (E_slab - n E_bulk) / 2A, energies in
/// eV, where the slab holds n times the atoms of the bulk and A is the area of its a and b. For faces
/// that are not alike this is the energy of cleavage per face. `None` where the slab's composition
/// is no multiple of the bulk's, and where there is no area.
///
/// ```
/// use volley::science::build::bulk;
/// use volley::science::slabs::surface_energy;
/// let copper = bulk("Cu", &Default::default())?;
/// let area = 0.5 * 3.61 * 3.61 * 0.75f64.sqrt();
/// let energy = surface_energy(1.0, &copper, 0.5, &copper).expect("the same composition");
/// assert!((energy - 0.25 / area).abs() < 1e-12);
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn surface_energy(slab_energy: f64, slab: &Atoms, bulk_energy: f64, bulk: &Atoms) -> Option<f64> {
    let area = norm(cross(slab.cell()[0], slab.cell()[1]));
    if bulk.is_empty() || area == 0.0 || !is_multiple(slab, bulk) {
        return None;
    }
    let times = slab.len() as f64 / bulk.len() as f64;
    Some((slab_energy - times * bulk_energy) / (2.0 * area))
}

/// Whether both have the same elements in the same proportions.
fn is_multiple(slab: &Atoms, bulk: &Atoms) -> bool {
    let counts = |atoms: &Atoms, factor: usize| {
        let mut counts = BTreeMap::<u8, usize>::new();
        for number in atoms.numbers() {
            *counts.entry(*number).or_default() += factor;
        }
        counts
    };
    counts(slab, bulk.len()) == counts(bulk, slab.len())
}
